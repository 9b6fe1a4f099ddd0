"""An evaluation of surrogates in a terminal."""

from __future__ import annotations

import io

from blox_env.cli.screen import Screen
from blox_env.cli.views.families import show_families

SCORES = {"r2": 0.8125, "sparse_kendall_tau": 0.7, "mean_absolute_error": 0.0071}
NONE = {"r2": -0.1, "sparse_kendall_tau": None, "mean_absolute_error": 0.005}


def test_figures_stand_beside_what_is_possible() -> None:
    out = io.StringIO()
    show_families(
        {
            "families": {"trees": {"uniform": SCORES, "best": None, "found": SCORES}},
            "ceiling": {"uniform": SCORES, "best": NONE, "found": None},
            "noise_test": {"1": {"architectures": 30, "table": 0.01, "trees": 0.004}},
        },
        Screen(file=out, width=120),
    )
    text = out.getvalue()
    assert "0.812" in text
    assert "-0.100" in text
    assert "ceiling" in text
    assert "a table of 1 each (30 architectures): table 0.0100, trees 0.0040" in text
