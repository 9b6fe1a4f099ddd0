"""``rewards``: which formula and which target."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich import box
from rich.table import Table

from blox_env.cli.common import console, names
from blox_env.problem.reward import REWARDS

if TYPE_CHECKING:
    from blox_env.experiment.sweep import Optimum, Sweep


def rewards(
    benchmark: Annotated[str, typer.Option(help="Name of a benchmark.")] = "digits",
    device: Annotated[str, typer.Option(help="Name of a device.")] = "x86-ort-1t",
    targets: Annotated[
        str, typer.Option(help="Quantiles of the device's latency, or milliseconds such as 3.5ms.")
    ] = "0.1,0.25,0.5,0.75",
    formulas: Annotated[
        str,
        typer.Option(
            "--rewards", help="Names of formulas, with parameters where wanted: tunas(beta=-0.1)."
        ),
    ] = ",".join(REWARDS),
    agent: Annotated[
        str | None, typer.Option(help="Let this agent search, too, and show what it finds.")
    ] = None,
    budget: Annotated[int, typer.Option(help="Full trainings of each search.")] = 500,
    seeds: Annotated[int, typer.Option(help="Searches for each formula and target.")] = 5,
    out: Annotated[Path, typer.Option(help="Folder of the table and the picture.")] = Path(
        "runs/rewards"
    ),
) -> None:
    """Show what each reward formula is best for, for several latency targets.

    With an agent: medians over the seeds, how many of them met the target and lie on the front.
    """
    from blox_env.experiment.sweep import sweep
    from blox_env.ground.files import write_atomic
    from blox_env.report.sweep_figure import sweep_figure
    from blox_env.report.vector import to_png

    with console.status("looking for the best of each") as status:
        found = sweep(
            benchmark,
            device,
            names(targets),
            names(formulas),
            agent=agent,
            budget=budget,
            seeds=seeds,
            progress=status.update,
        )
    console.print(_table(found))
    write_atomic(out / "rewards.csv", found.to_csv())
    write_atomic(out / "rewards.png", to_png(sweep_figure(found)))
    console.print(f"table: {out / 'rewards.csv'}, picture: {out / 'rewards.png'}")


def _table(found: Sweep) -> Table:
    """A line for each formula, target and way to find its optimum."""
    known = "the exact optimum" if found.exact else "the best that searches found"
    searched = ""
    if found.agent is not None:
        searched = f"\nfound: medians of searches by {found.agent}, {found.budget} evaluations each"
    table = Table(
        title=f"{known} of each formula on {found.benchmark}, latency on {found.device}",
        caption="front: place among its points from the fastest on, and their number" + searched,
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("reward", overflow="fold")
    for name in ("target", "architecture", "accuracy", "latency", "meets", "front"):
        table.add_column(name, no_wrap=True)
    groups: dict[tuple[str, str, str], list[Optimum]] = {}
    for each in found.optima:
        groups.setdefault((each.reward, each.target, each.found_by), []).append(each)
    last = ""
    for (reward, _, _), group in groups.items():
        if last not in ("", reward):
            table.add_section()
        best = group[0]
        cells = [reward if reward != last else "", f"{best.target_ms:.2f} ms"]
        last = reward
        if best.seed is None:
            cells += [
                *(best.arch, f"{best.val_acc:.4f}", f"{best.latency_ms:.2f} ms"),
                "yes" if best.meets_target else "no",
                f"{best.place}/{best.points}" if best.place else "no",
            ]
        else:
            count = len(group)
            cells = [
                "  found" if found.exact else cells[0],
                f"{count} seeds" if found.exact else cells[1],
                _regret(group),
                f"{np.median([o.val_acc for o in group]):.4f}",
                f"{np.median([o.latency_ms for o in group]):.2f} ms",
                f"{sum(o.meets_target for o in group)} of {count}",
                f"{sum(o.on_front for o in group)} of {count}",
            ]
        table.add_row(*cells)
    return table


def _regret(group: list[Optimum]) -> str:
    """Median regret of searches, in units of the reward."""
    regrets = [each.regret for each in group if each.regret is not None]
    return f"regret {np.median(regrets):.4f}" if regrets else f"{len(group)} seeds"
