"""All kinds of kept models by the name of their family."""

from __future__ import annotations

from blox_env.benchmarks.predictors.base import Predictor
from blox_env.benchmarks.predictors.boosters import Boosters
from blox_env.benchmarks.predictors.network import Network
from blox_env.ground.errors import unknown_name

PREDICTORS: dict[str, type[Predictor]] = {kind.family: kind for kind in (Boosters, Network)}


def list_predictors() -> list[str]:
    """Names of the families whose models can be kept."""
    return list(PREDICTORS)


def load_predictor(family: str) -> type[Predictor]:
    """The kind of model that a family's is kept as.

    Raises:
        ValueError: for a family that there is not, or whose models cannot be kept.
    """
    if family not in PREDICTORS:
        raise ValueError(unknown_name("family of a kept model", family, PREDICTORS))
    return PREDICTORS[family]
