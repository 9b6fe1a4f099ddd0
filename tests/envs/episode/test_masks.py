"""Masks against a plain search over all completions."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blox_env import BloxSpace, Problem, SearchSpace
from blox_env.envs.edit_env import BloxEditVectorEnv
from blox_env.envs.episode import masks as masks_module
from blox_env.envs.episode.decisions import Decisions
from blox_env.envs.episode.masks import Masks
from blox_env.envs.vector_env import BloxVectorEnv
from blox_env.spaces import BloxXLSpace, DartsSpace
from tests.toys import BoundedDevice, ToyBenchmark, ToyDevice, huge_space


class OddDevice(ToyDevice):
    """Latencies without any order."""

    def latency_ms(self, x):
        return 1.0 + np.modf(np.sin(self.space.check(x) @ [12.9, 78.2, 37.7]) * 43758.5)[0] ** 2


def plain(decisions, device, budget, number, row, choices):
    """Allowed actions of a decision, found by completing the architecture in every way."""
    space = decisions.space
    slot = decisions.steps[number].slot
    table = decisions.tables[slot]
    allowed = []
    for action in range(decisions.actions):
        if action >= decisions.steps[number].choices:
            allowed.append(0)
            continue
        options = np.unique(table[(*choices, action)])
        rows = [
            [*row[:slot], option, *rest]
            for option in options
            if option >= 0
            for rest in itertools.product(*map(range, space.options[slot + 1 :]))
        ]
        fits = len(rows) > 0 and (budget is None or device.latency_ms(rows).min() <= budget)
        allowed.append(int(fits))
    return allowed


class Pairs(SearchSpace):
    """Slots whose options are chosen in two parts, some of which make none."""

    def operation_tables(self):
        return [np.array([[0, -1, 1], [2, 3, -1]])] * self.slots


@settings(max_examples=60)
@given(
    granularity=st.sampled_from(["block", "operation"]),
    share=st.sampled_from([None, 0.0, 0.05, 0.3, 1.0]),
    data=st.data(),
)
def test_masks_equal_a_plain_search(granularity, share, data):
    space = Pairs((4, 4, 4))
    device = OddDevice(space)
    latencies = np.sort(device.latency_ms(space.all()))
    budget = None if share is None else float(latencies[int(share * (len(latencies) - 1))])
    decisions = Decisions(space, granularity)
    masks = Masks(decisions, device, budget)
    rows = np.zeros((1, 3), dtype=np.int64)
    prefix, choices = 0, []
    for number, step in enumerate(decisions.steps):
        expected = plain(decisions, device, budget, number, rows[0], choices)
        assert masks.of(number, rows, np.array([prefix]))[0].tolist() == expected
        assert masks.one(number, rows[0], prefix).tolist() == expected
        assert any(expected)  # whoever keeps to the masks gets to the end
        action = data.draw(st.sampled_from(np.flatnonzero(expected).tolist()))
        prefix, choices = prefix * step.choices + action, [*choices, action]
        if step.option is not None:
            rows[0, step.slot] = step.option[prefix]
            prefix, choices = 0, []
    assert masks.feasible(rows)[0]


def test_bounds_are_used_where_nothing_can_be_listed(monkeypatch):
    space = SearchSpace((5, 4, 6))
    device = BoundedDevice(space)
    decisions = Decisions(space)
    exact = Masks(decisions, device, 2.15)
    monkeypatch.setattr(masks_module, "LISTABLE", 1)
    bounded = Masks(decisions, device, 2.15)
    assert bounded.bounded
    assert not exact.bounded
    rng = np.random.default_rng(0)
    rows, none = space.sample(rng, 200), np.zeros(200, np.int64)
    looser = 0
    for number in range(3):
        wide, narrow = bounded.of(number, rows, none), exact.of(number, rows, none)
        assert (wide >= narrow).all()  # a bound allows more, never less
        looser += (wide > narrow).sum()
    assert looser > 0
    assert (bounded.whole >= exact.whole).all()


def test_huge_spaces_need_bounds():
    space = huge_space()
    with pytest.raises(ValueError, match="with slot_bounds_ms"):
        Masks(Decisions(space), ToyDevice(space), 5.0)
    with pytest.raises(ValueError, match=r"at least the 1\.9 ms"):
        Masks(Decisions(space), BoundedDevice(space), 1.0)


def test_masks_of_blox_operations():
    decisions = Decisions(BloxSpace(), "operation")
    assert (len(decisions), decisions.actions) == (9, 8)
    masks = Masks(decisions)
    rows = np.zeros((9, 3), np.int64)
    assert masks.of(0, rows, np.zeros(9, np.int64)).sum() == 9 * 3
    assert masks.of(2, rows, np.arange(9)).tolist() == [[0, 1, 1, 1, 1, 1, 1, 1]] * 9


LIMITS = {"params": 2.1e6, "memory_mb": 9.2, "macs": 1.6e8}


@pytest.mark.parametrize("granularity", ["block", "operation"])
def test_bounds_of_sizes_are_exact(monkeypatch, granularity):
    """The same masks as by listing the space."""
    problem = Problem("digits", None, constraints=LIMITS)
    assert 0 < problem.candidates.count < 0.2 * problem.space.size
    decisions = Decisions(problem.space, granularity)
    listed = Masks(decisions, candidates=problem.candidates)
    monkeypatch.setattr(masks_module, "LISTABLE", 1)
    bounded = Masks(decisions, constraints=problem.constraints)
    assert bounded.worked_out
    assert not bounded.bounded  # nothing that they allow breaks a limit
    np.testing.assert_array_equal(bounded.whole, listed.whole)
    rows = problem.space.sample(np.random.default_rng(0), 300)
    np.testing.assert_array_equal(bounded.feasible(rows), problem.candidates.contains(rows))
    for number, step in enumerate(decisions.steps):
        prefix = np.random.default_rng(number).integers(0, len(step.allowed), len(rows))
        np.testing.assert_array_equal(
            bounded.of(number, rows, prefix), listed.of(number, rows, prefix)
        )


@pytest.mark.parametrize(
    ("space", "limits"),
    [
        (DartsSpace(), {"params": 6e5, "macs": 1.0e8}),
        (BloxXLSpace(), {"params": 4.5e6, "macs": 4.0e8, "memory_mb": 18.0}),
    ],
)
@pytest.mark.parametrize("granularity", ["block", "operation"])
def test_episodes_in_large_spaces_end_within_the_constraints(space, limits, granularity):
    problem = Problem(ToyBenchmark(space), None, constraints=limits, keep=False)
    drawn = space.sample(np.random.default_rng(0), 2000)
    assert problem.constraints.within(drawn).mean() < 0.05
    env = BloxVectorEnv(num_envs=16, problem=problem, granularity=granularity)
    _, info = env.reset(seed=0)
    rng, ended = np.random.default_rng(0), []
    while len(ended) < 32:
        scores = rng.random(info["action_mask"].shape) * info["action_mask"]
        _, _, terminated, _, info = env.step(scores.argmax(axis=1))
        if terminated.any():
            assert "invalid" not in info
            ended += info["arch"][terminated].tolist()
    assert problem.constraints.within(np.array(ended)).all()
    edits = BloxEditVectorEnv(num_envs=16, problem=problem)
    _, info = edits.reset(seed=0)
    assert problem.constraints.within(info["arch"]).all()


def test_a_constraint_without_a_bound_is_named():
    space = huge_space()

    class Counted(ToyBenchmark):
        columns = ("params",)

        def column(self, name, x, **_):
            return np.full(len(x), 1.0)

    for constraints, device in (({"params": 2.0}, None), ({"latency_ms": 5.0}, ToyDevice(space))):
        name = next(iter(constraints))
        problem = Problem(Counted(space), device, constraints=constraints, keep=False)
        with pytest.raises(ValueError, match=f"masks of constraint {name!r} need a space that can"):
            BloxVectorEnv(num_envs=1, problem=problem)
        BloxVectorEnv(num_envs=1, problem=problem, enforce_constraints=False)
    limits = {"latency_ms": 3.0}
    problem = Problem(Counted(space), BoundedDevice(space), constraints=limits, keep=False)
    assert BloxVectorEnv(num_envs=1, problem=problem).rules.masks.bounded
