import numpy as np

from blox_env.analysis.fronts import Points
from blox_env.analysis.statistics import meets_target, summary, target_of
from blox_env.analysis.targets import missed_target
from blox_env.report.columns import notes
from blox_env.report.story import warning
from tests.experiment.made_up import make_run

FAST, SLOW = {"latency": [4.0, 5.0]}, {"latency": [4.0, 7.0]}
RUNS = [
    make_run([0.5, 0.75], **FAST),
    make_run([0.5, 0.75], seed=1, **SLOW),
    make_run([0.5, 0.75], agent="b", **FAST),
]


def test_the_best_architecture_is_held_against_the_target():
    assert [meets_target(run) for run in RUNS] == [True, False, True]
    missed = missed_target(RUNS, None)
    assert (missed.target_ms, missed.missed, missed.impossible) == (5.0, {"a": (1, 2)}, False)
    assert warning(missed).endswith("does not meet the latency target of 5 ms: a 1 of 2.")
    assert missed_target([RUNS[0], RUNS[2]], None) is None
    assert [(row.agent, row.met, row.target_ms) for row in summary(RUNS)] == [
        ("a", 1, 5.0),
        ("b", 1, 5.0),
    ]
    assert "meets the latency target of 5 ms: a 1 of 2, b 1 of 1." in notes(summary(RUNS))


def test_a_target_that_nothing_meets():
    whole = Points(np.array([6.0, 7.0]), np.array([0.5, 0.9]))
    missed = missed_target(RUNS, whole)
    assert missed.impossible
    assert warning(missed) == (
        "No architecture meets the latency target of 5 ms: the fastest takes 6 ms."
    )


def test_rewards_without_a_target():
    alone = make_run([0.5], device=None, reward="accuracy", latency_target_ms=None)
    plain = make_run([0.5], reward="accuracy")
    for run in (alone, plain):
        assert target_of(run) is None
        assert meets_target(run)
        assert missed_target([run], None) is None
    assert "latency target" not in notes(summary([alone]))
