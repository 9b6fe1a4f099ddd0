import pytest

pytest.importorskip("matplotlib")

from blox_env import SearchSpace
from blox_env.experiment.sweep import sweep
from blox_env.report.sweep_figure import sweep_figure
from tests.toys import ToyBenchmark, ToyDevice

SPACE = SearchSpace((6, 5, 4), name="small")


def test_formulas_that_fill_no_row_leave_room_for_the_legend():
    found = sweep(
        ToyBenchmark(SPACE), ToyDevice(SPACE), ["0.25", "3.5ms"],
        ["accuracy", "mnasnet", "tunas", "linear", "constraint"],
    )  # fmt: skip
    figure = sweep_figure(found)
    shown = [axes for axes in figure.axes if axes.axison]
    assert [axes.get_title() for axes in shown] == list(found.rewards)
    assert len(figure.axes) == 8
    legend = figure.axes[-1].get_legend()
    labels = [text.get_text() for text in legend.get_texts()]
    assert "Pareto front" in labels
    assert "target 3.5 ms, its optimum" in labels
    for axes in shown:  # a vertical line a target
        vertical = [line for line in axes.get_lines() if len(set(line.get_xdata())) == 1]
        assert len([v for v in vertical if len(v.get_xdata()) == 2]) == 2
