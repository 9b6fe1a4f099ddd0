import numpy as np
import pytest

from blox_env import BloxSpace, SearchSpace
from blox_env.envs.episode.cells import Cells
from blox_env.envs.episode.decisions import Decisions
from blox_env.envs.episode.observations import Observer

SPACES = [BloxSpace(), SearchSpace((3, 3, 3)), SearchSpace((4, 2))]


def observed(space, kind, granularity="block", goals=None):
    decisions = Decisions(space, granularity)
    cells = Cells(decisions)
    observer = Observer(decisions, cells, kind, 0 if goals is None else goals.shape[1])
    rows = space.sample(np.random.default_rng(0), 50)
    masks = np.ones((len(rows), decisions.actions), np.int8)
    return rows, observer.observe(cells.of_rows(rows), goals, masks)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("granularity", ["block", "operation"])
def test_complete_architectures_look_as_their_features(space, granularity):
    kind = "ops" if "ops" in space.feature_kinds() else "onehot"
    rows, seen = observed(space, "ops", granularity)
    np.testing.assert_array_equal(seen, space.features(rows, kind).astype(np.float32))
    rows, seen = observed(space, "graph", granularity)
    graphs, nodes = space.features(rows, "graph"), space.graph().nodes
    np.testing.assert_array_equal(seen["adjacency"].reshape(len(rows), -1), graphs[:, : nodes**2])
    np.testing.assert_array_equal(seen["nodes"], graphs[:, nodes**2 :])
    assert (seen["adjacency"].dtype, seen["nodes"].dtype) == (np.int8, np.int64)


@pytest.mark.parametrize("space", SPACES)
def test_indices_are_choices_plus_one(space):
    rows, seen = observed(space, "indices")
    np.testing.assert_array_equal(seen, rows + 1)


@pytest.mark.parametrize("kind", ["ops", "graph", "dict"])
def test_goals_stand_at_the_end(kind):
    goals = np.random.default_rng(0).random((50, 2), dtype=np.float32)
    _, seen = observed(BloxSpace(), kind, goals=goals)
    shown = {"ops": lambda: seen[:, -2:], "graph": lambda: seen["goal"]}
    last = shown.get(kind, lambda: seen["observations"][:, -2:])()
    np.testing.assert_array_equal(last, goals)
