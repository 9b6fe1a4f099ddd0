from blox_env.analysis.scores import REGRET, on_one, yardstick
from blox_env.analysis.verdicts import BASELINE, baseline, verdicts
from blox_env.report.story import conclusions
from tests.experiment.made_up import make_run


def runs_of(**levels):
    return [
        make_run([level + 0.01 * seed], latency=[5], agent=agent.replace("_", "-"), seed=seed)
        for agent, values in levels.items()
        for seed, level in enumerate(values)
    ]


CLEAR = runs_of(random_search=[0.1] * 10, good=[0.8] * 10, bad=[0.0] * 10, same=[0.1] * 10)


def test_verdicts_are_to_random_search():
    pooled = on_one(CLEAR, REGRET, yardstick(CLEAR))
    assert baseline(pooled) == BASELINE
    found = {v.agent: v.word for v in verdicts(pooled)}
    assert found == {"good": "better", "bad": "worse", "same": "unclear"}


def test_without_random_search_they_are_to_the_best():
    runs = runs_of(a=[0.1] * 10, b=[0.5] * 10)
    pooled = on_one(runs, REGRET, yardstick(runs))
    assert baseline(pooled) == "b"
    assert [(v.agent, v.word) for v in verdicts(pooled)] == [("a", "worse")]
    text = " ".join(conclusions(runs, yardstick(runs)))
    assert "b was chosen as the best by these same runs" in text
