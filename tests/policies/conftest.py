"""Policies that learnt nothing, small and quick."""

import numpy as np
import pytest

from blox_env import BloxSpace
from blox_env.policies import write_policy

SIZES = {"actor": [8], "critic": [4]}


def card_of(kind="latency_target", **changes):
    env = {"benchmark": "digits", "reward": "constraint", "observation": "onehot"}
    if kind == "latency_target":
        goal = {"kind": kind, "low_ms": 3.0, "high_ms": 6.0, "knots": 5}
        env |= {"device": "x86-ort-1t", "goal": "latency_target", "goals": [3.0, 6.0]}
    else:
        goal = {"kind": kind, "probes": 4, "scale": 2.0}
        env |= {"goal": "device", "goal_probes": 4}
    card = {
        "name": "made-up",
        "description": "Proposes anything.",
        "space": "blox",
        "environment": env,
        "goal": goal,
        "network": SIZES,
        "expects": {"scale": [0.1, 0.5], "shift": [0.8, 1.0]},
    }
    return {**card, **changes}


def weights_of(card, seed=0):
    rng = np.random.default_rng(seed)
    inputs = sum(BloxSpace().options) + card["goal"].get("knots", card["goal"].get("probes"))
    made = {}
    for part, last in (("actor", 45), ("critic", 2)):
        sizes = (inputs, *card["network"][part], last)
        for at in range(len(sizes) - 1):
            made[f"{part}{at}.weight"] = rng.normal(size=sizes[at : at + 2])
            made[f"{part}{at}.bias"] = rng.normal(size=sizes[at + 1])
    return made


@pytest.fixture
def make(tmp_path):
    def written(kind="latency_target", name="policy", **changes):
        card = card_of(kind, **changes)
        return write_policy(tmp_path / name, card, weights_of(card))

    return written
