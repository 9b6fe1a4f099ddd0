import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from blox_env.problem.clock import Clock, schedule

DURATIONS = st.lists(st.integers(0, 50).map(lambda n: n / 4), max_size=40)  # exact in binary


def rows(when):
    return list(zip(when.start_s.tolist(), when.end_s.tolist(), when.worker.tolist(), strict=True))


def test_two_workers_by_hand():
    # worker 0: 0-3, 3-5; worker 1: 0-1, 1-3, then both are free at 3: 0 has the lower number
    assert rows(schedule([3, 1, 2, 2], 2)) == [(0, 3, 0), (0, 1, 1), (1, 3, 1), (3, 5, 0)]


def test_three_workers_by_hand():
    when = schedule([5, 4, 1, 1, 4, 2], 3)
    assert rows(when) == [(0, 5, 0), (0, 4, 1), (0, 1, 2), (1, 2, 2), (2, 6, 2), (4, 6, 1)]


def test_a_call_starts_when_the_one_before_has_ended():
    # of the three that are free at 3, number 2 has been free for longest, then 1
    when = schedule([3, 2, 1, 1], 3, calls=[0, 0, 1, 1])
    assert rows(when) == [(0, 3, 0), (0, 2, 1), (3, 4, 2), (3, 4, 1)]
    assert rows(schedule([3, 2, 1, 1], 1, calls=[0, 0, 1, 1]))[-1] == (6, 7, 0)


def test_no_trainings():
    when = schedule([], 4)
    assert rows(when) == []
    assert when.worker.dtype == np.int64


@given(DURATIONS, st.integers(1, 8), st.data())
def test_what_holds_for_every_schedule(durations, workers, data):
    steps = data.draw(st.lists(st.integers(0, 1), min_size=len(durations), max_size=len(durations)))
    calls = np.cumsum(steps, dtype=int)
    for when, given_calls in (
        (schedule(durations, workers), np.zeros_like(calls)),
        (schedule(durations, workers, calls=calls), calls),
    ):
        assert np.array_equal(when.end_s - when.start_s, durations)  # so work is conserved
        assert set(when.worker.tolist()) <= set(range(workers))
        assert (np.diff(when.start_s) >= 0).all()  # time never runs back
        for worker in range(workers):
            own = when.worker == worker  # one thing after the other
            assert (when.start_s[own][1:] >= when.end_s[own][:-1]).all()
        for call in np.unique(given_calls):
            before, now = given_calls < call, given_calls == call
            assert (when.start_s[now] >= when.end_s[before].max(initial=0)).all()
        if len(durations):
            total = sum(durations)
            assert max(max(durations), total / workers) <= when.end_s.max() <= total


@given(DURATIONS)
def test_one_worker_does_everything_in_order(durations):
    when = schedule(durations)
    assert np.array_equal(when.end_s, np.cumsum(durations))
    assert not when.worker.any()


@given(DURATIONS, st.integers(1, 8))
def test_nobody_idles_while_there_is_work(durations, workers):
    """Whenever a training starts late, all workers were busy until then."""
    when = schedule(durations, workers)
    for number, start in enumerate(when.start_s):
        busy = (when.start_s[:number] < start) & (when.end_s[:number] >= start)
        assert start == 0 or busy.sum() == workers


@given(DURATIONS, st.integers(1, 8), st.integers(1, 40))
@example([1.0, 0.0], 1, 1)
def test_the_limit_cuts_trainings_off(durations, workers, limit):
    clock = Clock(workers, limit / 3600)
    kept = clock.run(durations)
    clock.record(np.ones(int(kept.sum()), bool))
    when = clock.schedule()
    assert (when.end_s <= clock.limit_s).all()
    free = schedule(durations, workers)
    first = int(np.argmin(kept)) if not kept.all() else len(kept)
    assert np.array_equal(when.end_s[:first], free.end_s[:first])
    if not kept.all():  # it would have ended later, or there was no time left to begin it
        late = free.end_s[first] > clock.limit_s
        assert late or free.start_s[first] >= clock.limit_s
    assert clock.run([math.inf] * workers).tolist() == [False] * workers
    assert clock.over


def test_unknown_times_are_allowed_where_they_change_nothing():
    when = schedule([1.0, math.nan, 1.0])
    assert when.start_s[1] == 1
    assert np.isnan(when.end_s[1:]).all()
    for clock in (Clock(2), Clock(1, 1.0)):
        with pytest.raises(ValueError, match="the benchmark says nan"):
            clock.run([math.nan])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"durations": [[1.0]]}, r"shape \(n,\), got \(1, 1\)"),
        ({"durations": [-1.0]}, "the benchmark says -1"),
        ({"durations": [1.0], "workers": 0}, "simulated_workers must be at least 1"),
        ({"durations": [1.0], "workers": 10**9}, "simulated_workers must be at most 1000000"),
        ({"durations": [1.0, 2.0], "calls": [1, 0]}, "none lower than the one before"),
        ({"durations": [1.0, 2.0], "calls": [1]}, "one number a duration"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        schedule(**arguments)


@pytest.mark.parametrize("hours", [0, -1.0, math.inf, math.nan])
def test_bad_limit(hours):
    with pytest.raises(ValueError, match="simulated_hours must be above 0"):
        Clock(1, hours)


def test_work_that_all_share_starts_when_one_is_free():
    clock = Clock(2)
    clock.run([4, 1])
    clock.record(np.ones(2, bool))
    clock.spread(10)  # from 4 on: calls wait for each other
    clock.run([1])
    clock.record(np.ones(1, bool))
    assert clock.schedule().start_s.tolist()[-1] == 9
    for seconds in (-1, math.nan, math.inf):
        with pytest.raises(ValueError, match="seconds must be at least 0"):
            clock.spread(seconds)
