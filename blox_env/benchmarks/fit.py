"""Makes a benchmark that is a model from raw trainings, for spaces that no table can hold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from blox_env.benchmarks import trainings
from blox_env.benchmarks.build import FEWEST
from blox_env.benchmarks.collect import SPACES
from blox_env.benchmarks.families import load_family
from blox_env.benchmarks.grouping import Grouped, group, noise_table
from blox_env.benchmarks.levels import seed_levels, take_off
from blox_env.benchmarks.model import FACTS, NOISE, SCHEMA, TIME
from blox_env.benchmarks.model_card import render_model_card
from blox_env.benchmarks.predictors.base import Features, Predictor
from blox_env.benchmarks.predictors.registry import load_predictor
from blox_env.benchmarks.scoring import held_out_scores, noise_test, training_facts
from blox_env.benchmarks.surrogate import CurveEnsemble, Encoder, Prediction
from blox_env.ground.errors import unknown_name
from blox_env.ground.extras import extra
from blox_env.ground.files import file_hash, write_atomic, write_json
from blox_env.ground.typing import FloatArray
from blox_env.spaces.base import SearchSpace
from blox_env.store.arrays import array_bytes
from blox_env.store.placing import new_folder

RIDGE = 10.0  # penalty of the weights for training times


def fit_model(
    sources: Sequence[str | Path],
    out: str | Path,
    space: str,
    *,
    name: str,
    family: str = "lightgbm",
    folds: int = 10,
    seed: int = 0,
) -> dict[str, Any]:
    """Fit a model on trainings and write a benchmark to ``out``, which appears whole.

    Held-out predictions by other models of the same kind say how good they are, and teach the
    uncertainty.

    Args:
        sources: packed trainings, one or more files.
        out: a folder that is not there yet.
        space: name of the architectures' space.
        name: of the benchmark.
        family: of the model, one whose models can be kept: ``"lightgbm"``, boosted trees, or
            ``"mlp"``, a small network that needs numpy alone and is quicker by far.
        folds: that held-out predictions are made with.
        seed: of folds and models.

    Returns:
        What ``surrogate.json`` holds.

    Raises:
        ValueError: for an unknown space or family, trainings of another one, or too few of them.
    """
    kind = load_predictor(family)
    if space not in SPACES:
        raise ValueError(unknown_name("space", space, SPACES))
    where = SPACES[space]()
    with new_folder(Path(out)) as folder:
        trainings.join([Path(path) for path in sources], folder / "trainings.csv")
        raw = trainings.read(folder / "trainings.csv")
        where.check(raw.x)
        deviations = noise_table(raw)
        grouped = group(take_off(raw, seed_levels(raw)), deviations)
        if len(grouped.x) < FEWEST:
            raise ValueError(
                f"a surrogate needs trainings of at least {FEWEST} different architectures, got "
                f"{len(grouped.x)} in {len(raw)} trainings: blox-env collect adds more"
            )
        ensemble = CurveEnsemble(where, families=(family,), folds=folds, seed=seed)
        held_out = ensemble.fit(
            grouped.x,
            grouped.mean,
            grouped.noise_of_mean,
            grouped.found,
            even_noise_var=grouped.even_noise_of_mean,
        )
        facts = _write_model(folder, where, kind, grouped, held_out, seed)
        write_atomic(folder / NOISE, array_bytes(deviations.astype(np.float32)))
        timed = np.isfinite(raw.train_time_s)
        if len(np.unique(raw.x[timed], axis=0)) >= FEWEST:
            weights = _seconds(Features(where, facts)(raw.x[timed]), raw.train_time_s[timed])
            write_atomic(folder / TIME, array_bytes(weights))
        files = sorted(p.name for p in folder.iterdir() if p.suffix in (".txt", ".npy"))
        facts |= {
            "schema": SCHEMA,
            "name": name,
            "space": space,
            "epochs": int(raw.val_acc.shape[1]),
            "description": raw.header["description"],
            "task": {k: v for k, v in raw.header.items() if k not in ("schema", "description")},
            "trainings": training_facts(raw, grouped),
            "held_out": {
                "uniform": held_out_scores(raw, grouped, held_out, grouped.uniform),
                "found": held_out_scores(raw, grouped, held_out, grouped.found),
            },
            "single_training": noise_test(raw, grouped, held_out),
            "sha256": {each: file_hash(folder / each) for each in files},
        }
        write_json(folder / FACTS, facts)
        write_atomic(folder / "CARD.md", render_model_card(facts))
    return facts


def _write_model(
    folder: Path,
    space: SearchSpace,
    kind: type[Predictor],
    grouped: Grouped,
    held_out: Prediction,
    seed: int,
) -> dict[str, Any]:
    """Write the model; returns what is needed to ask it."""
    family = load_family(kind.family)
    encode = Encoder(space, grouped.x, family.encodings)
    features = encode(grouped.x)
    model: Any = family.fit(
        features, grouped.mean, grouped.even_noise_of_mean, chosen=None, seed=seed
    )
    predicted = model.components.forth(held_out.mean)[:, -1]
    residual = (grouped.mean - held_out.mean)[:, -1]
    excess = residual**2 - grouped.noise_of_mean[:, -1]
    facts = {"family": kind.family, **encode.facts(), "components": model.components.facts()}
    kind.write(folder, model, Features(space, facts), features, predicted, excess, seed)
    return facts


def _seconds(features: FloatArray, seconds: FloatArray) -> FloatArray:
    """Weights of the features, and a constant, for the time of a training ``(columns + 1,)``."""
    with extra("surrogate", "fitting training times"):
        from sklearn.linear_model import Ridge
    model = Ridge(RIDGE).fit(features, seconds)
    return np.append(model.coef_, model.intercept_)
