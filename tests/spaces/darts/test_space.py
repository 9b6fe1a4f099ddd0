import numpy as np
import pytest

import blox_env
from blox_env.spaces.darts import DartsSpace
from blox_env.spaces.drawing import Shown, ansi, picture
from tests.spaces.darts.test_notation import DARTS_V2

SPACE = DartsSpace()


def test_size():
    assert SPACE.size == 1_037_664_180**2
    assert SPACE.enumerable
    assert not SPACE.listable
    rows = SPACE.sample(np.random.default_rng(0), 1000)
    np.testing.assert_array_equal(SPACE.from_index(SPACE.index(rows)), rows)
    assert SPACE.neighbors(rows[:2]).shape == (2, 2 * (48 + 146 + 293 + 489), 8)


def test_in_words():
    row = SPACE.from_genotype(DARTS_V2)
    words = SPACE.describe(row)
    assert words.startswith("normal: sep3(0) + sep3(1), sep3(0) + sep3(1), skip(0) + sep3(1), ")
    assert "| reduce: max(0) + max(1)" in words
    names = SPACE.identify(row)
    np.testing.assert_array_equal(SPACE.from_genotype(names["genotype"]), row)
    np.testing.assert_array_equal(SPACE.from_configuration(names["nasbench301"]), row)
    assert SPACE.to_genotype(row).normal_concat == [2, 3, 4, 5]
    assert SPACE.describe_choices((1, 3)) == "inputs 1, sep3, …"
    assert repr(SPACE) == "DartsSpace()"
    assert blox_env.DartsSpace() == SPACE


def test_unknown_size():
    with pytest.raises(ValueError, match="flops"):
        SPACE.size_of("flops", SPACE.from_genotype(DARTS_V2))


def test_operations_make_every_option():
    tables, values = SPACE.operation_tables(), SPACE.operation_values()
    for table, value in zip(tables, values, strict=True):
        np.testing.assert_array_equal(table[tuple(value.T)], np.arange(len(value)))


@pytest.mark.extra
def test_drawn():
    row = SPACE.from_genotype(DARTS_V2)
    for filled in (0, 3, 8):
        shown = Shown(row, filled, val_acc=0.93, source="surrogate")
        assert picture(SPACE, shown).ndim == 3
        assert "0.93" in ansi(SPACE, shown)
