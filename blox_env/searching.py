"""One search in one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from blox_env.agent import Agent, make_agent
from blox_env.history import History
from blox_env.problem import Problem


def search(
    problem: Problem,
    agent: str | Agent = "regularized-evolution",
    *,
    seed: int | np.random.Generator | None = None,
    options: Mapping[str, Any] | None = None,
) -> History:
    """Let an agent spend the budget of ``problem`` and return its history.

    Args:
        problem: what to search, with a budget and an empty history.
        agent: a registered name, ``"module:Class"`` or an :class:`~blox_env.agent.Agent`.
        seed: of every random choice; equal seeds give equal histories.
        options: constructor arguments of a named agent.

    Raises:
        ValueError: for an unknown agent or option, a problem without a budget, or one that lacks
            what the agent requires.
        RuntimeError: when the problem already has a history.
    """
    ready = make_agent(agent, options)
    if problem.history is None or problem.budget is None:
        raise ValueError("a search needs a problem with a budget, got budget=None")
    if len(problem.history):
        raise RuntimeError(
            f"the problem already has a history of {len(problem.history)} trials: make a new one"
        )
    missing = ready.requires - problem.provides
    if missing:
        raise ValueError(
            f"{type(ready).__name__} requires {', '.join(sorted(missing))}, "
            f"which this problem does not provide"
        )
    names = problem.objectives.names
    if ready.searches_for != "several" and len(names) > 1:
        raise ValueError(
            f"{type(ready).__name__} searches for one objective, got {', '.join(names)}"
        )
    if ready.searches_for == "reward" and names != ("reward",):
        raise ValueError(f"{type(ready).__name__} searches for the reward, got {names[0]}")
    ready.search(problem, seed=seed)
    return problem.history
