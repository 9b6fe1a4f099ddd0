import re
from xml.etree import ElementTree

import pytest

pytest.importorskip("matplotlib")

from blox_env.report.figures import new_axes
from blox_env.report.themes import LIGHT
from blox_env.report.vector import files


def draw():
    figure, axes = new_axes()
    axes.plot([0, 1], [0, 1], color=LIGHT.agents[2], marker="o")
    axes.scatter([0.5], [0.5], c=LIGHT.agents[1], rasterized=True)
    return figure


@pytest.fixture(scope="module")
def drawn():
    return files(draw())


def test_equal_figures_are_equal_files(drawn):
    assert files(draw()) == drawn


def test_colours_of_the_page(drawn):
    inline = drawn.inline("one", "A line & a point")
    assert "var(--agent-2)" in inline
    assert "var(--ink)" in inline
    assert "var(--paper)" in inline
    used = set(re.findall(r"#[0-9a-f]{6}", inline))
    assert not used & {colour.lower() for colour in LIGHT.variables().values()}
    assert LIGHT.agents[2] in drawn.svg


def test_ids_are_of_this_figure_alone_and_all_are_there(drawn):
    inline = drawn.inline("one", "x")
    ids = re.findall(r' id="([^"]+)"', inline)
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', inline))
    assert len(ids) == len(set(ids))
    assert set(ids) == used
    assert all(name.startswith("one-") for name in ids)


def test_a_figure_has_a_name_and_takes_nothing_from_outside(drawn):
    inline = drawn.inline("one", 'A "line" & more')
    assert inline.startswith('<svg class="figure" viewBox="')
    assert 'role="img" aria-label="A &quot;line&quot; &amp; more"' in inline
    links = re.findall(r'href="([^"#]{0,22})', inline)
    assert set(links) <= {"", "data:image/png;base64,"}
    assert "<metadata" not in inline
    assert "<style" not in inline
    chosen = drawn.inline("one", "x", overlay='<g tabindex="0"></g>')
    assert 'role="group"' in chosen
    assert '<g aria-hidden="true">' in chosen
    assert chosen.endswith('<g tabindex="0"></g></svg>')


def test_the_label_of_a_picture_is_escaped(drawn):
    name = 'a"><script>alert(1)</script>'
    page = drawn.inline("one", f"Regret of {name}").replace("<svg", '<svg xmlns:xlink="x"', 1)
    assert ElementTree.fromstring(page).get("aria-label") == f"Regret of {name}"
