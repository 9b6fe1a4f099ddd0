import numpy as np
import pytest

from blox_env import BloxSpace, SearchSpace
from blox_env.envs.episode.decisions import Decisions, whole_actions


def test_decisions_of_blox():
    by_block, by_operation = (Decisions(BloxSpace(), g) for g in ("block", "operation"))
    assert (len(by_block), by_block.actions) == (3, 45)
    assert (len(by_operation), by_operation.actions) == (9, 8)
    assert [step.slot for step in by_operation.steps] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert [step.allowed.sum(axis=1).max() for step in by_operation.steps[:3]] == [3, 3, 7]


def test_words_name_the_choices_within_a_slot():
    decisions = Decisions(BloxSpace(), "operation")
    assert decisions.words(3, 0) == ""
    assert decisions.words(1, 2) == BloxSpace().describe_choices((2,))
    assert decisions.words(2, 7) == BloxSpace().describe_choices((2, 1))


def test_whole_actions_are_architectures():
    space = SearchSpace((4, 2))
    assert whole_actions(np.array([[3, 1]]), space).tolist() == [[3, 1]]
    with pytest.raises(ValueError, match="action: "):
        whole_actions(np.array([[3, 2]]), space)
