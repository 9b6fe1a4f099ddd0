"""Writes docs/surrogates.md: how well families of surrogates predict, and where.

    python docs/surrogates.py --fit cifar10 digits bloxxl    evaluates trainings anew (an hour)
    python docs/surrogates.py --fit nas-bench-macro --macro PATH/nas-bench-macro_cifar10.json
    python docs/surrogates.py                                writes the page from surrogates.json

The figures are those of ``blox-env surrogate evaluate`` on the trainings of the embedded benchmarks
and of NAS-Bench-Macro, which is not ours to embed.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from blox_env.benchmarks import trainings
from blox_env.benchmarks.base import load_benchmark
from blox_env.benchmarks.collect import SPACES
from blox_env.benchmarks.evaluation import MIXTURE, evaluate_families
from blox_env.cli.views.families import PARTS
from blox_env.cli.views.progress import tracked
from blox_env.ground.files import write_atomic
from blox_env.importers.importing import import_files
from blox_env.spaces import BloxSpace, SearchSpace

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "docs" / "surrogates.json"
BENCHMARKS = ROOT / "blox_env" / "data" / "benchmarks"
MACRO = "nas-bench-macro"
BLOCK = re.compile(r"(<!-- tables -->\n).*?(<!-- /tables -->)", re.DOTALL)
FAMILIES = (
    "gaussian-process", "trees", "forest", "lightgbm", "svr", "mlp", "ridge", "pairwise",
    "graph-network",
)  # fmt: skip
SIZES = {
    "cifar10": (25, 50, 100, 200),
    "digits": (25, 50, 100, 200, 400, 800),
    "bloxxl": (25, 50, 100, 200),
    MACRO: (25, 50, 100, 200, 400, 800),
}
FOLDERS = {"bloxxl": "bloxxl-digits"}  # of benchmarks that are called otherwise
SAMPLE = 1000  # networks of NAS-Bench-Macro that are looked at
LEVELS = (50, 80, 95)  # of intervals, in percent

Scores = dict[str, Any]


def fit(names: list[str], macro: Path | None, only: list[str]) -> None:
    """Evaluate families on trainings, and keep what is known of other trainings.

    Args:
        names: of the trainings.
        macro: the file of NAS-Bench-Macro.
        only: families that are added to those that are there; the mixture stays what it is.
    """
    found = json.loads(FIGURES.read_text())
    for name in names:
        if name == MACRO and macro is None:
            raise SystemExit(f"{MACRO} needs --macro PATH/nas-bench-macro_cifar10.json")
        raw, space = _macro(macro) if macro and name == MACRO else _embedded(name)
        with tracked() as track:
            new = evaluate_families(raw, space, only or FAMILIES, sizes=SIZES[name], track=track)
        found[name] = _added(found[name], new, only) if only else new
        ordered = {each: found[each] for each in SIZES if each in found}
        write_atomic(FIGURES, json.dumps(_rounded(ordered), separators=(",", ":")) + "\n")


def _added(there: Scores, new: Scores, only: list[str]) -> Scores:
    """Figures with those of some families added, before the mixture's."""
    for part in ("families", "samples", "agents", "noise_test"):
        pairs = [(there, new)] if part == "families" else [
            ({"families": there[part][key]}, {"families": new[part][key]}) for key in there[part]
        ]  # fmt: skip
        for old, more in pairs:
            by_family = old["families"]
            mixture = by_family.pop(MIXTURE, None)
            for name in only:
                by_family[name] = more["families"][name]
                if part == "families":  # whose best tenth is another one
                    by_family[name]["best"] = None
            if mixture is not None:
                by_family[MIXTURE] = mixture
    return there


def _embedded(name: str) -> tuple[trainings.Trainings, SearchSpace]:
    """The trainings of a benchmark of the package."""
    folder = BENCHMARKS / FOLDERS.get(name, name)
    return trainings.read(folder / "trainings.csv"), SPACES.get(name, BloxSpace)()


def _macro(path: Path) -> tuple[trainings.Trainings, SearchSpace]:
    """Networks of NAS-Bench-Macro, each once: the file has equal ones under several names."""
    with tempfile.TemporaryDirectory() as folder:
        import_files(path, Path(folder) / "store")
        benchmark = load_benchmark(str(Path(folder) / "store"))
        space = benchmark.space
        x = space.all()
        values = np.column_stack([benchmark.evaluate(x, seed=seed).val_acc for seed in range(3)])
    _, first = np.unique(values, axis=0, return_index=True)
    some = np.random.default_rng(0).permutation(np.sort(first))[:SAMPLE]
    n = 3 * len(some)
    acc = values[some].reshape(n, 1)
    raw = trainings.Trainings(
        {}, np.repeat(x[some], 3, axis=0), np.tile(np.arange(3), len(some)), acc, acc[:, 0],
        np.full(n, np.nan), np.full(n, trainings.UNIFORM), np.full(n, "imported"),
    )  # fmt: skip
    return raw, space


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
    text += ["", "### Intervals", "", *_coverage()]
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


def _coverage() -> list[str]:
    """Shares of architectures whose mean lies in its interval, of the embedded benchmarks."""
    parts = {"uniform": "uniform", "found": "found by optimisers"}
    heads = ["held-out architectures within intervals of"]
    lines = [_row([*heads, *(f"{level} %" for level in LEVELS)]), _row(["---"] * 4)]
    for name in SIZES:
        folder = BENCHMARKS / FOLDERS.get(name, name)
        for file in ("card.json", "surrogate.json"):
            if not (folder / file).is_file():
                continue
            held_out = json.loads((folder / file).read_text())["held_out"]
            for part, words in parts.items():
                if scores := (held_out[part] or {}).get("val_acc"):
                    label = f"`{folder.name}`, {words} (n = {scores['architectures']})"
                    shares = [f"{scores[f'coverage_{level}']:.3f}" for level in LEVELS]
                    lines.append(_row([label, *shares]))
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
    parser.add_argument("--fit", nargs="+", choices=list(SIZES), default=[], metavar="NAME",
                        help=f"evaluate anew: {', '.join(SIZES)}")  # fmt: skip
    parser.add_argument("--macro", type=Path, help=f"file of {MACRO}")
    parser.add_argument("--only", nargs="+", choices=FAMILIES, default=[], metavar="FAMILY",
                        help="add these to what is there, the mixture without them")  # fmt: skip
    given = parser.parse_args()
    if given.fit:
        fit(given.fit, given.macro, given.only)
    page = ROOT / "docs" / "surrogates.md"
    filled = BLOCK.sub(lambda match: match[1] + tables() + match[2], page.read_text())
    write_atomic(page, filled)


if __name__ == "__main__":
    main()
