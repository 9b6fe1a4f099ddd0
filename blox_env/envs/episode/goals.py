"""Goals drawn for every episode, and draws that depend on seed and episode alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blox_env.devices.base import Device
from blox_env.ground.errors import check_positive_int, unknown_name
from blox_env.ground.seeds import STEP, mixed
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import SearchSpace

GOALS = ("latency_target", "device")


def draws(seeds: NDArray[np.uint64], episodes: NDArray[np.int64], count: int) -> FloatArray:
    """Uniform numbers in [0, 1), ``(n, count)``: those of episode k of a seed, always the same.

    One environment a row, so that thousands of them draw at once what each would draw alone.

    Args:
        seeds: of the environments, ``(n,)``.
        episodes: numbers of their episodes, ``(n,)``.
        count: of numbers each.
    """
    start = mixed(mixed(seeds) + episodes.astype(np.uint64) * STEP)
    numbers = np.arange(1, count + 1, dtype=np.uint64)
    bits = mixed(start[:, None] + numbers * STEP)
    return (bits >> np.uint64(11)).astype(np.float64) * 2.0**-53


def seed_numbers(seed: int | Sequence[int], n: int) -> NDArray[np.uint64]:
    """Seeds of ``n`` environments: ``seed + i``, or those of a list; taken modulo 2^64.

    Args:
        seed: of the first, or one each.
        n: number of environments.
    """
    seeds = [seed + i for i in range(n)] if isinstance(seed, int) else list(seed)
    return np.array([int(s) % 2**64 for s in seeds], dtype=np.uint64)


class Goals:
    """Aims of episodes, one number an environment, and how observations show them.

    Args:
        goal: ``"latency_target"``, the target of the reward in milliseconds, drawn evenly from a
            range; ``"device"``, one of several; None for the same in every episode.
        choices: the range ``(low, high)`` in milliseconds, by default from the 5th to the 95th
            percentile of the device; the devices.
        loaded: the devices of the environment, for the default range and for their names.
        probes: how many architectures' latencies describe a device (:func:`described`); 0 shows it
            one-hot.
        targets_ms: latency target of each device, for these descriptions.

    Raises:
        ValueError: for an unknown goal, or choices that are none.
    """

    def __init__(
        self,
        goal: str | None = None,
        choices: Sequence[Any] | None = None,
        loaded: Sequence[Device] = (),
        *,
        probes: int = 0,
        targets_ms: Sequence[float] = (),
    ) -> None:
        if goal is not None and goal not in GOALS:
            raise ValueError(unknown_name("goal", goal, GOALS))
        if goal is None and choices is not None:
            raise ValueError("goals needs goal='latency_target' or goal='device'")
        self.goal = goal
        self.columns = 0
        self.names: list[str] = []
        if check_positive_int("goal_probes", probes, 0) and goal != "device":
            raise ValueError("goal_probes needs goal='device'")
        devices = check_devices(choices, probes) if goal == "device" else []
        if goal == "latency_target":
            self.low, self.high = _range(choices, loaded[0] if loaded else None)
            self.columns = 1
        elif goal == "device":
            names = [each if isinstance(each, str) else each.name for each in devices]
            self.names = [device.name for device in loaded]
            self._numbers = {
                name: number for known in (names, self.names) for number, name in enumerate(known)
            }
            if len(set(self.names)) != len(self.names):
                raise ValueError(f"goals must be different devices, got {', '.join(self.names)}")
            self._shown = np.eye(len(self.names), dtype=np.float32)
            if probes:
                self._shown = np.array(
                    [described(*each, probes) for each in zip(loaded, targets_ms, strict=True)],
                    dtype=np.float32,
                )
            self.columns = self._shown.shape[1]

    def draw(self, uniform: FloatArray) -> FloatArray:
        """Goals of uniform numbers ``(n,)``: targets in milliseconds, or numbers of devices."""
        if self.goal == "latency_target":
            return self.low + (self.high - self.low) * uniform
        return np.floor(uniform * max(1, len(self.names)))

    def given(self, options: dict[str, Any], n: int) -> FloatArray | None:
        """Goals that ``options`` of ``reset`` ask for, ``(n,)``; None where they name none.

        Args:
            options: of the reset.
            n: number of environments.

        Raises:
            ValueError: for a value out of range, an unknown device, or a number of them not ``n``.
        """
        if self.goal == "latency_target" and "latency_target_ms" in options:
            return self._targets(options["latency_target_ms"], n)
        if self.goal == "device" and "device" in options:
            asked = options["device"]
            if not isinstance(asked, str | list | tuple | np.ndarray):
                raise ValueError(f"options['device'] must be a name or {n} names, got {asked!r}")
            names = [asked] * n if isinstance(asked, str) else list(asked)
            for name in names:
                if not isinstance(name, str) or name not in self._numbers:
                    raise ValueError(unknown_name("options['device']", name, self._numbers))
            if len(names) != n:
                raise ValueError(f"options['device'] must name {n} devices, got {len(names)}")
            return np.array([self._numbers[name] for name in names], dtype=float)
        return None

    def option(self) -> str | None:
        """The key of ``options`` that sets the goal."""
        return {"latency_target": "latency_target_ms", "device": "device"}.get(self.goal or "")

    def shown(self, goals: FloatArray) -> NDArray[np.float32]:
        """Columns of the observation, ``(n, columns)``: the place in the range, or the device."""
        if self.goal == "latency_target":
            place = (goals - self.low) / (self.high - self.low)
            return place[:, None].astype(np.float32)
        return self._shown[goals.astype(np.int64)]

    def _targets(self, value: ArrayLike, n: int) -> FloatArray:
        try:
            targets = np.broadcast_to(np.asarray(value, dtype=float), (n,)).copy()
        except (TypeError, ValueError):
            raise ValueError(
                f"options['latency_target_ms'] must be one number or {n}, got {value!r}"
            ) from None
        inside = (targets >= self.low) & (targets <= self.high)  # False for NaN
        if not inside.all():
            raise ValueError(
                f"options['latency_target_ms'] must be in {self.low:.4g} … {self.high:.4g}, "
                f"got {targets[~inside][0]}"
            )
        return targets


def probe_architectures(space: SearchSpace, n: int) -> IntArray:
    """The ``n`` architectures whose latencies describe a device, ``(n, slots)``, always the same.

    Drawn from the space; fewer are the first of more.

    Args:
        space: of the architectures.
        n: how many.
    """
    return space.sample(np.random.default_rng(0), n)


def described(device: Device, target_ms: float, probes: int) -> FloatArray:
    """A device as numbers in 0 … 1, ``(probes,)``: ``t / (t + target)`` for each latency t.

    Reference architectures describe a device that no training has seen, as in HELP (Lee et al.,
    NeurIPS 2021); one half is a latency at the target.

    Args:
        device: to be described.
        target_ms: its latency target.
        probes: number of architectures.
    """
    latency = device.latency_ms(probe_architectures(device.space, probes))
    return np.asarray(latency / (latency + target_ms))


def check_devices(choices: object, probes: int = 0) -> list[Any]:
    """Devices of a goal, names or objects: at least two, or one where probes describe them.

    Args:
        choices: as a user gave them.
        probes: number of architectures that describe a device.

    Raises:
        ValueError: for anything else.
    """
    devices = list(choices) if isinstance(choices, list | tuple) else []
    least = 1 if probes else 2
    if len(devices) < least or not all(isinstance(each, str | Device) for each in devices):
        needed = "at least one device" if probes else "at least two different devices"
        raise ValueError(f"goal='device' needs goals, {needed}, got {choices!r}")
    return devices


def _range(choices: Sequence[Any] | None, device: Device | None) -> tuple[float, float]:
    if device is None:
        raise ValueError("goal='latency_target' needs a device, got device=None")
    if choices is None:
        low, high = (float(v) for v in device.quantiles_ms((0.05, 0.95)))
        if not low < high:
            raise ValueError(
                f"the latencies of device {device.name!r} hardly differ: pass goals=(low, high)"
            )
        return low, high
    try:
        low, high = (float(v) for v in ("?" if isinstance(choices, str) else choices))
    except (TypeError, ValueError):
        low = high = np.nan
    if not 0 < low < high < np.inf:
        raise ValueError(
            f"goals must be a range (low, high) of milliseconds above 0, got {choices!r}"
        )
    return low, high
