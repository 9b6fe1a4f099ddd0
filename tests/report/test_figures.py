import itertools

import numpy as np
import pytest

from blox_env.analysis.curves import EVALUATIONS, WALL, Curve
from blox_env.analysis.intervals import Estimate, thresholds
from blox_env.report.figures import curves_figure, improvement_figure, profile_figure
from blox_env.report.vector import files


def curve(values):
    values = np.array(values, dtype=float)
    x = np.arange(1.0, len(values) + 1)
    return Curve(x, values, values, values, 5)


pytest.importorskip("matplotlib")


@pytest.mark.parametrize(
    ("regret", "scale"),
    [([0.5, 0.0], "symlog"), ([0.0, 0.0], "linear"), ([0.5, np.nan], "symlog")],
)
def test_a_regret_of_zero_is_in_the_picture(regret, scale):
    figure = curves_figure({"a": curve(regret)}, EVALUATIONS, label="simple regret")
    (axes,) = figure.axes
    assert axes.get_yscale() == scale
    if 0.0 in regret:
        low, high = axes.get_ylim()
        assert low < 0 < high
    (line,) = axes.get_lines()
    np.testing.assert_array_equal(line.get_ydata(), regret)


def test_axes_say_what_they_are():
    (axes,) = curves_figure({"a": curve([0.5])}, WALL, label="simple regret").axes
    assert axes.get_xlabel() == "wall time of the search (seconds)"
    assert axes.get_ylabel() == "simple regret"
    (axes,) = curves_figure({"a": curve([0.5])}, EVALUATIONS, label="x", logarithmic=False).axes
    assert axes.get_yscale() == "linear"


def test_agents_differ_in_more_than_their_colour():
    found = {name: curve([0.5, 0.25]) for name in "abcdefghijkl"}
    (axes,) = curves_figure(found, EVALUATIONS, label="x").axes
    looks = {(line.get_color(), str(line._dash_pattern)) for line in axes.get_lines()}
    assert len(looks) == 12
    neighbours = [str(line._dash_pattern) for line in axes.get_lines()]
    assert all(a != b for a, b in itertools.pairwise(neighbours))


def test_improvement_without_an_interval_is_a_point():
    found = {"a": Estimate(0.9, 0.6, 0.95, 9), "b": Estimate(0.4, np.nan, np.nan, 3)}
    (axes,) = improvement_figure(found, "random-search").axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    assert "random-search" in axes.get_xlabel()
    segments = [c.get_segments()[0] for c in axes.collections]
    assert len(segments) == 1
    np.testing.assert_allclose(segments[0][:, 0], [0.6, 0.95])


def test_thresholds_of_profiles():
    limits, logarithmic = thresholds([np.array([0.001, 0.5]), np.array([0.0])])
    assert logarithmic
    assert limits[0] < 0.001
    assert limits[-1] > 0.5
    limits, logarithmic = thresholds([np.array([0.4, 0.5])])
    assert not logarithmic
    assert (limits[0], limits[-1] > 0.5) == (0.0, True)
    assert thresholds([np.zeros(3)])[0][-1] > 0
    share = np.linspace(0, 1, 100)
    figure = profile_figure({"a": (share, share, share)}, limits, label="x", logarithmic=False)
    assert figure.axes[0].get_xlim() == (limits[0], limits[-1])


def test_figures_leave_matplotlib_as_it_was():
    import matplotlib

    before = dict(matplotlib.rcParams)
    files(curves_figure({"a": curve([0.5, 0.2])}, EVALUATIONS, label="x"))
    assert dict(matplotlib.rcParams) == before


def test_zero_regret_is_always_in_the_picture_and_wall_time_may_be_logarithmic():
    x = np.geomspace(0.001, 10, 20)
    curve = Curve(x, np.linspace(0.5, 0.1, 20), np.full(20, 1e-5), np.full(20, 0.6), 8)
    (axes,) = curves_figure({"a": curve}, WALL, label="regret").axes
    assert axes.get_ylim()[0] < 0
    assert (axes.get_xscale(), axes.get_xlim()[0]) == ("log", 0.001)
    straight = Curve(np.arange(1.0, 21), *(curve.value,) * 3, 8)
    (axes,) = curves_figure({"a": straight}, WALL, label="regret").axes
    assert (axes.get_xscale(), axes.get_xlim()[0]) == ("linear", 0)
