import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blox_env.report.architecture import architecture_svg
from blox_env.spaces.base import SearchSpace
from blox_env.spaces.blox import BloxSpace
from blox_env.spaces.drawing import Shown, layout
from blox_env.spaces.layout import INK, Label

SPACE = BloxSpace()


@given(st.tuples(*[st.integers(0, 44)] * 3))
def test_a_drawing_has_what_its_layout_has(row):
    svg = ET.fromstring(architecture_svg(SPACE, row))
    plan = layout(SPACE, Shown(np.array(row), 3))
    kinds = [e.get("class", "") for e in svg.iter()]
    assert sum(kind.startswith("box") for kind in kinds) == len(plan.nodes)
    assert sum(kind.startswith("frame") for kind in kinds) == len(plan.frames)
    assert kinds.count("edge") == kinds.count("tip") == len(plan.edges)
    words = [e.text for e in svg.iter("text")]
    for operation in ("conv", "mbconv", "bconv"):
        assert words.count(operation) == sum(node.text == operation for node in plan.nodes)
    assert SPACE.describe(np.array(row)) in (svg.get("aria-label") or "")


@pytest.mark.parametrize("space", [SearchSpace((3, 4)), SearchSpace((45,) * 12), SPACE])
def test_nothing_lies_outside(space):
    svg = ET.fromstring(architecture_svg(space, [1] * space.slots))
    left, top, width, height = map(float, (svg.get("viewBox") or "").split())
    for box in svg.iter("rect"):
        x, y, w, h = (float(box.get(name) or 0) for name in ("x", "y", "width", "height"))
        assert left <= x
        assert x + w <= left + width
        assert top <= y
        assert y + h <= top + height


def test_names_are_escaped():
    class Odd(SearchSpace):
        def describe(self, x):
            return "<b> & "

        def lay_out(self, choices, title):
            plan = super().lay_out(choices, title)
            return plan._replace(labels=[Label(9, 9, "<i>", 12, 99, "left", INK)])

    svg = architecture_svg(Odd((2, 2)), [0, 1])
    assert "&lt;b&gt; &amp;" in svg
    assert "&lt;i&gt;" in svg
    assert "<i>" not in svg
