"""Macro spaces of Blox blocks: three stages, the same number of blocks in each."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blox_env.ground import registry
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import GraphLayout, SearchSpace
from blox_env.spaces.blox import features
from blox_env.spaces.blox.blocks import BLOCKS, FLAT, OPERATIONS, RANK, STAGES, USES
from blox_env.spaces.blox.counts import block_macs, block_params, frame_macs, frame_params
from blox_env.spaces.blox.memory import block_peaks, ends_peak, reduction_peak
from blox_env.spaces.slotwise import Slotwise


class BlockSpace(SearchSpace):
    """Networks of three stages, each of ``depth`` blocks in a row and a reduction.

    A row has a block number in 0 … 44 for each place, stage by stage.

    Args:
        depth: blocks of a stage.
        name: what the space is called.
    """

    blocks = BLOCKS
    sizes = ("params", "macs", "peak_activation_bytes")
    network_defaults = MappingProxyType({"width": 32, "classes": 100, "in_channels": 3})

    def __init__(self, depth: int, name: str) -> None:
        super().__init__((len(BLOCKS),) * (STAGES * depth), name=name)
        self.depth = depth

    def describe(self, row: ArrayLike) -> str:
        """One architecture as a formula a block, stages apart."""
        words = [str(BLOCKS[i]) for i in self.check(row)[0]]
        stages = (words[i : i + self.depth] for i in range(0, len(words), self.depth))
        return " | ".join(" > ".join(stage) for stage in stages)

    def describe_option(self, slot: int, option: int) -> str:
        """A block as a formula of its input x; the same in every place."""
        return str(BLOCKS[option])

    def describe_choices(self, choices: tuple[int, ...]) -> str:
        """The operations of a block chosen so far."""
        return ", ".join([*(OPERATIONS[op] for op in choices), "…"])

    # -- sizes -----------------------------------------------------------------------------

    def params(
        self, x: ArrayLike, *, width: int = 32, classes: int = 100, in_channels: int = 3
    ) -> IntArray:
        """Number of trainable parameters, int64 ``(n,)``.

        Args:
            x: architectures ``(n, slots)``.
            width: channels of the stem.
            classes: outputs of the classifier.
            in_channels: of the image.
        """
        network = {"width": width, "classes": classes, "in_channels": in_channels}
        return self._counted("params", x, network)

    def macs(
        self,
        x: ArrayLike,
        *,
        width: int = 32,
        image_size: int = 32,
        classes: int = 100,
        in_channels: int = 3,
    ) -> IntArray:
        """Multiply-adds of all convolutions and the linear layer for one image, int64 ``(n,)``.

        Args:
            x: architectures ``(n, slots)``.
            width: channels of the stem.
            image_size: side of the image.
            classes: outputs of the classifier.
            in_channels: of the image.
        """
        network = {"width": width, "classes": classes, "in_channels": in_channels}
        return self._counted("macs", x, {**network, "image_size": image_size})

    def peak_activation_bytes(
        self,
        x: ArrayLike,
        *,
        width: int = 32,
        image_size: int = 32,
        classes: int = 100,
        in_channels: int = 3,
    ) -> IntArray:
        """Most bytes of fp32 activations alive at once for one image, int64 ``(n,)``.

        :mod:`blox_env.spaces.blox.memory` says in which schedule and what is done in place. Few
        values occur, as the first stage mostly decides.

        Args:
            x: architectures ``(n, slots)``.
            width: channels of the stem.
            image_size: side of the image.
            classes: outputs of the classifier.
            in_channels: of the image.
        """
        network = {"width": width, "classes": classes, "in_channels": in_channels}
        return self._counted("peak_activation_bytes", x, {**network, "image_size": image_size})

    def size_of(self, name: str, x: ArrayLike, **network: int) -> IntArray:
        """Parameters, multiply-adds or peak activation bytes, int64 ``(n,)``.

        Args:
            name: ``"params"``, ``"macs"`` or ``"peak_activation_bytes"``.
            x: architectures ``(n, slots)``.
            network: ``width``, ``classes``, ``in_channels`` and ``image_size``.

        Raises:
            ValueError: for another name.
        """
        if name == "params":
            network.pop("image_size", None)  # convolutions have as many on any image
            return self.params(x, **network)
        if name == "macs":
            return self.macs(x, **network)
        if name == "peak_activation_bytes":
            return self.peak_activation_bytes(x, **network)
        return super().size_of(name, x, **network)

    def slotwise(self, name: str, **network: int) -> Slotwise | None:
        """Parameters and multiply-adds are sums over the blocks, the peak is the largest of all.

        Args:
            name: as of :meth:`size_of`.
            network: as of :meth:`size_of`.
        """
        if name not in self.sizes:
            return None
        set_to = {**self.network_defaults, "image_size": 32, **network}
        width, image_size = set_to["width"], set_to["image_size"]
        ends = set_to["classes"], set_to["in_channels"]
        stages = []
        for stage in range(STAGES):
            c, side = width << stage, -(-image_size // 2**stage)  # a reduction rounds up
            if name == "params":
                stages.append(USES @ block_params(c))
            elif name == "macs":
                stages.append(USES @ block_macs(c, side))
            else:
                peaks = np.maximum(block_peaks(BLOCKS, c, side), reduction_peak(c, side))
                stages.append(4 * np.asarray(peaks, dtype=np.int64))
        tables = tuple(stages[slot // self.depth] for slot in range(self.slots))
        if name == "params":
            return Slotwise(frame_params(width, *ends), tables)
        if name == "macs":
            return Slotwise(frame_macs(width, image_size, *ends), tables)
        return Slotwise(4 * ends_peak(width, image_size, *ends), tables, "max")

    def _counted(self, name: str, x: ArrayLike, network: dict[str, int]) -> IntArray:
        parts = self.slotwise(name, **network)
        assert parts is not None
        return parts.of(self.check(x))

    # -- for models and policies -----------------------------------------------------------

    def feature_kinds(self) -> tuple[str, ...]:
        """``onehot``, ``ops``, their ``counts``, ``depth`` of the paths, ``path``, ``graph``."""
        return features.KINDS

    def features(self, x: ArrayLike, kind: str = "onehot") -> FloatArray:
        """Describe architectures as numbers, ``(n, features)``; ``depth`` ends with its sums."""
        columns = super().features(x, kind)
        if not self.feature_sums(kind):
            return columns
        each = columns.shape[1] // self.slots
        total = columns.reshape(len(columns), self.slots, each).sum(axis=1)
        return np.concatenate([columns, total], axis=1)

    def feature_sums(self, kind: str) -> bool:
        """Tell the kinds of features that end with the sums of their columns over the slots."""
        return kind == "depth"

    def feature_tables(self, kind: str = "onehot") -> list[FloatArray]:
        """Columns of each block, as :func:`blox_env.spaces.blox.features.tables` says."""
        return features.tables(kind, self.depth)

    def graph(self) -> GraphLayout:
        """Input, per block op1, op2 and what follows, and output; most of the nodes in use."""
        return features.layout(self.depth)

    # -- choosing a block in parts ---------------------------------------------------------

    def operation_tables(self) -> list[IntArray]:
        """A block as op1, op2 and connection (``4·prev + 2·input + skip``): ``(3, 3, 8)`` a slot.

        Different choices may make the same block; connection 0 makes none.
        """
        return [RANK.reshape(3, 3, 8)] * self.slots

    def operation_values(self) -> list[IntArray]:
        """op1, op2 and connection of every block in canonical form: ``(45, 3)`` a slot."""
        return [np.column_stack([FLAT[:, :2], FLAT[:, 2:] @ (4, 2, 1)])] * self.slots

    def partial_tables(self, kind: str) -> list[list[FloatArray]]:
        """Features of a block with op1 only, ``(3, columns)``, and with both, ``(9, columns)``."""
        return features.partial_tables(kind, self.depth)

    def build_network(self, row: ArrayLike, **kwargs: Any) -> Any:
        """The network of one architecture; see :class:`blox_env.networks.blox.BloxNetwork`."""
        return registry.resolve("network", self.name)(self.check(row)[0], **kwargs)
