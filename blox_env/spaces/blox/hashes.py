"""The architecture of Blox that an upstream model hash belongs to.

Hashing all 91,125 graphs takes most of a minute, so the package carries the result: of each hash
its two halves of 64 bits, combined by exclusive or, in order of the architectures' numbers. The
combined values are distinct, and a change in either half changes them.

    python -m blox_env.spaces.blox.hashes blox_env/data/spaces/blox-hashes.npy    # writes it
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.errors import RowError, shown
from blox_env.ground.typing import IntArray
from blox_env.spaces.blox.blocks import BLOCKS, STAGES
from blox_env.spaces.blox.graph_hash import model_hash

DATA = Path(__file__).resolve().parents[2] / "data" / "spaces" / "blox-hashes.npy"
DIGITS = 32


def hash_bytes(hashes: Sequence[str]) -> NDArray[np.uint8]:
    """Hashes of 32 hex digits as bytes ``(n, 16)``.

    Raises:
        RowError: for the first that is none.
    """
    data = b""
    # long text is not joined: a pickle of some kilobytes may hold the same a million times
    if all(isinstance(text, str) and len(text) == DIGITS for text in hashes):
        with contextlib.suppress(ValueError):  # the loop finds what is wrong
            data = bytes.fromhex("".join(hashes))
    if len(data) * 2 != DIGITS * len(hashes):
        for row, text in enumerate(hashes):
            if not _is_hash(text):
                reason = f"expected a model_hash of {DIGITS} hex digits, got {shown(text)}"
                raise RowError(row, reason)
    return np.frombuffer(data, dtype=np.uint8).reshape(-1, DIGITS // 2)


def numbers_of(digests: NDArray[np.uint8]) -> IntArray:
    """Numbers of the architectures that have these hashes ``(n, 16)``; -1 where none has."""
    known, number = _table()
    wanted = _folded(digests)
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    found: IntArray = np.where(known[place] == wanted, number[place], -1)
    return found


def make(path: Path) -> None:
    """Hash all architectures and write the file."""
    every = product(range(len(BLOCKS)), repeat=STAGES)
    np.save(path, _folded(hash_bytes([model_hash(row) for row in every])))


def _folded(digests: NDArray[np.uint8]) -> NDArray[np.uint64]:
    halves = np.ascontiguousarray(digests).view(">u8").reshape(-1, 2)
    folded: NDArray[np.uint64] = (halves[:, 0] ^ halves[:, 1]).astype(np.uint64)
    return folded


@lru_cache(maxsize=1)
def _table() -> tuple[NDArray[np.uint64], IntArray]:
    """The combined hashes in rising order, and the architecture's number of each."""
    folded = np.load(DATA, allow_pickle=False)
    order = np.argsort(folded)
    return folded[order], order


def _is_hash(text: object) -> bool:
    digits = "0123456789abcdefABCDEF"
    return isinstance(text, str) and len(text) == DIGITS and not text.strip(digits)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
