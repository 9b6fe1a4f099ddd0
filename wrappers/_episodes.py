"""Common parts of the wrappers: beginnings of episodes, places of infos, draws."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from numpy.typing import NDArray

from blox_env.envs.episode.batch import Infos
from blox_env.envs.episode.goals import draws, seed_numbers
from blox_env.ground.typing import FloatArray

Mask = NDArray[np.bool_]
Wrapper = gym.Wrapper[Any, Any, Any, Any]
if TYPE_CHECKING:
    AnyVectorWrapper = VectorWrapper[Any, Any, Any, Any, Any]
else:
    AnyVectorWrapper = VectorWrapper  # Gymnasium 1.1 has no type parameters here


class Step:
    """Result of a step of ``n`` environments.

    Args:
        rewards: ``(n,)`` or ``(n, objectives)``.
        terminated: ``(n,)``.
        truncated: ``(n,)``.
        infos: columns as Gymnasium has them.
        final: environments whose next episode has begun already: the infos of their step are under
            ``final_info``.
    """

    def __init__(
        self,
        rewards: Any,
        terminated: Mask,
        truncated: Mask,
        infos: dict[str, Any],
        final: Mask,
    ) -> None:
        self.rewards, self.terminated, self.truncated = rewards, terminated, truncated
        self.infos, self._final = infos, final
        self._parts = [(infos, ~final)]
        if final.any():
            self._parts.append((infos.setdefault("final_info", {}), final))

    def get(self, key: str) -> tuple[Any, Mask]:
        """The values of a key, ``(n, …)`` or None where nobody has it, and who has it ``(n,)``."""
        values, has = None, np.zeros(len(self._final), dtype=bool)
        for columns, whose in self._parts:
            if key not in columns:
                continue
            own = whose & columns[f"_{key}"]
            if values is None:
                values = columns[key].copy()
            else:
                values[own] = columns[key][own]
            has |= own
        return values, has

    def put(self, key: str, values: NDArray[Any], which: Mask) -> None:
        """Set a key of some environments; values are ``(n, …)``."""
        for columns, whose in self._parts:
            put(columns, key, values, whose & which)

    def keep(self, keys: Sequence[str], which: Mask) -> None:
        """Leave some environments these keys alone."""
        for columns, whose in self._parts:
            for key in [k for k in columns if f"_{k}" in columns and k not in keys]:
                if key.startswith("final_"):
                    continue
                lost = whose & which & columns[f"_{key}"]
                columns[f"_{key}"][lost] = False
                columns[key][lost] = None if columns[key].dtype == object else 0
                if not columns[f"_{key}"].any():
                    del columns[key], columns[f"_{key}"]


def put(columns: dict[str, Any], key: str, values: NDArray[Any], which: Mask) -> None:
    """Set a key of infos, ``(n, …)``, for some environments."""
    infos = Infos(len(which))
    infos.columns = columns
    infos.add(key, slice(None) if which.all() else np.flatnonzero(which), values[which])


class EpisodeVectorWrapper(AnyVectorWrapper):
    """A wrapper of a vector environment that is told of beginnings and steps of episodes.

    Equal in all autoreset modes to wrapping the single environments.

    Args:
        env: any vector environment that names its autoreset mode.

    Raises:
        TypeError: for what is no vector environment.
        ValueError: where the mode is not named.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        if not isinstance(env, VectorEnv):
            raise TypeError(
                f"env must be a gymnasium.vector.VectorEnv, got {env!r}: "
                f"{type(self).__name__.removesuffix('Vector')} wraps single environments"
            )
        super().__init__(env)
        self._mode = env.metadata.get("autoreset_mode")
        if not isinstance(self._mode, AutoresetMode):
            raise ValueError(
                "env must name its mode in metadata['autoreset_mode'], a member of "
                f"gymnasium.vector.AutoresetMode, got {self._mode!r}"
            )
        self._over = np.zeros(env.num_envs, dtype=bool)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Start episodes, in all environments or those of ``options["reset_mask"]``."""
        asked = dict(options or {})
        own = self._take(asked)
        env: Any = self.env  # Gymnasium's annotation allows one seed only
        observations, infos = env.reset(seed=seed, options=asked if options else None)
        mask = asked.get("reset_mask")
        which = np.ones(self.num_envs, dtype=bool) if mask is None else np.asarray(mask, bool)
        self._over[which] = False
        self._begin(which, infos, seed, own)
        return self._observation(observations), infos

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Take one action in every environment."""
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        begun, ended = self._over, terminated | truncated
        same_step = self._mode == AutoresetMode.SAME_STEP
        step = Step(rewards, terminated, truncated, infos, ended & same_step)
        self._stepped(~begun, step)
        if same_step:
            begun = ended
            self._final_observations(infos, ended)
        elif self._mode == AutoresetMode.NEXT_STEP:
            self._over = ended
        if begun.any():
            self._begin(begun, infos, None, None)
        observations = self._observation(observations)
        return observations, step.rewards, step.terminated, step.truncated, infos

    # -- what the wrappers differ in -------------------------------------------------------

    def _take(self, options: dict[str, Any]) -> Any:
        """Take one's own options of a reset out of ``options``, and check them."""
        return None

    def _begin(self, which: Mask, infos: dict[str, Any], seed: Any, own: Any) -> None:
        """Episodes have begun: ``infos`` are those of their reset."""

    def _stepped(self, which: Mask, step: Step) -> None:
        """Steps were taken; those of ``which`` were no resets."""

    def _observation(self, observations: Any) -> Any:
        """Observations of all environments, changed as the wrapper does."""
        return observations

    def _final_observations(self, infos: dict[str, Any], ended: Mask) -> None:
        """Change ``infos["final_obs"]`` as observations are."""


class EpisodeDraws:
    """Uniform numbers that depend on a name, a seed and the number of the episode alone.

    Environment i of many draws in episode k what one made with ``seed + i`` draws in its own, and
    wrappers of different names draw apart from each other and from the environment's goals.

    Args:
        n: how many environments.
        name: of the wrapper.
    """

    def __init__(self, n: int, name: str) -> None:
        self._salt = np.uint64(zlib.crc32(name.encode())) << np.uint64(32)
        self._seeds: NDArray[np.uint64] | None = None
        self._episodes = np.full(n, -1)

    def begin(
        self,
        which: Mask,
        seed: int | Sequence[int | None] | None,
        env: gym.Env[Any, Any] | VectorEnv[Any, Any, Any],
    ) -> None:
        """Episodes of some environments begin, from a new seed or as those after the last.

        Args:
            which: ``(n,)``.
            seed: as ``reset`` takes it; environment i gets ``seed + i``.
            env: what was reset, whose seed is taken as long as there was none.
        """
        n = len(which)
        if self._seeds is None:
            own: Any = env.np_random_seed
            several = isinstance(own, tuple) and len(own) == n  # one each, which need not follow
            first: Any = own[0] if isinstance(own, tuple) else own
            seeds: Any = [int(each or 0) for each in own] if several else int(first or 0)
            self._seeds = seed_numbers(seeds, n)
        if seed is not None:
            seeds = [seed + i for i in range(n)] if isinstance(seed, int | np.integer) else [*seed]
            new = which & np.array([each is not None for each in seeds])
            self._seeds[new] = seed_numbers([int(each or 0) for each in seeds], n)[new]
            self._episodes[new] = -1
        self._episodes[which] += 1

    def uniform(self, count: int) -> FloatArray:
        """Numbers in [0, 1) of the episodes at hand, ``(n, count)``."""
        assert self._seeds is not None
        return draws(self._seeds ^ self._salt, self._episodes, count)
