"""The problem of a search: what is asked, what was spent, and what is true of it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blox_env.benchmarks.base import Benchmark
from blox_env.devices.base import Device
from blox_env.ground import defaults
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem.asked import HasTask
from blox_env.problem.clock import Clock
from blox_env.problem.history import History, Trials
from blox_env.problem.ledger import ELSEWHERE, Ledger
from blox_env.problem.reward import RewardFunction, check_finite
from blox_env.problem.task import Task
from blox_env.problem.truth import FrontRegret, Truth
from blox_env.spaces.base import Rows


class Problem(HasTask):
    """A benchmark, a device and an objective, with one accounting for all kinds of search.

    A budget counts full trainings of distinct architectures: ``e`` of ``E`` epochs cost ``e/E``,
    going on with one costs the difference, and asking again is free. ``max_queries`` ends a search
    that asks for nothing new any more, or for what it cannot pay. The exact answers are those of
    :class:`~blox_env.problem.truth.Truth`: optimum, front, hypervolume, regret.

    It is made of three parts: :attr:`task`, what is asked, which never changes; :attr:`ledger`,
    what was spent and recorded, all that changes; :attr:`truth`, the exact answers. Threads may
    share a problem. Other processes cannot: a copy there would spend a budget of its own.

    Args:
        benchmark: a name, or a :class:`~blox_env.benchmarks.base.Benchmark`.
        device: a name, a :class:`~blox_env.devices.base.Device`, or None for no latency. By default
            the package's where it knows the benchmark's space, and none elsewhere.
        reward: a name of :mod:`blox_env.problem.reward` or a function of accuracies, latencies and
            target; ``mnasnet`` with a device and ``accuracy`` without one if not given.
        latency_target_ms: target of the reward; the device's median if not given.
        budget: number of full trainings, None for no limit.
        max_queries: number of architectures asked for; if not given, 20 times the budget, or 20
            times the size of the space where that is less.
        noise: ``"mean"`` evaluates to the mean over trainings, ``"sampled"`` to one repeatable
            training of every architecture.
        seed: which training ``noise="sampled"`` draws.
        keep: whether to keep a history; without one repeats are not recognised.
        objectives: what agents for several objectives search for: different ones of ``reward,
            val_acc, latency_ms, params, macs, peak_activation_bytes, flops``.
        constraints: limits by name that architectures have to keep to, such as
            ``{"params": 2.5e6, "latency_ms": 4}``: of ``params, macs, flops, memory_mb,
            peak_activation_bytes, latency_ms``. Searches propose what is within them, and the exact
            answers are among it.
        clock: simulated workers and a limit of their time, for one search; see
            :mod:`blox_env.problem.clock`.

    Raises:
        ValueError: for unknown names, a budget below one, a device for another space.

    Attributes:
        task: what is asked.
        ledger: what was spent and recorded; None with ``keep=False``.
        watcher: is called with the problem after every batch that was evaluated; what is true of
            its answer ends the search. None for nobody.
        truth: the exact answers.
    """

    def __init__(
        self,
        benchmark: str | Benchmark = defaults.BENCHMARK,
        device: str | Device | None = defaults.DEFAULT,
        reward: str | RewardFunction | None = None,
        *,
        latency_target_ms: float | None = None,
        budget: int | None = None,
        max_queries: int | None = None,
        noise: str = "mean",
        seed: int = 0,
        keep: bool = True,
        objectives: str | Sequence[str] = ("reward",),
        constraints: Mapping[str, float] | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.task = Task.of(
            benchmark,
            device,
            reward,
            latency_target_ms=latency_target_ms,
            noise=noise,
            seed=seed,
            objectives=objectives,
            constraints=constraints,
        )
        self.truth = Truth(self.task)
        self.watcher: Callable[[Problem], object] | None = None
        self.ledger: Ledger | None = None
        if keep:
            limits: dict[str, Any] = {"budget": budget, "max_queries": max_queries}
            epochs = self.benchmark.epochs
            self.ledger = Ledger(self.candidates, epochs, **limits, clock=clock, task=self.task)
        elif budget is not None:
            raise ValueError("a problem with a budget keeps a history: keep must be True")
        elif max_queries is not None:
            raise ValueError("max_queries needs a history: keep must be True")
        elif clock is not None:
            raise ValueError("a clock needs a history: keep must be True")

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process may have the task, not the account.

        Raises:
            TypeError: for a problem with a history: each process would spend the whole budget.
        """
        if self.ledger is not None:
            raise TypeError(ELSEWHERE)
        return _without_account, (self.task,)

    def __deepcopy__(self, memo: dict[int, Any]) -> Problem:
        """The same task with a copy of the account."""
        made = type(self).__new__(type(self))
        made.task, made.truth, made.watcher = self.task, self.truth, None
        made.ledger = copy.deepcopy(self.ledger, memo)
        return made

    def __repr__(self) -> str:
        """The task in words, and what was spent."""
        return f"<Problem: {'; '.join(self._words())}>"

    def _repr_html_(self) -> str:
        """The same as a list, for notebooks."""
        items = "".join(f"<li>{escape(word)}</li>" for word in self._words())
        return f"<p>Problem</p><ul>{items}</ul>"

    def _words(self) -> list[str]:
        words = [f"benchmark {self.benchmark.name}"]
        if self.device is not None:
            words.append(f"device {self.device.name}")
            if self.reward_name != "accuracy":
                words.append(f"latency target {self.latency_target_ms:.4g} ms")
        words.append(f"reward {self.reward_name}")
        if self.objectives.names != ("reward",):
            words.append(f"objectives {', '.join(self.objectives.names)}")
        if not self.candidates.complete or self.constraints:
            words.append(str(self.candidates))
        if self.budget is not None:
            words.append(f"{self.spent:g} of {self.budget} evaluations spent")
        return words

    def propose(self, x: ArrayLike, rng: np.random.Generator) -> IntArray:
        """Architectures ``(n, slots)`` as they can be evaluated, for agents that make their own.

        What is no candidate is moved to the nearest one, as far as there are such to one that was
        not evaluated; the others stay. Where the whole space is known nothing is drawn.

        Args:
            x: the proposals.
            rng: for the choice among equally near ones.
        """
        rows = self.space.check(x)
        fresh = None if self.ledger is None else self.ledger.fresh
        return self.candidates.nearest(rows, rng, fresh)

    # -- what was spent --------------------------------------------------------------------

    @property
    def history(self) -> History | None:
        """History of what was evaluated; None with ``keep=False``."""
        return None if self.ledger is None else self.ledger.history

    @property
    def clock(self) -> Clock | None:
        """Simulated time."""
        return None if self.ledger is None else self.ledger.clock

    @property
    def budget(self) -> int | None:
        """Number of full trainings, None for no limit."""
        return None if self.ledger is None else self.ledger.budget

    @property
    def max_queries(self) -> int | None:
        """Number of architectures asked for, None for no limit."""
        return None if self.ledger is None else self.ledger.max_queries

    @property
    def spent(self) -> float:
        """Part of the budget that is gone, in full trainings."""
        return 0.0 if self.ledger is None else self.ledger.spent

    @property
    def queries(self) -> int:
        """Number of architectures that were asked for."""
        return 0 if self.ledger is None else self.ledger.queries

    @property
    def remaining(self) -> float:
        """Rest of the budget, in full trainings; infinite without a budget."""
        return np.inf if self.ledger is None else self.ledger.remaining

    @property
    def done(self) -> bool:
        """True if nothing new can be evaluated: budget, queries or time spent, space exhausted."""
        return self.ledger is not None and self.ledger.done

    # -- evaluating ------------------------------------------------------------------------

    def evaluate(self, x: ArrayLike, *, epochs: int | None = None) -> Trials:
        """Evaluate architectures ``(n, slots)`` in order, as far as budget and queries go.

        A batch gives and costs what its rows would one after the other: a row that the budget no
        longer pays is left out (``evaluated`` is False), a later one that is free is not.

        Args:
            x: the architectures; repeats are answered from the history and cost nothing.
            epochs: length of the trainings, None for full ones.

        Raises:
            ValueError: for what is no architecture, or where the benchmark has no accuracy, or the
                formula no finite reward, of one.
        """
        task, ledger = self.task, self.ledger
        rows = Rows.of(self.space, x)
        length = self.benchmark.check_epochs(epochs)
        n = len(rows)
        if ledger is None:
            nothing = np.zeros(n, dtype=np.int64)
            return _finite(task.trials(rows, length, np.ones(n), nothing, None, task.draw))
        with ledger.lock:
            asked = ledger.request(self._keys(rows), length)
            known = (length, asked.cost, asked.before, asked.evaluated, task.draw)
            trials = _finite(task.trials(rows, *known))
            if ledger.clock is not None:
                in_time = ledger.clock.run(trials.train_time_s[trials.new])
                if not in_time.all():  # as if the budget did not pay for the others
                    late = np.zeros(n, bool)
                    late[np.flatnonzero(trials.new)[~in_time]] = True
                    asked.leave_out(late)
                    trials = task.trials(rows, *known)
            ledger.record(asked, ledger.laden(trials))
        if self.watcher is not None and self.watcher(self):
            ledger.stopped = True
        return trials

    def charge(self, trainings: int, seconds: float) -> None:
        """Pay for work that is no training of an architecture, such as that of single blocks.

        It is spent at once, all simulated workers share the time, and the history shows both with
        the next trial, so that curves along either are right.

        Args:
            trainings: its price in full trainings.
            seconds: how long it takes one worker.

        Raises:
            ValueError: when the budget does not pay for it and one training more.
        """
        if self.ledger is not None:
            with self.ledger.lock:
                self.ledger.charge(trainings, seconds)

    def peek(self, x: ArrayLike) -> Trials:
        """Means of full trainings without charge or record: ground truth, not for searches."""
        return self.task.means(x)

    def test_acc(self, x: ArrayLike) -> FloatArray:
        """Test accuracy after full training, ``(n,)``: to be asked for once, at the end."""
        return self.benchmark.evaluate(self.space.check(x)).test_acc

    def _keys(self, rows: Rows) -> list[Any]:
        if self.space.enumerable:
            return list(self.space.index(rows).tolist())
        packed = np.ascontiguousarray(rows, dtype=np.int32)
        return list(packed.view(f"S{packed.shape[1] * 4}").ravel().tolist())

    # -- what is true ----------------------------------------------------------------------

    def optimum(self, *, latency_budget_ms: float | None = None) -> tuple[IntArray, float]:
        """The best architecture and its reward; see :meth:`Truth.optimum`."""
        return self.truth.optimum(latency_budget_ms=latency_budget_ms)

    def regret(
        self,
        x: ArrayLike,
        *,
        latency_budget_ms: float | None = None,
        infeasible: float | None = None,
    ) -> FloatArray:
        """Simple regret of answers, ``(n,)``; see :meth:`Truth.regret`.

        Args:
            x: the answers ``(n, slots)``.
            latency_budget_ms: regret is to the best within it.
            infeasible: what an answer over the budget counts.
        """
        return self.truth.regret(x, latency_budget_ms=latency_budget_ms, infeasible=infeasible)

    def pareto_front(
        self,
        *,
        objectives: str | Sequence[str] | None = None,
        latency_budget_ms: float | None = None,
    ) -> tuple[IntArray, FloatArray]:
        """The exact front of the space, in units; see :meth:`Truth.pareto_front`.

        A column called ``latency_ms`` holds milliseconds, ``params`` a number of parameters.

        Args:
            objectives: others than those of the problem.
            latency_budget_ms: the front of what is within it.
        """
        return self.truth.pareto_front(objectives=objectives, latency_budget_ms=latency_budget_ms)

    def reference_point(self, *, objectives: str | Sequence[str] | None = None) -> FloatArray:
        """The point that hypervolumes are measured from; see :meth:`Truth.reference_point`."""
        return self.truth.reference_point(objectives=objectives)

    def hypervolume(
        self,
        values: ArrayLike | None = None,
        *,
        x: ArrayLike | None = None,
        reference: ArrayLike | None = None,
    ) -> float:
        """Hypervolume of a set of points; see :meth:`Truth.hypervolume`.

        Args:
            values: the points ``(n, objectives)``.
            x: architectures ``(n, slots)`` instead.
            reference: another point than :meth:`reference_point`.
        """
        return self.truth.hypervolume(values, x=x, reference=reference)

    def front_regret(
        self,
        values: ArrayLike | None = None,
        *,
        x: ArrayLike | None = None,
        objectives: str | Sequence[str] | None = None,
        latency_budget_ms: float | None = None,
    ) -> FrontRegret:
        """Distance of a set of points from the exact front; see :meth:`Truth.front_regret`.

        Args:
            values: the points ``(n, objectives)``.
            x: architectures ``(n, slots)`` instead.
            objectives: others than those of the problem.
            latency_budget_ms: compare with the front within it.
        """
        limits: dict[str, Any] = {"objectives": objectives, "latency_budget_ms": latency_budget_ms}
        return self.truth.front_regret(values, x=x, **limits)


def _without_account(task: Task) -> Problem:
    """A problem of a task that keeps nothing."""
    made = Problem.__new__(Problem)
    made.task, made.truth, made.ledger, made.watcher = task, Truth(task), None, None
    return made


def _finite(trials: Trials) -> Trials:
    """The trials, if the formula gave a finite reward for each that was evaluated."""
    if not np.isfinite(trials.reward).all():
        done, acc, latency = trials.evaluated, trials.val_acc, trials.latency_ms
        check_finite(trials.x[done], trials.reward[done], acc[done], latency[done])
    return trials
