"""``policy``: a network for a latency target at once, by a trained policy."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import typer

import blox_env
from blox_env.cli.common import Json, console, names, warn_of
from blox_env.cli.screen import Listing, print_json
from blox_env.policies import Policy


def policy(
    name: Annotated[
        str, typer.Argument(help="Name of a policy: latency-goal, device-conditioned; or a folder.")
    ],
    targets: Annotated[
        str | None,
        typer.Option(
            help="Latency targets in milliseconds, such as 1.2ms,1.5ms; without any it says what "
            "it is asked for and how good it is."
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="For a policy that is told the device: its name.")
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(help="Or the latencies of its reference networks there: 5.1ms,4.8ms,…"),
    ] = None,
    margin: Annotated[
        float, typer.Option(help="Share of the target by which to ask for less.")
    ] = 0.0,
    json: Json = False,
) -> None:
    """Propose a network for each latency target, by a trained policy.

    Where the device is a known one, what the tables say of the answer stands beside what the policy
    expects of it.
    """
    asked = blox_env.load_policy(name)
    if targets is None:
        _tell(asked, json)
        return
    wanted = _milliseconds("--targets", targets)
    told: dict[str, Any] = {"device": device}
    if reference is not None:
        told["reference_ms"] = _milliseconds("--reference", reference)
    found = asked.propose(wanted, margin=margin, **told)
    known = device if asked.reference is not None else asked.environment["device"]
    facts = None
    if known is not None:
        warn_of(known)
        data = blox_env.load_benchmark(asked.environment["benchmark"])
        latency = blox_env.load_device(known).latency_ms(found.x)
        facts = data.evaluate(found.x).val_acc, latency
    rows, values = [], []
    for at, row in enumerate(found.x):
        cells = [f"{found.target_ms[at]:g} ms", asked.space.describe(row)]
        cells += [f"{found.val_acc[at]:.4f}", f"{found.latency_ms[at]:.3f} ms"]
        value = {
            "target_ms": float(found.target_ms[at]),
            "architecture": row.tolist(),
            "description": cells[1],
            "expected_val_acc": float(found.val_acc[at]),
            "expected_latency_ms": float(found.latency_ms[at]),
        }
        if facts is not None:
            val_acc, latency_ms = float(facts[0][at]), float(facts[1][at])
            meets = latency_ms <= found.target_ms[at]
            cells += [f"{val_acc:.4f}", f"{latency_ms:.3f} ms", "yes" if meets else "no"]
            value |= {"val_acc": val_acc, "latency_ms": latency_ms, "meets": bool(meets)}
        rows.append(cells)
        values.append(value)
    headings = ["target", "architecture", "expects", "and"]
    if facts is not None:
        headings += ["accuracy", "latency", "meets"]
    title = f"{asked.name} on {known or 'a device of these reference latencies'}"
    Listing(headings, rows, values, title=title).show(console, as_json=json)


def _tell(asked: Policy, json: bool) -> None:
    """Show what a policy is asked for and how good it is."""
    if json:
        print_json(console, dict(asked.card))
        return
    console.say(f"{asked.name}: {asked.describe_target()}")
    if asked.reference is not None:
        console.say("reference networks, whose latencies it is told in this order:")
        for number, row in enumerate(asked.reference):
            console.say(
                f"  {number + 1:2} {'-'.join(map(str, row)):10} {asked.space.describe(row)}"
            )
    judged = asked.card.get("judged", [])
    rows = [
        (
            entry["device"],
            "yes" if entry["trained_on"] else "no",
            found["by"],
            *(f"{found[key]:.1%}" for key in ("exact", "within")),
            f"{found['mean_regret']:.4f}",
        )
        for entry in judged
        for found in entry["answers"]
    ]
    if rows:
        headings = ("device", "trained on", "answers of", "exact", "keep to the target", "regret")
        Listing(headings, rows, title="against the exact answers").show(console)


def _milliseconds(option: str, text: str) -> Any:
    """``"1.2ms,1.5"`` as milliseconds, ``(n,)``."""
    try:
        return np.array([float(word.removesuffix("ms")) for word in names(text)])
    except ValueError:
        raise ValueError(
            f"{option} must be milliseconds such as 1.2ms,1.5ms, got {text!r}"
        ) from None
