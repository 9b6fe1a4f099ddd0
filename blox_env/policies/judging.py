"""Answers of policies against the exact ones, found by looking at the whole space."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blox_env.benchmarks.base import Benchmark, load_benchmark
from blox_env.devices.base import Device, load_device
from blox_env.ground.errors import check_positive_int
from blox_env.ground.typing import BoolArray, FloatArray, IntArray
from blox_env.policies.policy import Policy
from blox_env.problem.history import Trials
from blox_env.problem.task import Task
from blox_env.problem.truth import Truth

_AT_ONCE = 32  # targets


@dataclass(frozen=True)
class Judgement:
    """Answers beside the exact ones, one a target, ``(n,)`` each.

    Attributes:
        targets_ms: what was asked for.
        reward: of the answers, on the device itself.
        best: the best reward that there is for each target.
        within: whether the answer keeps to the target.
        excess: how far it is above, relative to the target, 0 where it keeps to it.
        val_acc: accuracy of the answers.
        best_val_acc: accuracy of the best for each target.
    """

    targets_ms: FloatArray
    reward: FloatArray
    best: FloatArray
    within: BoolArray
    excess: FloatArray
    val_acc: FloatArray
    best_val_acc: FloatArray

    @property
    def regret(self) -> FloatArray:
        """The best reward minus that of the answers, ``(n,)``."""
        return self.best - self.reward

    @property
    def exact(self) -> BoolArray:
        """True where an answer has the best reward that there is, ``(n,)``."""
        return self.regret <= 0

    def summary(self) -> dict[str, Any]:
        """The figures of a card: shares, and distances where the answer is another.

        ``accuracy_lacking`` is the mean over answers that keep to the target but are not the exact
        ones; ``excess`` the mean over those that do not keep to it. None where there is none.
        """
        other = self.within & ~self.exact
        lacking = (self.best_val_acc - self.val_acc)[other]
        return {
            "targets": len(self.targets_ms),
            "exact": float(self.exact.mean()),
            "within": float(self.within.mean()),
            "mean_regret": float(self.regret.mean()),
            "median_regret": float(np.median(self.regret)),
            "accuracy_lacking": float(lacking.mean()) if len(lacking) else None,
            "excess": float(self.excess[~self.within].mean()) if not self.within.all() else None,
            "largest_excess": float(self.excess.max()),
        }


def judge_policy(
    policy: Policy,
    targets_ms: ArrayLike,
    *,
    device: str | Device | None = None,
    benchmark: str | Benchmark | None = None,
    margin: float = 0.0,
) -> Judgement:
    """Judge the answers of a policy by the tables of a device.

    Args:
        policy: that is asked.
        targets_ms: of the questions, ``(n,)``, in milliseconds.
        device: of the questions; that of the policy if not given.
        benchmark: where accuracies are from; that of the policy if not given.
        margin: as for :meth:`Policy.propose`.
    """
    targets = np.atleast_1d(np.asarray(targets_ms, dtype=float))
    truth = _truth(policy, device, benchmark)
    told = None if policy.reference is None else truth.task.device
    return _judged(truth, policy.propose(targets, device=told, margin=margin).x, targets)


def random_answers(
    policy: Policy,
    targets_ms: ArrayLike,
    rng: np.random.Generator,
    *,
    tries: int = 1,
    device: str | Device | None = None,
    benchmark: str | Benchmark | None = None,
) -> Judgement:
    """Judge, for the same questions, the best of some random architectures each.

    Args:
        policy: whose questions these are.
        targets_ms: of the questions, ``(n,)``, in milliseconds.
        rng: draws the architectures.
        tries: architectures a question, all of which are trained and timed.
        device: as for :func:`judge_policy`.
        benchmark: as for :func:`judge_policy`.
    """
    targets = np.atleast_1d(np.asarray(targets_ms, dtype=float))
    truth, count = _truth(policy, device, benchmark), check_positive_int("tries", tries)
    rows = policy.space.sample(rng, len(targets) * count)
    trials = truth.task.means(rows)
    shape = len(targets), count
    reward = truth.task.formula(
        trials.val_acc.reshape(shape), trials.latency_ms.reshape(shape), targets[:, None]
    )
    picked = np.asarray(reward).argmax(axis=1)
    return _judged(truth, rows.reshape(*shape, -1)[np.arange(len(targets)), picked], targets)


def exact_answers(
    policy: Policy,
    targets_ms: ArrayLike,
    *,
    device: str | Device | None = None,
    benchmark: str | Benchmark | None = None,
) -> IntArray:
    """The architecture with the best reward for each target, ``(n, slots)``.

    Args:
        policy: whose questions these are.
        targets_ms: of the questions, ``(n,)``, in milliseconds.
        device: as for :func:`judge_policy`.
        benchmark: as for :func:`judge_policy`.
    """
    targets = np.atleast_1d(np.asarray(targets_ms, dtype=float))
    truth = _truth(policy, device, benchmark)
    whole = truth.whole()
    return whole.x[_best(truth.task, whole, targets)[0]]


def _truth(policy: Policy, device: str | Device | None, benchmark: str | Benchmark | None) -> Truth:
    given = policy.environment
    data = given["benchmark"] if benchmark is None else benchmark
    where = given.get("device") if device is None else device
    if where is None:
        raise ValueError(f"{policy.name} needs a device: expected its name or the device")
    return _known(load_benchmark(data), load_device(where), given["reward"])


@lru_cache(maxsize=16)
def _known(benchmark: Benchmark, device: Device, reward: str) -> Truth:
    """The truth of a task, which lists its space once."""
    return Truth(Task.of(benchmark, device, reward))


def _judged(truth: Truth, rows: IntArray, targets: FloatArray) -> Judgement:
    whole, task = truth.whole(), truth.task
    places, best = _best(task, whole, targets)
    found = task.means(rows)
    reward = np.asarray(task.formula(found.val_acc, found.latency_ms, targets))
    excess = np.maximum(found.latency_ms / targets - 1, 0)
    return Judgement(
        *(targets, reward, best, found.latency_ms <= targets, excess),
        *(found.val_acc, whole.val_acc[places]),
    )


def _best(task: Task, whole: Trials, targets: FloatArray) -> tuple[IntArray, FloatArray]:
    """Numbers and rewards of the best architecture for each target, ``(n,)`` each."""
    places, rewards = [], []
    for start in range(0, len(targets), _AT_ONCE):
        part = targets[start : start + _AT_ONCE, None]
        found = np.asarray(task.formula(whole.val_acc[None], whole.latency_ms[None], part))
        places.append(found.argmax(axis=1))
        rewards.append(found.max(axis=1))
    return np.concatenate(places), np.concatenate(rewards)
