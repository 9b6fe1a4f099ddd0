"""One number a run for each question: how good, how good on test data, how soon, how wide a front.

All are taken on one problem, against a :class:`Yardstick`; :func:`pool` puts problems together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from blox_env.analysis.curves import EVALUATIONS, anytime, hypervolume_along, positions
from blox_env.analysis.fronts import Points
from blox_env.analysis.intervals import Estimate, improvement, iqm
from blox_env.analysis.statistics import (
    by_agent,
    final_regret,
    keeps_to_constraints,
    of_best,
    reference,
    regret_curves,
)
from blox_env.experiment.facts import Facts
from blox_env.experiment.results import Run
from blox_env.ground.typing import FloatArray
from blox_env.problem.pareto import hypervolume
from blox_env.problem.reward import REWARDS


@dataclass(frozen=True)
class Measure:
    """A question that each run answers with a number."""

    key: str
    heading: str
    unit: str
    less_is_better: bool
    form: str = ".2g"

    def show(self, value: float) -> str:
        """One value; a dash where it is not known."""
        return "–" if np.isnan(value) else format(value, self.form)


REGRET = Measure("regret", "simple regret", "reward", True)
TEST_REGRET = Measure("test_regret", "inference regret on test", "reward", True)
ANYTIME = Measure("anytime", "mean regret over evaluations", "reward", True)
HYPERVOLUME = Measure("hypervolume", "hypervolume", "", False, ".4g")
MEASURES = (REGRET, TEST_REGRET, ANYTIME, HYPERVOLUME)


@dataclass(frozen=True)
class Yardstick:
    """References against which the runs on one problem are measured.

    Attributes:
        best: the reward that simple regret is measured to.
        best_known: whether it is the best of the whole space, else of all runs.
        test_best: the best reward with test in place of validation accuracy; NaN where the reward's
            formula is not known by name.
        test_known: whether that is of the whole space, else of what the runs returned.
        corner: the reference point of hypervolumes (accuracy, latency in ms), None without latency.
        volume: hypervolume of the whole space's front, 1 where that is not known.
        volume_known: whether it is.
        start: regret that a search has after one evaluation, median over runs: what regrets are
            divided by before problems are put together.
    """

    best: float
    best_known: bool
    test_best: float
    test_known: bool
    corner: FloatArray | None
    volume: float
    volume_known: bool
    start: float


def yardstick(
    runs: Sequence[Run],
    *,
    whole: Points | None = None,
    whole_test: FloatArray | None = None,
    corner: FloatArray | None = None,
) -> Yardstick:
    """References for all runs on one problem.

    Args:
        runs: all runs on it.
        whole: every architecture within the constraints, where the space can be listed.
        whole_test: their test accuracies as fractions.
        corner: the problem's reference point for hypervolumes, accuracy and latency in ms ``(2,)``;
            by the same rule from what is known of its architectures if not given.
    """
    best, known = reference(runs)
    facts = runs[0].facts
    if whole_test is not None and facts.device is not None and whole is None:
        whole_test = None  # no latencies, no rewards
    if whole_test is None:
        test = np.array([inference_reward(run) for run in runs])
    else:
        latency = np.full(len(whole_test), np.nan) if whole is None else whole.latency_ms
        test = _reward(facts, whole_test, latency)
    test = test[~np.isnan(test)]
    first = np.array([_first(curve) for curve in regret_curves(runs, best)[1]])
    first = first[~np.isnan(first)]
    volume = 1.0
    if facts.device is not None:
        evaluated = Points.of(runs)
        if whole is not None:
            corner = whole.reference() if corner is None else corner
            edge = whole.front()
            volume = hypervolume(
                np.stack([edge.val_acc, edge.latency_ms], axis=1), corner, maximise=(True, False)
            )
        elif len(evaluated):
            corner = evaluated.reference() if corner is None else corner
    return Yardstick(
        best=best,
        best_known=known,
        test_best=float(test.max()) if len(test) else np.nan,
        test_known=whole_test is not None,
        corner=corner,
        volume=volume,
        volume_known=whole is not None,
        start=float(np.median(first)) if len(first) else np.nan,
    )


def inference_reward(run: Run) -> float:
    """Reward of the run's incumbent with its test accuracy; NaN for formulas without a name.

    That of an incumbent that breaks a constraint does not depend on its accuracy.
    """
    if not keeps_to_constraints(run):
        return float(of_best(run, "reward"))
    test = np.array([run.facts.test_acc], dtype=float)
    latency = np.array([of_best(run, "latency_ms")], dtype=float)
    return float(_reward(run.facts, test, latency)[0])


def score(runs: Sequence[Run], measure: Measure, to: Yardstick) -> FloatArray:
    """Value of a measure for each run, ``(runs,)``; NaN where that is not known.

    Args:
        runs: on one problem.
        measure: which value.
        to: the references of the problem.
    """
    if measure is REGRET:
        return np.array([final_regret(run, to.best) for run in runs])
    if measure is TEST_REGRET:
        return to.test_best - np.array([inference_reward(run) for run in runs])
    if measure is ANYTIME:
        return anytime(regret_curves(runs, to.best)[1])
    if to.corner is None:
        return np.full(len(runs), np.nan)
    end = np.array([np.inf])
    values = []
    for run in runs:
        where = positions(run, EVALUATIONS)
        assert where is not None
        values.append(hypervolume_along(run, where, end, to.corner, to.volume)[0])
    return np.array(values)


@dataclass(frozen=True)
class Pooled:
    """Runs of several agents on the same problems; ``values[agent]`` has ``(n,)`` a problem."""

    values: Mapping[str, list[FloatArray]]
    measure: Measure

    def agents(self) -> list[str]:
        """Those with a value for every run."""
        return [
            agent
            for agent, strata in self.values.items()
            if not np.isnan(np.concatenate(strata)).any()
        ]

    def middle(self, agent: str) -> Estimate:
        """Interquartile mean of an agent with its interval."""
        if agent not in self.agents():
            return Estimate(np.nan, np.nan, np.nan, 0)
        return iqm(self.values[agent])

    def better(self, agent: str, other: str) -> Estimate:
        """Probability that a run of the first is better than one of the second.

        Args:
            agent: the first.
            other: the second.
        """
        return improvement(
            self.values[agent], self.values[other], less_is_better=self.measure.less_is_better
        )


def on_one(runs: Sequence[Run], measure: Measure, to: Yardstick) -> Pooled:
    """All agents on one problem.

    Args:
        runs: on one problem.
        measure: which value.
        to: the references of the problem.
    """
    return Pooled(
        {agent: [score(own, measure, to)] for agent, own in by_agent(runs).items()}, measure
    )


def pool(problems: Sequence[tuple[Sequence[Run], Yardstick]]) -> Pooled:
    """Final regrets on several problems, in units of what one evaluation gives on each.

    1 is what a search has after one evaluation, 0 the best. Agents that are not on every problem
    are left out, and problems where one evaluation is as good as the best.
    """
    used = [(by_agent(runs), to) for runs, to in problems if to.start > 0]
    shared = set.intersection(*(set(groups) for groups, _ in used)) if used else set()
    measure = Measure("normalised", "normalised regret", "1 = one evaluation", True)
    values = {
        agent: [score(groups[agent], REGRET, to) / to.start for groups, to in used]
        for agent in sorted(shared)
    }
    return Pooled(values, measure)


def _reward(facts: Facts, acc: FloatArray, latency: FloatArray) -> FloatArray:
    formula = REWARDS.get(str(facts.reward))
    target = facts.latency_target_ms
    if formula is None:
        return np.full(len(acc), np.nan)
    goal = np.nan if target is None else target
    return np.asarray(formula(acc, latency, goal), dtype=float)


def _first(curve: FloatArray) -> float:
    known = curve[~np.isnan(curve)]
    return float(known[0]) if len(known) else np.nan


def best_runs(runs: Sequence[Run]) -> dict[str, Run]:
    """The run of each agent with the highest reward."""
    return {
        agent: max(own, key=lambda run: float(of_best(run, "reward")))
        for agent, own in by_agent(runs).items()
    }
