"""Kinds of kept models by name."""

from __future__ import annotations

import pytest

from blox_env.benchmarks.families import list_families
from blox_env.benchmarks.predictors.registry import list_predictors, load_predictor


def test_every_kind_is_that_of_a_family() -> None:
    assert set(list_predictors()) <= set(list_families())
    for name in list_predictors():
        assert load_predictor(name).family == name


def test_a_family_whose_models_cannot_be_kept_is_named() -> None:
    with pytest.raises(ValueError, match=r"'trees', expected one of lightgbm, mlp"):
        load_predictor("trees")
    with pytest.raises(ValueError, match="did you mean 'mlp'"):
        load_predictor("mpl")
