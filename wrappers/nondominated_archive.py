"""Nothing of an episode: what was built is remembered, as far as nothing dominates it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv
from numpy.typing import ArrayLike

from blox_env.envs.episode.answers import Answers
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem.objectives import Objectives
from blox_env.problem.pareto import front, hypervolume
from blox_env.wrappers._episodes import EpisodeVectorWrapper, Mask, Step, Wrapper


class Archive:
    """Distinct architectures that none of the archive dominates; all values are to be large.

    Attributes:
        x: the architectures ``(k, slots)``, in the order of their values.
        values: their objectives ``(k, objectives)``, by falling first one.
    """

    def __init__(self) -> None:
        self.x: IntArray = np.zeros((0, 0), dtype=np.int64)
        self.values: FloatArray = np.zeros((0, 0))

    def __len__(self) -> int:
        """Number of architectures."""
        return len(self.x)

    def add(self, x: IntArray, values: FloatArray) -> None:
        """Offer a batch ``(n, slots)`` with objectives ``(n, objectives)``.

        Of an architecture that comes several times, with noise, the best values stay.

        Args:
            x: architectures.
            values: their objectives, more being better.
        """
        if not len(x):
            return
        if len(self):
            x, values = np.concatenate([self.x, x]), np.concatenate([self.values, values])
        best = front(values, maximise=True)
        x, values = x[best], values[best]
        _, first = np.unique(x, axis=0, return_index=True)
        first = first[np.lexsort((*x[first].T[::-1], *-values[first].T[::-1]))]
        self.x, self.values = x[first], values[first]

    def hypervolume(self, reference: ArrayLike) -> float:
        """Volume that the archive dominates above a reference point ``(objectives,)``.

        Raises:
            ImportError: without the extra ``moo``.
        """
        if not len(self):
            return 0.0
        return hypervolume(self.values, reference, maximise=True)


class NondominatedArchive(Wrapper, RecordConstructorArgs):
    """Keeps the front of all that was evaluated, whatever the reward is.

    Args:
        env: with ``info["arch"]``, ``val_acc`` and ``latency_ms`` where an architecture is
            finished, and a ``problem``, as the environments of this package.
        objectives: names as in :class:`~blox_env.problem.objectives.Objectives`, but ``reward``;
            those of the environment, or accuracy and latency, if not given.
        archive: one to go on with, or to share with other environments of a process.

    Attributes:
        archive: the :class:`Archive`, a front with costs as negative numbers.

    Raises:
        ValueError: for an environment or objectives of another kind.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        objectives: Sequence[str] | None = None,
        archive: Archive | None = None,
    ) -> None:
        # an archive is not copied, as what is shared has to stay one
        RecordConstructorArgs.__init__(
            self, objectives=objectives, archive=archive, _disable_deepcopy=True
        )
        gym.Wrapper.__init__(self, env)
        self.objectives = _objectives(env, objectives)
        self.archive = Archive() if archive is None else archive

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._look(info)
        return observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take one action."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._look(info)
        return observation, reward, terminated, truncated, info

    def _look(self, info: dict[str, Any]) -> None:
        if "arch" in info:
            columns = {key: np.array([info[key]]) for key in _READ if key in info}
            self.archive.add(columns["arch"], _values(self.objectives, columns))


class NondominatedArchiveVector(EpisodeVectorWrapper, RecordConstructorArgs):
    """:class:`NondominatedArchive` of a vector environment: one for all, with equal arguments."""

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        objectives: Sequence[str] | None = None,
        archive: Archive | None = None,
    ) -> None:
        RecordConstructorArgs.__init__(
            self, objectives=objectives, archive=archive, _disable_deepcopy=True
        )
        EpisodeVectorWrapper.__init__(self, env)
        self.objectives = _objectives(env, objectives)
        self.archive = Archive() if archive is None else archive

    def _begin(self, which: Mask, infos: dict[str, Any], seed: Any, own: Any) -> None:
        if "arch" in infos:
            self._look({key: infos[key][which & infos["_arch"]] for key in _READ if key in infos})

    def _stepped(self, which: Mask, step: Step) -> None:
        has = step.get("arch")[1]
        if has.any():
            known = {key: step.get(key)[0] for key in _READ}
            self._look({key: values[has] for key, values in known.items() if values is not None})

    def _look(self, columns: dict[str, Any]) -> None:
        self.archive.add(columns["arch"], _values(self.objectives, columns))


_READ = ("arch", "val_acc", "latency_ms")  # keys of infos


def _values(objectives: Objectives, columns: dict[str, Any]) -> FloatArray:
    nothing = np.full(len(columns["arch"]), np.nan)
    return objectives.values(
        columns["arch"],
        reward=nothing,
        val_acc=columns["val_acc"],
        latency_ms=columns.get("latency_ms", nothing),
    )


def _objectives(env: Any, names: Sequence[str] | None) -> Objectives:
    base = env.unwrapped
    if not isinstance(base, Answers):
        raise ValueError(
            "NondominatedArchive needs an environment of blox_env, or a native vector environment "
            f"of it, got {env!r}: wrap the single environments, with one archive"
        )
    if base.goal == "device":
        raise ValueError(
            "every device has a front of its own: goal='device' cannot have one archive"
        )
    if names is None:
        names = base.reward_objectives
    problem = base.problem
    found = Objectives(names or ("val_acc", "latency_ms"), problem.benchmark, problem.device)
    if "reward" in found.names:
        raise ValueError(f"objectives must not be the reward, got {', '.join(found.names)}")
    return found
