"""The Blox macro search space: three stages, one of 45 blocks each (Chau et al., NeurIPS 2022)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blox_env.ground import registry
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import GraphLayout, SearchSpace
from blox_env.spaces.blox import features, hashes, layout, notation
from blox_env.spaces.blox.blocks import BLOCKS, FLAT, OPERATIONS, RANK, STAGES, USES
from blox_env.spaces.blox.counts import block_macs, block_params, frame_macs, frame_params
from blox_env.spaces.blox.graph_hash import model_hash
from blox_env.spaces.blox.memory import block_peaks, ends_peak, reduction_peak
from blox_env.spaces.layout import Label, Layout


class BloxSpace(SearchSpace):
    """The 91,125 networks of Blox as rows of three block numbers, each in 0 … 44.

    A block is two operations out of ``conv, mbconv, bconv`` and three bits: ``prev`` (op2 reads
    op1), ``input`` (op2 reads the block's input), ``skip`` (op1 is added to op2's output).
    Of the 72 combinations 9 are invalid and the others name 45 distinct blocks; a block's number is
    its rank among them in order of (op1, op2, prev, input, skip), after a single operation is
    written as ``[[0], [op, 0, 1, 0]]`` and a parallel pair with op1 ≥ op2.

    Source: Chau et al., *Blox: Macro Neural Architecture Search Benchmark and Algorithms*, 2022.
    """

    blocks = BLOCKS
    slot_name = "stage"
    sizes = ("params", "macs", "peak_activation_bytes")
    network_defaults = MappingProxyType({"width": 32, "classes": 100, "in_channels": 3})

    def __init__(self) -> None:
        super().__init__((len(BLOCKS),) * STAGES, name="blox")

    def __repr__(self) -> str:
        """The class alone: a Blox space has no parameters."""
        return "BloxSpace()"

    # -- upstream's notation ---------------------------------------------------------------

    def from_arch_vec(self, nested: Sequence[Any]) -> IntArray:
        """Row ``(3,)`` of upstream's nested ``[[[op1], [op2, prev, input, skip]], …]``.

        Every alias of an architecture gives the same row.

        Raises:
            ValueError: says which stage is wrong and why.
        """
        row: IntArray = notation.rows_of(notation.flattened(nested))[0]
        return row

    def to_arch_vec(self, row: ArrayLike) -> list[list[list[int]]]:
        """Upstream's nested form of one architecture ``(3,)``, canonical."""
        stages = self.to_flat(row)[0].reshape(STAGES, 5).tolist()
        return [[[stage[0]], stage[1:]] for stage in stages]

    def from_flat(self, flat: ArrayLike) -> IntArray:
        """Rows ``(n, 3)`` of flattened arch_vecs ``(n, 15)``: five integers a stage."""
        return notation.rows_of(flat)

    def to_flat(self, x: ArrayLike) -> IntArray:
        """Canonical flattened arch_vecs ``(n, 15)`` of rows ``(n, 3)``."""
        rows = self.check(x)
        flat: IntArray = FLAT[rows].reshape(len(rows), 5 * STAGES)
        return flat

    def own_row(self, text: str) -> IntArray | None:
        """The row of an ``arch_vec`` as JSON or of a ``model_hash``; None for option indices."""
        own = text.strip()
        if own.startswith("[["):
            try:
                return self.from_arch_vec(json.loads(own))
            except json.JSONDecodeError as error:
                raise ValueError(
                    f"expected an arch_vec as JSON, got {own!r:.100}: {error}"
                ) from None
        if len(own) != hashes.DIGITS:
            return None
        number = hashes.numbers_of(hashes.hash_bytes([own]))
        if number[0] < 0:
            raise ValueError(f"no architecture of Blox has the model_hash {own}")
        row: IntArray = self.from_index(number)[0]
        return row

    def model_hash(self, x: ArrayLike) -> list[str]:
        """Upstream's graph-invariant MD5 of every architecture, 32 hex digits each."""
        return [model_hash(tuple(row)) for row in self.check(x).tolist()]

    def describe(self, row: ArrayLike) -> str:
        """One architecture as a formula a stage."""
        return " | ".join(str(BLOCKS[i]) for i in self.check(row)[0])

    def describe_option(self, slot: int, option: int) -> str:
        """A block as a formula of its input x; the same in every stage."""
        return str(BLOCKS[option])

    def identify(self, row: ArrayLike) -> dict[str, object]:
        """Upstream's ``arch_vec`` and ``model_hash``."""
        return {"arch_vec": self.to_arch_vec(row), "model_hash": self.model_hash(row)[0]}

    def lay_out(self, choices: Sequence[int | str], title: Label) -> Layout:
        """The plan of a drawing: input, stem, a frame a stage, classifier."""
        return layout.stages(choices, title)

    def describe_choices(self, choices: tuple[int, ...]) -> str:
        """The operations of a stage chosen so far."""
        return ", ".join([*(OPERATIONS[op] for op in choices), "…"])

    # -- sizes -----------------------------------------------------------------------------

    def params(
        self, x: ArrayLike, *, width: int = 32, classes: int = 100, in_channels: int = 3
    ) -> IntArray:
        """Number of trainable parameters, int64 ``(n,)``.

        Args:
            x: architectures ``(n, 3)``.
            width: channels of the stem.
            classes: outputs of the classifier.
            in_channels: of the image.
        """
        rows = self.check(x)
        total = np.full(len(rows), frame_params(width, classes, in_channels), dtype=np.int64)
        for stage in range(STAGES):
            total += (USES @ block_params(width << stage))[rows[:, stage]]
        return total

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
            x: architectures ``(n, 3)``.
            width: channels of the stem.
            image_size: side of the image.
            classes: outputs of the classifier.
            in_channels: of the image.
        """
        rows = self.check(x)
        frame = frame_macs(width, image_size, classes, in_channels)
        total = np.full(len(rows), frame, dtype=np.int64)
        for stage in range(STAGES):
            side = -(-image_size // 2**stage)  # a reduction rounds up
            total += (USES @ block_macs(width << stage, side))[rows[:, stage]]
        return total

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

        :mod:`blox_env.spaces.blox.memory` says in which schedule and what is done in place. Six
        values occur, as the first stage mostly decides.

        Args:
            x: architectures ``(n, 3)``.
            width: channels of the stem.
            image_size: side of the image.
            classes: outputs of the classifier.
            in_channels: of the image.
        """
        rows = self.check(x)
        peak = np.full(
            len(rows), ends_peak(width, image_size, classes, in_channels), dtype=np.int64
        )
        for stage in range(STAGES):
            c, side = width << stage, -(-image_size // 2**stage)
            table = np.maximum(block_peaks(BLOCKS, c, side), reduction_peak(c, side))
            np.maximum(peak, table[rows[:, stage]], out=peak)
        return 4 * peak

    def size_of(self, name: str, x: ArrayLike, **network: int) -> IntArray:
        """Parameters, multiply-adds or peak activation bytes, int64 ``(n,)``.

        Args:
            name: ``"params"``, ``"macs"`` or ``"peak_activation_bytes"``.
            x: architectures ``(n, 3)``.
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

    # -- for models and policies -----------------------------------------------------------

    def feature_kinds(self) -> tuple[str, ...]:
        """``onehot`` of blocks, ``ops``, their ``counts``, ``depth`` of the paths, ``graph``."""
        return features.KINDS

    def features(self, x: ArrayLike, kind: str = "onehot") -> FloatArray:
        """Describe architectures as numbers, ``(n, features)``; ``depth`` ends with its sums."""
        columns = super().features(x, kind)
        if kind != "depth":
            return columns
        total = columns.reshape(len(columns), STAGES, -1).sum(axis=1)
        return np.concatenate([columns, total], axis=1)

    def feature_tables(self, kind: str = "onehot") -> list[FloatArray]:
        """Columns of each stage, as :func:`blox_env.spaces.blox.features.tables` says."""
        return features.tables(kind)

    def graph(self) -> GraphLayout:
        """Input, per stage op1, op2 and the reduction, and output: eleven nodes, most in use."""
        return features.layout()

    # -- choosing a block in parts ---------------------------------------------------------

    def operation_tables(self) -> list[IntArray]:
        """A block as op1, op2 and connection (``4·prev + 2·input + skip``): ``(3, 3, 8)`` a stage.

        Different choices may make the same block; connection 0 makes none.
        """
        return [RANK.reshape(3, 3, 8)] * STAGES

    def operation_values(self) -> list[IntArray]:
        """op1, op2 and connection of every block in canonical form: ``(45, 3)`` a stage."""
        return [np.column_stack([FLAT[:, :2], FLAT[:, 2:] @ (4, 2, 1)])] * STAGES

    def partial_tables(self, kind: str) -> list[list[FloatArray]]:
        """Features of a stage with op1 only, ``(3, columns)``, and with both, ``(9, columns)``."""
        return features.partial_tables(kind)

    def build_network(self, row: ArrayLike, **kwargs: Any) -> Any:
        """The network of one architecture; see :class:`blox_env.networks.blox.BloxNetwork`."""
        return registry.resolve("network", self.name)(self.check(row)[0], **kwargs)
