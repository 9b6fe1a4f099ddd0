import pytest

from tests.jax.lockstep import differences

jax = pytest.importorskip("jax")

from blox_env.jax import make

# Numbers are kept with 32 bits, of which 24 are digits: a half of the last is 2^-25 of a number
# below 1. A look-up is rounded once; a formula rounds each of its inputs, and what it makes of it.
LOOKED_UP = 2.0**-24
WORKED_OUT = 2.0**-20
EPISODES = 400

GOALS = {"goal": "device", "goals": ["x86-ort-1t", "x86-ort-int8-1t"]}
BUDGET = {"latency_budget_ms": 3.0}


def check(id_, n=EPISODES, **arguments):
    env, params = make(id_, **arguments)
    worst = differences(env, params, n)
    formula = env.worth.goal == "latency_target"
    for name, gap in worst.items():
        assert gap <= (WORKED_OUT if formula else LOOKED_UP), (name, gap)
    return worst


@pytest.mark.parametrize(
    ("id_", "arguments"),
    [
        ("Blox-v0", {"granularity": "block", "observation": "onehot"}),
        ("Blox-v0", {"granularity": "operation", "observation": "ops", **BUDGET}),
        ("Blox-v0", {"granularity": "whole", "observation": "dict", **BUDGET}),
        ("Blox-v0", {"observation": "graph", "goal": "latency_target"}),
        ("BloxEdit-v0", {"granularity": "operation", "observation": "indices", **BUDGET}),
        ("MOBlox-v0", {"objectives": ("val_acc", "latency_ms", "params", "reward"), **GOALS}),
    ],
)
def test_episodes_are_those_of_the_numpy_environment(id_, arguments):
    check(f"blox_env/{id_}", **arguments)
