"""A benchmark that is a model: learning curves of any architecture of a space, large or small.

Nothing is enumerated, so that the space may have 10^19 architectures. A folder holds

=====================  ==========================================================================
``surrogate.json``     what is predicted from which features, on what it was fitted, checksums
``noise.npy``          deviations of single trainings from their mean, as in a table
``time.npy``           weights of the features for the seconds of a training, where these are known
``trainings.csv``      what it was fitted on
=====================  ==========================================================================

and the files of its model, texts and arrays, as :mod:`blox_env.benchmarks.predictors` says.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blox_env.benchmarks.base import Benchmark, Evaluation
from blox_env.benchmarks.carried import Carried
from blox_env.benchmarks.collect import SPACES
from blox_env.benchmarks.facts import read_facts
from blox_env.benchmarks.families.components import Components
from blox_env.benchmarks.noise import Noise
from blox_env.benchmarks.predictors.base import Features, Files
from blox_env.benchmarks.predictors.registry import load_predictor
from blox_env.benchmarks.predictors.sums import LinearSums
from blox_env.ground.errors import unknown_name
from blox_env.ground.seeds import STEP, mixed
from blox_env.ground.typing import FloatArray, IntArray

SCHEMA = 2
FACTS = "surrogate.json"
NOISE = "noise.npy"
TIME = "time.npy"
CHUNK = 8192  # rows predicted at once
_FIELDS = {
    "schema": int, "name": str, "space": str, "epochs": int, "description": str, "family": str,
    "kinds": list, "shift": list, "scale": list, "components": dict, "sha256": dict,
}  # fmt: skip


class ModelBenchmark(Benchmark):
    """Predictions of a model in a folder that ``blox-env surrogate fit`` wrote.

    ``val_std`` is how far predictions of architectures that the model had not seen were off. A
    ``seed`` adds the deviation of a real training of an architecture of similar accuracy, the same
    whenever asked. Training times are predicted where those of the trainings are known.

    Args:
        folder: where the files are.

    Raises:
        ValueError: for files that are missing, damaged or not those of the checksums; names the
            file.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        facts = read_facts(self.folder / FACTS, _FIELDS, SCHEMA)
        path = self.folder / FACTS
        if facts["space"] not in SPACES:
            raise ValueError(f"{path}: {unknown_name('space', facts['space'], SPACES)}")
        self.card = facts
        self.name, self.description = facts["name"], facts["description"]
        self.epochs = int(facts["epochs"])
        self.space = SPACES[facts["space"]]()
        self.provides = frozenset({"curves", "table"} if self.space.listable else {"curves"})
        try:
            kind = load_predictor(facts["family"])
            self.components = Components.of(facts["components"])
            features = Features(self.space, facts)
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from None
        files = Files(self.folder, facts["sha256"], FACTS)
        self.predictor = kind.read(files, features, self.components.count)
        self._noise = Noise(files.array(NOISE, (None, self.epochs + 2), np.float32))
        self._time: LinearSums | None = None
        if TIME in facts["sha256"]:
            weights = files.array(TIME, (len(features.shift) + 1,))
            self._time = LinearSums(features, weights[:, None])

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
        length = self.check_epochs(epochs)
        rows = self.space.check(x)
        curve, test, std = self._predict(rows)
        if seed is not None:
            deviation = self._noise.draw(_numbers(rows), curve[:, -1], seed)
            curve = np.clip(curve + deviation[:, :-1], 0, 1)
            test = np.clip(test + deviation[:, -1], 0, 1)
        part = curve[:, :length]
        n = len(rows)
        return Evaluation(
            val_acc=part.max(axis=1) if best else part[:, -1],
            test_acc=test if length == self.epochs else np.full(n, np.nan),
            val_std=std,
            train_time_s=self._seconds(rows) * (length / self.epochs),
            source=np.full(n, "surrogate"),
        )

    def checksum(self) -> str:
        """SHA-256 over the checksums of all files."""
        return hashlib.sha256(json.dumps(self.card["sha256"], sort_keys=True).encode()).hexdigest()

    def carried(self) -> Carried:
        """The model of the last epoch's accuracy."""
        return self.predictor.carried(*self.components.last())

    def _predict(self, rows: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Validation curves ``(n, epochs)``, test accuracies and deviations ``(n,)``."""
        curves, variances = [np.empty((0, self.epochs + 1))], [np.empty(0)]
        for start in range(0, len(rows), CHUNK):
            said, variance = self.predictor.predict(rows[start : start + CHUNK])
            curves.append(np.clip(self.components.back(said), 0, 1))
            variances.append(variance)
        whole = np.concatenate(curves)
        return whole[:, 1:], whole[:, 0], np.sqrt(np.concatenate(variances))

    def _seconds(self, rows: IntArray) -> FloatArray:
        """Seconds of whole trainings ``(n,)``, NaN where nobody knows."""
        if self._time is None:
            return np.full(len(rows), np.nan)
        return np.maximum(self._time(rows)[:, 0], 0.0)


def from_folder(folder: str | Path) -> ModelBenchmark:
    """The benchmark in a folder that ``blox-env surrogate fit`` wrote."""
    return ModelBenchmark(folder)


def _numbers(rows: IntArray) -> NDArray[np.int64]:
    """A number for each row that depends on all of it, for spaces without an index ``(n,)``."""
    state = np.zeros(len(rows), dtype=np.uint64)
    for column in rows.T:
        state = mixed(state + STEP * (column.astype(np.uint64) + np.uint64(1)))
    return (state >> np.uint64(1)).astype(np.int64)
