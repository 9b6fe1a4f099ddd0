import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from blox_env import (
    BloxVectorEnv,
    MOBloxEnv,
    Problem,
    wrappers,
)
from tests.wrappers.building import TOYS, build


def test_limit_equals_the_budget_of_a_problem():
    rng = np.random.default_rng(0)
    problem = Problem(**TOYS, budget=30)
    plain = BloxVectorEnv(8, problem=problem, autoreset_mode="SameStep")
    env = wrappers.EvaluationLimitVector(BloxVectorEnv(8, **TOYS, autoreset_mode="SameStep"), 30)
    for one in (plain, env):
        one.reset(seed=0)
    for _ in range(30):
        actions = rng.integers(3, size=8)
        ours, theirs = env.step(actions), plain.step(actions)
        for a, b in zip(ours[1:4], theirs[1:4], strict=True):
            np.testing.assert_array_equal(a, b)
        final, expected = (s[4].get("final_info", {}) for s in (ours, theirs))
        assert final.keys() == expected.keys()
        for key in final.keys() - {"train_time_s"}:  # a problem knows that repeats take none
            np.testing.assert_array_equal(final[key], expected[key])
    assert env.evaluations.spent == problem.spent > 20
    for _ in range(60):
        env.step(rng.integers(45, size=8))
    assert env.evaluations.spent == 30
    assert env.evaluations.done


def test_limit_tells_nothing_of_what_is_not_paid():
    env = wrappers.EvaluationLimit(MOBloxEnv(**TOYS, reward="constraint"), 1)
    assert build(env, (1, 2, 3))[2:4] == (True, False)
    _, reward, terminated, truncated, info = build(env, (1, 2, 44))
    assert reward.tolist() == [0, 0]
    assert reward.dtype == np.float32
    assert (terminated, truncated) == (False, True)
    numbers = {"val_acc", "train_time_s", "latency_ms"}
    assert info.keys() == {"action_mask", "cost", "budget_spent", *numbers}
    assert all(np.isnan(info[key]) for key in numbers)
    assert info["cost"] == 0
    assert build(env, (1, 2, 3))[4]["val_acc"] > 0  # free


@given(rows=arrays(np.int64, (30, 2), elements=st.integers(0, 4)), budget=st.integers(1, 12))
def test_a_batch_is_paid_as_its_rows_one_by_one(rows, budget):
    whole, single = wrappers.Evaluations(budget), wrappers.Evaluations(budget)
    parts = np.concatenate([whole.pay(rows[:7]), whole.pay(rows[7:])])
    alone = [bool(single.pay(row[None])[0]) for row in rows]
    assert parts.tolist() == alone
    distinct = len(np.unique(rows, axis=0))
    assert whole.spent == single.spent == min(budget, distinct)
