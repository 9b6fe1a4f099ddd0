"""All families by name."""

from __future__ import annotations

from typing import Any

from blox_env.benchmarks.families.base import Family
from blox_env.benchmarks.families.components import OneByOne
from blox_env.benchmarks.families.graph import GraphNetwork
from blox_env.benchmarks.families.pairwise import Pairwise
from blox_env.benchmarks.families.process import GaussianProcess
from blox_env.benchmarks.families.trees import Trees
from blox_env.ground.errors import unknown_name
from blox_env.ground.extras import extra


def _lightgbm(seed: int) -> Any:
    with extra("surrogate", "fitting boosted trees"):
        from lightgbm import LGBMRegressor
    return LGBMRegressor(
        n_estimators=250, num_leaves=8, learning_rate=0.05, min_child_samples=8, subsample=0.7,
        subsample_freq=1, colsample_bytree=0.4, reg_lambda=1.0, n_jobs=1, verbose=-1,
        random_state=seed, deterministic=True, force_row_wise=True,
    )  # fmt: skip


def _xgboost(seed: int) -> Any:
    with extra("xgboost", "fitting boosted trees of XGBoost"):
        from xgboost import XGBRegressor
    return XGBRegressor(
        n_estimators=250, max_depth=4, learning_rate=0.05, min_child_weight=4, subsample=0.7,
        colsample_bynode=0.4, reg_lambda=1.0, n_jobs=1, random_state=seed, tree_method="hist",
    )  # fmt: skip


def _svr(seed: int) -> Any:
    with extra("surrogate", "fitting support vectors"):
        from sklearn.svm import SVR
    return SVR(C=20.0, epsilon=0.1, gamma=0.002)


def _mlp(seed: int) -> Any:
    with extra("surrogate", "fitting networks"):
        from sklearn.neural_network import MLPRegressor
    return MLPRegressor(
        hidden_layer_sizes=(32,), alpha=10.0, solver="lbfgs", max_iter=400, random_state=seed
    )


def _ridge(seed: int) -> Any:
    with extra("surrogate", "fitting a linear model"):
        from sklearn.linear_model import Ridge
    return Ridge(30.0)


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        GaussianProcess(),
        Trees(
            "trees", "ExtraTreesRegressor", n_estimators=120, min_samples_leaf=2, max_features=0.4
        ),
        Trees(
            "forest", "RandomForestRegressor", n_estimators=120, min_samples_leaf=2,
            max_features=0.3,
        ),
        OneByOne("lightgbm", _lightgbm),
        OneByOne("xgboost", _xgboost),
        OneByOne("svr", _svr),
        OneByOne("mlp", _mlp, encodings=("depth", "ops"), weighted=False),
        OneByOne("ridge", _ridge),
        Pairwise(),
        GraphNetwork(),
    )
}  # fmt: skip


def list_families() -> list[str]:
    """Names of all families."""
    return list(FAMILIES)


def load_family(name: str) -> Family:
    """A family by name.

    Raises:
        ValueError: for a name that there is not.
    """
    if name not in FAMILIES:
        raise ValueError(unknown_name("family", name, FAMILIES))
    return FAMILIES[name]
