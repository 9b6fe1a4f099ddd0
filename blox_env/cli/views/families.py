"""An evaluation of surrogates as a terminal shows it."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from blox_env.cli.screen import Screen, print_table

PARTS = {"uniform": "uniform", "best": "best tenth", "found": "found by optimisers"}


def show_families(found: dict[str, Any], console: Screen) -> None:
    """Print R² and sparse τ of every family on each part, with what is possible below.

    Args:
        found: what :func:`blox_env.benchmarks.evaluation.evaluate_families` gave.
        console: where.
    """
    table = Table("family", title="held out: R², sparse Kendall's τ, mean absolute error")
    for head in PARTS.values():
        table.add_column(head, justify="right")
    for name, scores in {**found["families"], "ceiling": found["ceiling"]}.items():
        table.add_row(name, *(_cell(scores[part]) for part in PARTS))
    print_table(console, table)
    for own, test in found["noise_test"].items():
        errors = ", ".join(f"{k} {v:.4f}" for k, v in test.items() if k != "architectures")
        console.say(
            f"error at predicting other trainings, a table of {own} each "
            f"({test['architectures']} architectures): {errors}"
        )


def _cell(scores: dict[str, float | None] | None) -> str:
    if scores is None:
        return "–"
    tau = scores["sparse_kendall_tau"]
    shown = "–" if tau is None else f"{tau:.3f}"
    return f"{scores['r2']:.3f}  {shown}  {scores['mean_absolute_error']:.4f}"
