"""What came out, in sentences with their uncertainty."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from blox_env.analysis.intervals import FEWEST, Estimate
from blox_env.analysis.scores import REGRET, TEST_REGRET, Measure, Pooled, Yardstick, on_one
from blox_env.analysis.statistics import by_agent
from blox_env.experiment.results import Run

BASELINE = "random-search"


@dataclass(frozen=True)
class Verdict:
    """How an agent compares: ``word`` is ``better``, ``worse``, ``unclear`` or ``unknown``."""

    agent: str
    other: str
    word: str
    estimate: Estimate

    @classmethod
    def of(cls, pooled: Pooled, agent: str, other: str) -> Verdict:
        """By whether the interval of the probability of improvement holds 0.5."""
        found = pooled.better(agent, other)
        word = "unclear"
        if not found.known:
            word = "unknown"
        elif found.low > 0.5:
            word = "better"
        elif found.high < 0.5:
            word = "worse"
        return cls(agent, other, word, found)

    def sentence(self) -> str:
        """In words."""
        chance = f"{self.estimate.value:.2f}"
        if self.estimate.known:
            chance += f" (95 % interval {self.estimate.low:.2f} – {self.estimate.high:.2f})"
        run = f"a run of it beats one of {self.other} with probability {chance}"
        return {
            "better": f"{self.agent} is better than {self.other}: {run}.",
            "worse": f"{self.agent} is worse than {self.other}: {run}.",
            "unclear": f"{self.agent} and {self.other} cannot be told apart: {run}.",
            "unknown": f"{self.agent} and {self.other} have too few runs to tell; {run}.",
        }[self.word]


def compared(runs: Sequence[Run]) -> str:
    """What was compared on one problem, in a sentence."""
    groups = by_agent(runs)
    facts = runs[0].facts
    counts = sorted({len(own) for own in groups.values()})
    number = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    seeds = f"{number} run{'s' if counts[-1] > 1 else ''} each"
    what = f"the reward is {facts['reward']}"
    if facts["device"] is not None and facts["latency_target_ms"] is not None:
        what += f" with a latency target of {facts['latency_target_ms']:.4g} ms"
    agents = f"{len(groups)} agents" if len(groups) > 1 else "One agent"
    text = (
        f"{agents} ({', '.join(groups)}), {seeds}, a budget of {facts['budget']:,} full "
        f"trainings a run; {what}."
    )
    given = (r.facts.get("simulated_workers") for r in runs)
    workers = sorted({int(number) for number in given if number is not None})
    if workers:
        text += f" Simulated workers a search: {', '.join(map(str, workers))}."
    return text


def conclusions(runs: Sequence[Run], to: Yardstick) -> list[str]:
    """What the runs on one problem say, the most important first."""
    pooled = on_one(runs, REGRET, to)
    lines = [*_leader(pooled), *(v.sentence() for v in verdicts(pooled))]
    test = on_one(runs, TEST_REGRET, to)
    if len(test.agents()) > 1:
        best = _best(test)
        chosen = test.middle(best)
        lines.append(
            f"On test data {best} has the lowest inference regret, "
            f"{_interval(chosen, TEST_REGRET)}."
        )
    return [*lines, *caveats(pooled)]


def overall(pooled: Pooled) -> list[str]:
    """What all problems together say."""
    return [*_leader(pooled), *(v.sentence() for v in verdicts(pooled)), *caveats(pooled)]


def verdicts(pooled: Pooled) -> list[Verdict]:
    """Every agent against random search or, where that is not among them, against the best."""
    agents = pooled.agents()
    if not agents:
        return []
    other = baseline(pooled)
    return [Verdict.of(pooled, agent, other) for agent in agents if agent != other]


def baseline(pooled: Pooled) -> str:
    """The agent that all others are compared with."""
    return BASELINE if BASELINE in pooled.agents() else _best(pooled)


def caveats(pooled: Pooled) -> list[str]:
    """What limits the conclusions."""
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
    """Who is first, and who cannot be told from that."""
    agents = pooled.agents()
    if len(agents) < 2:
        return
    best = _best(pooled)
    found = pooled.middle(best)
    heading = pooled.measure.heading
    yield f"{best} has the lowest {heading}, {_interval(found, pooled.measure)}."
    close = [a for a in agents if a != best and Verdict.of(pooled, best, a).word == "unclear"]
    if close:
        yield f"It cannot be told apart from {_listed(close)}."


def _best(pooled: Pooled) -> str:
    sign = 1 if pooled.measure.less_is_better else -1
    return min(pooled.agents(), key=lambda agent: sign * pooled.middle(agent).value)


def _interval(found: Estimate, measure: Measure) -> str:
    text = f"{measure.show(found.value)} in the interquartile mean over {found.n} runs"
    if found.known and found.low == found.high:
        text += " (the middle half of them are equal)"
    elif found.known:
        text += f" (95 % interval {measure.show(found.low)} – {measure.show(found.high)})"
    return text


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
