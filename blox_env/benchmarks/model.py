"""A benchmark that is a model: learning curves of any architecture of a space, large or small.

Nothing is enumerated, so that the space may have 10^19 architectures. The models are LightGBM's,
kept as their own text; a folder holds

=====================  ==========================================================================
``surrogate.json``     what is predicted from which features, on what it was fitted, checksums
``target-K.txt``       a booster for each component of the learning curves
``spread.txt``         a booster for the squared error of predictions
``noise.npy``          deviations of single trainings from their mean, as in a table
``trainings.csv``      what it was fitted on
=====================  ==========================================================================
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blox_env.benchmarks.base import Benchmark, Evaluation
from blox_env.benchmarks.carried import CarriedTrees
from blox_env.benchmarks.collect import SPACES
from blox_env.benchmarks.facts import read_facts
from blox_env.benchmarks.families.components import Components
from blox_env.benchmarks.noise import Noise
from blox_env.benchmarks.slottrees import Places, SlotTrees
from blox_env.ground.errors import unknown_name
from blox_env.ground.extras import extra
from blox_env.ground.seeds import STEP, mixed
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.store.arrays import read_array

SCHEMA = 1
FACTS = "surrogate.json"
NOISE = "noise.npy"
SPREAD = "spread.txt"
LEAST = 1e-6  # variance of a prediction, at least
CHUNK = 8192  # rows predicted at once
MANY = 512  # rows, from which on it pays to make look-ups of the trees
_FIELDS = {
    "schema": int, "name": str, "space": str, "epochs": int, "description": str, "kinds": list,
    "shift": list, "scale": list, "components": dict, "sha256": dict,
}  # fmt: skip


class ModelBenchmark(Benchmark):
    """Predictions of a model in a folder that ``blox-env surrogate fit`` wrote.

    ``val_std`` is how far predictions of architectures that the model had not seen were off. A
    ``seed`` adds the deviation of a real training of an architecture of similar accuracy, the same
    whenever asked. Training times are not predicted. Larger batches are predicted by look-ups, see
    :mod:`blox_env.benchmarks.slottrees`; their numbers are LightGBM's to the last digit.

    Args:
        folder: where the files are.

    Raises:
        ValueError: for files that are missing, damaged or not those of the checksums; names the
            file.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        facts = read_facts(self.folder / FACTS, _FIELDS, SCHEMA)
        if facts["space"] not in SPACES:
            raise ValueError(
                f"{self.folder / FACTS}: {unknown_name('space', facts['space'], SPACES)}"
            )
        self.card = facts
        self.name, self.description = facts["name"], facts["description"]
        self.epochs = int(facts["epochs"])
        self.space = SPACES[facts["space"]]()
        self.provides = frozenset({"curves", "table"} if self.space.listable else {"curves"})
        self._components = Components.of(facts["components"])
        self._shift, self._scale = (np.array(facts[k], dtype=float) for k in ("shift", "scale"))
        self._models = [self._booster(f"target-{k}.txt") for k in range(self._components.count)]
        self._spread = self._booster(SPREAD)
        self._looked: tuple[Places, list[SlotTrees]] | None = None
        shape = (None, self.epochs + 2)
        path = self.folder / NOISE
        self._noise = Noise(read_array(path, facts["sha256"].get(NOISE, ""), np.float32, shape))

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
            train_time_s=np.full(n, np.nan),
            source=np.full(n, "surrogate"),
        )

    def checksum(self) -> str:
        """SHA-256 over the checksums of all files."""
        return hashlib.sha256(json.dumps(self.card["sha256"], sort_keys=True).encode()).hexdigest()

    def carried(self) -> CarriedTrees:
        """The trees of the last epoch's accuracy."""
        places, trees = self._look_ups()
        return CarriedTrees(places, trees[-2], *self._components.last())

    def _predict(self, rows: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Validation curves ``(n, epochs)``, test accuracies and deviations ``(n,)``."""
        curves, deviations = [np.empty((0, self.epochs + 1))], [np.empty(0)]
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            *said, spread = self._said(part, many=len(rows) >= MANY)
            curves.append(np.clip(self._components.back(np.column_stack(said)), 0, 1))
            deviations.append(np.sqrt(np.maximum(spread, LEAST)))
        whole = np.concatenate(curves)
        return whole[:, 1:], whole[:, 0], np.concatenate(deviations)

    def _said(self, rows: IntArray, many: bool) -> list[FloatArray]:
        """Predictions of all models, ``(n,)`` each."""
        if many or self._looked:
            places, trees = self._look_ups()
            there = places.of(rows)
            return [each.predict(there) for each in trees]
        raw = [self.space.features(rows, kind) for kind in self.card["kinds"]]
        features = (np.concatenate(raw, axis=1) - self._shift) / self._scale
        models = (*self._models, self._spread)
        return [np.asarray(model.predict(features, num_threads=1)) for model in models]

    def _look_ups(self) -> tuple[Places, list[SlotTrees]]:
        """The trees of all models as look-ups, made when they are first needed."""
        if self._looked is None:
            places = Places(self.space, self.card["kinds"], self._shift, self._scale)
            models = (*self._models, self._spread)
            self._looked = places, [SlotTrees.of(model, places) for model in models]
        return self._looked

    def _booster(self, name: str) -> Any:
        path = self.folder / name
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            raise ValueError(f"{self.folder} is not whole: {name} is missing") from None
        if hashlib.sha256(content).hexdigest() != self.card["sha256"].get(name):
            raise ValueError(f"{path} is damaged: its SHA-256 is not that of {FACTS}")
        with extra("surrogate", "a model of trainings"):
            import lightgbm
        try:
            return lightgbm.Booster(model_str=content.decode())
        except (lightgbm.basic.LightGBMError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} is no model of LightGBM: {error}") from error


def from_folder(folder: str | Path) -> ModelBenchmark:
    """The benchmark in a folder that ``blox-env surrogate fit`` wrote."""
    return ModelBenchmark(folder)


def _numbers(rows: IntArray) -> NDArray[np.int64]:
    """A number for each row that depends on all of it, for spaces without an index ``(n,)``."""
    state = np.zeros(len(rows), dtype=np.uint64)
    for column in rows.T:
        state = mixed(state + STEP * (column.astype(np.uint64) + np.uint64(1)))
    return (state >> np.uint64(1)).astype(np.int64)
