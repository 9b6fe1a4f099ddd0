import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blox_env import Problem, SearchSpace
from tests.toys import ToyBenchmark, ToyDevice, huge_space

SMALL = SearchSpace((3, 4))


def problem(**arguments):
    space = arguments.pop("space", SMALL)
    return Problem(ToyBenchmark(space), ToyDevice(space), **{"budget": 5, **arguments})


BATCHES = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=6),
        st.sampled_from([None, 1, 3, 10]),
    ),
    max_size=8,
)


@settings(deadline=None)
@given(batches=BATCHES, budget=st.integers(1, 8), queries=st.integers(1, 30))
def test_accounting_equals_a_plain_reading_of_the_rules(batches, budget, queries):
    p = problem(budget=budget, max_queries=queries)
    spent, asked, trained, rows = 0.0, 0, {}, []
    for x, epochs in batches:
        trials = p.evaluate(np.array(x), epochs=epochs)
        e = epochs or 10
        for i, row in enumerate(x):
            cost = max(0, e - trained.get(row, 0)) / 10
            within = asked < queries
            asked += within
            stopped = not within or spent + cost > budget + 1e-9
            assert trials.evaluated[i] == (not stopped)
            if stopped:
                assert np.isnan(trials.reward[i])
                continue
            assert trials.cost[i] == pytest.approx(cost)
            assert trials.new[i] == (cost > 0)
            trained[row] = max(e, trained.get(row, 0))
            spent += cost
            if (row, e) not in rows:
                rows.append((row, e))
    assert p.spent == pytest.approx(spent)
    assert p.queries == asked
    found = zip(map(tuple, p.history.x.tolist()), p.history.epochs.tolist(), strict=True)
    assert list(found) == rows
    assert p.history.column("cost").sum() == pytest.approx(spent)
    assert p.done == (
        budget - spent < 0.1 - 1e-9 or asked >= queries or sum(e == 10 for _, e in rows) == 12
    )


def test_a_fraction_left_over_ends_the_search():
    p = problem(budget=2, max_queries=50)
    p.evaluate([[0, 0]], epochs=3)
    calls = 0
    while not p.done:
        p.evaluate([[1, calls % 4]])
        calls += 1
    assert p.spent == pytest.approx(1.3)
    assert calls == 49


def test_partial_trainings_are_not_ranked():
    p = problem()
    p.evaluate(SMALL.all()[:4], epochs=1)
    with pytest.raises(ValueError, match="no full training"):
        assert p.history.best
    p.evaluate(SMALL.all()[:1])
    assert p.history.best.row == 4
    assert np.isneginf(p.history.incumbent()[:4]).all()


def test_own_reward_of_accuracy_alone_needs_no_device():
    p = Problem(ToyBenchmark(SMALL), reward=lambda acc, latency, target: 2 * acc)
    trials = p.evaluate([[0, 0]])
    assert trials.reward[0] == 2 * trials.val_acc[0]


def test_repeats_are_free_and_agree():
    p = problem()
    first = p.evaluate([[1, 2], [1, 2], [0, 0]])
    again = p.evaluate([[1, 2]])
    assert first.new.tolist() == [True, False, True]
    assert again.reward[0] == first.reward[0] == first.reward[1]
    assert (p.spent, p.queries, len(p.history)) == (2.0, 4, 2)


def test_continued_training_costs_the_difference_in_time_too():
    p = problem()
    assert p.evaluate([[1, 1]], epochs=4).train_time_s[0] == pytest.approx(24)
    assert p.evaluate([[1, 1]], epochs=10).train_time_s[0] == pytest.approx(36)
    assert p.spent == pytest.approx(1.0)
    assert p.evaluate([[1, 1]], epochs=2).cost[0] == 0


def test_ends_when_the_space_is_exhausted():
    p = problem(budget=1000)
    p.evaluate(SMALL.all())
    assert p.done
    assert p.spent == 12


def test_space_without_index():
    space = huge_space()
    p = problem(space=space, budget=3)
    x = space.sample(np.random.default_rng(0), 2)
    trials = p.evaluate(np.concatenate([x, x]))
    assert trials.new.tolist() == [True, True, False, False]
    with pytest.raises(ValueError, match="too large"):
        p.optimum()


def test_defaults_follow_the_device():
    benchmark, device = ToyBenchmark(SMALL), ToyDevice(SMALL)
    bare = Problem(benchmark)
    assert bare.reward_name == "accuracy"
    assert np.isnan(bare.evaluate([[0, 0]]).latency_ms[0])
    full = Problem(benchmark, device)
    assert full.reward_name == "mnasnet"
    assert full.latency_target_ms == np.median(device.latency_ms(SMALL.all()))
    assert full.provides == {"curves", "table", "latency"}


def test_optimum_is_the_best_of_all():
    p = problem(budget=100)
    row, reward = p.optimum()
    assert p.spent == 0
    assert p.evaluate(SMALL.all()).reward.max() == reward == p.peek(row).reward[0]


def test_sampled_noise_repeats():
    a, b, c = (
        problem(noise="sampled", seed=s).evaluate([[1, 1], [2, 2]]).val_acc for s in (1, 1, 2)
    )
    assert a.tolist() == b.tolist() != c.tolist()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"budget": 0}, ValueError, "budget must be at least 1, got 0"),
        ({"budget": 2.5}, TypeError, "budget must be a whole number, got 2.5"),
        ({"max_queries": 0}, ValueError, "max_queries must be at least 1"),
        ({"reward": "mnasnett"}, ValueError, "did you mean 'mnasnet'"),
        ({"noise": "some"}, ValueError, "unknown noise 'some'"),
        ({"latency_target_ms": -1}, ValueError, "latency_target_ms must be above 0, got -1"),
        ({"keep": False}, ValueError, "keeps a history"),
        ({"keep": False, "budget": None, "max_queries": 3}, ValueError, "needs a history"),
        ({"seed": -1}, ValueError, "seed must be at least 0, got -1"),
    ],
)
def test_bad_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        problem(**arguments)


def test_unknown_names_get_a_suggestion():
    with pytest.raises(ValueError, match=r"unknown benchmark 'digit'.*did you mean 'digits'"):
        Problem("digit")
    with pytest.raises(ValueError, match=r"unknown device 'x86-ort'.*did you mean 'x86-ort-1t'"):
        Problem(ToyBenchmark(), "x86-ort")
    with pytest.raises(ValueError, match="needs a device"):
        Problem(ToyBenchmark(), None, reward="mnasnet")
    with pytest.raises(ValueError, match="for the space"):
        Problem(ToyBenchmark(), ToyDevice(SMALL))


def test_epochs_are_checked():
    with pytest.raises(ValueError, match=r"epochs must be in 1 … 10, got 11"):
        problem().evaluate([[0, 0]], epochs=11)
    with pytest.raises(ValueError, match="epochs must be at least 1"):
        problem().evaluate([[0, 0]], epochs=0)


def test_a_notebook_shows_what_is_asked():
    p = Problem("digits", "x86-ort-1t", "mnasnet", budget=7)
    shown = p._repr_html_()
    for words in ("benchmark digits", "device x86-ort-1t", "0 of 7 evaluations"):
        assert words in shown
        assert words in repr(p)
    assert shown.count("<li>") == shown.count("</li>") == 5
