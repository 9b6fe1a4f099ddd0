"""Figures about blockwise learning: each a number with a 95 % interval."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest, rankdata, spearmanr

from blox_env.benchmarks.base import Benchmark
from blox_env.devices import load_device
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.networks.predictors import Predictor
from blox_env.spaces.base import SearchSpace

DRAWS = 2000
_TAILS = (0.025, 0.975)


@dataclass(frozen=True)
class Figure:
    """A number, its interval, and of how many it is."""

    value: float
    low: float
    high: float
    n: int

    def text(self, digits: int = 3, factor: float = 1.0, sign: bool = False) -> str:
        """As pages show it: ``0.812 (0.770 … 0.850, n = 120)``.

        Args:
            digits: after the point.
            factor: 100 for percent.
            sign: whether positive numbers have one.
        """
        form = f"{{:{'+' if sign else ''}.{digits}f}}"
        value, low, high = (form.format(factor * v) for v in (self.value, self.low, self.high))
        return f"{value} ({low} … {high}, n = {self.n})"


def spearman(a: ArrayLike, b: ArrayLike) -> Figure:
    """Rank correlation, with an interval by the bootstrap over pairs.

    Args:
        a: ``(n,)``.
        b: ``(n,)``.
    """
    one, other = np.asarray(a, float), np.asarray(b, float)
    draws = np.random.default_rng(0).integers(0, len(one), (DRAWS, len(one)))
    again = _correlations(rankdata(one[draws], axis=1), rankdata(other[draws], axis=1))
    value = float(spearmanr(one, other).statistic)
    low, high = np.nanquantile(again, _TAILS)
    return Figure(value, float(low), float(high), len(one))


def _correlations(a: FloatArray, b: FloatArray) -> FloatArray:
    a, b = (v - v.mean(axis=1, keepdims=True) for v in (a, b))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1)))


def mean(values: ArrayLike) -> Figure:
    """Mean, with an interval by the bootstrap."""
    given = np.asarray(values, float)
    draws = np.random.default_rng(0).integers(0, len(given), (DRAWS, len(given)))
    low, high = np.quantile(given[draws].mean(axis=1), _TAILS)
    return Figure(float(given.mean()), float(low), float(high), len(given))


def share(mask: ArrayLike) -> Figure:
    """Share of what is true, with Wilson's interval."""
    given = np.asarray(mask, bool)
    found = binomtest(int(given.sum()), len(given)).proportion_ci(method="wilson")
    return Figure(float(given.mean()), float(found.low), float(found.high), len(given))


def block_effects(benchmark: Benchmark) -> FloatArray:
    """Mean accuracy of all architectures that have a block at a stage, ``(slots, blocks)``."""
    every = benchmark.space.all()
    accuracy = benchmark.evaluate(every).val_acc
    return np.array(
        [
            np.bincount(every[:, slot], accuracy, count) / np.bincount(every[:, slot])
            for slot, count in enumerate(benchmark.space.options)
        ]
    )


def learning_curve(
    make: Callable[[int], Predictor],
    x: IntArray,
    y: FloatArray,
    sizes: Iterable[int],
    repeats: int,
) -> dict[int, tuple[Figure, Figure]]:
    """Error and rank correlation on the rest, by the number of trained networks.

    Intervals are those of the mean over repeats, each with other networks drawn.

    Args:
        make: a new predictor, by the number of the repeat.
        x: architectures ``(n, slots)``.
        y: their accuracies.
        sizes: numbers of networks to learn from, each below n.
        repeats: draws of each.
    """
    found = {}
    for size in sizes:
        errors, ranks = [], []
        for number in range(repeats):
            order = np.random.default_rng([size, number]).permutation(len(x))
            model = make(number)
            model.fit(x[order[:size]], y[order[:size]])
            said, true = model.predict(x[order[size:]]), y[order[size:]]
            errors.append(float(np.abs(said - true).mean()))
            constant = np.ptp(said) == 0
            ranks.append(0.0 if constant else float(spearmanr(said, true).statistic))
        found[size] = mean(errors), mean(ranks)
    return found


@dataclass(frozen=True)
class MixedAgainstUniform:
    """The best architecture against the best that has one block everywhere.

    Attributes:
        device: name, empty for no latency.
        latency_ms: of the best uniform one, which the best mixed one keeps to.
        gain: in accuracy, with the noise of both as an interval of two standard deviations.
        uniform: the best uniform architecture.
        mixed: the best of all within its latency.
        beaten: share of all uniform ones that a mixed one beats at their latency by more than two
            standard deviations.
        known: how many of the two are trained and not predicted.
    """

    device: str
    latency_ms: float
    gain: Figure
    uniform: tuple[int, ...]
    mixed: tuple[int, ...]
    beaten: Figure
    known: int


def mixed_against_uniform(
    benchmark: Benchmark, devices: Sequence[str]
) -> list[MixedAgainstUniform]:
    """Macro against cell search, without latency and at equal latency on each device.

    Args:
        benchmark: with a table of a space that has the same options at all slots.
        devices: names of devices of its space.
    """
    every = benchmark.space.all()
    said = benchmark.evaluate(every)
    same = np.flatnonzero((every == every[:, :1]).all(axis=1))
    found = []
    for name in ("", *devices):
        latency = load_device(name).latency_ms(every) if name else np.zeros(len(every))
        best = same[np.argmax(said.val_acc[same])]
        order = np.lexsort((-said.val_acc, latency))
        leader = np.maximum.accumulate(said.val_acc[order])
        first = order[np.maximum.accumulate(_leaders(said.val_acc[order], leader))]
        place = np.searchsorted(latency[order], latency[same], side="right") - 1
        rivals = first[place]  # the best of what is as fast as each uniform one
        noise = np.sqrt(said.val_std[rivals] ** 2 + said.val_std[same] ** 2)
        gains = said.val_acc[rivals] - said.val_acc[same]
        at = int(np.flatnonzero(same == best)[0])
        low, high = gains[at] - 2 * noise[at], gains[at] + 2 * noise[at]
        known = (said.source[[best, rivals[at]]] != "surrogate").sum()
        found.append(
            MixedAgainstUniform(
                name,
                float(latency[best]) if name else np.nan,
                Figure(float(gains[at]), float(low), float(high), 1),
                tuple(every[best].tolist()),
                tuple(every[rivals[at]].tolist()),
                share(gains > 2 * noise),
                int(known),
            )
        )
    return found


def _leaders(values: FloatArray, leader: FloatArray) -> IntArray:
    """Places at which a running maximum is reached, 0 elsewhere."""
    return np.where(values == leader, np.arange(len(values)), 0)


def truth_of(
    space: SearchSpace, x: IntArray, val_acc: FloatArray, rows: Sequence[tuple[int, ...]]
) -> FloatArray:
    """Mean accuracy of trainings of given architectures, NaN where there is none.

    Args:
        space: of all.
        x: architectures of the trainings ``(n, slots)``.
        val_acc: their accuracies ``(n,)``.
        rows: the architectures that are asked for.
    """
    number = space.index(x)
    total, count = np.zeros(space.size), np.zeros(space.size)
    np.add.at(total, number, val_acc)
    np.add.at(count, number, 1)
    wanted = space.index(np.array(rows))
    with np.errstate(invalid="ignore"):
        return np.asarray(total[wanted] / count[wanted])


def by_key(records: Iterable[Mapping[str, Any]], **wanted: Any) -> dict[tuple[int, ...], Any]:
    """Records of networks with these values, by architecture.

    Args:
        records: with ``row`` and other fields.
        **wanted: fields and their values.
    """
    return {
        tuple(each["row"]): each
        for each in records
        if all(each.get(name) == value for name, value in wanted.items())
    }
