import numpy as np

from blox_env.networks.blockwise.iteration import best_sums
from blox_env.networks.blockwise.signatures import Signatures


def made_up(seed=0):
    rng = np.random.default_rng(seed)
    return Signatures(*(rng.uniform(0.1, 1, (3, 45)) for _ in range(4)))


def test_errors_are_logarithms_and_accuracies_are_not():
    one, x = made_up(), np.array([[0, 1, 2], [44, 44, 44]])
    np.testing.assert_allclose(one.of(x, "mse")[1], np.log(one.mse[:, 44]))
    np.testing.assert_allclose(one.of(x, "swap_acc")[0], one.swap_acc[range(3), [0, 1, 2]])


def test_the_best_sums_are_the_lowest_of_all():
    one = made_up()
    first = best_sums(one, 3)
    assert first[0] == tuple(np.argmin(one.nsr, axis=1).tolist())
    sums = one.of(np.array(first)).sum(axis=1)
    assert (np.diff(sums) >= 0).all()
