import numpy as np

from blox_env.networks.signatures import Signatures


def test_errors_are_logarithms_and_accuracies_are_not():
    rng = np.random.default_rng(0)
    one = Signatures(*(rng.uniform(0.1, 1, (3, 45)) for _ in range(4)))
    x = np.array([[0, 1, 2], [44, 44, 44]])
    np.testing.assert_allclose(one.of(x, "mse")[1], np.log(one.mse[:, 44]))
    np.testing.assert_allclose(one.of(x, "swap_acc")[0], one.swap_acc[range(3), [0, 1, 2]])
