import itertools
import re
from importlib import resources

import numpy as np
import pytest

from blox_env.report.themes import DARK, LIGHT, contrast, linear, styles

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
# Machado, Oliveira and Fernandes 2009, severity 1, on linear red, green and blue.
VISION = {
    "usual": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                            [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                              [-0.011820, 0.042940, 0.968881]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                            [0.004733, 0.691367, 0.303900]]),
}  # fmt: skip


def lab(rgb):
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    ratio = xyz @ np.clip(rgb, 0, 1) / [0.95047, 1, 1.08883]
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_contrast_is_that_of_wcag():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#123456", "#123456") == 1


@THEMES
def test_text_can_be_read(theme):
    for name in ("ink", "soft", "link"):
        for paper in (theme.paper, theme.tint):
            assert contrast(getattr(theme, name), paper) >= 4.5, (name, paper)


@THEMES
def test_lines_and_rings_can_be_seen(theme):
    for colour in (*theme.agents, theme.focus, theme.ink):
        assert contrast(colour, theme.paper) >= 3, colour
    assert contrast(theme.focus, theme.tint) >= 3


@THEMES
@pytest.mark.parametrize("vision", VISION)
def test_agents_can_be_told_apart(theme, vision):
    colours = [lab(VISION[vision] @ linear(colour)) for colour in theme.agents]
    distances = [np.linalg.norm(a - b) for a, b in itertools.combinations(colours, 2)]
    assert min(distances) > 20  # a difference of 2 can be seen side by side


def test_every_colour_has_its_own_variable():
    for theme in (LIGHT, DARK):
        colours = list(theme.variables().values())
        assert len(colours) == len(set(colours)) == 7 + len(theme.agents)
    assert LIGHT.variables().keys() == DARK.variables().keys()


def test_the_style_sheet_uses_variables_that_exist():
    folder = resources.files("blox_env.report") / "templates"
    css = (folder / "report.css").read_text()
    assert set(re.findall(r"var\(--([\w-]+)\)", css)) <= LIGHT.variables().keys()


def test_text_in_drawings_can_be_read():
    folder = resources.files("blox_env.report") / "templates"
    css = (folder / "report.css").read_text()
    dark_text, light_text = "#1f2328", "#ffffff"
    fills = dict(re.findall(r"\.n-([\w-]+)[^{}]*\{ fill: (#\w{6})", css))
    fills["box"] = re.findall(r"\.architecture \.box \{ fill: (#\w{6})", css)[0]
    assert {"conv", "mbconv", "bconv", "box"} <= fills.keys()
    for kind, fill in fills.items():
        assert contrast(light_text if kind == "bconv" else dark_text, fill) >= 4.5, kind


def test_agents_beyond_the_colours_have_other_lines():
    looks = [(s["color"], str(s["linestyle"])) for s, _ in zip(styles(), range(12), strict=False)]
    assert len(set(looks)) == 12
