"""A trained policy: proposes architectures for latency targets, and acts in an environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blox_env.devices.base import Device, load_device
from blox_env.envs.episode.goals import probe_architectures
from blox_env.ground.errors import shown
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.policies.goals import Columns, Goal, made
from blox_env.spaces.base import SearchSpace

Layers = Sequence[tuple[NDArray[np.float32], NDArray[np.float32]]]


@dataclass(frozen=True)
class Proposal:
    """Answers of a policy, one a target.

    Attributes:
        x: the architectures, ``(n, slots)``.
        val_acc: the validation accuracy that the policy expects, a fraction, ``(n,)``.
        latency_ms: the latency that it expects, ``(n,)``.
        target_ms: what was asked for, ``(n,)``.
    """

    x: IntArray
    val_acc: FloatArray
    latency_ms: FloatArray
    target_ms: FloatArray

    def __len__(self) -> int:
        """Number of answers."""
        return len(self.x)


class Policy:
    """A network that fills slot after slot, told what is chosen so far and what is aimed at.

    Args:
        card: what it is, how it was trained and how good it is, as ``card.json`` has it.
        space: of the architectures.
        actor: weights and biases of the layers that give a number an option.
        critic: of those that give accuracy and latency of a whole architecture.

    Attributes:
        card: as given.
        name: how it is called.
        space: of the architectures.
        reference: the networks ``(k, slots)`` whose latencies describe a device, None where the
            device is always the same.
    """

    def __init__(
        self, card: Mapping[str, Any], space: SearchSpace, actor: Layers, critic: Layers
    ) -> None:
        self.card = card
        self.name = str(card["name"])
        self.space = space
        goal = card["goal"]
        probes = probe_architectures(space, int(goal.get("probes", 1)))
        self._goal: Goal = made(goal, probes)
        self.reference = self._goal.reference
        self._actor, self._critic = actor, critic
        self._starts = np.concatenate([[0], np.cumsum(space.options)])
        self._scale = np.array(card["expects"]["scale"]), np.array(card["expects"]["shift"])

    @property
    def environment(self) -> dict[str, Any]:
        """Arguments of the ``blox_env/Blox-v0`` that it acts in; with ``goals`` for its devices."""
        return dict(self.card["environment"])

    def propose(
        self,
        targets_ms: ArrayLike,
        *,
        device: str | Device | None = None,
        reference_ms: ArrayLike | None = None,
        margin: float = 0.0,
    ) -> Proposal:
        """Propose an architecture for each target.

        A policy for one device takes targets alone; those beyond its range count as the nearest end
        of it. One that is told the device takes either a device or the latencies of the
        :attr:`reference` networks on it.

        Args:
            targets_ms: one target or several, ``(n,)``, in milliseconds.
            device: name of a device, or a device.
            reference_ms: latencies of the reference networks in milliseconds, ``(k,)``, or
                ``(n, k)`` for a device a target.
            margin: how much less to ask for, a share of the target: more answers keep to it, and
                fewer are the best.

        Raises:
            ValueError: for a target that is no positive number, latencies of another shape, a
                margin outside of 0 … 1, or a device where none is wanted.
        """
        if not 0 <= margin < 1:
            raise ValueError(f"margin must be a share in 0 … 1, got {shown(margin)}")
        targets = _positive("targets_ms", np.atleast_1d(np.asarray(targets_ms, dtype=float)))
        if targets.ndim != 1:
            raise ValueError(f"targets_ms must be one number or (n,), got shape {targets.shape}")
        told = self._told(device, reference_ms, len(targets))
        asked = targets * (1 - margin)
        rows, inputs = self._built(self._goal.shown(asked, told))
        val_acc, latency = self._expected(inputs)
        return Proposal(rows, val_acc, latency * self._goal.unit_ms(asked), targets)

    def act(self, observation: ArrayLike, mask: ArrayLike | None = None) -> Any:
        """The most likely allowed action of each observation.

        Args:
            observation: of :attr:`environment`, ``(columns,)`` or ``(n, columns)``.
            mask: of the allowed actions, ``(actions,)`` or ``(n, actions)``; all if not given.

        Returns:
            An action, or ``(n,)`` of them.

        Raises:
            ValueError: for an observation or a mask of another shape.
        """
        seen = np.atleast_2d(np.asarray(observation, dtype=np.float32))
        own = int(self._starts[-1])
        if seen.ndim != 2 or seen.shape[1] != own + self._goal.columns:
            raise ValueError(
                f"expected observations of {own + self._goal.columns} columns, as of gymnasium.make"
                f"('blox_env/Blox-v0', **policy.environment), got shape {np.shape(observation)}"
            )
        odds = _forward(self._actor, np.hstack([seen[:, :own], self._goal.inputs(seen[:, own:])]))
        if mask is not None:
            allowed = np.atleast_2d(np.asarray(mask, dtype=bool))
            if allowed.shape != odds.shape:
                raise ValueError(f"expected a mask of shape {odds.shape}, got {np.shape(mask)}")
            odds = np.where(allowed, odds, -np.inf)
        actions = odds.argmax(axis=1)
        return int(actions[0]) if np.ndim(observation) == 1 else actions

    def describe_target(self) -> str:
        """The question that it answers, in words."""
        return str(self.card["description"])

    def _told(
        self, device: str | Device | None, reference_ms: ArrayLike | None, n: int
    ) -> FloatArray | None:
        if self.reference is None:
            if device is not None or reference_ms is not None:
                only = self.card["environment"]["device"]
                raise ValueError(
                    f"{self.name} is for the device {only!r} alone: pass targets alone"
                )
            return None
        if (device is None) == (reference_ms is None):
            raise ValueError(f"{self.name} needs either device or reference_ms")
        if device is not None:
            reference_ms = load_device(device).latency_ms(self.reference)
        told = _positive("reference_ms", np.asarray(reference_ms, dtype=float))
        k = len(self.reference)
        if told.shape not in ((k,), (n, k)):
            raise ValueError(
                f"reference_ms must be ({k},) or ({n}, {k}), a latency a reference network, got "
                f"shape {told.shape}"
            )
        return np.broadcast_to(told, (n, k))

    def _built(self, columns: Columns) -> tuple[IntArray, NDArray[np.float32]]:
        """Architectures ``(n, slots)``, and inputs that show them and the goal."""
        n, own = len(columns), int(self._starts[-1])
        inputs = np.zeros((n, own + self._goal.features), dtype=np.float32)
        inputs[:, own:] = self._goal.inputs(columns)
        rows = np.empty((n, self.space.slots), dtype=np.int64)
        every = np.arange(n)
        for slot, options in enumerate(self.space.options):
            rows[:, slot] = _forward(self._actor, inputs)[:, :options].argmax(axis=1)
            inputs[every, self._starts[slot] + rows[:, slot]] = 1
        return rows, inputs

    def _expected(self, inputs: NDArray[np.float32]) -> tuple[FloatArray, FloatArray]:
        """Accuracy, and latency in the unit of the goal, of architectures, ``(n,)`` each."""
        scale, shift = self._scale
        found = _forward(self._critic, inputs).astype(float) * scale + shift
        return found[:, 0], np.exp(found[:, 1])

    def __repr__(self) -> str:
        """Name and question."""
        return f"Policy({self.name!r}: {self.describe_target()})"


def _forward(layers: Layers, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """A network of rectified layers, the last one linear."""
    *hidden, (weight, bias) = layers
    for inner, offset in hidden:
        x = np.maximum(x @ inner + offset, np.float32(0))
    return x @ weight + bias


def _positive(name: str, values: FloatArray) -> FloatArray:
    bad = ~(np.isfinite(values) & (values > 0))
    if bad.any():
        raise ValueError(
            f"{name} must be milliseconds, finite and above 0, got {shown(float(values[bad][0]))}"
        )
    return values
