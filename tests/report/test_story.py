import pytest

from blox_env.analysis.scores import REGRET, on_one, yardstick
from blox_env.analysis.verdicts import Verdict
from blox_env.report.story import compared, conclusions, sentence
from tests.experiment.made_up import make_run


def runs_of(**levels):
    return [
        make_run([level + 0.01 * seed], latency=[5], agent=agent.replace("_", "-"), seed=seed)
        for agent, values in levels.items()
        for seed, level in enumerate(values)
    ]


CLEAR = runs_of(random_search=[0.1] * 10, good=[0.8] * 10, bad=[0.0] * 10, same=[0.1] * 10)


def test_conclusions_have_their_uncertainty():
    lines = conclusions(CLEAR, yardstick(CLEAR))
    assert lines[0].startswith("good has the lowest simple regret, 0.1")
    assert "95 % interval" in lines[0]
    (better,) = [line for line in lines if line.startswith("good is better than random-search")]
    assert "with probability 1.00 (95 % interval 0." in better
    assert any("same and random-search cannot be told apart" in line for line in lines)
    assert any("bad is worse than random-search" in line for line in lines)
    assert any("inference regret" in line for line in lines)
    assert any("not widened for the number of comparisons" in line for line in lines)


def test_few_runs_get_no_verdict():
    runs = runs_of(random_search=[0.1] * 3, good=[0.8] * 3)
    lines = conclusions(runs, yardstick(runs))
    assert any("have too few runs to tell" in line for line in lines)
    assert any("fewer than 5 runs" in line for line in lines)
    assert not any("95 %" in line or "better than" in line for line in lines)


def test_one_agent_has_nothing_to_be_compared_with():
    runs = runs_of(alone=[0.1] * 6)
    assert conclusions(runs, yardstick(runs)) == []


@pytest.mark.parametrize(
    ("runs", "text"),
    [
        (CLEAR[:20], "2 agents (good, random-search), 10 runs each, a budget of 1 full"),
        (CLEAR[:3], "One agent (random-search), 3 runs each"),
        (CLEAR[5:12], "2 agents (good, random-search), 2 to 5 runs each"),
    ],
)
def test_what_was_compared(runs, text):
    said = compared(runs)
    assert said.startswith(text)
    assert "the reward is mnasnet with a latency target of 5 ms" in said


def test_equal_runs_have_no_interval_in_words():
    runs = runs_of(random_search=[0.1] * 6)
    runs += [make_run([1.0], latency=[5], agent="perfect", seed=s) for s in range(6)]
    first = conclusions(runs, yardstick(runs))[0]
    assert "perfect has the lowest simple regret, 0 in the" in first
    assert "(the middle half of them are equal)" in first


def test_a_verdict_says_who_is_who():
    pooled = on_one(CLEAR, REGRET, yardstick(CLEAR))
    back = Verdict.of(pooled, "random-search", "good")
    assert back.word == "worse"
    assert sentence(back).startswith("random-search is worse than good: a run of it beats one")
