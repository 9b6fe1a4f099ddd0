"""Proposals of what to train next."""

import numpy as np
import pytest

from blox_env import BloxSpace
from blox_env.experiment.rounds import found_trainings, propose

SPACE = BloxSpace()
DEVICES = ("x86-ort-1t", "x86-ort-int8-1t")


def table():
    x = SPACE.all()
    return 0.5 + 0.001 * x @ [1.0, 2.0, 3.0] - 0.01 * (x[:, 0] % 7)


def asked(trained=None, **changes):
    arguments = {"devices": DEVICES, "name": "round9", "agents": ("random-search",), "budget": 30}
    rng = np.random.default_rng(0)
    return propose(SPACE, table(), trained or {}, rng=rng, **{**arguments, **changes})


def test_the_top_and_every_point_of_the_fronts_are_asked_for():
    proposals = {p.row: p for p in asked(top=20, top_seeds=5, seeds=3)}
    best = SPACE.all()[np.argsort(-table(), kind="stable")[:20]]
    for row in map(tuple, best.tolist()):
        assert proposals[row].seeds == (0, 1, 2, 3, 4)
    kinds = {p.asked_by.split(":")[1] for p in proposals.values()}
    assert {"top", "front", "random-search"} <= kinds
    assert all(p.asked_by.startswith("round9:") for p in proposals.values())


def test_only_what_is_missing_is_asked_for():
    best = tuple(SPACE.all()[table().argmax()].tolist())
    proposals = {p.row: p for p in asked({best: 2}, top_seeds=5)}
    assert proposals[best].seeds == (2, 3, 4)
    assert best not in {p.row for p in asked({best: 5}, top_seeds=5)}


def test_equal_generators_give_equal_proposals():
    assert asked() == asked()


@pytest.mark.extra
def test_found_trainings_have_seeds_of_their_own_round():
    first = found_trainings("digits", "round1", seeds=2, seed=0, devices=DEVICES, limit=5)
    assert first == found_trainings("digits", "round1", seeds=2, seed=0, devices=DEVICES, limit=5)
    other = found_trainings("digits", "round2", seeds=2, seed=0, devices=DEVICES, limit=5)
    assert len(first) == 10
    assert len({row for row, _, _ in first}) == 5
    assert {s for _, s, _ in first}.isdisjoint({s for _, s, _ in other})
    assert min(s for _, s, _ in first) >= 1000
    assert len({s for _, s, _ in first}) == 10  # one for each training
