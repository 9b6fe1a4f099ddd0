"""YAHPO Gym's surrogate of NAS-Bench-301 as a benchmark: a network that predicts trainings.

The folder that ``blox-env import`` writes has the model as it was, ``model.onnx``, and
``model.json``, which says what its inputs mean and has checksums of everything.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blox_env.benchmarks.base import Benchmark, Evaluation
from blox_env.benchmarks.carried import CarriedNetwork
from blox_env.benchmarks.yahpo_graph import CATEGORIES, NUMBERS, trim
from blox_env.ground.errors import check_positive_int, unknown_name
from blox_env.ground.extras import extra
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.darts import DartsSpace
from blox_env.spaces.darts.notation import setting_table
from blox_env.store.placing import MODEL, MODEL_FACTS

SCHEMA = 1
EPOCHS = 98
OUTPUTS = {"val_acc": 0, "val_loss": 1, "train_time_s": 2}  # columns of the model's output
_AT_ONCE = 512  # rows that the model sees together: its layers stay in the cache
_JOINED = 4096  # rows whose embeddings are put together at a time
_CHECKED = 64  # architectures on which the trimmed network has to give the same
_SOURCE = "surrogate"


class YahpoBenchmark(Benchmark):
    """Predictions of YAHPO Gym's model for DARTS cells: accuracy, loss and time by epoch.

    The model says nothing of the noise of trainings: ``val_std`` is 0, as what it predicts is one
    exact number, and a ``seed`` changes nothing. Test accuracies are not known.

    Args:
        folder: one that ``blox-env import`` wrote.

    Raises:
        ValueError: for files that are missing, cut or of another checksum; names the file.
    """

    epochs = EPOCHS
    provides = frozenset({"curves"})
    columns = tuple(OUTPUTS)

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        facts = read_facts(self.folder)
        self.space = DartsSpace()
        self.name, self.description = facts["name"], facts["description"]
        self.card = facts
        model = (self.folder / MODEL).read_bytes()
        self._sha256 = check_bytes(self.folder / MODEL, model, facts["model_sha256"])
        self._settings = setting_table(facts["settings"])
        self._session = open_model(model, self.folder / MODEL)
        self._trimmed = trim(model, self._settings)
        if self._trimmed is not None:
            self._short = new_session(self._trimmed.model)
            self._epoch = new_session(self._trimmed.epochs)
            rows = self.space.sample(np.random.default_rng(0), _CHECKED)
            if not np.array_equal(self._predict(rows, EPOCHS), self._predict_whole(rows, EPOCHS)):
                self._trimmed = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and other processes open the model again."""
        return type(self), (str(self.folder.resolve()),)

    def evaluate(
        self,
        x: ArrayLike,
        *,
        epochs: int | None = None,
        best: bool = False,
        seed: int | None = None,
    ) -> Evaluation:
        """Predict trainings; see :meth:`blox_env.benchmarks.base.Benchmark.evaluate`.

        Every seed gives the same: the model has no noise.
        """
        length = self.check_epochs(epochs)
        if seed is not None:
            check_positive_int("seed", seed, 0)
        rows = self.space.check(x)
        predicted = self._predict(rows, length)
        val_acc = predicted[:, OUTPUTS["val_acc"]]
        for epoch in range(1, length if best else 0):
            np.maximum(val_acc, self._predict(rows, epoch)[:, 0], out=val_acc)
        unknown = np.full(len(val_acc), np.nan)
        time = predicted[:, OUTPUTS["train_time_s"]]
        exact = np.zeros(len(val_acc))
        return Evaluation(val_acc, unknown, exact, time, np.full(len(val_acc), _SOURCE))

    def column(self, name: str, x: ArrayLike, *, epochs: int | None = None) -> FloatArray:
        """A quantity after some epochs ``(n,)``.

        Args:
            name: ``val_acc`` (a fraction), ``val_loss`` (cross-entropy) or ``train_time_s``.
            x: architectures ``(n, 8)``.
            epochs: how many, 1 … 98; all of them if not given.
        """
        if name not in OUTPUTS:
            raise ValueError(unknown_name("column", name, OUTPUTS))
        return self._predict(self.space.check(x), self.check_epochs(epochs))[:, OUTPUTS[name]]

    def settings(self, x: ArrayLike) -> NDArray[np.int32]:
        """The model's categorical inputs for architectures, int32 ``(n, 34)``; 0 is inactive."""
        rows = self.space.check(x)
        total = np.zeros((len(rows), self._settings[0].shape[1]), dtype=np.int32)
        for slot, table in enumerate(self._settings):
            total += table[rows[:, slot]]
        return total

    def carried(self) -> CarriedNetwork:
        """The network, asked for the accuracy after all epochs."""
        model = (self.folder / MODEL).read_bytes()
        check_bytes(self.folder / MODEL, model, self._sha256)
        return CarriedNetwork(model, tuple(self._settings), float(EPOCHS), OUTPUTS["val_acc"])

    def checksum(self) -> str:
        """SHA-256 of the model's file and of what its inputs mean."""
        content = self._sha256 + json.dumps(self.card["settings"])
        return hashlib.sha256(content.encode()).hexdigest()

    def _predict(self, rows: IntArray, epoch: int) -> FloatArray:
        """Outputs of the model after an epoch, float64 ``(n, 4)``."""
        if self._trimmed is None:
            return self._predict_whole(rows, epoch)
        found = [np.empty((0, 4), dtype=np.float32)]
        when = self._epoch.run(None, {NUMBERS: np.full((1, 1), epoch, dtype=np.float32)})[0]
        for many in range(0, len(rows), _JOINED):
            joined = self._trimmed.joined(rows[many : many + _JOINED], when.ravel())
            for first in range(0, len(joined), _AT_ONCE):
                part = joined[first : first + _AT_ONCE]
                found.append(self._short.run(None, {self._trimmed.start: part})[0])
        return np.concatenate(found).astype(np.float64)

    def _predict_whole(self, rows: IntArray, epoch: int) -> FloatArray:
        """The same by the network as it is in the file."""
        found = [np.empty((0, 4), dtype=np.float32)]
        for first in range(0, len(rows), _AT_ONCE):
            part = self.settings(rows[first : first + _AT_ONCE])
            epochs = np.full((len(part), 1), epoch, dtype=np.float32)
            found.append(self._session.run(None, {CATEGORIES: part, NUMBERS: epochs})[0])
        return np.concatenate(found).astype(np.float64)


def new_session(model: bytes) -> Any:
    """A session of onnxruntime on one thread."""
    with extra("surrogate", "the model of NAS-Bench-301"):
        import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def open_model(model: bytes, path: Path) -> Any:
    """A session of onnxruntime on one thread, from bytes, so that no other file can be read.

    Args:
        model: the bytes of the file.
        path: of the file, for messages.

    Raises:
        ValueError: for bytes that are no model, or one with other inputs and outputs.
    """
    try:
        session = new_session(model)
    except ImportError:
        raise
    except Exception as error:  # noqa: BLE001 (its exceptions share no base class)
        reason = str(error).splitlines()[0][:200]
        raise ValueError(f"{path} is no model that onnxruntime reads: {reason}") from None
    have = [(i.name, i.type, len(i.shape)) for i in session.get_inputs()]
    if have != [("x_cat", "tensor(int32)", 2), ("x_cont", "tensor(float)", 2)]:
        raise ValueError(f"{path}: expected inputs x_cat (int32) and x_cont (float), got {have}")
    return session


def read_facts(folder: Path) -> dict[str, Any]:
    """The checked ``model.json`` of a folder.

    Raises:
        ValueError: where it or the model is missing or damaged; names the file.
    """
    path = folder / MODEL_FACTS
    if not (folder / MODEL).is_file():
        raise ValueError(f"{folder} is no whole benchmark: {MODEL} is missing")
    try:
        facts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        raise ValueError(f"{path} is damaged: {error}") from None
    kinds = {"name": str, "description": str, "model_sha256": str, "settings": dict, "schema": int}
    for name, kind in kinds.items():
        if not isinstance(facts, Mapping) or not isinstance(facts.get(name), kind):
            raise ValueError(f"{path} is damaged: {name} must be {kind.__name__}")
    if facts["schema"] != SCHEMA:
        raise ValueError(f"{path}: expected schema {SCHEMA}, got {facts['schema']}")
    try:
        setting_table(facts["settings"])
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return facts


def check_bytes(path: Path, content: bytes, sha256: str) -> str:
    """The checksum of a file's bytes.

    Args:
        path: of the file, for messages.
        content: its bytes.
        sha256: what it has to be.

    Raises:
        ValueError: where it is another.
    """
    got = hashlib.sha256(content).hexdigest()
    if got != sha256:
        raise ValueError(
            f"{path} is damaged: expected the SHA-256 {sha256} of {MODEL_FACTS}, got {got} "
            f"({len(content)} bytes)"
        )
    return got


def not_imported() -> Benchmark:
    """Stand in for the benchmark of ``blox_env/Darts-v0`` until one is given.

    Raises:
        ValueError: always; says what to do.
    """
    raise ValueError(
        "no accuracies of DARTS cells are part of the package: import the folder nb301 of YAHPO "
        "Gym's data with 'blox-env import nb301 --out STORE' and pass benchmark='STORE'"
    )
