"""``rewards``: which formula and which target."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from blox_env.cli.common import Json, console, errors, names, warn_of
from blox_env.cli.screen import Listing, check_folder
from blox_env.ground import defaults
from blox_env.ground.errors import check_positive_int
from blox_env.problem.reward import REWARDS

if TYPE_CHECKING:
    from blox_env.experiment.sweep import Optimum, Sweep


def rewards(
    benchmark: Annotated[str, typer.Option(help="Name of a benchmark.")] = defaults.BENCHMARK,
    device: Annotated[str, typer.Option(help="Name of a device.")] = defaults.DEVICE,
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
    json: Json = False,
) -> None:
    """Show what each reward formula is best for, for several latency targets.

    With an agent: medians over the seeds, how many of them met the target and lie on the front.
    """
    from blox_env.experiment.sweep import sweep
    from blox_env.ground.files import write_atomic
    from blox_env.report.sweep_figure import sweep_figure
    from blox_env.report.vector import to_png

    check_folder(out, "--out")
    check_positive_int("--budget", budget)
    check_positive_int("--seeds", seeds)
    warn_of(device)
    with errors.status("looking for the best of each") as status:
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
    write_atomic(out / "rewards.csv", found.to_csv())
    write_atomic(out / "rewards.png", to_png(sweep_figure(found)))
    _listing(found).show(console, as_json=json)
    told = errors if json else console
    told.say(f"table: {out / 'rewards.csv'}, picture: {out / 'rewards.png'}")


def _listing(found: Sweep) -> Listing:
    """A line for each formula, target and way to find its optimum."""
    known = "the exact optimum" if found.exact else "the best that searches found"
    searched = ""
    if found.agent is not None:
        searched = f"\nfound: medians of searches by {found.agent}, {found.budget} evaluations each"
    groups: dict[tuple[str, str, str], list[Optimum]] = {}
    for each in found.optima:
        groups.setdefault((each.reward, each.target, each.found_by), []).append(each)
    last = ""
    rows: list[list[str]] = []
    for (reward, _, _), group in groups.items():
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
        rows.append(cells)
    return Listing(
        ("reward", "target", "architecture", "accuracy", "latency", "meets", "front"),
        rows,
        [asdict(each) for each in found.optima],
        title=f"{known} of each formula on {found.benchmark}, latency on {found.device}",
        caption="front: place among its points from the fastest on, and their number" + searched,
    )


def _regret(group: list[Optimum]) -> str:
    """Median regret of searches, in units of the reward."""
    regrets = [each.regret for each in group if each.regret is not None]
    return f"regret {np.median(regrets):.4f}" if regrets else f"{len(group)} seeds"
