import numpy as np
import pytest

pytest.importorskip("matplotlib")

import blox_env
from blox_env.report.views import history_figure, regret_figure
from tests.experiment.made_up import make_run
from tests.toys import ToyBenchmark


def test_a_history_shows_every_reward_and_the_best_so_far():
    history = blox_env.search(
        blox_env.Problem(ToyBenchmark(), None, budget=12), "random-search", seed=0
    )
    (axes,) = history.plot().axes
    every, best = axes.lines
    np.testing.assert_array_equal(every.get_ydata(), history.reward)
    np.testing.assert_array_equal(best.get_ydata(), np.maximum.accumulate(history.reward))
    np.testing.assert_array_equal(best.get_xdata(), np.arange(1, 13))
    assert history_figure(history).axes[0].get_ylabel() == "reward"


def test_runs_have_a_panel_a_problem_and_a_line_an_agent():
    runs = [
        make_run([0.5, 0.75], agent=agent, device=device)
        for agent in ("a", "b")
        for device in ("board", "phone")
    ]
    panels = regret_figure(runs).axes
    assert [axes.get_title() for axes in panels] == [
        "benchmark toy, board, reward mnasnet",
        "benchmark toy, phone, reward mnasnet",
    ]
    assert all(len(axes.lines) == 2 for axes in panels)
    np.testing.assert_allclose(panels[0].lines[0].get_ydata(), [0.5, 0.25])
    with pytest.raises(ValueError, match="there are no runs to draw"):
        regret_figure([])
