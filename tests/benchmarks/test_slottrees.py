"""Trees as look-ups are LightGBM's own, and refuse what they cannot be."""

import numpy as np
import pytest

lightgbm = pytest.importorskip("lightgbm")

from blox_env.benchmarks.slottrees import Places, SlotTrees
from blox_env.spaces import BloxSpace, SearchSpace

SPACE = BloxSpace()
KINDS = ("depth", "ops", "onehot")


def fitted(space=SPACE, kinds=KINDS, *, n=300, rounds=12, categories="auto", **settings):
    """A booster on standardised features, and what is needed to ask it."""
    rng = np.random.default_rng(0)
    x = space.sample(rng, n)
    raw = np.concatenate([space.features(x, kind) for kind in kinds], axis=1)
    shift, scale = raw.mean(axis=0), np.maximum(raw.std(axis=0), 1e-3)
    merit = np.sin(x * np.linspace(0.1, 0.4, space.slots)).sum(axis=1)
    chosen = {"objective": "regression", "num_threads": 1, "verbose": -1, **settings}
    data = lightgbm.Dataset(
        (raw - shift) / scale, merit - min(merit), categorical_feature=categories
    )
    return lightgbm.train(chosen, data, rounds), shift, scale


@pytest.mark.parametrize("leaves", [4, 8, 21])
def test_predictions_are_lightgbms_to_the_last_digit(leaves):
    booster, shift, scale = fitted(num_leaves=leaves, min_data_in_leaf=5)
    places = Places(SPACE, KINDS, shift, scale)
    trees = SlotTrees.of(booster, places)
    x = SPACE.sample(np.random.default_rng(1), 2500)  # more than go in at once
    raw = np.concatenate([SPACE.features(x, kind) for kind in KINDS], axis=1)
    wanted = booster.predict((raw - shift) / scale, num_threads=1)
    assert len(np.unique(wanted)) > leaves
    np.testing.assert_array_equal(trees.predict(places.of(x)), wanted)
    for count in (0, 1, 1025):  # one alone, in its batch too
        np.testing.assert_array_equal(trees.predict(places.of(x[:count])), wanted[:count])
    used = {place for place, reach in enumerate(trees.reach) if len(np.unique(reach, axis=0)) > 1}
    assert max(used) >= SPACE.slots  # sums over the slots are asked about, too


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"objective": "poisson"}, "plain regression, got 'poisson'"),
        ({"boosting": "rf", "bagging_fraction": 0.5, "bagging_freq": 1}, "plain regression"),
        ({"categories": [0, 1, 2]}, "splits of numbers, got '=='"),
        ({"zero_as_missing": True}, "missing values as 'Zero'"),
    ],
)
def test_other_trees_are_refused(settings, message):
    space = SearchSpace((9, 9, 9))
    booster, shift, scale = fitted(space, ("onehot",), min_data_in_leaf=5, **settings)
    with pytest.raises(ValueError, match=message):
        SlotTrees.of(booster, Places(space, ("onehot",), shift, scale))


def test_features_that_are_not_of_places_are_refused():
    with pytest.raises(ValueError, match="expected 135 features, got 4"):
        Places(SPACE, ("onehot",), np.zeros(4), np.ones(4))

    class Halves(BloxSpace):
        def feature_tables(self, kind="onehot"):
            return [table / 2 for table in super().feature_tables(kind)]

    count = SPACE.features(SPACE.from_index([0]), "depth").shape[1]
    with pytest.raises(ValueError, match="sums of whole numbers"):
        Places(Halves(), ("depth",), np.zeros(count), np.ones(count))
