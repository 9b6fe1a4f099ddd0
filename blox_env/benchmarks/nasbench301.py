"""NAS-Bench-301's own models as a benchmark: boosted trees, several members that were fitted alike.

The folder that ``blox-env import`` writes has each member as its library's text,
``accuracy-0.json`` of XGBoost or ``accuracy-0.txt`` of LightGBM, ``time-0…`` where the seconds of a
training are predicted, too, and ``model.json``, which has their checksums.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blox_env.benchmarks.base import Benchmark, Evaluation
from blox_env.benchmarks.boosters import SUFFIX, Ask, opened
from blox_env.benchmarks.noise import mix
from blox_env.ground.errors import check_positive_int
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.darts import DartsSpace
from blox_env.spaces.darts.configspace import COLUMNS, array_tables
from blox_env.store.placing import MODEL_FACTS

SCHEMA = 1
KIND = "nasbench301"
EPOCHS = 98
PARTS = ("accuracy", "time")
_AT_ONCE = 8192  # rows that the members see together
_PERCENT = 100.0
_SHA256 = re.compile(r"[0-9a-f]{64}")


class NASBench301Benchmark(Benchmark):
    """The mean of the members' predictions for DARTS cells: accuracy, and time where it is known.

    ``val_std`` is the spread of the members, and a ``seed`` draws what one training would show: a
    normal deviation of that size, the same whenever asked. Test accuracies are not known, and there
    are no learning curves: the models predict what is there after all epochs.

    Args:
        folder: one that ``blox-env import`` wrote.

    Raises:
        ValueError: for files that are missing, cut or of another checksum; names the file.
    """

    epochs = EPOCHS

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.card = facts = read_facts(self.folder)
        self.space = DartsSpace()
        self.name, self.description = facts["name"], facts["description"]
        self._base, self._tables = array_tables()
        self._members = {part: _members(self.folder, facts["members"][part]) for part in PARTS}

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and other processes open the models again."""
        return type(self), (str(self.folder.resolve()),)

    def evaluate(
        self,
        x: ArrayLike,
        *,
        epochs: int | None = None,
        best: bool = False,
        seed: int | None = None,
    ) -> Evaluation:
        """Predict trainings; see :meth:`blox_env.benchmarks.base.Benchmark.evaluate`."""
        self.check_epochs(epochs)
        rows = self.space.check(x)
        n = len(rows)
        accuracy, time = self._predict(rows)
        mean, spread = accuracy.mean(axis=0) / _PERCENT, accuracy.std(axis=0) / _PERCENT
        if seed is not None:
            mean = mean + spread * normal(self.space.index(rows), seed)
        return Evaluation(
            val_acc=np.clip(mean, 0, 1),
            test_acc=np.full(n, np.nan),
            val_std=spread,
            train_time_s=np.maximum(time.mean(axis=0), 0) if len(time) else np.full(n, np.nan),
            source=np.full(n, "surrogate"),
        )

    def arrays(self, x: ArrayLike) -> FloatArray:
        """Architectures as ConfigSpace writes them, -1 for what is inactive, ``(n, columns)``."""
        rows = self.space.check(x)
        total = np.tile(self._base, (len(rows), 1))
        for slot, table in enumerate(self._tables):
            total += table[rows[:, slot]]
        return total

    def checksum(self) -> str:
        """SHA-256 over the checksums of the members."""
        return str(self.card["model_sha256"])

    def _predict(self, rows: IntArray) -> tuple[FloatArray, FloatArray]:
        """Answers of every member, ``(members, n)``: percents, and seconds."""
        found = {part: np.empty((len(self._members[part]), len(rows))) for part in PARTS}
        for start in range(0, len(rows), _AT_ONCE):
            given = self.arrays(rows[start : start + _AT_ONCE])
            for part, said in found.items():
                for number, ask in enumerate(self._members[part]):
                    said[number, start : start + _AT_ONCE] = ask(given)
        return found["accuracy"], found["time"]


def normal(number: IntArray, seed: int) -> FloatArray:
    """Draws from the normal distribution that depend on number and seed only, ``(n,)``.

    Args:
        number: of the architectures ``(n,)``.
        seed: of the draw.
    """
    check_positive_int("seed", seed, 0)
    high, low = (mix(number, 2 * seed + k) >> np.uint64(11) for k in (0, 1))
    first, second = ((bits.astype(np.float64) + 0.5) * 2.0**-53 for bits in (high, low))
    return np.asarray(np.sqrt(-2 * np.log(first)) * np.cos(2 * np.pi * second))


def digest(members: Mapping[str, Sequence[Mapping[str, str]]]) -> str:
    """SHA-256 over what is known of the members."""
    return hashlib.sha256(json.dumps(members, sort_keys=True).encode()).hexdigest()


def read_facts(folder: Path) -> dict[str, Any]:
    """The checked ``model.json`` of a folder.

    Raises:
        ValueError: where it is missing or damaged; names the file.
    """
    path = folder / MODEL_FACTS
    try:
        facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        raise ValueError(f"{path} is damaged: {error}") from None
    kinds = {"name": str, "description": str, "model_sha256": str, "members": dict, "schema": int}
    for name, kind in kinds.items():
        if not isinstance(facts, Mapping) or not isinstance(facts.get(name), kind):
            raise ValueError(f"{path} is damaged: {name} must be {kind.__name__}")
    if facts["schema"] != SCHEMA:
        raise ValueError(f"{path}: expected schema {SCHEMA}, got {facts['schema']}")
    members = facts["members"]
    listed = members.keys() == set(PARTS) and all(isinstance(m, list) for m in members.values())
    if not listed or not members["accuracy"]:
        raise ValueError(f"{path} is damaged: members must be lists of {' and '.join(PARTS)}")
    for part in PARTS:
        for number, each in enumerate(members[part]):
            member = each if isinstance(each, Mapping) else {}
            suffix, sha256 = SUFFIX.get(str(member.get("library"))), member.get("sha256")
            named = suffix is not None and member.get("file") == f"{part}-{number}{suffix}"
            if not (named and isinstance(sha256, str) and _SHA256.fullmatch(sha256)):
                raise ValueError(f"{path} is damaged: a member of {part} has no file or checksum")
    if facts["model_sha256"] != digest(members):
        raise ValueError(f"{path} is damaged: model_sha256 is not that of the members")
    return facts


def _members(folder: Path, listed: Sequence[Mapping[str, str]]) -> list[Ask]:
    found = []
    for member in listed:
        path = folder / member["file"]
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise ValueError(f"{folder} is not whole: {path.name} is missing") from None
        got = hashlib.sha256(content).hexdigest()
        if got != member["sha256"]:
            raise ValueError(
                f"{path} is damaged: expected the SHA-256 {member['sha256']} of {MODEL_FACTS}, got "
                f"{got} ({len(content)} bytes)"
            )
        try:
            found.append(opened(member["library"], content.decode(), len(COLUMNS)))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
    return found
