"""Makes the folder of a table benchmark from raw trainings: surrogate, shrinkage, data card."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.benchmarks import table, trainings
from blox_env.benchmarks.card import render_card
from blox_env.benchmarks.grouping import Grouped, group, group_mean, noise_table
from blox_env.benchmarks.levels import seed_levels, take_off
from blox_env.benchmarks.scoring import (
    fresh_scores,
    held_out_scores,
    noise_test,
    quantiles,
    structure,
    training_facts,
)
from blox_env.benchmarks.surrogate import DEFAULT, CurveEnsemble, Prediction, fold_of
from blox_env.benchmarks.trainings import Trainings
from blox_env.ground.extras import extra
from blox_env.ground.files import file_hash, write_atomic, write_json
from blox_env.ground.typing import FloatArray
from blox_env.spaces.base import SearchSpace
from blox_env.store.arrays import array_bytes

FEWEST = 20  # architectures: below, folds of them are too small to fit and to judge anything


def build_benchmark(
    source: str | Path | Sequence[str | Path],
    out: str | Path,
    space: SearchSpace,
    *,
    name: str,
    families: Sequence[str] = DEFAULT,
    seed: int = 0,
) -> dict[str, Any]:
    """Fit a surrogate on the trainings in ``source`` and write a benchmark folder to ``out``.

    What trainings with the same seed have in common is taken off first
    (:mod:`blox_env.benchmarks.levels`). An architecture that was trained gets the mean of its
    trainings, shrunk towards what members of the ensemble that have not seen it predict, by the
    noise of that mean (otherwise the best of the table would be the luckiest training). All others
    get the prediction.

    Args:
        source: packed trainings, or several files of them, such as rounds; what asked for each
            decides what counts as found by optimisers. All are kept in ``out/trainings.csv``.
        out: the folder.
        space: the space of the architectures.
        name: of the benchmark.
        families: of models that are mixed.
        seed: of folds and models.

    Returns:
        The card: everything that was found out about the data and the predictions.
    """
    out = Path(out)
    sources = [source] if isinstance(source, str | Path) else list(source)
    trainings.join([Path(path) for path in sources], out / "trainings.csv")
    raw = trainings.read(out / "trainings.csv")
    epochs = raw.val_acc.shape[1]
    deviations = noise_table(raw)
    levels = seed_levels(raw)
    grouped = group(take_off(raw, levels), deviations)
    if len(grouped.x) < FEWEST:
        raise ValueError(
            f"a surrogate needs trainings of at least {FEWEST} different architectures, some of "
            f"them trained twice, got {len(grouped.x)} in {len(raw)} trainings: blox-env collect "
            "adds more"
        )
    ensemble = CurveEnsemble(space, families=families, seed=seed)
    held_out = ensemble.fit(
        grouped.x,
        grouped.mean,
        grouped.noise_of_mean,
        grouped.found,
        even_noise_var=grouped.even_noise_of_mean,
    )
    first = fold_of(len(grouped.x), ensemble.folds, seed) < ensemble.folds // 2
    halves = [calibration(grouped, held_out, part) for part in (~first, first)]
    scored = Prediction(held_out.mean, held_out.std * np.where(first, *halves)[:, None])
    stretch = calibration(grouped, held_out, np.ones(len(first), dtype=bool))
    everything = ensemble.predict(space.all())
    mean, std = everything.mean, everything.std * stretch
    at = space.index(grouped.x)
    mean[at], std[at] = shrink(grouped, held_out.mean, held_out.std * stretch)
    columns: dict[str, NDArray[Any]] = {
        "val_acc": _fraction(mean[:, 1:]),
        "val_std": _fraction(std[:, 1:]),
        "test_acc": _fraction(mean[:, 0]),
        "train_time_s": training_time(raw, space, seed).astype(np.float32),
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
        "trainings": training_facts(raw, grouped),
        "weights": ensemble.weights,
        "held_out": {
            "uniform": held_out_scores(raw, grouped, scored, grouped.uniform),
            "found": held_out_scores(raw, grouped, scored, grouped.found),
        },
        "fresh": None,
        "seeds": levels.facts(),
        "single_training": noise_test(raw, grouped, scored),
        "structure": structure(space, grouped),
        "table": _table_facts(columns),
        "recipe_search": _recipe_search(out / "recipe_search.csv"),
        "sha256": {column: file_hash(out / f"{column}.npy") for column in columns},
    }
    write_json(out / "card.json", card)
    write_atomic(out / "CARD.md", render_card(card))
    return card


def judge_benchmark(folder: str | Path, fresh: str | Path, space: SearchSpace) -> dict[str, Any]:
    """Compare a finished table with trainings made after it, and write that into its card.

    Args:
        folder: of the benchmark.
        fresh: packed trainings of what optimisers found on this very table, and of architectures
            drawn uniformly; it was not fitted on them.
        space: the space of the architectures.

    Returns:
        The card.
    """
    folder = Path(folder)
    judged = table.TableBenchmark(folder, space)
    judged.verify()
    raw = trainings.read(Path(fresh))
    card = dict(judged.card)
    expected = (card["task"]["task_sha256"], card["task"]["recipe"])
    if (raw.header["task_sha256"], raw.header["recipe"]) != expected:
        raise ValueError(f"{fresh} is of another task or recipe than {folder}")
    uniform = raw.asked_by == "uniform"
    for name, part in (("fresh", ~uniform), ("fresh_uniform", uniform)):
        card[name] = fresh_scores(raw.part(part), judged) if part.sum() > 1 else None
    card["recipe_search"] = _recipe_search(folder / "recipe_search.csv")
    write_json(folder / "card.json", card)
    write_atomic(folder / "CARD.md", render_card(card))
    return card


def training_time(raw: Trainings, space: SearchSpace, seed: int) -> FloatArray:
    """CPU seconds of a training of every architecture, predicted from those that were timed.

    Args:
        raw: the trainings.
        space: of the architectures, ``N`` of them.
        seed: of the trees.

    Returns:
        Seconds ``(N,)``, NaN where none was timed.
    """
    known = np.isfinite(raw.train_time_s)
    if not known.any():
        return np.full(space.size, np.nan)
    x, member, count = np.unique(raw.x[known], axis=0, return_inverse=True, return_counts=True)
    seconds = np.log(group_mean(raw.train_time_s[known, None], member, count))[:, 0]
    with extra("surrogate", "building a benchmark"):
        from sklearn.ensemble import ExtraTreesRegressor
        from sklearn.linear_model import RidgeCV
    wanted = ("depth", "ops")
    kinds: list[str] = [kind for kind in wanted if kind in space.feature_kinds()]
    kinds = kinds or ["onehot"]
    columns = np.concatenate([space.features(space.all(), kind) for kind in kinds], axis=1)
    at = space.index(x)
    plain = RidgeCV(np.logspace(-3, 3, 13)).fit(columns[at], seconds)
    rest = ExtraTreesRegressor(60, min_samples_leaf=3, random_state=seed)
    rest.fit(columns[at], seconds - plain.predict(columns[at]))
    predicted = np.exp(plain.predict(columns) + rest.predict(columns))
    return np.asarray(predicted)


def calibration(grouped: Grouped, held_out: Prediction, part: NDArray[np.bool_]) -> float:
    """Factor on predicted deviations that makes those of ``part`` as large as its residuals.

    Args:
        grouped: trainings by architecture.
        held_out: out-of-fold predictions.
        part: which architectures ``(m,)``.
    """
    residual = (grouped.mean - held_out.mean)[part] ** 2
    excess = residual - grouped.noise_of_mean[part]
    ratio = excess.sum() / (held_out.std[part] ** 2).sum()
    return float(np.sqrt(max(ratio, 0.04)))


def shrink(grouped: Grouped, prior: FloatArray, std: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Posterior mean and deviation of trained architectures, ``(m, targets)`` each.

    Args:
        grouped: trainings by architecture.
        prior: out-of-fold predictions ``(m, targets)``.
        std: their deviations ``(m, targets)``.
    """
    noise = grouped.noise_of_mean
    weight = std**2 / (std**2 + noise)
    return prior + weight * (grouped.mean - prior), np.sqrt(weight * noise)


def _recipe_search(path: Path) -> list[list[str]]:
    """Recipes that were tried, where a table of them stands beside the benchmark; heads first."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def _table_facts(columns: dict[str, NDArray[Any]]) -> dict[str, Any]:
    return {
        "architectures": len(columns["test_acc"]),
        "val_acc": quantiles(columns["val_acc"][:, -1] / table.SCALE),
        "test_acc": quantiles(columns["test_acc"] / table.SCALE),
        "val_std_mean": float(columns["val_std"][:, -1].mean() / table.SCALE),
    }


def _fraction(values: FloatArray) -> NDArray[np.uint16]:
    return np.round(np.clip(values, 0, 1) * table.SCALE).astype(np.uint16)
