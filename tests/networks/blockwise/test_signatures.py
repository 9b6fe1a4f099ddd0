import numpy as np

from blox_env.networks.blockwise.iteration import best_sums
from blox_env.networks.blockwise.signatures import read_signatures
from blox_env.networks.signatures import Signatures


def test_the_best_sums_are_the_lowest_of_all():
    rng = np.random.default_rng(0)
    one = Signatures(*(rng.uniform(0.1, 1, (3, 45)) for _ in range(4)))
    first = best_sums(one, 3)
    assert first[0] == tuple(np.argmin(one.nsr, axis=1).tolist())
    sums = one.of(np.array(first)).sum(axis=1)
    assert (np.diff(sums) >= 0).all()


def test_an_empty_folder_has_none(tmp_path):
    assert np.isnan(read_signatures(tmp_path).nsr).all()
