import numpy as np
import pytest

from blox_env import BloxSpace, SearchSpace
from blox_env.envs.episode.cells import Cells
from blox_env.envs.episode.decisions import Decisions


class Pairs(SearchSpace):
    """Slots whose options are chosen in two parts, some of which make none."""

    def operation_tables(self):
        return [np.array([[0, -1, 1], [2, 3, -1]])] * self.slots

    def operation_values(self):
        return [np.array([[0, 0], [0, 2], [1, 0], [1, 1]])] * self.slots


@pytest.mark.parametrize("granularity", ["block", "operation"])
@pytest.mark.parametrize("space", [BloxSpace(), Pairs((4, 4)), SearchSpace((3, 5, 2))])
def test_every_way_through_the_cells_ends_at_the_option_it_chose(space, granularity):
    decisions = Decisions(space, granularity)
    cells = Cells(decisions)
    for slot, table in enumerate(decisions.tables):
        for choices in np.ndindex(*table.shape):
            node, steps = int(cells.blank[slot]), 0
            for choice in choices:
                assert (cells.slot[node], cells.prefix[node] >= 0) == (slot, True)
                made = int(cells.after[node * decisions.actions + choice])
                if made == 0:
                    break  # no option begins like this
                node, steps = int(cells.follow[made]), steps + 1
            if table[choices] < 0:
                assert made == 0
                continue
            assert steps == table.ndim
            assert cells.option[made] == table[choices]
            last = slot == space.slots - 1
            assert node == (cells.end if last else cells.blank[slot + 1])


@pytest.mark.parametrize("granularity", ["block", "operation"])
def test_cells_of_architectures_are_complete(granularity):
    space = BloxSpace()
    cells = Cells(Decisions(space, granularity))
    rows = space.sample(np.random.default_rng(0), 100)
    np.testing.assert_array_equal(cells.option[cells.of_rows(rows)], rows)
