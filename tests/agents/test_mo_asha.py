"""Fronts and promotions against plain references, what is paid, simulated workers."""

import numpy as np
import pytest

from blox_env import Problem, SearchSpace, search
from blox_env.agents.mo_asha import Ladder, Rung, Training, best_of, fronts, spread
from blox_env.problem.clock import Clock
from tests.toys import ToyBenchmark, ToyDevice, huge_space

BOTH = ("val_acc", "latency_ms")


def toy(budget=40, space=None, **arguments):
    return Problem(
        ToyBenchmark(space), ToyDevice(space), **{"budget": budget, "objectives": BOTH, **arguments}
    )


def reference_fronts(values):
    """Front after front, pair by pair."""
    left, found = list(range(len(values))), []
    while left:
        first = [
            i
            for i in left
            if not any(
                (values[j] >= values[i]).all() and (values[j] > values[i]).any() for j in left
            )
        ]
        found.append(first)
        left = [i for i in left if i not in first]
    return found


def reference_order(values, most):
    """The best places, best first: each next one of a front is the farthest from those before."""
    width = np.ptp(values, axis=0)
    scaled = values / np.where(width > 0, width, 1)
    order = []
    for inside in reference_fronts(values):
        taken = [max(inside, key=lambda i: (values[i, 0], -i))]
        while len(taken) < len(inside):
            rest = [i for i in inside if i not in taken]
            near = [min(np.sum((scaled[i] - scaled[j]) ** 2) for j in taken) for i in rest]
            taken.append(rest[int(np.argmax(near))])
        order += taken
    return order[:most]


@pytest.mark.parametrize("seed", range(6))
def test_fronts_are_those_of_the_definition(seed):
    values = np.random.default_rng(seed).integers(0, 5 + 5 * seed, (40, 2)).astype(float)  # ties
    assert [sorted(places.tolist()) for places in fronts(values)] == reference_fronts(values)


@pytest.mark.extra
def test_fronts_of_three_objectives():
    pytest.importorskip("moocore")
    values = np.random.default_rng(0).random((40, 3))
    assert [sorted(places.tolist()) for places in fronts(values)] == reference_fronts(values)


@pytest.mark.parametrize("objectives", [1, 2])
@pytest.mark.parametrize("most", [1, 7, 20, 60])
def test_the_best_are_taken_in_the_order_of_the_reference(objectives, most):
    values = np.random.default_rng(most).random((60, objectives)) * [1.0, 30.0][:objectives]
    asked, taken = np.ones(60, bool), []
    while (place := best_of(values, most, asked)) is not None:
        taken.append(place)
        asked[place] = False
    assert taken == reference_order(values, most)
    assert len(taken) == most


def test_an_epsilon_net_begins_with_the_best_and_goes_where_nothing_is():
    line = np.array([[0.0, 4.0], [1.0, 3.0], [2.0, 2.0], [4.0, 0.0]])
    assert spread(line, 4).tolist() == [3, 0, 2, 1]
    assert spread(np.ones((3, 2)), 3).tolist() == [0, 1, 2]


def test_a_rung_lets_its_best_share_go_on_once():
    rung = Rung()
    for k, values in enumerate([(1, 1), (3, 3), (2, 2), (0, 0), (5, 0), (1, 4)]):
        rung.add((k,), np.array(values, dtype=float))
    assert [rung.take(1 / 3) for _ in range(3)] == [(4,), (5,), None]  # of the front 1, 4 and 5
    rung.add((6,), np.array([9.0, 9.0]))
    assert rung.take(1 / 3) == (6,)
    assert rung.take(1 / 3) is None
    assert rung.take(1.0) == (1,)


def test_every_training_goes_on_from_the_best_share_of_its_rung(monkeypatch):
    """Whatever went on by the rules was, by the reference, among the best of that moment."""
    seen = []
    take = Rung.take

    def watched(self, share):
        before = list(self.gone)
        row = take(self, share)
        if share < 1 and self.rows:
            order = reference_order(np.array(self.values), int(len(self.rows) * share + 1e-9))
            waiting = [self.rows[k] for k in order if not before[k]]
            assert row == (waiting[0] if waiting else None)
            seen.append(row)
        return row

    monkeypatch.setattr(Rung, "take", watched)
    problem = toy(12)
    history = search(problem, "mo-asha", seed=0)
    assert sum(row is not None for row in seen) > 15
    counts = {length: int((history.epochs == length).sum()) for length in (1, 3, 10)}
    assert counts[1] > counts[3] > counts[10] > 0
    assert sum(counts.values()) == len(history)


@pytest.mark.parametrize("budget", [1, 2, 7])
def test_a_small_budget_is_spent_to_its_end_on_full_trainings(budget):
    problem = toy(budget)
    history = search(problem, "mo-asha", seed=0, options={"min_epochs": 2})
    assert problem.spent == pytest.approx(budget)
    assert history.column("cost").sum() == pytest.approx(budget)
    assert (history.epochs == 10).any()


def test_nothing_new_begins_where_it_cannot_be_finished():
    ladder = Ladder(toy(1), [1, 3, 10], 3.0, np.random.default_rng(0))
    first = ladder._one(10)
    assert first is not None
    assert (first.before, first.epochs) == (0, 1)
    ladder.pending += 1
    assert ladder._one(9) is None  # waits for the one that is under way
    ladder.tell(first, np.array([0.5, -1.0]))
    assert ladder._one(9) == Training(first.row, 1, 3)


@pytest.mark.parametrize(
    "names",
    [
        "val_acc",
        BOTH,
        pytest.param(("val_acc", "latency_ms", "params"), marks=pytest.mark.extra),
    ],
)
def test_one_objective_and_several(names):
    if len(names) == 3:
        pytest.importorskip("moocore")
    history = search(toy(objectives=names), "mo-asha", seed=0, options={"batch": 3})
    assert history.column("cost").sum() == pytest.approx(40)
    begun = history.x[history.epochs == 1]
    assert len(np.unique(begun, axis=0)) == len(begun)


@pytest.mark.extra  # moocore
def test_it_finds_more_hypervolume_than_random_search():
    space = SearchSpace((6,) * 4)
    for seed in range(3):
        volume = {}
        for agent in ("mo-asha", "random-search"):
            problem = toy(40, space)
            history = search(problem, agent, seed=seed)
            volume[agent] = problem.hypervolume(x=history.x[history.epochs == 10])
        assert volume["mo-asha"] > volume["random-search"]


def test_a_batch_is_evaluated_in_few_calls():
    calls = {}
    for batch in (1, 8):
        problem = toy(20)
        rows = len(search(problem, "mo-asha", seed=0, options={"batch": batch}))
        calls[batch] = problem.benchmark.batches / rows
    assert calls[1] == 1
    assert calls[8] < 1 / 2  # up to eight trainings of up to three lengths


def test_a_small_space_is_trained_to_its_end_and_a_huge_one_is_sampled():
    small = toy(10**4, SearchSpace((4, 4, 4)))
    search(small, "mo-asha", seed=0)
    assert small.spent == pytest.approx(64)
    huge = toy(20, huge_space())
    history = search(huge, "mo-asha", seed=0)
    assert huge.spent == pytest.approx(20)
    assert (history.epochs == 10).sum() > 2


def test_workers_do_not_wait_for_each_other_and_nothing_is_known_too_early():
    """A training starts at or after the end of what it goes on with, and workers are all busy."""
    problem = toy(40, clock=Clock(4))
    history = search(problem, "mo-asha", seed=0)
    plan = problem.clock.schedule()
    ends = {}
    for k, row in enumerate(map(tuple, history.x.tolist())):
        assert plan.start_s[k] >= ends.get(row, 0.0) - 1e-9
        ends[row] = plan.end_s[k]
    busy = (plan.end_s - plan.start_s).sum() / (4 * plan.end_s.max())
    assert busy > 0.9
    assert problem.spent == pytest.approx(40)
    again = search(toy(40, clock=Clock(4)), "mo-asha", seed=0)
    assert again.x.tolist() == history.x.tolist()
    alone = toy(40, clock=Clock(1))
    assert (
        search(alone, "mo-asha", seed=0).x.tolist() == search(toy(40), "mo-asha", seed=0).x.tolist()
    )


def test_workers_that_are_free_before_anything_is_known_begin_with_something_new():
    problem = toy(40, clock=Clock(50))
    history = search(problem, "mo-asha", seed=0)
    plan = problem.clock.schedule()
    assert (plan.start_s[:50] == 0).all()
    assert (history.epochs[:50] == 1).all()
    assert history.epochs[50] == 3
    assert plan.start_s[50] == plan.end_s[:50].min()


def test_a_limit_of_simulated_time_ends_the_search():
    problem = toy(100, clock=Clock(3, hours=0.1))
    search(problem, "mo-asha", seed=0)
    assert problem.done
    assert 0 < problem.spent < 100
    assert problem.clock.schedule().end_s.max() <= 360


@pytest.mark.parametrize("options", [{"eta": 1.0}, {"min_epochs": 0}, {"batch": 0}])
def test_impossible_options_are_errors(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        search(toy(), "mo-asha", options=options)
