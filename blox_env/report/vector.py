"""Figures as files, and as parts of a page that follow its colours.

Equal figures are equal files: no time is in them, and nothing is named at random.
"""

from __future__ import annotations

import html
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from blox_env.report.themes import LIGHT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 110  # of clouds of points


@dataclass(frozen=True)
class Files:
    """A figure in the formats that are written, and the one that stands in a page."""

    svg: str
    pdf: bytes
    png: bytes

    def inline(self, prefix: str, label: str, *, overlay: str = "") -> str:
        """The SVG for a page: colours are variables of its style sheet, and it has no fixed size.

        Args:
            prefix: of its ids, different for each figure of the page.
            label: what it shows, for a screen reader.
            overlay: SVG that is drawn on top, with parts that can have the keyboard.
        """
        body = self.svg[self.svg.index("<svg") :]
        head, _, body = body.partition(">")
        found = re.search(r'viewBox="([^"]+)"', head)
        assert found is not None
        body = re.sub(r"<(metadata|style)[ >].*?</\1>", "", body, flags=re.DOTALL)
        body = body.replace("<defs>\n </defs>", "").rstrip().removesuffix("</svg>")
        used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', body))
        body = re.sub(
            r' id="([^"]+)"',
            lambda match: f' id="{prefix}-{match[1]}"' if match[1] in used else "",
            body,
        )
        body = re.sub(r'(href="#|url\(#)', rf"\g<1>{prefix}-", body)
        for name, colour in LIGHT.variables().items():
            body = body.replace(colour.lower(), f"var(--{name})")
        body = re.sub(r"\n\s*", "\n", body)
        role, hidden = ("group", ' aria-hidden="true"') if overlay else ("img", "")
        return (
            f'<svg class="figure" viewBox="{found[1]}" role="{role}" '
            f'aria-label="{html.escape(label)}"><g{hidden}>{body}</g>{overlay}</svg>'
        )


def files(figure: Figure) -> Files:
    """Draw a figure into all formats."""
    png, pdf = to_png(figure), encoded(figure, "pdf")
    return Files(to_svg(figure), pdf, png)  # the SVG last: what :func:`position` says is of it


def to_png(figure: Figure, dpi: int = 160) -> bytes:
    """The figure as a PNG file.

    Args:
        figure: what to draw.
        dpi: dots an inch.
    """
    return encoded(figure, "png", dpi)


def to_svg(figure: Figure) -> str:
    """The figure as an SVG file with clouds of points as pixels."""
    return encoded(figure, "svg").decode()


def position(axes: Axes, x: float, y: float) -> tuple[float, float]:
    """Position of a point of the data in the viewBox of the SVG, once that was drawn.

    Args:
        axes: in which the point is.
        x: of the point, in units of the data.
        y: likewise.
    """
    figure: Any = axes.figure
    across, up = axes.transData.transform((x, y))
    scale = 72 / figure.dpi
    return float(across * scale), float(72 * figure.get_figheight() - up * scale)


def encoded(figure: Figure, kind: str, dpi: int = DPI) -> bytes:
    """The figure as a file.

    Args:
        figure: what to draw.
        kind: png, svg or pdf.
        dpi: of pictures and clouds of points.
    """
    from matplotlib import rc_context

    buffer = io.BytesIO()
    metadata = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind, {})
    with rc_context({"svg.hashsalt": "blox-env"}):  # else clips and markers have random names
        figure.savefig(
            buffer, format=kind, dpi=dpi, facecolor=figure.get_facecolor(), metadata=metadata
        )
    return buffer.getvalue()
