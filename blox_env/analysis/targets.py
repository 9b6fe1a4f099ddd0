"""Latency targets: which runs did not meet theirs, and whether any architecture could."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from blox_env.analysis.fronts import Points
from blox_env.analysis.statistics import by_agent, meets_target, target_of
from blox_env.experiment.results import Run


@dataclass(frozen=True)
class Missed:
    """A latency target that the best architectures of some runs do not meet.

    Attributes:
        target_ms: the target.
        missed: runs that missed it and all runs, by agent; only agents of which a run missed it.
        fastest_ms: latency of the fastest architecture of the space, None where it is not known.
    """

    target_ms: float
    missed: dict[str, tuple[int, int]]
    fastest_ms: float | None

    @property
    def impossible(self) -> bool:
        """True if no architecture of the space meets the target."""
        return self.fastest_ms is not None and self.fastest_ms > self.target_ms


def missed_target(runs: Sequence[Run], whole: Points | None) -> Missed | None:
    """The target of a problem if some runs missed it, else None.

    Args:
        runs: on one problem.
        whole: every architecture of the space, where it can be listed.
    """
    target = target_of(runs[0])
    if target is None:
        return None
    counts = {
        agent: (sum(not meets_target(run) for run in own), len(own))
        for agent, own in by_agent(runs).items()
    }
    missed = {agent: pair for agent, pair in counts.items() if pair[0]}
    fastest = None if whole is None else float(whole.latency_ms.min())
    return Missed(target, missed, fastest) if missed else None
