import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from blox_env.analysis import intervals
from blox_env.analysis.intervals import (
    FEWEST,
    improvement,
    interquartile_mean,
    iqm,
    iqm_band,
    performance_profile,
)

VALUES = st.floats(-100, 100).map(lambda value: round(value, 3))
STRATA = st.lists(st.lists(VALUES, min_size=3, max_size=9), min_size=1, max_size=3)


def test_the_interquartile_mean_leaves_out_both_ends():
    assert interquartile_mean([-1000, 1, 2, 3, 4, 5, 6, 1000]) == 3.5
    assert_array_equal(interquartile_mean([[4, 1, 2, 9], [0, 0, 0, 0]]), [3, 0])


@given(STRATA)
def test_the_interval_holds_the_estimate_and_stays_in_the_range(strata):
    found = iqm(strata)
    every = np.concatenate(strata)
    assert found.value == pytest.approx(float(interquartile_mean(every)), abs=1e-9)
    assert found.known == (len(every) >= FEWEST)
    if found.known:
        assert every.min() - 1e-9 <= found.low <= found.value + 1e-9
        assert found.value - 1e-9 <= found.high <= every.max() + 1e-9


@given(STRATA, st.floats(0.1, 10), st.floats(-5, 5))
def test_intervals_do_not_depend_on_the_unit(strata, scale, shift):
    one = iqm(strata)
    other = iqm([[scale * value + shift for value in stratum] for stratum in strata])
    for name in ("value", "low", "high"):
        expected = scale * getattr(one, name) + shift
        assert getattr(other, name) == pytest.approx(expected, abs=1e-6, nan_ok=True)


def test_equal_values_and_few_values():
    same = iqm([[0.5] * 10])
    assert (same.value, same.low, same.high) == (0.5, 0.5, 0.5)
    assert not iqm([[1.0, 2.0, 3.0, 4.0]]).known
    assert iqm([[1.0, 2.0, 3.0], [4.0], [5.0]]).n == 5
    with pytest.raises(ValueError, match=r"shape \(n,\), got shapes \[\]"):
        iqm([])
    with pytest.raises(ValueError, match=r"got shapes \[\(1, 2\)\]"):
        iqm([[[1.0, 2.0]]])


def test_a_seed_gives_the_same_interval_again_and_another_a_similar_one():
    values = [np.random.default_rng(3).exponential(size=12)]
    assert iqm(values) == iqm(values)
    one, other = iqm(values, seed=1), iqm(values, seed=2)
    assert one != other
    assert one.high == pytest.approx(other.high, rel=0.1)


def test_levels_of_problems_do_not_widen_the_interval():
    """Seeds are drawn again within problems: what differs between these is no uncertainty."""
    rng = np.random.default_rng(0)
    strata = [rng.normal(level, 0.01, 20) for level in (0.0, 10.0, 20.0, 30.0)]
    stratified, mixed = iqm(strata), iqm([np.concatenate(strata)])
    assert stratified.high - stratified.low < 0.1 * (mixed.high - mixed.low)


def test_a_band_is_the_interval_at_each_point():
    values = np.random.default_rng(0).exponential(size=(3, 15))
    value, low, high = iqm_band([values], resamples=2000)
    for row, numbers in enumerate(zip(value, low, high, strict=True)):
        alone = iqm([values[row]])
        assert_allclose(numbers, (alone.value, alone.low, alone.high), atol=1e-12)


@pytest.mark.filterwarnings("error")
def test_where_a_value_is_not_known_there_is_no_band():
    values = np.random.default_rng(0).exponential(size=(3, 15))
    values[1, 4] = np.nan
    found = np.array(iqm_band([values]))
    assert np.isnan(found[:, 1]).all()
    assert_allclose(found[:, [0, 2]], np.array(iqm_band([values[[0, 2]]])))
    assert np.isnan(np.array(iqm_band([values[1:2]]))).all()


def coverage(draw, truth, interval, repetitions):
    """Share of intervals that hold the truth."""
    rng = np.random.default_rng(20)
    hits = 0
    for number in range(repetitions):
        found = interval(draw(rng), number)
        hits += found.low <= truth <= found.high
    return hits / repetitions


def true_iqm(distribution):
    """Mean between the quartiles."""
    return float(distribution.ppf(np.linspace(0.25, 0.75, 200_001)).mean())


@pytest.mark.parametrize("seeds", [10, 20])
@pytest.mark.parametrize("distribution", [stats.norm, stats.expon], ids=["normal", "exponential"])
def test_95_percent_intervals_hold_the_truth_95_times_in_100(distribution, seeds):
    """perf/interval_coverage.py has 1,000 repetitions, and more of everything."""
    share = coverage(
        lambda rng: distribution.rvs(size=seeds, random_state=rng),
        true_iqm(distribution),
        lambda values, seed: iqm([values], seed=seed),
        300,
    )
    assert 0.925 <= share <= 0.98  # two standard errors of 300 repetitions around 95 %


class Percentile:
    """The usual interval."""

    def __init__(self, values, seed):
        again = np.random.default_rng(seed).choice(values, (1000, len(values)))
        self.low, self.high = np.quantile(interquartile_mean(again), (0.025, 0.975))


def test_percentile_intervals_would_fail_that():
    """The test above can fail: the usual intervals do, with 5 seeds."""
    share = coverage(
        lambda rng: rng.exponential(size=5), true_iqm(stats.expon), Percentile, 300
    )  # fmt: skip
    assert share < 0.925


@given(
    st.lists(VALUES, min_size=2, max_size=8),
    st.lists(VALUES, min_size=2, max_size=8),
    st.booleans(),
)
def test_improvement_is_what_counting_pairs_gives(values, others, less):
    found = improvement([values], [others], less_is_better=less)
    wins = [(a < b) if less else (a > b) for a in values for b in others]
    ties = [a == b for a in values for b in others]
    assert found.value == pytest.approx(np.mean(wins) + 0.5 * np.mean(ties))
    back = improvement([others], [values], less_is_better=less)
    assert found.value + back.value == pytest.approx(1)
    if found.known:
        assert 0 <= found.low <= found.value <= found.high <= 1
        assert found.low + back.high == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("strata", [1, 3])
def test_many_values_take_what_the_bootstrap_tends_to(monkeypatch, strata):
    rng = np.random.default_rng(strata)
    values = [rng.gamma(1.0 + k, size=1200 // strata) for k in range(strata)]
    limit = iqm(values)
    monkeypatch.setattr(intervals, "MANY", 10**9)
    drawn = iqm(values)
    assert limit.value == drawn.value
    assert limit.high - limit.low == pytest.approx(drawn.high - drawn.low, rel=0.08)
    monkeypatch.setattr(
        intervals, "_AT_ONCE", 1200 * 100
    )  # of one stratum batches are all the same
    assert (iqm(values) == drawn) == (strata == 1)


def test_improvement_is_the_mean_over_problems():
    found = improvement([[0.0, 0.0], [1.0, 1.0, 1.0]], [[1.0], [0.0, 0.0, 1.0]])
    assert found.value == pytest.approx(0.5 * (1.0 + 1 / 6))


def test_clear_wins_are_not_certain():
    found = improvement([np.arange(10)], [np.arange(10) + 100])
    assert found.value == found.high == 1
    assert 0.7 < found.low < 0.9
    more = improvement([np.arange(50)], [np.arange(50) + 100])
    assert more.low > found.low
    assert not improvement([[1.0] * 4], [[2.0] * 9]).known


def test_improvement_needs_the_same_problems():
    with pytest.raises(ValueError, match=r"the same problems, got numbers of runs \[1\] and"):
        improvement([[1.0]], [[1.0], [2.0]])
    with pytest.raises(ValueError, match=r"\[1\] and \[0\]"):
        improvement([[1.0]], [[]])


@pytest.mark.parametrize("shift", [0.0, 1.2])
def test_95_percent_intervals_of_improvement(shift):
    truth = float(stats.norm.cdf(shift / np.sqrt(2)))
    share = coverage(
        lambda rng: (rng.normal(size=10), rng.normal(shift, size=10)),
        truth,
        lambda pair, seed: improvement([pair[0]], [pair[1]]),
        600,
    )
    assert 0.925 <= share <= 0.98


@given(arrays(float, st.integers(5, 12), elements=VALUES))
def test_profiles_count_runs(values):
    limits = np.sort(values)
    share, low, high = performance_profile([values], limits)
    assert_allclose(share, [np.mean(values <= limit) for limit in limits])
    assert share[-1] == 1
    assert (np.diff(share) >= 0).all()
    assert ((low <= share + 1e-9) & (share <= high + 1e-9)).all()


def test_limits_of_a_profile_are_those_of_what_resamples_would_have():
    values = np.arange(40.0)
    limits = np.array([3.0, 19.0, 30.0])
    share, low, high = performance_profile([values], limits)
    for edge, found in ((0.025, low), (0.975, high)):
        assert_allclose(found, stats.binom.ppf(edge, 40, share) / 40, atol=1.01 / 40)
    twice = performance_profile([values, values], limits)
    assert_allclose(twice[0], share)
    assert ((twice[1] > low) & (twice[2] < high)).all()  # two problems tell more than one


def test_problems_count_the_same_in_a_profile():
    share, low, _ = performance_profile([[0.0], [1.0, 1.0, 1.0]], [0.5])
    assert share == 0.5
    assert np.isnan(low)
