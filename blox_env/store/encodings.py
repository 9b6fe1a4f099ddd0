"""Encodings of columns: their types, the value that stands for none, and their bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MISSING = {"count": 65535, "micro": 2**32 - 1, "int": -1, "code": -1, "float": np.nan}
DTYPES = {"count": "<u2", "micro": "<u4", "int": "<i8", "code": "<i4", "float": "<f8"}

# By the last part of a key; what is not in it is only asked to be finite.
KINDS = {
    **dict.fromkeys(("val_top1", "test_top1", "train_top1"), "accuracy"),
    **dict.fromkeys(("val_top5", "test_top5", "train_top5"), "accuracy"),
    **dict.fromkeys(("val_loss", "test_loss", "train_loss"), "loss"),
    "train_time_s": "time",
    "latency": "latency",
    "params": "count",
    "flops": "count",
}
_WORDS = {
    "accuracy": "accuracies in 0 … 1",
    "latency": "latencies above 0, finite",
    "code": "positions in the list of texts",
}


class Bounds:
    """Bounds of the values of a column, whatever its checksum says.

    Args:
        key: of the column.
        encoding: its name in :data:`DTYPES`.
        examples: what counts are out of.
        texts: number of texts that codes are positions of.
    """

    def __init__(self, key: str, encoding: str, examples: int, texts: int) -> None:
        self.kind = "code" if encoding == "code" else KINDS.get(key.rpartition("/")[2], "")
        self.encoding = encoding
        scale = {"count": examples, "micro": 10**6}.get(encoding, 1)
        top = {"accuracy": scale, "code": texts - 1}.get(self.kind)
        self.top = examples if encoding == "count" and top is None else top

    def broken(self, values: NDArray[Any]) -> str | None:
        """Words for what was expected where a value cannot be, None if all can."""
        if not values.size:
            return None
        if self.encoding == "float":
            return None if self._floats_fit(values) else self._expected()
        missing = MISSING[self.encoding]
        if values.min() < min(0, missing):
            return self._expected()
        if self.kind == "latency" and (values == 0).any():
            return self._expected()
        if self.top is None or values.max() <= self.top:  # nearly always, and quick
            return None
        beyond = (values > self.top) & (values != missing)
        return self._expected() if beyond.any() else None

    def _floats_fit(self, values: NDArray[Any]) -> bool:
        low, high = np.fmin.reduce(values, axis=None), np.fmax.reduce(values, axis=None)
        if np.isnan(low):  # all of them are
            return True
        most = float(np.finfo(np.float64).max) if self.top is None else self.top
        least = 0.0 if self.kind else -most
        return bool(least <= low and high <= most and not (self.kind == "latency" and low == 0))

    def _expected(self) -> str:
        return f"expected {_WORDS.get(self.kind, 'finite values of at least 0')}"
