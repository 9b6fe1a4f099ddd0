"""Folders in the format of NAS-Bench-301's models, made with the libraries; numbers are made up.

The published folders hold pickles of the same classes, by older versions of the libraries.
"""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np

from blox_env.spaces.darts import DartsSpace
from blox_env.spaces.darts.configspace import COLUMNS, array_tables
from blox_env.spaces.darts.notation import PREFIX

ROUNDS = 15


def arrays(n, seed=0):
    """Rows of the space, and as the models see them."""
    rows = DartsSpace().sample(np.random.default_rng(seed), n)
    base, tables = array_tables()
    return rows, base + sum(table[rows[:, slot]] for slot, table in enumerate(tables))


def fitted(library, part="accuracy", seed=0, columns=None):
    """A booster of a library, stopped early as theirs are."""
    _, x = arrays(400)
    asked = [COLUMNS.index(f"{PREFIX}{name}") for name in ("edge_normal_0", "edge_reduce_1")]
    merit = x[:, asked] @ (1.0, 0.5)
    x = x[:, :columns]
    y = 93 + 0.2 * merit if part == "accuracy" else 5000 + 300 * merit
    y = y + np.random.default_rng(seed).normal(0, 0.05 * y.std(), len(y))
    if library == "xgboost":
        import xgboost

        data = xgboost.DMatrix(x, label=y)
        settings = {"objective": "reg:squarederror", "nthread": 1, "max_depth": 4, "seed": seed}
        return xgboost.train(
            {**settings, "eval_metric": "rmse"}, data, ROUNDS, evals=[(data, "val")],
            early_stopping_rounds=5, verbose_eval=False,
        )  # fmt: skip
    import lightgbm

    data, held = (lightgbm.Dataset(*each) for each in ((x, y), (x[::3], y[::3])))
    settings = {"objective": "regression", "num_threads": 1, "verbose": -1, "seed": seed}
    return lightgbm.train(
        {**settings, "metric": "rmse", "bagging_fraction": 0.5, "bagging_freq": 1}, data, ROUNDS,
        valid_sets=[held], callbacks=[lightgbm.early_stopping(5, verbose=False)],
    )  # fmt: skip


def write_member(folder: Path, content: bytes, model: str, **settings) -> None:
    """One member: the pickle, and what it was fitted with."""
    folder.mkdir(parents=True)
    (folder / "surrogate_model.model").write_bytes(content)
    config = {"model": model, "param:bananas_enc": False, "early_stopping_rounds": 5, **settings}
    (folder / "model_config.json").write_text(json.dumps(config))
    (folder / "data_config.json").write_text(json.dumps({"seed": 6, "report_freq": 100}))


def pickled(library, state) -> bytes:
    """A booster with any state, as Python writes it."""
    place = {"xgboost": b"xgboost.core", "lightgbm": b"lightgbm.basic"}[library]
    return b"\x80\x03c" + place + b"\nBooster\n)\x81" + pickle.dumps(state, 3)[2:-1] + b"b."


def made_up_models(folder: Path, library="lightgbm", part="accuracy", members=3, protocol=4):
    """A folder of members; returns their boosters."""
    model = {"xgboost": "xgb", "lightgbm": "lgb"}[library] + ("_time" if part == "time" else "")
    boosters = [fitted(library, part, seed) for seed in range(members)]
    for number, booster in enumerate(boosters):
        write_member(folder / str(number), pickle.dumps(booster, protocol), model)
    return boosters
