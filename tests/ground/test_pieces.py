"""Rows of pieces are those that joining the tables' rows gives."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blox_env.ground.pieces import Pieces
from blox_env.ground.typing import IntArray


def drawn(seed: int, dtype: str) -> tuple[list[IntArray], list[int], int, np.random.Generator]:
    """Tables of some choices and widths, one after the other, a gap between some."""
    rng = np.random.default_rng(seed)
    tables: list[IntArray] = []
    starts, width = [], 0
    for _ in range(int(rng.integers(1, 6))):
        shape = rng.integers(1, 6, 2)
        tables.append(rng.integers(0, 100, shape).astype(dtype))
        starts.append(width)
        width += int(shape[1]) + int(rng.integers(0, 2))
    return tables, starts, width, rng


@given(st.integers(0, 10_000), st.sampled_from(["float32", "int64", "int8"]))
def test_rows_are_the_joined_rows_of_the_tables(seed: int, dtype: str) -> None:
    tables, starts, width, rng = drawn(seed, dtype)
    base = rng.integers(100, 120, width).astype(dtype)
    firsts = rng.integers(0, 4, len(tables))
    pieces = Pieces(tables, starts, width, base, firsts.tolist())
    choices = np.zeros((0, len(tables)), dtype=int)
    for n in (3, 3, 3, 0, 1, 1, 5):
        if n == len(choices):  # some pieces change, some stay
            choices = np.where(rng.random(choices.shape) < 0.3, 0, choices)
        else:
            choices = np.stack([rng.integers(0, len(table), n) for table in tables], axis=1)
        wanted = np.tile(base, (n, 1))
        for k, (table, start) in enumerate(zip(tables, starts, strict=True)):
            wanted[:, start : start + table.shape[1]] = table[choices[:, k]]
        called = choices + firsts
        for rows in (pieces.rows(called), pieces.rows_again(called)):
            assert rows.dtype == np.dtype(dtype)
            np.testing.assert_array_equal(rows, wanted)
            rows[:] = 121  # rows are the caller's own
        choices = choices.copy()


def test_what_is_remembered_is_not_the_callers() -> None:
    pieces = Pieces([np.eye(3)], [0], 3)
    choices = np.array([[0]])
    pieces.rows_again(choices)
    choices[0, 0] = 2
    np.testing.assert_array_equal(pieces.rows_again(choices), [[0, 0, 1]])


@pytest.mark.parametrize(
    ("starts", "width", "message"),
    [
        ([0, 1], 4, "column 1 belongs to more than one piece"),
        ([0, 2], 3, "a piece ends at 4, expected at most width 3"),
        ([0, 2], 5, "expected a base"),
    ],
)
def test_pieces_that_do_not_fit(starts: list[int], width: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Pieces([np.eye(2), np.eye(2)], starts, width)
