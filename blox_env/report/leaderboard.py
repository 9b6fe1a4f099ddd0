"""The page of a leaderboard: one HTML file without scripts, which needs no network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from blox_env.analysis.leaderboard import PROTOCOL, Board
from blox_env.ground.files import write_atomic
from blox_env.report.page import part, template
from blox_env.report.themes import DARK, LIGHT


def write_leaderboard(
    path: Path,
    boards: Sequence[Board],
    *,
    seeds: int,
    refused: Mapping[str, str],
    left_out: Sequence[str],
) -> None:
    """Write the page.

    Args:
        path: of the page.
        boards: one a problem.
        seeds: how many searches an agent had to have.
        refused: folders that do not count, and why.
        left_out: sentences about agents that do not count.
    """
    text = template("leaderboard.html.j2").render(
        boards=boards,
        protocol=PROTOCOL,
        seeds=seeds,
        refused=refused,
        left_out=left_out,
        number=number,
        style=part("report.css"),
        light=LIGHT.variables(),
        dark=DARK.variables(),
    )
    write_atomic(path, text)


def number(value: float, form: str = ".4f") -> str:
    """A number of a table, a dash where it is not known.

    Args:
        value: what is shown.
        form: how, as ``format`` takes it.
    """
    return "–" if math.isnan(value) else format(value, form)
