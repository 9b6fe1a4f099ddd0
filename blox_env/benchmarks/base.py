"""The interface of every benchmark: accuracy of a batch of architectures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blox_env.benchmarks.blocks import TaughtBlocks
from blox_env.benchmarks.carried import Carried
from blox_env.ground import registry
from blox_env.ground.errors import check_positive_int, unknown_name
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import SearchSpace


@dataclass(frozen=True, init=False)
class Evaluation:
    """Accuracies of a batch as fractions, with uncertainty and source: arrays of shape ``(n,)``.

    Attributes:
        val_acc: validation accuracy, what searches may see.
        test_acc: test accuracy, for reports only; NaN where it is not known.
        val_std: uncertainty of ``val_acc`` as one standard deviation; 0 where it is exact.
        train_time_s: seconds that training so far takes; NaN where it is not known.
        source: ``"trained"``, ``"surrogate"`` or ``"imported"`` for every value.
    """

    val_acc: FloatArray
    test_acc: FloatArray
    val_std: FloatArray
    train_time_s: FloatArray
    source: NDArray[np.str_]

    def __init__(
        self,
        val_acc: FloatArray,
        test_acc: FloatArray,
        val_std: FloatArray,
        train_time_s: FloatArray,
        source: NDArray[np.str_],
    ) -> None:
        # at once: setting frozen fields one by one takes longer than looking the values up
        self.__dict__.update(
            val_acc=val_acc,
            test_acc=test_acc,
            val_std=val_std,
            train_time_s=train_time_s,
            source=source,
        )


class Benchmark(ABC):
    """Accuracy of every architecture of a space.

    Attributes:
        name: how results call it.
        space: what it can evaluate.
        epochs: length of a full training; ``epochs=None`` means this many.
        provides: what it has beyond a final accuracy: ``"curves"`` when ``epochs`` may be less,
            ``"table"`` when evaluating the whole space costs next to nothing, ``"blocks"`` when
            :meth:`blocks` has signatures of distilled blocks.
        description: what was trained how, in a sentence; empty if nobody says.
        card: the data card as it is stored; empty where there is none.
        columns: names that :meth:`column` knows.
        trains: whether asking costs real trainings, so that nobody should ask for more than needed.
    """

    name: str
    space: SearchSpace
    description: str = ""
    card: Mapping[str, Any] = MappingProxyType({})
    columns: tuple[str, ...] = ()
    trains: bool = False
    epochs: int = 1
    provides: frozenset[str] = frozenset()

    @abstractmethod
    def evaluate(
        self,
        x: ArrayLike,
        *,
        epochs: int | None = None,
        best: bool = False,
        seed: int | None = None,
    ) -> Evaluation:
        """Evaluate architectures ``(n, slots)``.

        Args:
            x: the architectures.
            epochs: value of the learning curve after so many epochs, ``None`` for all of them.
            best: take the best value up to there instead of the last.
            seed: a repeatable single training instead of the mean over trainings.
        """

    def known_rows(self, *, seed: int | None = None) -> IntArray | None:
        """The architectures ``(k, slots)`` that it has an accuracy of; None: all of its space.

        Searches and environments keep to them.

        Args:
            seed: of the single training that is asked for, None for the mean.
        """
        return None

    def blocks(self) -> tuple[TaughtBlocks, ...]:
        """Signatures of distilled blocks, a teacher each; empty where there are none.

        A benchmark that has some says so: ``"blocks"`` is in :attr:`provides`.
        """
        return ()

    def column(self, name: str, x: ArrayLike) -> FloatArray:
        """Another quantity of architectures, ``(n, slots) -> (n,)``, NaN where it is not known.

        Args:
            name: one of :attr:`columns`.
            x: the architectures.

        Raises:
            ValueError: for a column that the benchmark does not have.
        """
        raise ValueError(unknown_name("column", name, self.columns))

    def carried(self) -> Carried | None:
        """The model of the mean validation accuracy as arrays; None where there is none.

        Compiled environments (:mod:`blox_env.jax`) of spaces too large to list need it.
        """
        return None

    def check_epochs(self, epochs: int | None) -> int:
        """``epochs`` as a number in 1 … ``self.epochs``; ``None`` is all.

        Raises:
            ValueError: when it is outside, or when there are no learning curves.
        """
        if epochs is None:
            return self.epochs
        number = check_positive_int("epochs", epochs)
        if number > self.epochs:
            raise ValueError(f"epochs must be in 1 … {self.epochs}, got {number}")
        if number < self.epochs and "curves" not in self.provides:
            raise ValueError(f"benchmark {self.name!r} has no learning curves: epochs must be None")
        return number

    def checksum(self) -> str:
        """Identity of the data in result files; the class's name where there is no data."""
        return f"{type(self).__module__}.{type(self).__qualname__}"


def load_benchmark(benchmark: str | Benchmark) -> Benchmark:
    """The benchmark of a registered name, a folder, or ``"module:Class"``; made once a process.

    ``"live:TASK"`` is one that trains when it is asked; see :mod:`blox_env.benchmarks.live`.

    A folder is one that ``blox-env surrogate build`` or ``blox-env import --out`` wrote.

    Raises:
        ValueError: for an unknown name, with the closest known one.
    """
    if isinstance(benchmark, Benchmark):
        return benchmark
    return registry.load("benchmark", benchmark, Benchmark)
