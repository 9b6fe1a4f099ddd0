"""Makes the folder of a table benchmark from raw trainings: surrogate, shrinkage, data card."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.benchmarks import table, trainings
from blox_env.benchmarks.card import render_card
from blox_env.benchmarks.surrogate import CurveEnsemble, Prediction, fold_of
from blox_env.benchmarks.trainings import Trainings
from blox_env.ground.extras import extra
from blox_env.ground.files import file_hash, write_atomic, write_json
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.base import SearchSpace
from blox_env.store.arrays import array_bytes

WINDOW = 60  # repeated trainings of similar accuracy over which their noise is averaged


@dataclass(frozen=True)
class Grouped:
    """Trainings by architecture: ``x`` ``(m, slots)``, means and number of trainings.

    Targets are the validation curve, the test accuracy and the logarithm of the training time:
    ``(m, epochs + 2)``. ``noise`` is the variance of one training's targets at each architecture's
    accuracy, ``(m, epochs + 2)``.
    """

    x: IntArray
    mean: FloatArray
    count: IntArray
    noise: FloatArray


def build_benchmark(
    source: str | Path, out: str | Path, space: SearchSpace, *, name: str, seed: int = 0
) -> dict[str, Any]:
    """Fit a surrogate on the trainings in ``source`` and write a benchmark folder to ``out``.

    An architecture that was trained gets the mean of its trainings, shrunk towards what members of
    the ensemble that have not seen it predict, by the noise of that mean (otherwise the best of the
    table would be the luckiest training). All others get the prediction.

    Args:
        source: the file of trainings that ``collect`` packed.
        out: folder of the benchmark.
        space: of the architectures.
        name: of the benchmark.
        seed: of the folds.

    Returns:
        The card: everything that was found out about the data and the predictions.
    """
    raw = trainings.read(Path(source))
    epochs = raw.val_acc.shape[1]
    deviations = noise_table(raw)
    grouped = group(raw, deviations)
    ensemble = CurveEnsemble(space, seed=seed)
    relative = grouped.noise[:, epochs - 1] / grouped.noise[:, epochs - 1].mean() / grouped.count
    held_out = ensemble.fit(grouped.x, grouped.mean, relative)
    every = np.ones(len(grouped.x), dtype=bool)
    stretch = calibration(grouped, held_out, every)
    # what is scored is stretched by what the other half of the folds says
    first = fold_of(len(grouped.x), ensemble.folds, seed) < ensemble.folds // 2
    halves = [calibration(grouped, held_out, part) for part in (~first, first)]
    scored = Prediction(held_out.mean, held_out.std * np.where(first, *halves)[:, None])
    everything = ensemble.predict(space.all())
    mean, std = everything.mean, everything.std * stretch
    at = space.index(grouped.x)
    mean[at], std[at] = shrink(grouped, held_out.mean, held_out.std * stretch)
    out = Path(out)
    columns: dict[str, NDArray[Any]] = {
        "val_acc": _fraction(mean[:, :epochs]),
        "val_std": _fraction(std[:, :epochs]),
        "test_acc": _fraction(mean[:, epochs]),
        "train_time_s": np.exp(mean[:, epochs + 1]).astype(np.float32),
        "trained": np.sort(at).astype(np.int32),
        "noise": deviations.astype(np.float32),
    }
    for column, values in columns.items():
        write_atomic(out / f"{column}.npy", array_bytes(values))
    card = {
        "schema": table.SCHEMA,
        "name": name,
        "epochs": epochs,
        "description": raw.header["description"],
        "task": {k: v for k, v in raw.header.items() if k not in ("schema", "description")},
        "trainings": _facts(raw, grouped),
        "held_out": quality(grouped, scored, epochs),
        "table": _table_facts(columns),
        "recipe_search": _recipe_search(out / "recipe_search.csv"),
        "sha256": {column: file_hash(out / f"{column}.npy") for column in columns},
    }
    write_json(out / "card.json", card)
    write_atomic(out / "CARD.md", render_card(card))
    return card


def noise_table(raw: Trainings) -> FloatArray:
    """Deviations of single trainings from their architecture's mean, as :class:`Noise` takes them.

    From architectures trained at least twice; scaled by ``sqrt(k / (k - 1))``, since the mean of k
    trainings contains the training itself.
    """
    _, group_of, count = np.unique(raw.x, axis=0, return_inverse=True, return_counts=True)
    targets = np.column_stack([raw.val_acc, raw.test_acc])
    mean = _group_mean(targets, group_of, count)
    repeated = count[group_of] > 1
    k = count[group_of][repeated, None]
    deviation = (targets - mean[group_of])[repeated] * np.sqrt(k / (k - 1))
    final = mean[group_of][repeated, raw.val_acc.shape[1] - 1]
    order = np.argsort(final, kind="stable")
    return np.column_stack([final, deviation])[order]


def group(raw: Trainings, deviations: FloatArray) -> Grouped:
    """Means by architecture, with the noise of one training at about the same accuracy.

    Args:
        raw: the trainings.
        deviations: of single trainings from the mean of their architecture.
    """
    x, group_of, count = np.unique(raw.x, axis=0, return_inverse=True, return_counts=True)
    targets = np.column_stack([raw.val_acc, raw.test_acc, np.log(raw.train_time_s)])
    mean = _group_mean(targets, group_of, count)
    epochs = raw.val_acc.shape[1]
    if len(deviations) < 2:
        raise ValueError("no architecture was trained twice: the noise of a training is unknown")
    width = min(WINDOW, len(deviations))
    start = np.searchsorted(deviations[:, 0], mean[:, epochs - 1]) - width // 2
    start = np.clip(start, 0, len(deviations) - width)
    cumulated = np.vstack([np.zeros(epochs + 1), np.cumsum(deviations[:, 1:] ** 2, axis=0)])
    noise = (cumulated[start + width] - cumulated[start]) / width
    log_time = targets[:, -1] - mean[group_of, -1]
    freedom = max(1, len(raw) - len(x))
    time_noise = np.full(len(x), (log_time**2).sum() / freedom)
    return Grouped(x, mean, count, np.column_stack([noise, time_noise]))


def calibration(grouped: Grouped, held_out: Prediction, part: NDArray[np.bool_]) -> float:
    """Factor on predicted deviations that makes those of ``part`` as large as its residuals.

    Args:
        grouped: means of the trained architectures.
        held_out: predictions by members that have not seen them.
        part: mask of the architectures to calibrate on, ``(m,)``.
    """
    targets = grouped.mean.shape[1] - 1  # accuracies; time is not scored
    residual = (grouped.mean - held_out.mean)[part, :targets] ** 2
    excess = residual - (grouped.noise / grouped.count[:, None])[part, :targets]
    ratio = excess.sum() / (held_out.std[part, :targets] ** 2).sum()
    return float(np.sqrt(max(ratio, 0.04)))


def shrink(grouped: Grouped, prior: FloatArray, std: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Posterior mean and deviation of trained architectures, ``(m, targets)`` each.

    Args:
        grouped: means of the trained architectures.
        prior: held-out predictions ``(m, targets)``.
        std: their deviations ``(m, targets)``.
    """
    noise = grouped.noise / grouped.count[:, None]
    weight = std**2 / (std**2 + noise)
    return prior + weight * (grouped.mean - prior), np.sqrt(weight * noise)


def quality(grouped: Grouped, held_out: Prediction, epochs: int) -> dict[str, dict[str, float]]:
    """Quality of held-out predictions of the last epoch, by quantity.

    Args:
        grouped: means of the trained architectures.
        held_out: predictions by members that have not seen them.
        epochs: of a full training.
    """
    noise = grouped.noise / grouped.count[:, None]
    return {
        label: scores(
            grouped.mean[:, column],
            held_out.mean[:, column],
            np.sqrt(held_out.std[:, column] ** 2 + noise[:, column]),
            np.sqrt(grouped.noise[:, column]),
        )
        for label, column in (("val_acc", epochs - 1), ("test_acc", epochs))
    }


def scores(
    truth: FloatArray, predicted: FloatArray, std: FloatArray, noise: FloatArray
) -> dict[str, float]:
    """R², Kendall's τ, sparse Kendall's τ, error, and the share of truths in the 95 % interval.

    Args:
        truth: means of trainings ``(m,)``.
        predicted: predictions of them.
        std: deviations of the predictions.
        noise: deviations of the means.
    """
    with extra("surrogate", "scoring a surrogate"):
        from scipy.stats import kendalltau, spearmanr
    residual = truth - predicted
    return {
        "architectures": len(truth),
        "r2": float(1 - (residual**2).sum() / ((truth - truth.mean()) ** 2).sum()),
        "kendall_tau": float(kendalltau(truth, predicted).statistic),
        # rounded to 0.1 %, as NAS-Bench-301 does, so that differences below it do not count
        "sparse_kendall_tau": float(kendalltau(truth, np.round(predicted, 3)).statistic),
        "spearman": float(spearmanr(truth, predicted).statistic),
        "mean_absolute_error": float(np.abs(residual).mean()),
        "coverage_95": float((np.abs(residual) < 1.96 * std).mean()),
        "std_of_architectures": float(truth.std(ddof=1)),
        "std_of_one_training": float(np.sqrt((noise**2).mean())),
        # mean distance of one training from its own architecture's mean, were it Gaussian
        "mean_absolute_noise": float(np.sqrt(2 / np.pi) * noise.mean()),
    }


def _facts(raw: Trainings, grouped: Grouped) -> dict[str, Any]:
    single = raw.val_acc[:, -1]
    repeated = int((grouped.count > 1).sum())
    return {
        "trainings": len(raw),
        "architectures": len(grouped.x),
        "repeated_architectures": repeated,
        "most_trainings_of_one": int(grouped.count.max()),
        "val_acc": _spread(single),
        "test_acc": _spread(raw.test_acc),
        "cpu_s_mean": float(raw.train_time_s.mean()),
        "cpu_s_quantiles": [float(v) for v in np.quantile(raw.train_time_s, [0.05, 0.5, 0.95])],
        "cpu_h_total": float(raw.train_time_s.sum() / 3600),
    }


def _recipe_search(path: Path) -> list[dict[str, str]]:
    """The recipes that were tried, where a table of them stands beside the benchmark."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _table_facts(columns: dict[str, NDArray[Any]]) -> dict[str, Any]:
    return {
        "architectures": len(columns["test_acc"]),
        "val_acc": _spread(columns["val_acc"][:, -1] / table.SCALE),
        "test_acc": _spread(columns["test_acc"] / table.SCALE),
        "val_std_mean": float(columns["val_std"][:, -1].mean() / table.SCALE),
    }


def _spread(values: NDArray[Any]) -> dict[str, float]:
    cuts = (0, 0.1, 0.5, 0.9, 1)
    names = ("min", "q10", "median", "q90", "max")
    return dict(zip(names, map(float, np.quantile(values, cuts)), strict=True))


def _group_mean(values: FloatArray, group_of: IntArray, count: IntArray) -> FloatArray:
    total = np.zeros((len(count), values.shape[1]))
    np.add.at(total, group_of, values)
    return np.asarray(total / count[:, None], dtype=np.float64)


def _fraction(values: FloatArray) -> NDArray[np.uint16]:
    return np.round(np.clip(values, 0, 1) * table.SCALE).astype(np.uint16)
