"""Answers against the exact ones."""

import numpy as np
import pytest

import blox_env
from blox_env.policies import exact_answers, judge_policy, load_policy, random_answers

TARGETS = [3.2, 4.0, 5.0, 40.0]


@pytest.fixture
def policy(make):
    return load_policy(make())


class Knowing:
    """Stands for a policy with answers that are given."""

    def __init__(self, policy, rows):
        self.environment, self.space, self.reference = policy.environment, policy.space, None
        self.name, self.rows = policy.name, rows

    def propose(self, targets, *, device, margin):
        return type("Answers", (), {"x": self.rows})


def test_exact_answers_are_those_of_the_problem(policy):
    rows = exact_answers(policy, TARGETS)
    for row, target in zip(rows, TARGETS, strict=True):
        problem = blox_env.Problem("digits", "x86-ort-1t", "constraint", latency_target_ms=target)
        assert problem.regret(row[None]) == 0
    judged = judge_policy(Knowing(policy, rows), TARGETS)
    assert judged.exact.all()
    assert judged.within.all()
    summary = judged.summary()
    assert (summary["exact"], summary["mean_regret"], summary["targets"]) == (1, 0, 4)
    assert summary["excess"] is summary["accuracy_lacking"] is None


def test_answers_are_judged_by_the_tables(policy):
    rows = policy.space.from_index(np.array([5, 70_000, 90_000, 12]))
    judged = judge_policy(Knowing(policy, rows), TARGETS)
    latency = blox_env.load_device("x86-ort-1t").latency_ms(rows)
    val_acc = blox_env.load_benchmark("digits").evaluate(rows).val_acc
    np.testing.assert_allclose(judged.excess, np.maximum(latency / TARGETS - 1, 0))
    np.testing.assert_array_equal(judged.within, latency <= TARGETS)
    expected = np.where(latency <= TARGETS, val_acc, 1 - latency / TARGETS)
    np.testing.assert_allclose(judged.reward, expected)
    assert (judged.regret >= 0).all()
    summary = judged.summary()
    assert summary["within"] == np.mean(latency <= TARGETS)
    if not judged.within.all():
        assert summary["excess"] == pytest.approx(judged.excess[~judged.within].mean())


def test_more_tries_are_no_worse(policy):
    few = random_answers(policy, TARGETS, np.random.default_rng(0))
    many = random_answers(policy, TARGETS, np.random.default_rng(0), tries=300)
    assert many.reward.mean() > few.reward.mean()
    assert (many.regret >= 0).all()


def test_the_device_may_be_another(make):
    policy = load_policy(make("device"))
    judged = judge_policy(policy, [4.0, 5.0], device="x86-torch-1t")
    own = policy.propose([4.0, 5.0], device="x86-torch-1t").x
    reached = blox_env.load_device("x86-torch-1t").latency_ms(own)
    np.testing.assert_array_equal(judged.within, reached <= [4.0, 5.0])
    with pytest.raises(ValueError, match="made-up needs a device"):
        judge_policy(policy, [4.0])
