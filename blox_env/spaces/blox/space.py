"""The Blox macro search space: three stages, one of 45 blocks each (Chau et al., NeurIPS 2022)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike

from blox_env.ground.typing import IntArray
from blox_env.spaces.blox import hashes, layout, notation
from blox_env.spaces.blox.blocks import FLAT, STAGES
from blox_env.spaces.blox.graph_hash import model_hash
from blox_env.spaces.blox.stages import BlockSpace
from blox_env.spaces.layout import Label, Layout


class BloxSpace(BlockSpace):
    """The 91,125 networks of Blox as rows of three block numbers, each in 0 … 44.

    A block is two operations out of ``conv, mbconv, bconv`` and three bits: ``prev`` (op2 reads
    op1), ``input`` (op2 reads the block's input), ``skip`` (op1 is added to op2's output).
    Of the 72 combinations 9 are invalid and the others name 45 distinct blocks; a block's number is
    its rank among them in order of (op1, op2, prev, input, skip), after a single operation is
    written as ``[[0], [op, 0, 1, 0]]`` and a parallel pair with op1 ≥ op2.

    Source: Chau et al., *Blox: Macro Neural Architecture Search Benchmark and Algorithms*, 2022.
    """

    slot_name = "stage"

    def __init__(self) -> None:
        super().__init__(1, name="blox")

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

    def identify(self, row: ArrayLike) -> dict[str, object]:
        """Upstream's ``arch_vec`` and ``model_hash``."""
        return {"arch_vec": self.to_arch_vec(row), "model_hash": self.model_hash(row)[0]}

    def lay_out(self, choices: Sequence[int | str], title: Label) -> Layout:
        """The plan of a drawing: input, stem, a frame a stage, classifier."""
        return layout.stages(choices, title)
