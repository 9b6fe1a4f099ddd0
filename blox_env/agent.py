"""The interface of search algorithms: :class:`Agent`, and :class:`AskTellAgent` for most."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import numpy as np

from blox_env.asynchronous import ask_and_tell
from blox_env.ground import registry
from blox_env.ground.parallel import time_limit
from blox_env.ground.typing import IntArray
from blox_env.problem import Problem
from blox_env.problem.history import History, Trials

Seed = int | np.random.Generator | None
_WHERE = {
    "blocks": " (signatures of distilled blocks: the benchmark digits has them, and "
    "blox_env.networks.blockwise makes them)"
}


class Agent(ABC):
    """A search algorithm; its options are the keyword arguments of its constructor.

    Attributes:
        requires: what the problem must provide, such as ``{"curves"}`` or ``{"latency"}``.
        searches_for: ``"reward"``, that of the problem; ``"one"``, any single objective;
            ``"several"``, one objective or more. Objectives are ``problem.values(trials)``.
    """

    requires: frozenset[str] = frozenset()
    searches_for: Literal["reward", "one", "several"] = "reward"

    @abstractmethod
    def search(self, problem: Problem, *, seed: Seed) -> None:
        """Evaluate architectures until ``problem.done``.

        Equal seeds give equal trials, in any process. Every random choice comes from ``seed``.

        Args:
            problem: with a budget and an empty history.
            seed: of every random choice.
        """


class AskTellAgent(Agent):
    """An algorithm that proposes a batch, learns of its trials, and proposes the next.

    With simulated workers (a problem's ``clock``) it is asked while earlier proposals are pending,
    and told of them one by one in another order than it proposed them in: see
    :mod:`blox_env.asynchronous`. Those that must not be proposed twice it has to remember itself.

    Attributes:
        batch: how many proposals :meth:`search` asks for at once.
    """

    batch: int = 1

    @abstractmethod
    def start(self, problem: Problem, rng: np.random.Generator) -> None:
        """Forget everything and prepare for ``problem``; draw only from ``rng``.

        Args:
            problem: to be searched.
            rng: the only source of random choices.
        """

    @abstractmethod
    def ask(self, n: int) -> IntArray:
        """Propose ``n`` architectures, ``(n, slots)``; fewer where there are no more."""

    @abstractmethod
    def tell(self, x: IntArray, trials: Trials) -> None:
        """Learn from evaluated proposals.

        Args:
            x: the proposals ``(n, slots)``.
            trials: their evaluations.
        """

    def search(self, problem: Problem, *, seed: Seed) -> None:
        """Ask, evaluate and tell until the problem is done."""
        self.start(problem, np.random.default_rng(seed))
        rng = np.random.default_rng(0)  # for proposals that cannot be evaluated as they are
        if problem.clock is not None and problem.clock.workers > 1:
            ask_and_tell(self, problem, problem.clock)
            return
        while not problem.done:
            x = self.ask(self.batch)
            if not len(x):
                raise RuntimeError(f"{type(self).__name__} proposes nothing")
            x = problem.propose(x, rng)
            trials = problem.evaluate(x)
            kept = int(trials.evaluated.sum())
            if kept == len(x):
                self.tell(x, trials)


def make_agent(agent: str | Agent, options: Mapping[str, Any] | None = None) -> Agent:
    """The agent of a registered name with ``options``, or ``agent`` itself.

    Args:
        agent: a registered name, ``"module:Class"`` or a ready agent.
        options: arguments of the constructor of a named one.

    Raises:
        ValueError: for an unknown name or option, with the closest known one.
    """
    if isinstance(agent, Agent):
        if options:
            raise ValueError("options go with an agent's name, not with a ready agent")
        return agent
    return registry.make("agent", agent, options or {}, Agent)


def search(
    problem: Problem,
    agent: str | Agent = "regularized-evolution",
    *,
    seed: int | np.random.Generator | None = None,
    options: Mapping[str, Any] | None = None,
    time_limit_s: float | None = None,
    callback: Callable[[Problem], object] | None = None,
) -> History:
    """Let an agent spend the budget of ``problem`` and return its history.

    ``history.ended`` says why the search ended.

    Args:
        problem: what to search, with a budget and an empty history.
        agent: a registered name, ``"module:Class"`` or an :class:`~blox_env.agent.Agent`.
        seed: of every random choice; equal seeds give equal histories.
        options: constructor arguments of a named agent.
        time_limit_s: real seconds after which the search ends with what it has found; None for no
            limit. An evaluation that is under way is finished. In other threads than the main one
            the agent is not interrupted: it ends when it looks at ``problem.done``.
        callback: is called with the problem whenever something was evaluated, with ``.spent``,
            ``.budget`` and ``.history`` as they are then; what is true of its answer ends the
            search: ``lambda problem: problem.history.incumbent()[-1] > 0.7``.

    Raises:
        ValueError: for an unknown agent or option, a problem without a budget, or one that lacks
            what the agent requires; for a time limit that is not above 0.
        RuntimeError: when the problem already has a history, or the agent proposes nothing or
            leaves by ``SystemExit``.
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
            f"which this problem does not provide{_WHERE.get(min(missing), '')}"
        )
    names = problem.objectives.names
    if ready.searches_for != "several" and len(names) > 1:
        raise ValueError(
            f"{type(ready).__name__} searches for one objective, got {', '.join(names)}"
        )
    if ready.searches_for == "reward" and names != ("reward",):
        raise ValueError(f"{type(ready).__name__} searches for the reward, got {names[0]}")
    problem.watcher = callback
    try:
        with _ended_in_time(problem, time_limit_s) as left:
            try:
                ready.search(problem, seed=seed)
            except SystemExit as stop:  # of the search, not of whoever asked for it
                raise RuntimeError(
                    f"{type(ready).__name__} left by SystemExit({stop.code!r})"
                ) from stop
            finally:
                left.set()
    finally:
        problem.watcher = None
    return problem.history


@contextlib.contextmanager
def _ended_in_time(problem: Problem, seconds: float | None) -> Iterator[threading.Event]:
    """End the search in the block when its time is over, and note why it ended.

    Yields:
        What the block sets when it is left: time that is over from then on ends nothing. Else an
        alarm just between block and context would be an error of the search.
    """
    ledger = problem.ledger
    assert ledger is not None
    if seconds is not None:
        if not 0 < seconds < math.inf:
            raise ValueError(f"time_limit_s must be above 0 and finite, got {seconds!r}")
        ledger.deadline = time.monotonic() + seconds
    left = threading.Event()
    try:
        with time_limit(seconds, busy=lambda: ledger.lock.held or left.is_set()):
            yield left
    except TimeoutError:
        if not ledger.late:  # one of the agent's own
            raise
    ledger.history.ended = ledger.ending or "the agent stopped"
