"""The compiled environments are the numpy ones, and have the form of gymnax."""

import itertools

import pytest

from tests.jax.lockstep import differences

jax = pytest.importorskip("jax")

from blox_env.jax import make

# Numbers are kept with 32 bits, of which 24 are digits: a half of the last is 2^-25 of a number
# below 1. A look-up is rounded once; a formula rounds each of its inputs, and what it makes of it;
# a change is the difference of two rewards, which may be up to 2^2.
LOOKED_UP = 2.0**-24
WORKED_OUT = 2.0**-20

KINDS = ("ops", "onehot", "indices", "graph", "dict")
DEVICES = {"goal": "device", "goals": ["x86-ort-1t", "x86-ort-int8-1t"]}
TARGET = {"goal": "latency_target"}
BUDGET = {"latency_budget_ms": 3.0}
LIMITS = {"constraints": {"params": 2.5e6, "latency_ms": 4.0}}
SIZE = {"constraints": {"params": 2.5e6}}
VECTOR = {"objectives": ("val_acc", "latency_ms", "params", "reward")}


def check(env, params, n):
    worst = differences(env, params, n)
    exact = env.worth.goal != "latency_target" and not env.moves.edits
    assert worst["reward"] <= (LOOKED_UP if exact else WORKED_OUT), worst
    assert worst.pop("observation", 0.0) <= WORKED_OUT  # a goal's place in its range
    assert worst.pop("reward") >= 0
    for name, gap in worst.items():
        assert gap <= (WORKED_OUT if name == "cost" else LOOKED_UP), (name, gap)


@pytest.mark.parametrize(
    ("id_", "arguments"),
    [
        ("Blox-v0", {"observation": "onehot", **TARGET, **BUDGET}),
        ("BloxEdit-v0", {"granularity": "operation", **BUDGET}),
    ],
)
def test_some_episodes_are_those_of_the_numpy_environment(id_, arguments):
    check(*make(f"blox_env/{id_}", **arguments), 300)


def everything():
    """Every observation in every granularity; every goal and mask in every granularity."""
    limits = ({}, BUDGET, LIMITS, SIZE)
    pairs = [*itertools.product(({}, TARGET), limits), (DEVICES, {}), (DEVICES, SIZE)]
    for granularity in ("block", "operation", "whole"):
        named = {"granularity": granularity}
        for number, kind in enumerate(KINDS):
            yield "Blox-v0", {**named, "observation": kind, **limits[number % 4]}
            if granularity != "whole":
                yield "BloxEdit-v0", {**named, "observation": kind, **limits[number % 4]}
        for number, (goal, limit) in enumerate(pairs):
            shown = {"observation": ("ops", "graph", "dict", "onehot")[number % 4]}
            yield "Blox-v0", {**named, **goal, **limit, **shown}
            if granularity != "whole":
                yield "BloxEdit-v0", {**named, **goal, **limit, **shown}
            if goal is not TARGET:
                yield "MOBlox-v0", {**named, **goal, **limit, **shown, **VECTOR}
    free = {"constraints": {"params": 2.5e6}, "enforce_constraints": False}
    for reward in ("accuracy", "mnasnet-hard", "tunas", "linear", "chebyshev", "constraint"):
        yield "Blox-v0", {"reward": reward, **TARGET, **free}
    yield "Blox-v0", {"benchmark": "digits", "noise": "sampled", "noise_seed": 5}
    yield "Blox-v0", {**DEVICES, "goal_probes": 4, "observation": "graph"}
    yield "Blox-v0", {"device": None}


@pytest.mark.jax
@pytest.mark.parametrize(("id_", "arguments"), list(everything()))
def test_ten_thousand_episodes_are_those_of_the_numpy_environment(id_, arguments):
    check(*make(f"blox_env/{id_}", **arguments), 10_000)
