import numpy as np
import pytest

pytest.importorskip("matplotlib")

from blox_env import Problem, search
from blox_env.report.views import history_figure, regret_figure
from tests.experiment.made_up import make_run
from tests.toys import ToyBenchmark


def test_a_panel_a_problem_and_a_line_an_agent():
    runs = [
        make_run([0.2, 0.5 + 0.1 * seed], agent=agent, seed=seed, device=device)
        for agent in ("a", "b")
        for device in ("board", None)
        for seed in range(2)
    ]
    figure = regret_figure(runs)
    shown = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title().split(", ")[1] for axes in shown] == ["no device", "board"]
    assert all(len(axes.get_lines()) >= 2 for axes in shown)
    with pytest.raises(ValueError, match="no runs to draw"):
        regret_figure([])


def test_the_best_so_far_stands_over_every_evaluation():
    history = search(Problem(ToyBenchmark(), budget=12), "random-search", seed=0)
    (axes,) = history_figure(history).axes
    each, best = (line.get_ydata() for line in axes.get_lines()[:2])
    np.testing.assert_array_equal(each, history.reward)
    np.testing.assert_array_equal(best, np.maximum.accumulate(history.reward))
