"""The parts of a task as attributes of whoever has one."""

from __future__ import annotations

from blox_env.benchmarks.base import Benchmark
from blox_env.devices.base import Device
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem.candidates import Candidates
from blox_env.problem.constraints import Constraints
from blox_env.problem.history import Trials
from blox_env.problem.objectives import Objectives
from blox_env.problem.reward import RewardFunction
from blox_env.problem.task import Task
from blox_env.spaces.base import SearchSpace


class HasTask:
    """Quantities that are asked, by the names that users know.

    Attributes:
        task: what is asked.
    """

    task: Task

    @property
    def benchmark(self) -> Benchmark:
        """The benchmark that accuracies come from."""
        return self.task.benchmark

    @property
    def device(self) -> Device | None:
        """The device that latencies come from, None for none."""
        return self.task.device

    @property
    def space(self) -> SearchSpace:
        """The space that is searched."""
        return self.task.space

    @property
    def provides(self) -> frozenset[str]:
        """Requirements of agents that are met: what the benchmark provides, and ``"latency"``."""
        return self.task.provides

    @property
    def reward_name(self) -> str:
        """Name of the formula in results."""
        return self.task.reward_name

    @property
    def formula(self) -> RewardFunction:
        """Reward of accuracies ``(n,)``, latencies ``(n,)`` and target."""
        return self.task.formula

    @property
    def latency_target_ms(self) -> float:
        """Target of the formula, NaN without a device."""
        return self.task.latency_target_ms

    @property
    def objectives(self) -> Objectives:
        """Objectives of agents that search for several."""
        return self.task.objectives

    @property
    def constraints(self) -> Constraints:
        """Limits that architectures have to keep to."""
        return self.task.constraints

    @property
    def candidates(self) -> Candidates:
        """Candidates of a search: what benchmark and device know, within the constraints.

        ``str(problem.candidates)`` says how much of the space that is.
        """
        return self.task.candidates

    @property
    def noise(self) -> str:
        """``"mean"`` or ``"sampled"``."""
        return self.task.noise

    @property
    def seed(self) -> int:
        """Number of the training that ``noise="sampled"`` draws."""
        return self.task.noise_seed

    def rewards(
        self,
        val_acc: FloatArray,
        latency_ms: FloatArray,
        target_ms: float | FloatArray | None = None,
        *,
        x: IntArray | None = None,
    ) -> FloatArray:
        """The reward of given accuracies and latencies, ``(n,)``; see :meth:`Task.rewards`.

        Args:
            val_acc: fractions ``(n,)``.
            latency_ms: milliseconds ``(n,)``.
            target_ms: instead of ``latency_target_ms``, for all or one each ``(n,)``.
            x: the architectures ``(n, slots)``, where constraints or the formula need them.
        """
        return self.task.rewards(val_acc, latency_ms, target_ms, x=x)

    def values(self, trials: Trials) -> FloatArray:
        """Objectives of trials as agents maximise them, ``(n, objectives)``: costs have a minus."""
        return self.task.values(trials)
