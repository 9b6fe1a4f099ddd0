"""Verdicts: one agent better than another, as far as the runs can tell."""

from __future__ import annotations

from dataclasses import dataclass

from blox_env.analysis.intervals import Estimate
from blox_env.analysis.scores import Pooled

BASELINE = "random-search"


@dataclass(frozen=True)
class Verdict:
    """Comparison of two agents: ``word`` is ``better``, ``worse``, ``unclear`` or ``unknown``."""

    agent: str
    other: str
    word: str
    estimate: Estimate

    @classmethod
    def of(cls, pooled: Pooled, agent: str, other: str) -> Verdict:
        """Judge by the interval of the probability of improvement: unclear where it holds 0.5.

        Args:
            pooled: values of runs by agent.
            agent: the one judged.
            other: the one it is compared with.
        """
        found = pooled.better(agent, other)
        word = "unclear"
        if not found.known:
            word = "unknown"
        elif found.low > 0.5:
            word = "better"
        elif found.high < 0.5:
            word = "worse"
        return cls(agent, other, word, found)


def verdicts(pooled: Pooled) -> list[Verdict]:
    """Every agent against random search or, where that is not among them, against the best."""
    agents = pooled.agents()
    if not agents:
        return []
    other = baseline(pooled)
    return [Verdict.of(pooled, agent, other) for agent in agents if agent != other]


def baseline(pooled: Pooled) -> str:
    """The agent that all others are compared with."""
    return BASELINE if BASELINE in pooled.agents() else leader(pooled)


def leader(pooled: Pooled) -> str:
    """The agent with the best interquartile mean."""
    sign = 1 if pooled.measure.less_is_better else -1
    return min(pooled.agents(), key=lambda agent: sign * pooled.middle(agent).value)
