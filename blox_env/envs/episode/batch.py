"""Parts of a vector environment: infos as Gymnasium lays them out, and checked arguments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from blox_env.envs.episode.core import News
from blox_env.envs.episode.moves import Which
from blox_env.ground.errors import check_positive_int


class Infos:
    """Infos of ``n`` environments: an array ``key`` each, and ``_key`` says who has it.

    Those who have it not hold zero, or None where the values are objects.
    """

    def __init__(self, n: int) -> None:
        self.n = n
        self.columns: dict[str, Any] = {}

    def add(self, key: str, which: Which, values: NDArray[Any]) -> None:
        """Set ``key`` of the environments ``which``, one value each; nothing where none are.

        The values of all are kept as they are, not copied.

        Args:
            key: of the info.
            which: the environments that have it.
            values: one each.
        """
        if len(values) == 0:
            return
        if isinstance(which, slice):
            self.columns[key] = values
            self.columns[f"_{key}"] = np.ones(self.n, dtype=bool)
            return
        if key not in self.columns:
            fill = None if values.dtype == object else 0
            shape = (self.n, *values.shape[1:])
            self.columns[key] = np.full(shape, fill, dtype=values.dtype)
            self.columns[f"_{key}"] = np.zeros(self.n, dtype=bool)
        self.columns[key][which] = values
        self.columns[f"_{key}"][which] = True

    def take(self, news: News) -> None:
        """Add what a core tells."""
        for which, columns in news:
            for key, values in columns.items():
                self.add(key, which, values)

    def of(self, keep: NDArray[np.bool_]) -> Infos:
        """The infos of some environments alone, given as a mask ``(n,)``."""
        kept = Infos(self.n)
        for key, values in self.columns.items():
            if key.startswith("_") or not (self.columns[f"_{key}"] & keep).any():
                continue
            who = np.flatnonzero(self.columns[f"_{key}"] & keep)
            kept.add(key, slice(None) if len(who) == self.n else who, values[who])
        return kept


def check_actions(actions: ArrayLike, space: spaces.Space[Any], n: int) -> NDArray[np.int64]:
    """Actions ``(n,)``, or ``(n, slots)`` for ``MultiDiscrete``, checked.

    Args:
        actions: as a user gave them.
        space: of a single action.
        n: number of environments.

    Raises:
        ValueError: for another type or shape, or a value outside; names the environment.
    """
    taken = np.asarray(actions)
    if isinstance(space, spaces.Discrete):
        shape: tuple[int, ...] = (n,)
        high: Any = space.n
    else:
        assert isinstance(space, spaces.MultiDiscrete)
        shape, high = (n, *space.shape), space.nvec
    if taken.shape != shape or taken.dtype.kind not in "iu":
        raise ValueError(
            f"actions must be an integer array of shape {shape}, "
            f"got {taken.dtype} of shape {taken.shape}"
        )
    taken = taken.astype(np.int64, copy=False)
    if isinstance(high, int | np.integer):  # as unsigned numbers, negative ones are too large
        fits = int(taken.view(np.uint64).max()) < high
    else:
        fits = bool(((taken >= 0) & (taken < high)).all())
    if not fits:
        bad = (taken < 0) | (taken >= high)
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        limit = int(np.broadcast_to(high, shape)[first]) - 1
        raise ValueError(
            f"action of environment {first[0]} must be in 0 … {limit}, got {taken[first]}"
        )
    return taken


def check_mask(mask: object, n: int) -> NDArray[np.bool_] | None:
    """``options["reset_mask"]`` as bool ``(n,)``, None where it is not given.

    Args:
        mask: as a user gave it.
        n: number of environments.

    Raises:
        ValueError: for anything else, or a mask of nobody.
    """
    if mask is None:
        return None
    if not isinstance(mask, np.ndarray) or mask.shape != (n,) or mask.dtype != bool:
        got = f"{mask.dtype} of shape {mask.shape}" if isinstance(mask, np.ndarray) else repr(mask)
        raise ValueError(f"options['reset_mask'] must be a bool array of shape ({n},), got {got}")
    if not mask.any():
        raise ValueError("options['reset_mask'] must name an environment to reset, got none")
    return mask


def check_seeds(seed: int | Sequence[int | None] | None, n: int) -> int | list[int | None] | None:
    """A seed for all, or a list of one each.

    Args:
        seed: as a user gave it.
        n: number of environments.

    Raises:
        TypeError: for what is no whole number.
        ValueError: for a negative one, or a list of another length.
    """
    if seed is None:
        return None
    if not isinstance(seed, list | tuple | np.ndarray):
        return check_positive_int("seed", seed, 0)
    seeds = [None if each is None else check_positive_int("seed", each, 0) for each in seed]
    if len(seeds) != n:
        raise ValueError(f"a list of seeds must have one for each of {n}, got {len(seeds)}")
    return seeds
