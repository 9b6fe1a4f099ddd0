"""Conclusions in sentences, with their uncertainty."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from blox_env.analysis.intervals import FEWEST, Estimate
from blox_env.analysis.scores import REGRET, TEST_REGRET, Measure, Pooled, Yardstick, on_one
from blox_env.analysis.statistics import by_agent
from blox_env.analysis.targets import Missed, broken_constraints
from blox_env.analysis.verdicts import BASELINE, Verdict, baseline, leader, verdicts
from blox_env.experiment.results import Run
from blox_env.problem.constraints import in_words


def sentence(verdict: Verdict) -> str:
    """A verdict in words."""
    chance = f"{verdict.estimate.value:.2f}"
    if verdict.estimate.known:
        chance += f" (95 % interval {verdict.estimate.low:.2f} – {verdict.estimate.high:.2f})"
    run = f"a run of it beats one of {verdict.other} with probability {chance}"
    return {
        "better": f"{verdict.agent} is better than {verdict.other}: {run}.",
        "worse": f"{verdict.agent} is worse than {verdict.other}: {run}.",
        "unclear": f"{verdict.agent} and {verdict.other} cannot be told apart: {run}.",
        "unknown": f"{verdict.agent} and {verdict.other} have too few runs to tell; {run}.",
    }[verdict.word]


def compared(runs: Sequence[Run]) -> str:
    """Agents, runs and budget on one problem, in a sentence."""
    groups = by_agent(runs)
    facts = runs[0].facts
    counts = sorted({len(own) for own in groups.values()})
    number = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    seeds = f"{number} run{'s' if counts[-1] > 1 else ''} each"
    what = f"the reward is {facts.reward}"
    if facts.device is not None and facts.latency_target_ms is not None:
        what += f" with a latency target of {facts.latency_target_ms:.4g} ms"
    if facts.constraints:
        what += f", among what keeps to {in_words(facts.constraints)}"
    agents = f"{len(groups)} agents" if len(groups) > 1 else "One agent"
    text = (
        f"{agents} ({', '.join(groups)}), {seeds}, a budget of {facts.budget:,} full "
        f"trainings a run; {what}."
    )
    workers = sorted({run.facts.simulated_workers for run in runs})
    if workers != [1]:
        text += f" Simulated workers a search: {', '.join(map(str, workers))}."
    return text


def warning(missed: Missed, limits: Mapping[str, float] | None = None) -> str:
    """A sentence about a latency target that was not met.

    Args:
        missed: by which runs.
        limits: constraints that hold beside it, by name.
    """
    target = f"the latency target of {missed.target_ms:.4g} ms"
    if missed.impossible:
        beside = f" and {in_words(limits)}" if limits else ""
        return (
            f"No architecture meets {target}{beside}: the fastest takes {missed.fastest_ms:.4g} ms."
        )
    counts = [f"{agent} {few} of {every}" for agent, (few, every) in missed.missed.items()]
    return f"Runs whose best architecture does not meet {target}: {', '.join(counts)}."


def broken(runs: Sequence[Run]) -> list[str]:
    """Sentences about runs whose best architecture breaks a constraint; empty without such."""
    found = broken_constraints(runs)
    if not found:
        return []
    counts = [f"{agent} {few} of {every}" for agent, (few, every) in found.items()]
    limits = in_words(runs[0].facts.constraints)
    return [f"Runs whose best architecture does not keep to {limits}: {', '.join(counts)}."]


def conclusions(runs: Sequence[Run], to: Yardstick) -> list[str]:
    """Conclusions from the runs on one problem, the most important first.

    Args:
        runs: on one problem.
        to: the references of the problem.
    """
    pooled = on_one(runs, REGRET, to)
    lines = [*_leader(pooled), *(sentence(v) for v in verdicts(pooled))]
    test = on_one(runs, TEST_REGRET, to)
    if len(test.agents()) > 1:
        best = leader(test)
        chosen = test.middle(best)
        lines.append(
            f"On test data {best} has the lowest inference regret, "
            f"{_interval(chosen, TEST_REGRET)}."
        )
    return [*lines, *caveats(pooled)]


def overall(pooled: Pooled) -> list[str]:
    """Conclusions from all problems together."""
    return [*_leader(pooled), *(sentence(v) for v in verdicts(pooled)), *caveats(pooled)]


def caveats(pooled: Pooled) -> list[str]:
    """Limits of the conclusions."""
    sizes = [sum(map(len, pooled.values[agent])) for agent in pooled.agents()]
    lines = []
    if sizes and min(sizes) < FEWEST:
        lines.append(f"Agents with fewer than {FEWEST} runs get no interval and no verdict.")
    if len(sizes) > 1 and baseline(pooled) != BASELINE:
        lines.append(
            f"{baseline(pooled)} was chosen as the best by these same runs, so that the others "
            "look somewhat worse beside it than they are."
        )
    if len(sizes) > 2:
        lines.append(
            "Each interval stands for itself: they are not widened for the number of comparisons."
        )
    return lines


def _leader(pooled: Pooled) -> Iterable[str]:
    """Sentences on the best agent, and those that cannot be told from it."""
    agents = pooled.agents()
    if len(agents) < 2:
        return
    best = leader(pooled)
    found = pooled.middle(best)
    heading = pooled.measure.heading
    yield f"{best} has the lowest {heading}, {_interval(found, pooled.measure)}."
    close = [a for a in agents if a != best and Verdict.of(pooled, best, a).word == "unclear"]
    if close:
        yield f"It cannot be told apart from {_listed(close)}."


def _interval(found: Estimate, measure: Measure) -> str:
    text = f"{measure.show(found.value)} in the interquartile mean over {found.n} runs"
    if found.known and found.low == found.high:
        text += " (the middle half of them are equal)"
    elif found.known:
        text += f" (95 % interval {measure.show(found.low)} – {measure.show(found.high)})"
    return text


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
