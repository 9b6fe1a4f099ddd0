"""An ask/tell agent with several simulated workers, none of which waits for the others.

Workers that are free take proposals one by one. The agent is asked for ``batch`` of them when none
is left of the last ones, that is, with ``batch=1`` (the default of most agents), each time when a
worker is free. Before that it is told, one by one and in the order in which they end, of the
trainings that have ended by then, and of no other: it decides with what it could know.

- Proposals that were asked for and not told of are *pending*. Agents propose others meanwhile.
- A proposal that is known already takes no time: the agent is told at once.
- If it is pending, the worker waits for the training that is under way.
- An agent may propose fewer than it is asked for, or nothing while something is pending; the worker
  then waits until the next training ends.

Trials stand in the history in the order in which they *start*, because that is when the budget pays
for them; the clock knows when each ends. With one worker nothing is ever pending, and this is the
ordinary loop of :meth:`blox_env.agent.AskTellAgent.search`.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import Protocol

import numpy as np

from blox_env.ground.typing import IntArray
from blox_env.problem import Problem
from blox_env.problem.clock import Clock
from blox_env.problem.history import Trials


class AsksAndTells(Protocol):
    """The part of :class:`~blox_env.agent.AskTellAgent` that is needed here."""

    batch: int

    def ask(self, n: int) -> IntArray:
        """Propose."""

    def tell(self, x: IntArray, trials: Trials) -> None:
        """Learn.

        Args:
            x: proposals ``(n, slots)``.
            trials: their evaluations.
        """


def ask_and_tell(agent: AsksAndTells, problem: Problem, clock: Clock) -> None:
    """Let ``agent``, which has been started, search ``problem`` on the workers of ``clock``.

    Args:
        agent: one that has been started.
        problem: to be searched.
        clock: of the simulated workers.

    Raises:
        RuntimeError: when the agent proposes nothing while nothing is pending.
    """
    proposals: deque[IntArray] = deque()
    running: list[tuple[float, int, IntArray, Trials]] = []  # a heap by end, then order of start
    ends: dict[tuple[int, ...], float] = {}  # of what is pending
    started = 0
    clock.barrier = False
    rng = np.random.default_rng(0)  # for proposals that cannot be evaluated as they are
    while not problem.done:
        while running and running[0][0] <= clock.free_s:
            _, _, row, trials = heapq.heappop(running)
            ends.pop(tuple(row.tolist()), None)
            agent.tell(row[None], trials)
        if not proposals:
            proposals.extend(agent.ask(agent.batch))
        if not proposals:
            if not running:
                raise RuntimeError(
                    f"{type(agent).__name__} proposes nothing, and nothing is pending"
                )
            clock.hold(running[0][0])
            continue
        row = problem.propose(proposals.popleft(), rng)[0]
        trials = problem.evaluate(row[None])
        if not trials.evaluated[0]:  # not within the budget or the time
            continue
        key = tuple(row.tolist())
        started += 1
        if trials.new[0]:
            ends[key] = clock.last_end_s()
        elif key in ends:
            clock.hold(ends[key])
        else:
            agent.tell(row[None], trials)
            continue
        heapq.heappush(running, (ends[key], started, np.asarray(row), trials))
