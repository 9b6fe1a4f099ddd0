"""Boosted trees of XGBoost and LightGBM as text: checked, and asked with one thread.

A text is checked before a library reads it: each node of a tree has one parent, so that no damage
can send a prediction round in a circle, and every split is of a feature that there is.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from blox_env.ground.booster_pickle import PickledBooster
from blox_env.ground.extras import extra
from blox_env.ground.typing import FloatArray

SUFFIX = {"xgboost": ".json", "lightgbm": ".txt"}
Ask = Callable[[FloatArray], FloatArray]
_MOST_TREES = 100_000


def text_of(found: PickledBooster, features: int) -> str:
    """The model of a pickled booster as its library's text: JSON of XGBoost, LightGBM's own.

    Args:
        found: what a pickle said.
        features: number that it has to be fitted on.

    Raises:
        ValueError: for what is no model of the library, or one of other features.
    """
    state = found.state or {}
    raw = state.get("_handle", state.get("handle"))
    if found.library == "lightgbm":
        if not isinstance(raw, str):
            raise ValueError("the pickled booster of lightgbm has no text of a model")
        best = state.get("best_iteration")
        booster = _lightgbm(raw, features)
        # predictions of such a booster stop at its best iteration
        return str(booster.model_to_string(best if type(best) is int and best > 0 else -1))
    if not isinstance(raw, bytes) or not raw:
        raise ValueError("the pickled booster of xgboost has no bytes of a model")
    with extra("xgboost", "a model of XGBoost"):
        import xgboost
    booster = xgboost.Booster()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it advises those who have the older version
        try:
            booster.__setstate__({"handle": bytearray(raw)})
            text = bytes(booster.save_raw("json")).decode()
        except xgboost.core.XGBoostError as error:
            raise ValueError(
                f"xgboost {xgboost.__version__} cannot read the booster "
                f"({_first_line(error)}); where it was written by a version before 1.6, one "
                "before 3.1 can"
            ) from None
    _check_xgboost(text, features)
    return text


def opened(library: str, text: str, features: int) -> Ask:
    """A function that predicts from features ``(n, features)``.

    Args:
        library: ``"xgboost"`` or ``"lightgbm"``.
        text: of the model.
        features: number of them.

    Raises:
        ValueError: for a text that is no such model.
    """
    if library == "lightgbm":
        trees = _lightgbm(text, features)
        return lambda x: np.asarray(trees.predict(x, num_threads=1), dtype=np.float64)
    _check_xgboost(text, features)
    with extra("xgboost", "a model of XGBoost"):
        import xgboost
    booster = xgboost.Booster({"nthread": 1})
    try:
        booster.load_model(bytearray(text.encode()))
    except xgboost.core.XGBoostError as error:
        raise ValueError(f"no model of xgboost: {_first_line(error)}") from None
    booster.set_param({"nthread": 1})
    return lambda x: np.asarray(booster.predict(xgboost.DMatrix(x, nthread=1)), dtype=np.float64)


def _lightgbm(text: str, features: int) -> Any:
    """A booster of LightGBM from a checked text."""
    checked = _check_lightgbm(text, features)
    with extra("surrogate", "a model of LightGBM"):
        import lightgbm
    try:
        return lightgbm.Booster(model_str=checked)
    except lightgbm.basic.LightGBMError as error:
        raise ValueError(f"no model of lightgbm: {_first_line(error)}") from None


def _check_lightgbm(text: str, features: int) -> str:
    """The text, without the sizes of its parts, which say nothing about whether they are sound."""
    if not text.startswith("tree\n") or "\nend of trees" not in text:
        raise ValueError("no whole model of lightgbm")
    body, end = text.split("\nend of trees", 1)
    head, *blocks = body.split("\nTree=")
    facts = _pairs(head)
    wanted = {"num_class": "1", "num_tree_per_iteration": "1", "objective": "regression"}
    for key, value in wanted.items():
        if facts.get(key) != value:
            raise ValueError(
                f"expected a model of lightgbm with {key}={value}, got {facts.get(key)}"
            )
    if facts.get("max_feature_idx") != str(features - 1):
        raise ValueError(
            f"expected a model of {features} features, got max_feature_idx "
            f"{facts.get('max_feature_idx')}"
        )
    if "average_output" in head.split("\n"):
        raise ValueError("expected boosted trees of lightgbm, got a random forest")
    if not 0 < len(blocks) <= _MOST_TREES:
        raise ValueError(f"expected 1 … {_MOST_TREES} trees, got {len(blocks)}")
    for number, block in enumerate(blocks):
        try:
            _check_block(number, block, features)
        except (KeyError, ValueError) as error:
            raise ValueError(f"tree {number} of the model of lightgbm: {error}") from None
    lines = [line for line in head.split("\n") if not line.startswith("tree_sizes=")]
    trees = "".join(f"\nTree={block}" for block in blocks)
    return "\n".join(lines) + trees + "\nend of trees" + end


def _check_block(number: int, block: str, features: int) -> None:
    first, *_ = block.split("\n", 1)
    facts = _pairs(block)
    leaves = int(facts["num_leaves"])
    if first != str(number) or leaves < 1 or facts["num_cat"] != "0":
        raise ValueError("expected it in its place, with splits of numbers alone")
    if facts.get("is_linear", "0") != "0":
        raise ValueError("expected a number a leaf, got linear ones")
    values = np.array(facts["leaf_value"].split(), dtype=float)
    if len(values) != leaves or not np.isfinite(values).all():
        raise ValueError(f"expected {leaves} values of leaves")
    if leaves == 1:
        return
    columns = ("left_child", "right_child", "split_feature", "decision_type")
    left, right, feature, kind = (np.array(facts[name].split(), dtype=int) for name in columns)
    threshold = np.array(facts["threshold"].split(), dtype=float)
    if {len(each) for each in (left, right, feature, kind, threshold)} != {leaves - 1}:
        raise ValueError(f"expected {leaves - 1} splits")
    children = np.concatenate([left, right])
    low, high = children.min(), children.max()
    _check_children(children, bool(low < -leaves or high >= leaves - 1 or (children == 0).any()))
    if feature.min() < 0 or feature.max() >= features or (kind & 1).any():
        raise ValueError("expected splits of numbers that there are")


def _check_xgboost(text: str, features: int) -> None:
    """Raise for a JSON that is no regression by boosted trees on so many features."""
    try:
        learner = json.loads(text)["learner"]
        facts, booster = learner["learner_model_param"], learner["gradient_booster"]
        objective, trees = learner["objective"]["name"], booster["model"]["trees"]
        if objective not in ("reg:squarederror", "reg:linear") or booster["name"] != "gbtree":
            raise ValueError(
                f"expected a regression by boosted trees, got {objective} by {booster['name']}"
            )
        if facts["num_feature"] != str(features):
            raise ValueError(f"expected a model of {features} features, got {facts['num_feature']}")
        if not 0 < len(trees) <= _MOST_TREES:
            raise ValueError(f"expected 1 … {_MOST_TREES} trees, got {len(trees)}")
        for tree in trees:
            left, right = (
                np.array(tree[f"{side}_children"], dtype=int) for side in ("left", "right")
            )
            inner = left != -1
            feature = np.array(tree["split_indices"], dtype=int)
            children = np.concatenate([left[inner], right[inner]])
            wrong = len(left) != len(right) or len(left) != len(feature)
            wrong |= bool((children < 1).any() or (children >= len(left)).any())
            _check_children(children, wrong)
            if len(feature) and (feature.min() < 0 or feature.max() >= features):
                raise ValueError("expected splits of features that there are")
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no model of xgboost: {error!r}"[:200]) from None


def _check_children(children: Any, wrong: bool) -> None:
    """Raise where a node is outside, or has two parents."""
    if wrong or len(np.unique(children)) != len(children):
        raise ValueError("expected a tree, got nodes that are no children or several times one")


def _pairs(text: str) -> dict[str, str]:
    lines = [line.partition("=") for line in text.split("\n")]
    return {key: value for key, sign, value in lines if sign}


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0][:150] if lines else type(error).__name__
