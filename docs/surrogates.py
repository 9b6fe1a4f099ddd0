"""Writes docs/surrogates.md: how well families of surrogates predict, and where.

    python docs/surrogates.py --fit     evaluates the embedded trainings anew (half an hour)
    python docs/surrogates.py           writes the page from docs/surrogates.json

The figures are those of ``blox-env surrogate evaluate`` on the trainings of both embedded
benchmarks.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

from blox_env.benchmarks import trainings
from blox_env.benchmarks.evaluation import MIXTURE, evaluate_families
from blox_env.cli.views.families import PARTS
from blox_env.cli.views.progress import tracked
from blox_env.ground.files import write_atomic
from blox_env.spaces import BloxSpace

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "docs" / "surrogates.json"
BLOCK = re.compile(r"(<!-- tables -->\n).*?(<!-- /tables -->)", re.DOTALL)
FAMILIES = ("gaussian-process", "trees", "forest", "lightgbm", "svr", "mlp", "ridge", "pairwise")
SIZES = {"cifar10": (25, 50, 100, 200), "digits": (25, 50, 100, 200, 400, 800)}

Scores = dict[str, Any]


def fit() -> None:
    """Evaluate every family on the trainings of both benchmarks."""
    found = {}
    for name, sizes in SIZES.items():
        folder = ROOT / "blox_env" / "data" / "benchmarks" / name
        raw = trainings.read(folder / "trainings.csv")
        with tracked() as track:
            found[name] = evaluate_families(raw, BloxSpace(), FAMILIES, sizes=sizes, track=track)
    write_atomic(FIGURES, json.dumps(_rounded(found), separators=(",", ":")) + "\n")


def tables() -> str:
    """All tables of the page."""
    text: list[str] = []
    for name, found in json.loads(FIGURES.read_text()).items():
        counts = f"{found['trainings']} trainings of {found['architectures']} architectures"
        text += ["", f"### `{name}`: {counts}", ""]
        text += _held_out(found)
        text += ["", *_samples(found)]
        if found["agents"]:
            text += ["", *_agents(found)]
        text += ["", *_noise_test(found)]
    return "\n".join(text).lstrip("\n") + "\n"


def _held_out(found: Scores) -> list[str]:
    heads = ["held out"]
    for label, words in PARTS.items():
        count = _count(found, label)
        heads += [f"{words} (n = {count}): R²", "sparse τ", "error"]
    lines = [_row(heads), _row(["---"] * len(heads))]
    every = {**found["families"], "ceiling": found["ceiling"]}
    for name, scores in every.items():
        cells = [f"`{name}`" if name not in (MIXTURE, "ceiling") else f"**{name}**"]
        for label in PARTS:
            cells += _cells(scores[label])
        lines.append(_row(cells))
    return lines


def _samples(found: Scores) -> list[str]:
    sizes = list(found["samples"])
    lines = [
        _row(["sparse τ of uniform architectures, fitted on", *sizes]),
        _row(["---"] * (1 + len(sizes))),
    ]
    for name in found["families"]:
        cells = [_figure(found["samples"][size][name], "sparse_kendall_tau") for size in sizes]
        lines.append(_row([f"`{name}`", *cells]))
    return lines


def _agents(found: Scores) -> list[str]:
    agents = found["agents"]
    heads = [f"{agent} (n = {scores[MIXTURE]['architectures']})" for agent, scores in
             agents.items()]  # fmt: skip
    lines = [
        _row(["bias ± its error on what an agent found, its finds left out", *heads]),
        _row(["---"] * (1 + len(heads))),
    ]
    for name in found["families"]:
        cells = [
            f"{scores[name]['bias']:+.4f} ± {scores[name]['bias_error']:.4f}"
            for scores in agents.values()
        ]
        lines.append(_row([f"`{name}`", *cells]))
    return lines


def _noise_test(found: Scores) -> list[str]:
    tests = found["noise_test"]
    heads = [f"{own} (n = {test['architectures']})" for own, test in tests.items()]
    lines = [
        _row(["error at predicting other trainings, trainings in the table", *heads]),
        _row(["---"] * (1 + len(heads))),
    ]
    for name in ("table", *found["families"]):
        cells = [f"{test[name]:.4f}" for test in tests.values()]
        lines.append(_row([f"`{name}`" if name != "table" else "the table itself", *cells]))
    return lines


def _count(found: Scores, label: str) -> int:
    scores = next(iter(found["families"].values()))[label]
    return int(scores["architectures"]) if scores else 0


def _cells(scores: Scores | None) -> list[str]:
    return [_figure(scores, "r2"), _figure(scores, "sparse_kendall_tau"),
            _figure(scores, "mean_absolute_error", 4)]  # fmt: skip


def _figure(scores: Scores | None, key: str, digits: int = 3) -> str:
    return "–" if scores is None or scores[key] is None else f"{scores[key]:.{digits}f}"


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    return round(value, 5) if isinstance(value, float) else value


def main() -> None:
    """Fit if asked, and write the tables into the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fit", action="store_true", help="evaluate anew")
    if parser.parse_args().fit:
        fit()
    page = ROOT / "docs" / "surrogates.md"
    filled = BLOCK.sub(lambda match: match[1] + tables() + match[2], page.read_text())
    write_atomic(page, filled)


if __name__ == "__main__":
    main()
