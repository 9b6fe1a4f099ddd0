"""The end of episodes: a budget of evaluations truncates what it cannot pay for."""

from __future__ import annotations

from itertools import compress
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv

from blox_env.ground.errors import check_positive_int
from blox_env.ground.typing import IntArray
from blox_env.wrappers._episodes import EpisodeVectorWrapper, Mask, Step, Wrapper

_KEPT = ("action_mask", "reward_weights")  # of the infos of what was not paid for

_NUMBERS = ("val_acc", "train_time_s", "latency_ms")  # of them, NaN where nothing was evaluated


class Evaluations:
    """A budget of evaluations of distinct architectures, for one wrapper or shared by several.

    Args:
        budget: how many.

    Attributes:
        budget: how many there are.
        spent: how many are spent.
    """

    def __init__(self, budget: int) -> None:
        self.budget = check_positive_int("budget", budget)
        self._paid: set[bytes] = set()

    @property
    def spent(self) -> int:
        """Number of distinct architectures that were paid for."""
        return len(self._paid)

    @property
    def done(self) -> bool:
        """True if nothing new can be evaluated any more."""
        return self.spent >= self.budget

    def pay(self, rows: IntArray) -> Mask:
        """Mask of the rows of a batch ``(n, slots)`` that are paid for; repeats are free."""
        packed = np.ascontiguousarray(rows, dtype=np.int64)
        keys = packed.view(f"S{8 * packed.shape[1]}").ravel()
        listed = keys.tolist()
        known = np.fromiter(map(self._paid.__contains__, listed), bool, len(listed))
        _, where, group = np.unique(keys, return_index=True, return_inverse=True)
        fresh = np.zeros(len(listed), dtype=bool)
        fresh[where] = True
        fresh &= ~known
        fresh &= np.cumsum(fresh) <= self.budget - self.spent
        self._paid.update(compress(listed, fresh.tolist()))
        paid: Mask = (known | fresh)[where][group]
        return paid


class EvaluationLimit(Wrapper, RecordConstructorArgs):
    """A budget for an environment that has none, such as one made by names.

    An episode that finishes a new architecture when the budget is spent is *truncated* instead of
    terminated, with reward 0 and ``info["budget_spent"]``, and tells nothing else of it;
    architectures that were paid for stay free. ``Problem(budget=…)`` does the same, keeps a
    history, knows that repeats take no time, counts trainings of fewer epochs as parts, and is what
    agents of this package spend: pass ``problem=`` where that is wanted.

    Args:
        env: with ``info["arch"]`` where an episode ends, and only there.
        budget: how many distinct architectures, over all episodes; or an :class:`Evaluations`,
            which several environments of a process may share.

    Attributes:
        evaluations: what is spent.
    """

    def __init__(self, env: gym.Env[Any, Any], budget: int | Evaluations) -> None:
        # not copied, as what is shared has to stay one
        RecordConstructorArgs.__init__(self, budget=budget, _disable_deepcopy=True)
        gym.Wrapper.__init__(self, env)
        self.evaluations = budget if isinstance(budget, Evaluations) else Evaluations(budget)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode.

        Raises:
            ValueError: where an environment evaluates at its start.
        """
        observation, info = self.env.reset(seed=seed, options=options)
        _check_reset("arch" in info)
        return observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take one action.

        Raises:
            ValueError: where an environment evaluates before the end of an episode.
        """
        observation, reward, terminated, truncated, info = self.env.step(action)
        if "arch" in info:
            _check_end(terminated or truncated)
            if not self.evaluations.pay(np.asarray(info["arch"])[None])[0]:
                kept: dict[str, Any] = {key: info[key] for key in _KEPT if key in info}
                if "cost" in info:
                    kept["cost"] = 0.0
                kept |= {key: np.nan for key in _NUMBERS if key in info}
                nothing: Any = np.zeros_like(reward) if isinstance(reward, np.ndarray) else 0.0
                return observation, nothing, False, True, {**kept, "budget_spent": True}
        return observation, reward, terminated, truncated, info


class EvaluationLimitVector(EpisodeVectorWrapper, RecordConstructorArgs):
    """:class:`EvaluationLimit` of a vector environment: one budget, spent in their order."""

    def __init__(self, env: VectorEnv[Any, Any, Any], budget: int | Evaluations) -> None:
        RecordConstructorArgs.__init__(self, budget=budget, _disable_deepcopy=True)
        EpisodeVectorWrapper.__init__(self, env)
        self.evaluations = budget if isinstance(budget, Evaluations) else Evaluations(budget)

    def _begin(self, which: Mask, infos: dict[str, Any], seed: Any, own: Any) -> None:
        _check_reset("arch" in infos and bool(infos["_arch"][which].any()))

    def _stepped(self, which: Mask, step: Step) -> None:
        rows, has = step.get("arch")
        if rows is None:
            return
        _check_end(bool((step.terminated | step.truncated)[has].all()))
        unpaid = has.copy()
        unpaid[has] = ~self.evaluations.pay(rows[has])
        if not unpaid.any():
            return
        _, costly = step.get("cost")
        numbers = [key for key in _NUMBERS if (step.get(key)[1] & unpaid).any()]
        step.keep(_KEPT, unpaid)
        for key in numbers:
            step.put(key, np.full(self.num_envs, np.nan), unpaid)
        step.put("cost", np.zeros(self.num_envs), unpaid & costly)
        step.put("budget_spent", unpaid, unpaid)
        step.rewards = np.where(unpaid.reshape(-1, *[1] * (step.rewards.ndim - 1)), 0, step.rewards)
        step.terminated, step.truncated = step.terminated & ~unpaid, step.truncated | unpaid


def _check_reset(evaluated: bool) -> None:
    if evaluated:
        raise ValueError(
            "env evaluates when an episode starts, which EvaluationLimit cannot end: give "
            "blox_env/BloxEdit-v0 a budget by problem=Problem(budget=…)"
        )


def _check_end(ended: bool) -> None:
    if not ended:
        raise ValueError(
            "env evaluates before the end of an episode, which EvaluationLimit cannot end: give "
            "environments of this package a budget by problem=Problem(budget=…)"
        )
