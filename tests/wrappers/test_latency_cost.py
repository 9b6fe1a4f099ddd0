from blox_env import (
    BloxEditEnv,
    BloxEnv,
    wrappers,
)
from tests.wrappers.building import TOYS, build


def test_cost_equals_that_of_the_constraint():
    budget = 2.5
    own = BloxEnv(**TOYS, reward="constraint", latency_target_ms=budget)
    wrapped = wrappers.LatencyCost(BloxEnv(**TOYS, reward="accuracy"), budget)
    for row in ([44, 44, 44], [0, 0, 1]):
        costs = []
        for env in (own, wrapped):
            env.reset()
            costs.append([env.step(action)[4]["cost"] for action in row])
        assert costs[0] == costs[1]
        _, reward, _, _, info = build(wrapped, row)
        assert reward == info["val_acc"]
    edit = BloxEditEnv(**TOYS, reward="constraint", latency_target_ms=budget)
    edits = wrappers.LatencyCost(BloxEditEnv(**TOYS), budget)
    start = {"options": {"arch": [44, 44, 43]}}
    assert edit.reset(**start)[1]["cost"] == edits.reset(**start)[1]["cost"] > 0
    assert edit.step(3)[4]["cost"] == edits.step(3)[4]["cost"]
