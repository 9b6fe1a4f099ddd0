"""The exact answers of a problem, found by listing its space: optimum, front, regret."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blox_env.ground.typing import BoolArray, FloatArray, IntArray
from blox_env.problem.history import Trials
from blox_env.problem.objectives import Objectives
from blox_env.problem.pareto import epsilon_additive, front, hypervolume, igd_plus
from blox_env.problem.reference_points import reference_point
from blox_env.problem.task import Task

LISTABLE = 10**7


@dataclass(frozen=True)
class FrontRegret:
    """Shortfall of a found front from the exact one; all are 0 where nothing is lacking.

    Attributes:
        hypervolume: of what was found, to the problem's reference point.
        exact: hypervolume of the exact front.
        igd_plus: IGD+ to the exact front, objectives scaled to 0 … 1 from the worst to the best of
            the whole space; infinite where nothing was found.
        epsilon: additive epsilon to the exact front, scaled in the same way.
    """

    hypervolume: float
    exact: float
    igd_plus: float
    epsilon: float

    @property
    def regret(self) -> float:
        """Hypervolume that is lacking, in the product of the objectives' units."""
        return self.exact - self.hypervolume

    @property
    def relative(self) -> float:
        """Share of the exact front's hypervolume that is lacking, 0 … 1."""
        return self.regret / self.exact


class Truth:
    """Exact answers of a task, by means of full trainings; free, and not for searches.

    Where there are constraints, or a latency budget is given, only architectures within them are
    answers: *feasible* ones. All methods but :meth:`hypervolume` list the space, or what is known
    of it, once, and raise a ValueError where that is too large (over 10^7).

    Args:
        task: what is asked.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self._whole: Trials | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Truth:
        """The truth itself: nothing in it changes but what it has looked up."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Other processes list the space again."""
        return type(self), (self.task,)

    def whole(self) -> Trials:
        """Mean values of all architectures that are known, in order of their number, listed once.

        Raises:
            ValueError: where the space is too large.
        """
        return self._listed("values")

    # -- one objective ---------------------------------------------------------------------

    def optimum(self, *, latency_budget_ms: float | None = None) -> tuple[IntArray, float]:
        """The architecture ``(slots,)`` with the best mean reward, and that reward.

        Args:
            latency_budget_ms: the best within it.

        Raises:
            ValueError: where the space is too large to list, or nothing is within the budget.
        """
        trials, feasible = self._everything("optimum", latency_budget_ms)
        ranked = np.where(feasible & ~np.isnan(trials.reward), trials.reward, -np.inf)
        best = int(np.argmax(ranked))
        return trials.x[best], float(trials.reward[best])

    def regret(
        self,
        x: ArrayLike,
        *,
        latency_budget_ms: float | None = None,
        infeasible: float | None = None,
    ) -> FloatArray:
        """Simple regret of answers ``(n, slots)``: the optimum's reward minus theirs, ``(n,)``.

        Args:
            x: the answers.
            latency_budget_ms: regret is to the best within it.
            infeasible: what an answer over the budget counts. By default as much as the worst
                answer within it, so that means over searches exist and no answer is worse than one
                that breaks the budget; ``numpy.inf`` or ``numpy.nan`` are other conventions.

        Raises:
            ValueError: as :meth:`optimum`.
        """
        trials, feasible = self._everything("optimum", latency_budget_ms)
        reward = trials.reward[feasible & ~np.isnan(trials.reward)]
        answers = self.task.means(x)
        if infeasible is None:
            infeasible = float(reward.max() - reward.min())
        within = self._within(answers, latency_budget_ms)
        return np.where(within, reward.max() - answers.reward, infeasible)

    # -- several objectives ----------------------------------------------------------------

    def pareto_front(
        self,
        *,
        objectives: str | Sequence[str] | None = None,
        latency_budget_ms: float | None = None,
    ) -> tuple[IntArray, FloatArray]:
        """The exact front of the space by mean values.

        Args:
            objectives: of the front. Those of the problem if not given; where that is the reward
                alone, accuracy and, with a device, latency.
            latency_budget_ms: the front of what is within it.

        Returns:
            Architectures ``(k, slots)`` and their values ``(k, objectives)`` in the units of their
            names, best first by the first objective; of equal values the first architecture.

        Raises:
            ValueError: where the space is too large to list, or nothing is within the budget.
        """
        trials, feasible = self._everything("front", latency_budget_ms)
        own = self.objectives(objectives)
        values = own.of(trials)
        rows = np.flatnonzero(feasible)
        rows = rows[front(values[rows], maximise=True)]
        _, first = np.unique(values[rows], axis=0, return_index=True)
        rows = rows[first[::-1]]
        return trials.x[rows], own.in_units(values[rows])

    def reference_point(self, *, objectives: str | Sequence[str] | None = None) -> FloatArray:
        """The point that hypervolumes are measured from, ``(objectives,)``, in their units.

        Frozen for the embedded data; the rule is in :mod:`blox_env.problem.reference_points`.

        Args:
            objectives: others than those of the problem.

        Raises:
            ValueError: where the space is too large to list, or for other data under the name of
                embedded ones.
        """
        own = self.objectives(objectives)
        return own.in_units(self._corner(own))

    def hypervolume(
        self,
        values: ArrayLike | None = None,
        *,
        x: ArrayLike | None = None,
        reference: ArrayLike | None = None,
    ) -> float:
        """Hypervolume of a set of points; more is better.

        Args:
            values: the points ``(n, objectives)``, in their units as :meth:`pareto_front` gives
                them; costs may have a minus, as agents see them.
            x: architectures ``(n, slots)`` instead; their mean values are taken.
            reference: another point than :meth:`reference_point`, ``(objectives,)``.

        Raises:
            ValueError: for both or none of ``values`` and ``x``, other shapes or NaN, and as
                :meth:`reference_point`.
            ImportError: without the extra ``moo``.
        """
        own = self.objectives(None)
        points = self._points(own, values, x)
        if reference is None:
            return hypervolume(points, self._corner(own), maximise=True)
        corner = np.asarray(reference, dtype=float)
        if corner.shape == (len(own),):
            corner = own.to_maximise(corner)
        return hypervolume(points, corner, maximise=True)

    def front_regret(
        self,
        values: ArrayLike | None = None,
        *,
        x: ArrayLike | None = None,
        objectives: str | Sequence[str] | None = None,
        latency_budget_ms: float | None = None,
    ) -> FrontRegret:
        """Distance of a set of points from the exact front.

        Noisy ``values`` may lie beyond the exact front, which is one of means: pass ``x`` for what
        the architectures are really worth.

        Args:
            values: the points ``(n, objectives)``, in their units or with a minus for costs.
            x: architectures ``(n, slots)`` instead; their mean values are taken.
            objectives: others than those of the problem.
            latency_budget_ms: compare with the front within it; architectures over it count
                nothing. Needs ``x``.

        Raises:
            ValueError: as :meth:`hypervolume` and :meth:`pareto_front`.
            ImportError: without the extra ``moo``.
        """
        if latency_budget_ms is not None and x is None:
            raise ValueError("latency_budget_ms needs architectures: pass x=")
        if x is not None and (latency_budget_ms is not None or self.task.constraints):
            x = np.asarray(x)[self._within(self.task.means(x), latency_budget_ms)]
        own = self.objectives(objectives)
        points = self._points(own, values, x)
        every = own.of(self._listed("front"))
        worst, best = every.min(axis=0), every.max(axis=0)
        scale = np.where(best > worst, best - worst, 1.0)
        _, best_values = self.pareto_front(
            objectives=own.names, latency_budget_ms=latency_budget_ms
        )
        exact = own.to_maximise(best_values)
        scaled = (points - worst) / scale, (exact - worst) / scale
        reference = reference_point(own, lambda: every)
        whole = hypervolume(exact, reference, maximise=True)
        volume = hypervolume(points, reference, maximise=True)
        if np.isclose(volume, whole, rtol=1e-12, atol=0):
            volume = whole  # sums in another order
        return FrontRegret(
            hypervolume=volume,
            exact=whole,
            igd_plus=igd_plus(*scaled, maximise=True),
            epsilon=epsilon_additive(*scaled, maximise=True),
        )

    def objectives(self, names: str | Sequence[str] | None) -> Objectives:
        """Objectives of fronts: those asked for, else those of the task.

        A task that searches for the reward alone has a front of accuracy and latency where there
        is a device: that of one number is a single point.

        Args:
            names: what was asked for.
        """
        own = self.task.objectives
        if names is None and own.names == ("reward",) and own.device is not None:
            names = ("val_acc", "latency_ms")
        return own if names is None else Objectives(names, own.benchmark, own.device)

    def _corner(self, own: Objectives) -> FloatArray:
        """The reference point as values to be maximised."""
        return reference_point(own, lambda: own.of(self._listed("reference point")))

    def _points(self, own: Objectives, values: ArrayLike | None, x: ArrayLike | None) -> FloatArray:
        if (values is None) == (x is None):
            raise ValueError("expected either values or x")
        if x is not None:
            return own.of(self.task.means(x))
        points = np.asarray(values, dtype=float)
        if points.ndim != 2 or points.shape[1] != len(own):
            raise ValueError(
                f"expected values of shape (n, {len(own)}), one column for each of "
                f"{', '.join(own.names)}, got shape {points.shape}"
            )
        return own.to_maximise(points)

    def _listed(self, what: str) -> Trials:
        """Trials of the whole space, with the rewards that the formula gives now."""
        known = self.task.known
        if known.count > LISTABLE:
            raise ValueError(f"{self.task.space!r} is too large to find its {what} by listing")
        if self._whole is None:
            self._whole = self.task.means(known.all())
        elif not self.task.formula_is_named:  # what it gives may change
            old = self._whole
            reward = self.task.rewards(old.val_acc, old.latency_ms, x=old.x)
            self._whole = replace(old, reward=reward)
        return self._whole

    def _everything(self, what: str, latency_budget_ms: float | None) -> tuple[Trials, BoolArray]:
        """Trials of the whole space, and which are within the budget, at least one."""
        trials = self._listed(what)
        feasible = self._within(trials, latency_budget_ms)
        if not feasible.any() and latency_budget_ms is None:
            raise ValueError(f"no architecture is within {self.task.constraints}")
        if not feasible.any():
            raise ValueError(
                f"no architecture is within latency_budget_ms={latency_budget_ms}: the fastest "
                f"takes {trials.latency_ms.min():.4g} ms"
            )
        return trials, feasible

    def _within(self, trials: Trials, latency_budget_ms: float | None) -> BoolArray:
        within = np.ones(len(trials), dtype=bool)
        if self.task.constraints:
            within = self.task.constraints.within(trials.x, trials.latency_ms)
        if latency_budget_ms is None:
            return within
        if self.task.device is None:
            raise ValueError("latency_budget_ms needs a device, got device=None")
        return np.asarray(within & (trials.latency_ms <= latency_budget_ms))
