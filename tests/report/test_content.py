import pytest

pytest.importorskip("matplotlib")

from blox_env.report.content import again, together
from tests.experiment.made_up import make_run


def test_the_call_has_only_what_is_not_the_default():
    runs = [make_run([0.5, 0.75], agent=agent, seed=seed) for agent in "ab" for seed in range(2)]
    found = again(runs)
    assert found.call.splitlines() == [
        "import blox_env",
        "",
        "blox_env.compare(",
        "    agents=['a', 'b'],",
        "    benchmarks=['toy'],",
        "    devices=['board'],",
        "    seeds=2,",
        "    budget=2,",
        "    reward='mnasnet',",
        "    latency_target_ms=5.0,",
        "    out='runs/again',",
        ")",
    ]


def test_targets_of_several_devices_are_their_own():
    runs = [make_run([0.5]), make_run([0.5], device="phone", latency_target_ms=7.0)]
    assert "latency_target_ms" not in again(runs).call


def test_options_and_seeds_of_another_experiment_are_said():
    run = make_run([0.5], options={"batch": 3}, seed=1)
    found = again([run])
    assert "options={'a': {'batch': 3}}" in found.call
    assert found.seeds == ["1: 0"]
    assert not found.default_seed


def test_one_problem_needs_no_section_about_all():
    from blox_env.analysis.scores import REGRET, on_one, yardstick

    runs = [make_run([0.5])]
    assert together(on_one(runs, REGRET, yardstick(runs))) is None
