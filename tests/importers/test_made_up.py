import numpy as np
import pytest

from blox_env.importers.made_up import encode_file, expected, make_files
from blox_env.spaces import BloxSpace

SPACE = BloxSpace()
X = SPACE.from_index(np.array([1, 2, 3]))


def make(seed=0, **changes):
    arguments = {"parts": ("base", "info", "bench"), **changes}
    return make_files(X, 4, (0, 1), ("phone",), rng=np.random.default_rng(seed), **arguments)


def test_one_file_a_part_and_seed_or_device():
    assert [f.stem for f in make()] == [
        "blox-base-0", "blox-base-1", "blox-info", "blox-bench-phone",
    ]  # fmt: skip


def test_equal_generators_give_equal_files():
    for form in ("csv", "pickle", "custom"):
        one, two = ([encode_file(f, form) for f in make(s)] for s in (0, 0))
        assert one == two
    assert encode_file(make(1)[0], "csv") != encode_file(make(0)[0], "csv")


def test_values_are_those_that_a_reader_finds():
    base, *_ = make()
    percent = expected(base, "val_top1")
    assert percent.shape == (3, 4)
    np.testing.assert_allclose(percent, base.columns["val_top1"] / 50, atol=5e-4)


def test_unknown_formats():
    with pytest.raises((ValueError, KeyError)):
        encode_file(make()[0], "xml")
