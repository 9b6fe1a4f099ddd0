"""Architectures as sequences of choices and back."""

import numpy as np
import pytest

from blox_env import BloxSpace, DartsSpace, MacroBenchSpace, SearchSpace
from blox_env.agents._choices import Choices
from tests.toys import huge_space

SPACES = [BloxSpace(), DartsSpace(), MacroBenchSpace(), SearchSpace((3, 1, 2)), huge_space()]


@pytest.mark.parametrize("space", SPACES, ids=repr)
def test_there_and_back(space):
    choices = Choices(space)
    rows = space.sample(np.random.default_rng(0), 200)
    made = choices.choices(rows)
    assert made.shape == (200, len(choices))
    np.testing.assert_array_equal(choices.rows(made), rows)
    for number in range(len(choices)):
        allowed = choices.allowed(number, made)
        assert allowed.shape == (200, choices.counts[number])
        assert allowed[np.arange(200), made[:, number]].all()


def test_what_is_allowed_leads_to_every_architecture_and_nothing_else():
    space = BloxSpace()
    choices = Choices(space)
    assert choices.counts == [3, 3, 8] * 3
    made = np.zeros((1, 0), dtype=np.int64)
    for number in range(3):  # all ways to write the first block
        allowed = choices.allowed(number, made)
        before, option = np.nonzero(allowed)
        made = np.column_stack([made[before], option])
    assert len(made) == 45
    blocks = choices.rows(np.tile(made, 3))[:, 0]
    assert sorted(blocks.tolist()) == list(range(45))
