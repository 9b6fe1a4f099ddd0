"""All pairs of agents, and what Holm's procedure leaves of them."""

import numpy as np
import pytest

pytest.importorskip("scipy")

from blox_env.analysis.intervals import improvement, no_difference
from blox_env.analysis.pairs import all_pairs, holm


def test_holm_raises_p_values_as_in_his_procedure():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm([0.6, np.nan, 0.01]), [0.6, np.nan, 0.02])
    assert holm([]).shape == (0,)
    with pytest.raises(ValueError, match="probabilities"):
        holm([0.2, 1.5])


@pytest.mark.parametrize("shift", [0.0, 0.3, 0.5, 0.6, 0.9, 3.0])
def test_p_is_below_five_percent_just_where_the_interval_leaves_out_a_half(shift):
    rng = np.random.default_rng(0)
    ours = [rng.normal(size=20), rng.normal(size=12)]
    theirs = [rng.normal(size=15) + shift, rng.normal(size=30) + shift]
    found = improvement(ours, theirs)
    p = no_difference(found, [(20, 15), (12, 30)])
    assert (p < 0.05) == (not found.low <= 0.5 <= found.high)


def test_every_pair_once_and_the_better_one_wins():
    rng = np.random.default_rng(0)
    runs = {name: [rng.normal(size=30) + level] for name, level in (("a", 2), ("b", 0), ("c", 0))}
    pairs = all_pairs(runs)
    assert [(pair.agent, pair.other) for pair in pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert [pair.winner for pair in pairs] == ["b", "c", None]
    assert [pair.winner for pair in all_pairs(runs, less_is_better=False)] == ["a", "a", None]
    assert all(pair.adjusted >= pair.p for pair in pairs)


def test_few_runs_show_nothing():
    pair = all_pairs({"a": [[0.0, 0.0]], "b": [[1.0, 1.0]]})[0]
    assert pair.better.value == 1
    assert np.isnan(pair.p)
    assert pair.winner is None


def test_of_many_equal_agents_hardly_one_is_called_better():
    rng = np.random.default_rng(1)
    wrong = raw = 0
    for _ in range(40):
        pairs = all_pairs({str(k): [rng.normal(size=20)] for k in range(6)})
        wrong += any(pair.winner for pair in pairs)
        raw += any(pair.p < 0.05 for pair in pairs)
    assert wrong <= 6
    assert raw > wrong
