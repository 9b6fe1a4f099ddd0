import numpy as np
import pytest

from blox_env.spaces.blox.blocks import BLOCKS, RANK, USES, VECTORS, Block, canonical, stage_edges


def test_kinds_of_blocks():
    kinds = {}
    for block in BLOCKS:
        bits = (block.prev, block.input, block.skip)
        kinds[bits] = kinds.get(bits, 0) + 1
    assert kinds == {
        (0, 1, 0): 3, (0, 1, 1): 6, (1, 0, 0): 9, (1, 0, 1): 9, (1, 1, 0): 9, (1, 1, 1): 9,
    }  # fmt: skip
    assert list(BLOCKS) == sorted(BLOCKS)


def test_ranks_are_those_of_the_canonical_form():
    assert (RANK < 0).sum() == 9
    for vector, rank in zip(VECTORS, RANK, strict=True):
        block = canonical(*vector)
        assert (block is None) == (rank < 0)
        assert block is None or BLOCKS[rank] == canonical(*block) == block


@pytest.mark.parametrize(
    ("block", "formula", "edges"),
    [
        (Block(0, 2, 0, 1, 0), "bconv(x)", {("in", "op2"), ("op2", "out")}),
        (
            Block(1, 0, 1, 1, 1),
            "conv(mbconv(x)+x)+mbconv(x)",
            {("in", "op1"), ("in", "op2"), ("op1", "op2"), ("op1", "out"), ("op2", "out")},
        ),
    ],
)
def test_formula_and_edges(block, formula, edges):
    assert str(block) == formula
    assert set(stage_edges(block)) == edges


def test_uses_count_the_operations():
    assert USES.sum(axis=1).tolist() == [1 if block.single else 2 for block in BLOCKS]
    assert np.array_equal(USES[BLOCKS.index(Block(2, 2, 1, 0, 0))], [0, 0, 2])
