"""The space of NAS-Bench-Macro: eight layers, one of three blocks each (Su et al., CVPR 2021)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from blox_env.ground.errors import shown
from blox_env.ground.typing import IntArray
from blox_env.spaces.base import SearchSpace

LAYERS = 8
CHOICES = ("identity", "MB3_K3", "MB6_K5")


class MacroBenchSpace(SearchSpace):
    """The 6,561 networks of NAS-Bench-Macro as rows of eight choices, each in 0 … 2.

    0 is the identity, 1 an inverted bottleneck with expansion 3 and kernel 3, 2 one with expansion
    6 and kernel 5. The benchmark's own key of a network is its choices as one digit a layer.

    Source: Su et al., *Prioritized Architecture Sampling with Monte-Carlo Tree Search*, CVPR 2021.
    """

    choices = CHOICES

    def __init__(self) -> None:
        super().__init__((len(CHOICES),) * LAYERS, name="macrobench")

    def __repr__(self) -> str:
        """The class alone: the space has no parameters."""
        return "MacroBenchSpace()"

    def from_keys(self, keys: Sequence[str]) -> IntArray:
        """Rows ``(n, 8)`` of the benchmark's keys, such as ``"02012100"``.

        Raises:
            ValueError: names the first key that is none.
        """
        for number, key in enumerate(keys):
            if not isinstance(key, str) or len(key) != LAYERS or key.strip("012"):
                raise ValueError(
                    f"key {number}: expected {LAYERS} digits out of 0, 1 and 2, got {shown(key)}"
                )
        digits = np.frombuffer("".join(keys).encode(), dtype=np.uint8)
        return digits.reshape(-1, LAYERS).astype(np.int64) - ord("0")

    def to_keys(self, x: ArrayLike) -> list[str]:
        """The benchmark's keys of architectures ``(n, 8)``."""
        return ["".join(map(str, row)) for row in self.check(x).tolist()]

    def own_row(self, text: str) -> IntArray | None:
        """The row of a key; None for option indices."""
        if not text.strip().isdecimal():
            return None
        row: IntArray = self.from_keys([text.strip()])[0]
        return row

    def describe(self, row: ArrayLike) -> str:
        """One architecture as the names of its layers."""
        return " | ".join(CHOICES[i] for i in self.check(row)[0])
