import pytest

pytest.importorskip("matplotlib")

from blox_env.analysis.scores import REGRET, on_one, yardstick
from blox_env.report import pictures
from tests.experiment.made_up import make_run

RUNS = [
    make_run([level - 0.1, level + 0.01 * seed], latency=[5, 5], agent=agent, seed=seed)
    for agent, level in (("good", 0.8), ("bad", 0.2))
    for seed in range(3)
]


def test_progress_has_a_picture_an_axis_with_words():
    found = pictures.progress(RUNS, yardstick(RUNS), "-x")
    names = [picture.name for picture in found]
    assert len(set(names)) == len(names) > 1
    for picture in found:
        assert picture.name.endswith("-x")
        assert picture.svg.startswith("<svg")
        assert picture.caption.endswith(".")
    assert any("good" in picture.svg and "bad" in picture.svg for picture in found)


def test_agents_are_compared_where_there_are_several():
    pooled = on_one(RUNS, REGRET, yardstick(RUNS))
    names = [picture.name for picture in pictures.compared(pooled, "")]
    assert any(name.startswith("profile") for name in names)
    alone = [run for run in RUNS if run.facts.agent == "good"]
    one = pictures.compared(on_one(alone, REGRET, yardstick(alone)), "")
    assert len(one) < len(names)
