"""Statistics of the runs of an experiment: regret over evaluations, and a summary over seeds.

Everything is grouped by *problem*, a benchmark with a device, and within it by agent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.experiment.results import TRUTH, Run
from blox_env.ground.typing import FloatArray, IntArray

# What runs must share before their rewards can be compared, beside their settings.
_COMPARABLE = ("space", "checksums")
_ROUNDING = 1e-9  # rewards closer than this are equal: the rest is floating-point noise


@dataclass(frozen=True)
class Spread:
    """Median and quartiles over seeds; NaN where no seed has a value."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Quartiles of the values, linearly interpolated; NaN among them is left out."""
        array = np.array(list(values), dtype=float)
        array = array[~np.isnan(array)]
        if not len(array):
            return cls(np.nan, np.nan, np.nan)
        low, median, high = np.quantile(array, (0.25, 0.5, 0.75))
        return cls(float(median), float(low), float(high))


@dataclass(frozen=True)
class Summary:
    """The runs of one agent on one problem, over seeds.

    Attributes:
        agent: name of the agent.
        benchmark: name of the benchmark.
        device: name of the device, None without latency.
        reward: name of the formula.
        noise: ``"mean"``, or ``"sampled"`` when trials were single trainings.
        runs: number of runs.
        val_acc: validation accuracy of each run's best architecture, a fraction.
        test_acc: test accuracy of the same architecture, a fraction.
        latency_ms: its latency in milliseconds.
        regret: its simple regret in units of the reward, by means.
        seen_regret: the same with the rewards that the searches saw.
        evaluations: full trainings that were paid for.
        train_hours: hours that these trainings take according to the benchmark.
        wall_s: seconds that the search took in truth.
        acc_sources: how many of the best architectures have an accuracy of which source.
        latency_sources: how many of their latencies are measured, predicted or estimated by which
            tool; empty where that is not known.
        optimum_known: whether regret is to the best of the whole space, else to the best that any
            of the runs on the problem found.
        target_ms: latency target of the reward, None where the reward has none.
        met: number of runs whose best architecture is at most as slow as the target.
        constraints: limits by name.
        within: number of runs whose best architecture keeps to them.
    """

    agent: str
    benchmark: str
    device: str | None
    reward: str
    noise: str
    runs: int
    val_acc: Spread
    test_acc: Spread
    latency_ms: Spread
    regret: Spread
    seen_regret: Spread
    evaluations: Spread
    train_hours: Spread
    wall_s: Spread
    acc_sources: dict[str, int]
    latency_sources: dict[str, int]
    optimum_known: bool
    target_ms: float | None
    met: int
    constraints: dict[str, float]
    within: int


def by_problem(runs: Sequence[Run]) -> dict[tuple[str, str | None], list[Run]]:
    """Runs by (benchmark, device), sorted by name.

    Raises:
        ValueError: when runs on one of them differ in what their rewards are made of.
    """
    groups: dict[tuple[str, str | None], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.facts.benchmark, run.facts.device), []).append(run)
    for (benchmark, device), group in groups.items():
        first = group[0].facts
        for other in (run.facts for run in group):
            for name in (*first.shared(), *_COMPARABLE):
                ours, theirs = getattr(first, name), getattr(other, name)
                if ours != theirs:
                    raise ValueError(
                        f"runs on {benchmark} and {device} cannot be compared: {name} is "
                        f"{ours!r} for {first.agent}, repeat {first.repeat}, and {theirs!r} for "
                        f"{other.agent}, repeat {other.repeat}"
                    )
    return dict(sorted(groups.items(), key=lambda item: (item[0][0], item[0][1] or "")))


def by_agent(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Runs by agent, sorted by name."""
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(run.facts.agent, []).append(run)
    return dict(sorted(groups.items()))


def full_trainings(run: Run) -> NDArray[np.bool_]:
    """Rows of full trainings, ``(n,)``; all rows where the run does not say how long those are."""
    length = run.facts.epochs
    if length is None:
        return np.ones(len(run), dtype=bool)
    return np.asarray(run.columns["epochs"] == length)


def feasible(run: Run) -> NDArray[np.bool_]:
    """Rows that keep to the constraints, ``(n,)``; all rows where there are none."""
    every = np.ones(len(run), dtype=bool)
    return np.asarray(run.columns.get("feasible", every), dtype=bool)


def answers(run: Run) -> NDArray[np.bool_]:
    """Rows that are answers to the problem, ``(n,)``: full trainings within the constraints."""
    return full_trainings(run) & feasible(run)


def reference(runs: Sequence[Run]) -> tuple[float, bool]:
    """The reward that regret is measured to, and whether it is the best of the whole space.

    With constraints it is the best that is within them: whatever is not has a lower reward.

    Where the runs do not know that (a space too large to list), it is the best reward among them.
    Pass all runs on one problem, not those of one agent.

    Raises:
        ValueError: without any evaluation.
    """
    known = [run.facts.optimum for run in runs if run.facts.optimum is not None]
    if known:
        return float(max(known)), True
    found = [worth(run)[full_trainings(run)] for run in runs]
    if not any(len(rewards) for rewards in found):
        raise ValueError("no run has an evaluation to measure regret to")
    return float(np.max(np.concatenate(found))), False


def worth(run: Run) -> FloatArray:
    """True rewards of a run's trials ``(n,)``: by means, whatever single trainings the search saw.

    What it saw where the run file does not tell more.
    """
    return np.asarray(run.columns.get(TRUTH, run.columns["reward"]), dtype=float)


def best_so_far(run: Run, order: IntArray | None = None) -> FloatArray:
    """True reward of what looked best after each trial ``(n,)``; -inf before a full training.

    Args:
        run: one run.
        order: of its trials ``(n,)``, that of the run if not given.
    """
    rewards = np.where(full_trainings(run), run.columns["reward"], -np.inf)
    rows = np.arange(len(rewards)) if order is None else order
    rewards = rewards[rows]
    if not len(rewards):
        return rewards
    best = np.maximum.accumulate(rewards)
    better = np.concatenate([[True], rewards[1:] > best[:-1]])
    last = np.maximum.accumulate(np.where(better, np.arange(len(rewards)), 0))
    return np.where(np.isneginf(best), -np.inf, worth(run)[rows][last])


def regret_curves(runs: Sequence[Run], best: float | None = None) -> tuple[IntArray, FloatArray]:
    """Simple regret after 1, 2, … evaluations: the difference to the best reward so far.

    Evaluations are full trainings paid for; a training of part of the epochs counts in part, and
    its reward does not count. A search that ended before its budget keeps its last value up to
    there. Differences below 1e-9 are 0. The best is what the search saw as that; what counts is its
    true reward, see :func:`worth`.

    Args:
        runs: runs on one problem.
        best: the reward that regret is measured to; :func:`reference` of these runs if not given.

    Returns:
        Evaluations ``(b,)``, 1 up to the largest budget, and regret ``(n_runs, b)`` in units of the
        reward, NaN before a run's first evaluation and after its budget.
    """
    if best is None:
        best = reference(runs)[0]
    length = max(int(run.facts.budget) for run in runs)
    evaluations = np.arange(1, length + 1)
    regret = np.full((len(runs), length), np.nan)
    for row, run in zip(regret, runs, strict=True):
        spent = np.cumsum(run.columns["cost"])
        incumbent = np.concatenate([[-np.inf], best_so_far(run)])
        seen = np.searchsorted(spent, evaluations + _ROUNDING, side="right")
        row[:] = best - incumbent[seen]
        row[np.isinf(row) | (evaluations > int(run.facts.budget))] = np.nan
    regret[np.abs(regret) < _ROUNDING] = 0.0
    return evaluations, regret


def summary(runs: Sequence[Run]) -> list[Summary]:
    """One row an agent and problem, sorted by benchmark, device and agent.

    Raises:
        ValueError: as :func:`by_problem`.
    """
    rows = []
    for (benchmark, device), group in by_problem(runs).items():
        best, known = reference(group)
        for agent, own in by_agent(group).items():
            rows.append(
                Summary(
                    agent=agent,
                    benchmark=benchmark,
                    device=device,
                    reward=str(own[0].facts.reward),
                    noise=own[0].facts.noise,
                    runs=len(own),
                    val_acc=Spread.of(of_best(run, "val_acc") for run in own),
                    test_acc=Spread.of(run.facts.test_acc for run in own),
                    latency_ms=Spread.of(of_best(run, "latency_ms") for run in own),
                    regret=Spread.of(final_regret(run, best) for run in own),
                    seen_regret=Spread.of(final_regret(run, best, seen=True) for run in own),
                    evaluations=Spread.of(run.columns["cost"].sum() for run in own),
                    train_hours=Spread.of(run.columns["train_time_s"].sum() / 3600 for run in own),
                    wall_s=Spread.of(run.meta.get("wall_s", np.nan) for run in own),
                    acc_sources=count(of_best(run, "source") for run in own),
                    latency_sources=count(filter(None, map(latency_source, own))),
                    optimum_known=known,
                    target_ms=target_of(own[0]),
                    met=sum(meets_target(run) for run in own),
                    constraints=dict(own[0].facts.constraints or {}),
                    within=sum(keeps_to_constraints(run) for run in own),
                )
            )
    return rows


def latency_source(run: Run) -> str | None:
    """Source of the latency of the run's best architecture in words; None where it is not known."""
    facts = run.facts
    if facts.latency_source is not None or facts.measured is None:
        return facts.latency_source
    return "measured" if facts.measured else "predicted"


def target_of(run: Run) -> float | None:
    """The latency target of a run in ms, None for rewards that have none."""
    facts = run.facts
    return None if facts.device is None or facts.reward == "accuracy" else facts.latency_target_ms


def meets_target(run: Run) -> bool:
    """True if the run's best architecture is at most as slow as the target, or there is none."""
    target = target_of(run)
    return target is None or bool(of_best(run, "latency_ms") <= target)


def keeps_to_constraints(run: Run) -> bool:
    """True if the run's best architecture is within the constraints, or there are none."""
    return bool(feasible(run)[run.facts.best])


def of_best(run: Run, column: str) -> Any:
    """Value of a column for the run's best architecture.

    Args:
        run: one run.
        column: name of a column.
    """
    return run.columns[column][run.facts.best]


def final_regret(run: Run, best: float, *, seen: bool = False) -> float:
    """Simple regret of the run's best architecture, 0 below 1e-9.

    Args:
        run: one run.
        best: the reward that regret is measured to.
        seen: take what the search saw instead of what is true.
    """
    rewards = run.columns["reward"] if seen else worth(run)
    value = float(best - rewards[run.facts.best])
    return 0.0 if abs(value) < _ROUNDING else value


def count(words: Iterable[str]) -> dict[str, int]:
    """Number of times each word occurs, the most frequent first, then by name."""
    counts = Counter(str(word) for word in words)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
