"""Stable-Baselines3 on a native vector environment.

Two forms; the first makes everything, the second takes what one has made::

    env = make_sb3("blox_env/Blox-v0", num_envs=1024, observation="onehot")
    env = SB3VecEnv(gym.make_vec("blox_env/Blox-v0", num_envs=1024, autoreset_mode="SameStep",
                                 vectorization_mode="vector_entry_point"))
    model = stable_baselines3.PPO("MlpPolicy", env)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from numpy.typing import NDArray

from blox_env.envs.episode.answers import Answers
from blox_env.ground.errors import check_positive_int
from blox_env.ground.extras import extra

with extra("sb3", "the adapter for Stable-Baselines3"):
    from stable_baselines3.common.env_util import is_wrapped
    from stable_baselines3.common.vec_env import VecEnv, VecMonitor
    from stable_baselines3.common.vec_env.base_vec_env import (
        VecEnvIndices,
        VecEnvObs,
        VecEnvStepReturn,
    )

Which = slice | NDArray[np.int64]
ALL = slice(None)
_OF_THE_ADAPTER = ("reset", "step")  # what env_method refuses


def make_sb3(
    id: str = "blox_env/Blox-v0",  # noqa: A002 (as gymnasium.make has it)
    num_envs: int = 1024,
    *,
    seed: int | None = None,
    monitor: bool = True,
    wrap: Callable[[VectorEnv[Any, Any, Any]], VectorEnv[Any, Any, Any]] | None = None,
    **arguments: Any,
) -> VecEnv:
    """A native vector environment for Stable-Baselines3.

    Args:
        id: of a registered environment that has a vector environment of its own with a choice of
            ``autoreset_mode``, as those of this package.
        num_envs: how many episodes run side by side.
        seed: of the first reset: environment i gets ``seed + i``. A model made with ``seed=`` sets
            its own.
        monitor: wrap into Stable-Baselines3's ``VecMonitor``, which adds ``info["episode"]``; the
            logged ``rollout/ep_rew_mean`` comes from there. Stable-Baselines3 does the same by
            itself for a single environment, but for none that is a ``VecEnv`` already.
        wrap: what to put around the vector environment, such as
            ``lambda env: RandomWeightsVector(env)`` of :mod:`blox_env.wrappers`.
        arguments: of the environment.
    """
    made = gym.make_vec(
        id,
        num_envs=check_positive_int("num_envs", num_envs),
        vectorization_mode="vector_entry_point",
        autoreset_mode=AutoresetMode.SAME_STEP.value,
        **arguments,
    )
    env: VecEnv = SB3VecEnv(made if wrap is None else wrap(made))
    if seed is not None:
        env.seed(seed)
    return VecMonitor(env) if monitor else env


class SB3VecEnv(VecEnv):
    """A Gymnasium ``VectorEnv`` as the ``VecEnv`` that Stable-Baselines3 trains on.

    Step by step equal to ``DummyVecEnv`` over the single environments: an ended episode's last
    observation is ``info["terminal_observation"]``, ``info["TimeLimit.truncated"]`` says that it
    was truncated, rewards are float32, and seeds and options are those of the next reset.

    ``env_method("action_masks")`` and ``has_attr("action_masks")`` work, by which sb3-contrib's
    ``MaskablePPO`` finds the masks. What a method of ``env`` gives for all environments at once, an
    array, list or tuple of ``num_envs``, is dealt out; anything else is repeated, and so are
    answers about the problem (``pareto_front``, ``rewards_of``), of any number. Attributes are
    those of ``env`` (``observation_space`` and ``action_space`` those of a single environment), and
    are set for all environments or for none.

    Args:
        env: any ``gymnasium.vector.VectorEnv`` that resets in the step in which an episode ends.

    Raises:
        TypeError: where ``env`` is no ``VectorEnv``.
        ValueError: for another autoreset mode, or rewards that are vectors.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        if not isinstance(env, VectorEnv):
            raise TypeError(
                f"env must be a gymnasium.vector.VectorEnv, got {env!r}: "
                "gymnasium.make_vec makes one, and so does make_sb3"
            )
        mode = env.metadata.get("autoreset_mode")
        if mode != AutoresetMode.SAME_STEP:
            raise ValueError(
                "env must reset in the step in which an episode ends, got autoreset_mode="
                f"{getattr(mode, 'value', mode)!r}: make it with autoreset_mode='SameStep' "
                "(gymnasium.make_vec), or by make_sb3"
            )
        self.env = env
        owner = self._owner("reward_space")  # a wrapper that makes one number of it has None
        if owner is not None and owner.reward_space is not None:
            raise ValueError(
                f"env must have one number as reward, got vectors from {env!r}: "
                "use blox_env/Blox-v0 with a reward formula, or weigh the objectives by "
                "blox_env.wrappers.ScalarRewardVector"
            )
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)
        self.spec = env.spec
        self._actions: Any = None

    def reset(self) -> VecEnvObs:
        """Start all episodes, with what ``seed`` and ``set_options`` asked for."""
        env: Any = self.env  # Gymnasium's annotation allows one seed only
        observations, infos = env.reset(seed=self._next_seed(), options=self._next_options())
        self.reset_infos = _dicts(infos, ALL, self.num_envs)
        self._reset_seeds()
        self._reset_options()
        return observations  # type: ignore[no-any-return]

    def step_async(self, actions: NDArray[Any]) -> None:
        """Take note of the actions, ``(num_envs, …)``."""
        self._actions = actions

    def step_wait(self) -> VecEnvStepReturn:
        """Observations, rewards, dones and a list of info dicts, of the noted actions."""
        observations, rewards, terminated, truncated, infos = self.env.step(self._actions)
        dones = terminated | truncated
        late = {"TimeLimit.truncated": truncated & ~terminated}
        if not dones.any():
            dicts = _dicts({**infos, **late}, ALL, self.num_envs)
        else:
            dicts = self._ended(dones, infos, late)
        return observations, rewards.astype(np.float32), dones, dicts

    def close(self) -> None:
        """Close the environment."""
        self.env.close()

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """An attribute of the environments, one each.

        Raises:
            AttributeError: where there is none.
        """
        chosen = self._numbers(indices)
        if (own := self._owner("get_attr")) is not None:  # Gymnasium's over single environments
            values = own.get_attr(attr_name)
            return [values[i] for i in chosen]
        for name in (f"single_{attr_name}", attr_name):
            if (own := self._owner(name)) is not None:
                return [getattr(own, name)] * len(chosen)
        raise AttributeError(f"{self.env!r} has no attribute {attr_name!r}")

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Set an attribute of all environments.

        Raises:
            ValueError: when ``indices`` leaves some out.
        """
        if sorted(self._numbers(indices)) != list(range(self.num_envs)):
            raise ValueError(
                f"indices must be None or name all {self.num_envs} environments, which share "
                f"their attributes, got {indices!r}"
            )
        if (own := self._owner("set_attr")) is not None:
            own.set_attr(attr_name, [value] * self.num_envs)
        else:
            setattr(self._owner(attr_name) or self.env.unwrapped, attr_name, value)

    def env_method(
        self,
        method_name: str,
        *method_args: Any,
        indices: VecEnvIndices = None,
        **method_kwargs: Any,
    ) -> list[Any]:
        """Results of a method, one an environment.

        Raises:
            AttributeError: where there is no such method.
            ValueError: for ``reset`` and ``step``, which are the adapter's.
        """
        if method_name in _OF_THE_ADAPTER:
            raise ValueError(f"method_name must not be {method_name!r}: call the adapter's own")
        if (own := self._owner("call")) is not None:
            results = own.call(method_name, *method_args, **method_kwargs)
        elif (own := self._owner(method_name)) is not None:
            results = getattr(own, method_name)(*method_args, **method_kwargs)
        else:
            raise AttributeError(f"{self.env!r} has no method {method_name!r}")
        several = isinstance(results, list | tuple) or np.shape(results)[:1] == (self.num_envs,)
        if hasattr(Answers, method_name):  # the same for all, whatever its length
            several = False
        if not several or len(results) != self.num_envs:
            results = [results] * self.num_envs
        return list(results) if indices is None else [results[i] for i in self._numbers(indices)]

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper[Any, Any, Any, Any]], indices: VecEnvIndices = None
    ) -> list[bool]:
        """True for single environments that are wrapped so; those of a native one never are."""
        chosen = self._numbers(indices)
        if (own := self._owner("envs")) is not None:
            return [is_wrapped(own.envs[i], wrapper_class) for i in chosen]
        return [False] * len(chosen)

    def get_images(self) -> Sequence[NDArray[Any] | None]:
        """A picture of every environment, None where ``render_mode`` is not ``"rgb_array"``."""
        pictures: Any = self.env.render() if self.render_mode == "rgb_array" else None
        return [None] * self.num_envs if pictures is None else list(pictures)

    # -- within ----------------------------------------------------------------------------

    def _owner(self, name: str) -> Any:
        """The environment or the wrapper of it that has an attribute; None if none does."""
        env: Any = self.env
        while not hasattr(env, name):
            if not isinstance(env, VectorWrapper):
                return None
            env = env.env
        return env

    def _numbers(self, indices: VecEnvIndices) -> list[int]:
        return list(self._get_indices(indices))

    def _next_seed(self) -> int | list[int | None] | None:
        """The seed that ``seed`` asked for, as one number if that says it all."""
        seeds = [None if seed is None else int(seed) for seed in self._seeds]
        first = seeds[0]
        if first is None:
            return None if all(seed is None for seed in seeds) else seeds
        return first if seeds == list(range(first, first + self.num_envs)) else seeds

    def _next_options(self) -> dict[str, Any] | None:
        """The options that ``set_options`` asked for: one dict for all, or one list a key."""
        options = self._options
        if not any(options):
            return None
        first = options[0]
        if all(each is first for each in options):
            return first
        if len(options) != self.num_envs or any(each.keys() != first.keys() for each in options):
            raise ValueError(
                f"options must be one dict, or {self.num_envs} dicts with the same keys, "
                f"got {options!r}"
            )
        return {key: [each[key] for each in options] for key in first}

    def _ended(
        self, dones: NDArray[np.bool_], infos: dict[str, Any], late: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Infos of a step in which episodes ended; what belongs to the next is kept apart."""
        fresh = {k: v for k, v in infos.items() if k.lstrip("_") not in ("final_obs", "final_info")}
        final = {**infos.get("final_info", {}), "terminal_observation": infos["final_obs"], **late}
        if dones.all():
            self.reset_infos = _dicts(fresh, ALL, self.num_envs)
            return _dicts(final, ALL, self.num_envs)
        dicts: list[dict[str, Any]] = [{}] * self.num_envs  # replaced, all of them
        over, running = np.flatnonzero(dones), np.flatnonzero(~dones)
        for to, columns, which in (
            (dicts, {**fresh, **late}, running),
            (dicts, final, over),
            (self.reset_infos, fresh, over),
        ):
            for number, info in zip(
                which.tolist(), _dicts(columns, which, len(which)), strict=True
            ):
                to[number] = info
        return dicts


def _dicts(columns: dict[str, Any], which: Which, count: int) -> list[dict[str, Any]]:
    """Infos of the ``count`` environments ``which``, a new dict each, from Gymnasium's columns.

    Filling in column by column takes a quarter of the time of ``dict(zip(keys, row))``.
    """
    infos: list[dict[str, Any]] = [{} for _ in range(count)]
    for key, column in columns.items():
        if key.startswith("_") and key[1:] in columns:
            continue
        mask = columns.get(f"_{key}")
        who, having = which, infos
        if mask is not None and not (has := mask[which]).all():
            places = np.flatnonzero(has)
            who = places if isinstance(which, slice) else which[places]
            having = [infos[place] for place in places.tolist()]
        if having:
            for info, value in zip(having, _listed(column, who, len(having)), strict=True):
                info[key] = value
    return infos


def _listed(column: Any, which: Which, count: int) -> list[Any]:
    """One value of a column for each: numbers of Python, rows of arrays, dicts of columns."""
    if isinstance(column, dict):
        return _dicts(column, which, count)
    values = np.asarray(column)[which]
    return values.tolist() if values.ndim == 1 else list(values)
