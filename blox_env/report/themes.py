"""Colours of the page and its pictures, light and dark, and how the agents' lines differ."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_LINES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))
_MARKERS = ("o", "s", "^", "D", "v")


@dataclass(frozen=True)
class Theme:
    """Colours as ``#rrggbb``.

    Attributes:
        paper: of the background.
        ink: of text.
        soft: of less important text.
        faint: of grids and of what stands back.
        tint: of code, of the panel that shows an architecture.
        link: of links and buttons.
        focus: of the ring around what has the keyboard.
        agents: of lines and points, one agent after the other.
    """

    paper: str
    ink: str
    soft: str
    faint: str
    tint: str
    link: str
    focus: str
    agents: tuple[str, ...]

    def variables(self) -> dict[str, str]:
        """Names of the page's style sheet for these colours, without their ``--``."""
        names = ("paper", "ink", "soft", "faint", "tint", "link", "focus")
        own = {name: str(getattr(self, name)) for name in names}
        return own | {f"agent-{i}": colour for i, colour in enumerate(self.agents)}


# Found by search from Okabe and Ito's colours: at least 3:1 on their paper (WCAG 1.4.11) and as far
# apart as possible under protanopia, deuteranopia and tritanopia. Lines and markers differ as well.
LIGHT = Theme(
    paper="#ffffff",
    ink="#1f2328",
    soft="#59636e",
    faint="#bcc3cd",
    tint="#f3f5f7",
    link="#0b62a4",
    focus="#8a3ffc",
    agents=("#2d3c7f", "#e4691a", "#07784c", "#bc5e97", "#6c4e00", "#0097ee"),
)
DARK = Theme(
    paper="#16191d",
    ink="#e3e6ea",
    soft="#a3acb6",
    faint="#454c55",
    tint="#20252b",
    link="#6db3ec",
    focus="#be95ff",
    agents=("#168ee8", "#e5724e", "#4af5b9", "#916d91", "#ffbe2e", "#cfd0ff"),
)


def styles(theme: Theme = LIGHT) -> Iterator[dict[str, Any]]:
    """Colour, line and marker of one agent after the other, without end."""
    for number in itertools.count():
        yield {
            "color": theme.agents[number % len(theme.agents)],
            "linestyle": _LINES[number % len(_LINES)],
            "marker": _MARKERS[number % len(_MARKERS)],
        }


def contrast(one: str, other: str) -> float:
    """Contrast of two colours as WCAG 2 defines it, 1 … 21.

    Args:
        one: a colour, ``#rrggbb``.
        other: another one.
    """
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def linear(colour: str) -> list[float]:
    """Linear red, green and blue of ``#rrggbb``, each 0 … 1."""
    values = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values]


def _luminance(colour: str) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
