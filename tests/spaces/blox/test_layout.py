import pytest

from blox_env.spaces.blox.blocks import BLOCKS, Block
from blox_env.spaces.blox.layout import stages
from blox_env.spaces.layout import EMPTY, Label

TITLE = Label(0, 0, "title", 10, 100)


def inside(plan, stage):
    return {n.name.partition(".")[2] for n in plan.nodes if n.name.startswith(f"{stage}.")}


def test_operations_and_sums_of_a_block():
    full, single = BLOCKS.index(Block(1, 0, 1, 1, 1)), BLOCKS.index(Block(0, 2, 0, 1, 0))
    plan = stages([full, single, EMPTY], TITLE)
    assert inside(plan, 1) == {"op1", "op2", "op2+", "out+", "reduction"}
    assert inside(plan, 2) == {"op2", "reduction"}
    assert inside(plan, 3) == {"empty", "reduction"}
    assert [frame.kind for frame in plan.frames] == ["stage", "stage", "empty stage"]


@pytest.mark.parametrize("number", range(45))
def test_every_node_of_a_block_is_on_a_way_from_input_to_classifier(number):
    plan = stages([number] * 3, TITLE)
    names = {node.name for node in plan.nodes}
    assert names == {e.start for e in plan.edges} | {e.end for e in plan.edges}
    starts, ends = ({getattr(e, side) for e in plan.edges} for side in ("start", "end"))
    assert names - ends == {"input"}
    assert names - starts == {"classifier"}
