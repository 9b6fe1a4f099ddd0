"""Results of evaluating: the trials of a batch, and the history of a search."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from blox_env.ground import registry
from blox_env.ground.extras import extra
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem.verdict import Asked, Best, Goal, goals_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_COLUMNS: dict[str, str] = {
    "epochs": "i8",
    "query": "i8",
    "cost": "f8",
    "val_acc": "f8",
    "latency_ms": "f8",
    "reward": "f8",
    "train_time_s": "f8",
    "source": "U9",
}


@dataclass(frozen=True)
class Trials:
    """Results of a batch: arrays of shape ``(n,)`` in the order asked for.

    ``evaluated`` is False where budget or queries did not reach; such rows hold NaN.
    ``new`` is True where a training was paid for, ``cost`` says how much of a full one.
    ``latency_ms`` is NaN without a device. ``train_time_s`` is simulated: what the benchmark says
    that the newly trained epochs take.
    """

    x: IntArray
    val_acc: FloatArray
    latency_ms: FloatArray
    reward: FloatArray
    train_time_s: FloatArray
    source: NDArray[np.str_]
    evaluated: NDArray[np.bool_]
    new: NDArray[np.bool_]
    cost: FloatArray

    def __len__(self) -> int:
        """Number of architectures asked for."""
        return len(self.x)


class History:
    """One row a distinct (architecture, epochs), in order of first evaluation.

    Columns, each an array ``(n,)``: ``epochs`` of the training; ``query``, how many architectures
    had been asked for before; ``cost`` in full trainings; ``val_acc`` as fraction; ``latency_ms``;
    ``reward``; ``train_time_s``, simulated; ``source`` of the accuracy. ``x`` is ``(n, slots)``.

    Args:
        slots: of the space.
        full: epochs of a full training.
        asked: what is searched, for :attr:`best` and :attr:`goals`; None where nobody says.

    Attributes:
        ended: why the search ended, as a sentence; empty where it has not, or was no search.
    """

    def __init__(self, slots: int, full: int = 1, asked: Asked | None = None) -> None:
        self._asked = asked
        self._full = full  # epochs of a full training; shorter ones are not ranked
        self._x = np.empty((16, slots), dtype=np.int64)
        self._columns = {name: np.empty(16, dtype=kind) for name, kind in _COLUMNS.items()}
        self._n = 0
        self.ended = ""

    def __len__(self) -> int:
        """Number of rows."""
        return self._n

    def append(self, trials: Trials, chosen: IntArray, epochs: int, queries: int) -> None:
        """Append some rows of a batch.

        Args:
            trials: what came of the batch.
            chosen: numbers of its rows that are new.
            epochs: length of the trainings.
            queries: how many architectures had been asked for before the batch.
        """
        start, stop = self._n, self._n + len(chosen)
        self._reserve(stop)
        self._x[start:stop] = trials.x[chosen]
        values = {"epochs": epochs, "query": queries + chosen}
        for name, column in self._columns.items():
            column[start:stop] = values[name] if name in values else getattr(trials, name)[chosen]
        self._n = stop

    def _reserve(self, rows: int) -> None:
        size = len(self._x)
        if rows > size:
            size = max(rows, 2 * size)
            grown = np.empty((size, self._x.shape[1]), dtype=np.int64)
            grown[: self._n] = self._x[: self._n]
            self._x = grown
            for name, column in self._columns.items():
                longer = np.empty(size, dtype=column.dtype)
                longer[: self._n] = column[: self._n]
                self._columns[name] = longer

    @property
    def x(self) -> IntArray:
        """Architectures ``(n, slots)``, read-only."""
        return _frozen(self._x[: self._n])

    @property
    def epochs(self) -> IntArray:
        """Length of each training."""
        return self.column("epochs")

    @property
    def val_acc(self) -> FloatArray:
        """Validation accuracy as a fraction."""
        return self.column("val_acc")

    @property
    def latency_ms(self) -> FloatArray:
        """Latency, NaN without a device."""
        return self.column("latency_ms")

    @property
    def reward(self) -> FloatArray:
        """Reward."""
        return self.column("reward")

    @property
    def train_time_s(self) -> FloatArray:
        """Simulated seconds of each training."""
        return self.column("train_time_s")

    def column(self, name: str) -> NDArray[Any]:
        """A column by name, ``(n,)``, read-only."""
        return _frozen(self._columns[name][: self._n])

    @property
    def feasible(self) -> NDArray[np.bool_]:
        """Mask of the trials that keep to the constraints; all of them where there are none."""
        if self._asked is None or not self._asked.constraints.limits:
            return np.ones(len(self), dtype=bool)
        return np.asarray(self._asked.constraints.within(self.x, self.latency_ms), dtype=bool)

    def columns(self) -> dict[str, NDArray[Any]]:
        """All columns but ``x``; where there are constraints, ``feasible`` is the last."""
        found = {name: self.column(name) for name in self._columns}
        if self._asked is not None and self._asked.constraints.limits:
            found["feasible"] = self.feasible
        return found

    def incumbent(self) -> FloatArray:
        """Best reward of a full training so far after each row, ``(n,)``; -inf before the first."""
        return np.maximum.accumulate(self._ranked())

    @property
    def best(self) -> Best:
        """The architecture with the highest reward of a full training, the first of equals.

        Raises:
            ValueError: when nothing was trained in full.
        """
        ranked = self._ranked()
        if not len(ranked) or np.isneginf(ranked.max()):
            raise ValueError("the history holds no full training")
        row, asked = int(np.argmax(ranked)), self._asked
        return Best(
            row=row,
            architecture=self.x[row],
            reward=float(self.reward[row]),
            val_acc=float(self.val_acc[row]),
            latency_ms=float(self.latency_ms[row]),
            source=str(self.column("source")[row]),
            text="" if asked is None else asked.space.describe(self.x[row]),
            goals=() if asked is None else goals_of(asked, self.x, self.columns(), row),
            _space=None if asked is None else asked.space,
        )

    @property
    def goals(self) -> tuple[Goal, ...]:
        """Target and constraints: whether the best meets them, and whether any architecture can.

        Raises:
            ValueError: when nothing was trained in full.
        """
        return self.best.goals

    @property
    def met(self) -> bool:
        """True if the best architecture meets target and constraints.

        Raises:
            ValueError: when nothing was trained in full.
        """
        return self.best.met

    def __repr__(self) -> str:
        """Number of rows, and the best."""
        try:
            return f"<History of {len(self)} evaluations, best {self.best}>"
        except ValueError:
            return f"<History of {len(self)} evaluations, none of them in full>"

    def _repr_html_(self) -> str:
        """The best and what it meets, for notebooks."""
        title = f"<p>History of {len(self)} evaluations</p>"
        try:
            return f"{title}{self.best._repr_html_()}"
        except ValueError:
            return title

    def _ranked(self) -> FloatArray:
        known = (self.epochs == self._full) & ~np.isnan(self.reward)  # NaN never wins
        return np.where(known, self.reward, -np.inf)

    def to_csv(self) -> str:
        """One line a trial, with a header; slots are ``x0, x1, …``."""
        columns = {f"x{i}": self.x[:, i] for i in range(self._x.shape[1])} | self.columns()
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
        return text.getvalue()

    def to_pandas(self) -> pd.DataFrame:
        """A data frame with one row a trial; slots become columns ``x0, x1, …``."""
        with extra("experiment", "History.to_pandas"):
            import pandas
        slots = {f"x{i}": self.x[:, i] for i in range(self._x.shape[1])}
        return pandas.DataFrame({**slots, **self.columns()})

    def plot(self) -> Figure:
        """A matplotlib figure of all rewards in order of evaluation, and the best so far.

        Raises:
            ImportError: without the extra ``experiment``.
        """
        figure: Figure = registry.resolve("view", "history")(self)
        return figure


def _frozen(values: NDArray[Any]) -> NDArray[Any]:
    values = values.view()
    values.flags.writeable = False
    return values
