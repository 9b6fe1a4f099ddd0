import re
from xml.etree import ElementTree

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from blox_env.analysis.fronts import FrontPoint, Points
from blox_env.report.front_figure import front_figure, overlay
from blox_env.report.vector import files, position


def test_few_outliers_do_not_squeeze_the_picture():
    rng = np.random.default_rng(0)
    whole = Points(rng.uniform(1, 2, 1000), np.append(rng.uniform(0.9, 0.92, 999), 0.1))
    found = {"a": Points(whole.latency_ms[:20], whole.val_acc[:20])}
    (axes,) = front_figure(found, whole=whole).axes
    assert axes.get_ylim()[0] > 80
    labels = axes.get_legend_handles_labels()[1]
    assert "are outside the picture" in labels[0]


def test_points_lie_where_the_lines_are():
    """Positions of the overlay are those that matplotlib gives the same data in the SVG."""
    points = Points(np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.7, 0.8]))
    figure = front_figure({"a": points})
    uses = re.findall(r'<use [^>]*x="([\d.]+)" y="([\d.]+)"', files(figure).svg)
    drawn = np.array(uses, dtype=float)
    (axes,) = figure.axes
    for latency, acc in zip(points.latency_ms, points.val_acc, strict=True):
        x, y = position(axes, latency, 100 * acc)
        assert np.abs(drawn - (x, y)).max(axis=1).min() < 0.01
    assert overlay(figure, {}, {}) == ""


def test_of_very_many_dots_those_on_each_other_are_drawn_once(monkeypatch):
    points = Points(np.array([1.0, 1.0, 2.0, 3.0]), np.array([0.5, 0.5, 0.7, 0.7]))
    found = {"a": points, "b": points}

    def dots():
        (axes,) = front_figure(found).axes
        return max(len(drawn.get_offsets()) for drawn in axes.collections)

    assert dots() == 8
    monkeypatch.setattr("blox_env.report.front_figure._DOTS", 7)
    assert dots() == 6


def test_slow_architectures_take_no_room_and_equal_fronts_are_both_seen():
    latency = np.append(np.linspace(1, 2, 990), np.linspace(5, 10, 10))
    whole = Points(latency, np.append(np.linspace(0.8, 0.9, 990), np.full(10, 0.7)))
    found = {"a": Points(latency[::90], whole.val_acc[::90])}
    found["b"] = found["a"]
    (axes,) = front_figure(found, whole=whole, target_ms=1.5).axes
    assert 2 < axes.get_xlim()[1] < 3
    lines = {line.get_label(): line for line in axes.lines}
    first, second = lines["front found by a"], lines["front found by b"]
    assert first.get_linewidth() > second.get_linewidth()
    assert first.get_markersize() > second.get_markersize()


def test_names_are_escaped_in_what_a_page_shows_of_a_point():
    points = Points(np.array([1.0, 2.0]), np.array([0.5, 0.7]))
    name = 'a"><script>alert(1)</script>'
    figure = front_figure({name: points})
    files(figure)
    point = FrontPoint((1, 2, 3), 1.5, 0.6, "a<b", "measured", 0)
    text = overlay(figure, {name: [point]}, {(1, 2, 3): "id-1"})
    (button,) = ElementTree.fromstring(f"<svg>{text}</svg>")
    assert button.get("data-found") == f"Front found by {name}, seed 0"
    assert "(a<b)" in button.get("data-values")
    assert button.get("aria-label").startswith(f"Front found by {name}, seed 0: ")
