"""The page that compares agents, from figures that are made up or those of one short search."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("scipy")

import blox_env
from blox_env.problem.pareto import hypervolume
from docs.agents import problem_lines, tuning_lines
from perf.agent_fronts import ALONE, corner, volumes
from perf.agents import is_seen, judge
from perf.tune_agents import PUBLISHED, tune

pytestmark = pytest.mark.extra
NOISY = "cifar10, x86-ort-1t, single trainings"


def cell(level, **more):
    return {"regret": {"50": [level] * 6, "200": [level / 2] * 6}, **more}


def test_what_a_search_says_of_itself_stands_beside_its_true_regret():
    agents = {"quick": cell(0.004, seen={"50": [-0.003] * 6, "200": [-0.005] * 6})}
    agents["other"] = cell(0.002)
    found = {"size": 9, "random": 0.05, "agents": agents, "long": {}}
    lines = list(problem_lines(NOISY, found))
    assert "| agent | 50 evaluations | 200 evaluations | 50, as seen | 200, as seen |" in lines
    (quick,) = [line for line in lines if line.startswith("| quick")]
    assert [part.split()[0] for part in quick.split("|")[2:-1]] == [
        "4.00", "2.00", "-3.00", "-5.00"
    ]  # fmt: skip
    (other,) = [line for line in lines if line.startswith("| other")]
    assert other.endswith("|  |  |")
    del agents["quick"]["seen"]
    assert not any("as seen" in line for line in problem_lines(NOISY, found))


def test_true_and_seen_regret_of_one_search():
    problem = {
        kind: blox_env.Problem("digits", None, budget=50, noise="sampled", seed=3)
        for kind in (False, True)
    }
    found = {
        kind: judge(each, "random-search", {}, 5, best=1.0, as_seen=kind)[50]
        for kind, each in problem.items()
    }
    history = problem[True].history
    best = int(np.argmax(history.reward))
    assert found[True] == round(1 - history.reward[best], 8)
    assert found[False] == round(1 - problem[True].peek(history.x[best]).reward[0], 8)
    assert found[True] < found[False]  # what looks best was lucky


def test_what_is_missing_beside_figures_that_are_there():
    assert is_seen(cell(0.1), "tpe", NOISY)
    assert is_seen(cell(0.1), "random-search", "digits")
    assert not is_seen(cell(0.1), "random-search", NOISY)
    known = {"50": [0.0] * 6, "200": [0.0] * 6}
    assert is_seen(cell(0.1, seen=known), "random-search", NOISY)
    assert not is_seen(cell(0.1, seen=known | {"200": [0.0] * 5}), "random-search", NOISY)


def test_one_architecture_has_no_more_than_its_part_of_the_hypervolume():
    pytest.importorskip("moocore")
    front = np.array([[0.7, 1.0], [0.75, 2.0], [0.8, 3.0], [0.81, 4.0]])
    reference = np.array([0.1, 20.0])

    def alone(at):
        inside = np.maximum(front[:, 0] - at[0], 0) * np.maximum(at[1] - front[:, 1], 0)
        return inside.max() / hypervolume(front, at, maximise=(True, False))

    assert alone(reference) > ALONE
    at, share = corner(front, reference)
    assert share == pytest.approx(alone(at))
    assert ALONE - 0.02 < share <= ALONE
    assert 0.1 < at[0] < 0.7
    assert 4 < at[1] < 20
    with pytest.raises(ValueError, match="one point has more than 80%"):
        corner(front[:1], reference)


@pytest.mark.parametrize("agent", ["nsga2", "mo-asha"])
def test_fronts_are_of_full_trainings_by_what_was_spent(agent, monkeypatch):
    budgets = []

    def found(problem, agent, seed):
        budgets.append(problem.budget)
        full = problem.benchmark.epochs
        return SimpleNamespace(
            val_acc=np.array([0.9, 0.5, 0.7]),
            latency_ms=np.array([1.0, 1.0, 1.0]),
            epochs=np.array([1, full, full]),
            column=lambda name: {"cost": np.array([1.0, 49.0, 1.0])}[name],
        )

    monkeypatch.setattr(blox_env, "search", found)
    known = {"corner": [0.0, 2.0], "whole": 1.0}
    assert volumes(agent, "digits, x86-ort-1t", 0, known) == {"50": 0.5, "200": 0.7}
    assert budgets == ([50, 200] if agent == "mo-asha" else [200])


@pytest.mark.parametrize("agent", PUBLISHED)
def test_agents_as_published_are_not_tuned(agent):
    times = {"trials": 5, "seeds": 6, "finalists": 1, "final_seeds": 16}
    found = tune(agent, device="no such device", **times)
    told = {"benchmark": "digits", "device": "no such device"}
    lines = tuning_lines({"tuned_on": told, "tuning": {agent: found}})
    assert list(lines)[-1] == f"| {agent} | as published, not tuned |  |  | 0 | 0 |"
