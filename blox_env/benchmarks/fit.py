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
from blox_env.benchmarks.model import FACTS, NOISE, SCHEMA, SPREAD
from blox_env.benchmarks.scoring import held_out_scores, noise_test, training_facts
from blox_env.benchmarks.surrogate import CurveEnsemble, Encoder, Prediction
from blox_env.ground.errors import unknown_name
from blox_env.ground.extras import extra
from blox_env.ground.files import file_hash, write_atomic, write_json
from blox_env.ground.typing import FloatArray
from blox_env.spaces.base import SearchSpace
from blox_env.store.arrays import array_bytes
from blox_env.store.placing import new_folder

FAMILY = "lightgbm"


def fit_model(
    sources: Sequence[str | Path],
    out: str | Path,
    space: str,
    *,
    name: str,
    folds: int = 10,
    seed: int = 0,
) -> dict[str, Any]:
    """Fit boosted trees on trainings and write a benchmark to ``out``, which appears whole.

    Held-out predictions by other models of the same kind say how good they are, and teach the
    uncertainty.

    Args:
        sources: packed trainings, one or more files.
        out: a folder that is not there yet.
        space: name of the architectures' space.
        name: of the benchmark.
        folds: that held-out predictions are made with.
        seed: of folds and models.

    Returns:
        What ``surrogate.json`` holds.

    Raises:
        ValueError: for an unknown space, trainings of another one, or too few of them.
    """
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
        ensemble = CurveEnsemble(where, families=(FAMILY,), folds=folds, seed=seed)
        held_out = ensemble.fit(
            grouped.x,
            grouped.mean,
            grouped.noise_of_mean,
            grouped.found,
            even_noise_var=grouped.even_noise_of_mean,
        )
        facts = _write_models(folder, where, grouped, held_out, seed)
        write_atomic(folder / NOISE, array_bytes(deviations.astype(np.float32)))
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
    return facts


def _write_models(
    folder: Path, space: SearchSpace, grouped: Grouped, held_out: Prediction, seed: int
) -> dict[str, Any]:
    """Write the boosters; returns what is needed to ask them."""
    family = load_family(FAMILY)
    encode = Encoder(space, grouped.x, family.encodings)
    features = encode(grouped.x)
    model: Any = family.fit(
        features, grouped.mean, grouped.even_noise_of_mean, chosen=None, seed=seed
    )
    for number, part in enumerate(model.models):
        write_atomic(folder / f"target-{number}.txt", part.booster_.model_to_string())
    residual = (grouped.mean - held_out.mean)[:, -1]
    spread = _spread(features, residual**2 - grouped.noise_of_mean[:, -1], seed)
    write_atomic(folder / SPREAD, spread.booster_.model_to_string())
    return {**encode.facts(), "components": model.components.facts()}


def _spread(features: FloatArray, excess: FloatArray, seed: int) -> Any:
    """Boosted trees of squared errors beyond noise: few and coarse, since these are very noisy."""
    with extra("surrogate", "fitting boosted trees"):
        from lightgbm import LGBMRegressor
    leaf = max(10, len(features) // 25)
    return LGBMRegressor(
        n_estimators=40, num_leaves=4, learning_rate=0.05, min_child_samples=leaf, n_jobs=1,
        verbose=-1, random_state=seed, deterministic=True, force_row_wise=True,
    ).fit(features, excess)  # fmt: skip
