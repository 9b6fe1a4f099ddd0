"""Latency targets and constraints: which runs did not meet them, and whether any could."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from blox_env.analysis.fronts import Points
from blox_env.analysis.statistics import by_agent, keeps_to_constraints, meets_target, target_of
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
        whole: every architecture within the constraints, where the space can be listed.
    """
    target = target_of(runs[0])
    if target is None:
        return None
    missed = _counts(runs, meets_target)
    fastest = None if whole is None else float(whole.latency_ms.min())
    return Missed(target, missed, fastest) if missed else None


def broken_constraints(runs: Sequence[Run]) -> dict[str, tuple[int, int]]:
    """Runs whose best architecture breaks a constraint, and all runs, by agent; only such agents.

    Args:
        runs: on one problem.
    """
    return _counts(runs, keeps_to_constraints)


def _counts(runs: Sequence[Run], kept: Callable[[Run], bool]) -> dict[str, tuple[int, int]]:
    """Runs of which something is not true, and all runs, by agent; only agents that have such."""
    counts = {
        agent: (sum(not kept(run) for run in own), len(own))
        for agent, own in by_agent(runs).items()
    }
    return {agent: pair for agent, pair in counts.items() if pair[0]}
