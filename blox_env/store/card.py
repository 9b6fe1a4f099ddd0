"""The data card of a store: every figure in it is from the manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from blox_env.ground.files import write_new

CARD = "CARD.md"


def write_card(folder: Path, manifest: dict[str, Any]) -> None:
    """Write :data:`CARD` beside the manifest.

    Args:
        folder: the store.
        manifest: its content.
    """
    write_new(folder / CARD, [render_card(manifest).encode()])


def render_card(manifest: dict[str, Any]) -> str:
    """The card as text."""
    seeds = ", ".join(map(str, manifest["seeds"])) or "none"
    lines = [
        f"# Benchmark `{manifest['name']}`",
        "",
        f"{manifest['description']}.",
        "",
        f"Generated from `manifest.json` beside it by {manifest['writer']}, `blox-env import`.",
        "",
        f"- Space: `{manifest['space']}`; architectures with an accuracy: {manifest['rows']}",
        f"- Epochs of a curve: {manifest['epochs']}",
        f"- Dataset: {manifest['dataset'] or 'not stated'}",
        f"- Seeds: {seeds}; without `seed=` an evaluation is the mean over them",
    ]
    for name, device in sorted(manifest["devices"].items()):
        lines.append(
            f"- Device `{name}`: {device['measured']} architectures, {device['description']}"
        )
    lines += [f"- Missing: {line}" for line in manifest["missing"]]
    lines += ["", "## Where from", "", "| file | part | rows | bytes | SHA-256 |"]
    lines.append("| --- | --- | --- | --- | --- |")
    lines += [
        f"| {s['file']} | {s['part']} | {s['rows']} | {s['bytes']} | {s['sha256']} |"
        for s in manifest["sources"]
    ]
    lines += ["", "## Columns", "", "| file | encoding | SHA-256 |", "| --- | --- | --- |"]
    for key, column in sorted(manifest["columns"].items()):
        how = column["encoding"]
        if "examples" in column:
            how = f"correct answers out of {column['examples']}"
        lines.append(f"| {key}.npy | {how} | {column['sha256']} |")
    return "\n".join(lines) + "\n"
