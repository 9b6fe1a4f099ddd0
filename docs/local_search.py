"""Writes docs/local_search.md: is local search strong on small spaces only?

    python docs/local_search.py --run runs/local-search --macro FILE --yahpo FOLDER
    python docs/local_search.py

The first runs the searches, one file each, so that a killed run goes on where it was, and sums
them up in docs/local_search.json; the second writes the page. FILE is NAS-Bench-Macro's, FOLDER
YAHPO Gym's ``nb301``. Every search asks for accuracy alone, and is judged by mean accuracies.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

import blox_env
from blox_env.cli.views.progress import tracked
from blox_env.ground.files import write_atomic
from blox_env.importers.importing import import_files

ROOT = Path(__file__).resolve().parents[1]
FIGURES = ROOT / "docs" / "local_search.json"
BLOCK = re.compile(r"(<!-- tables -->\n).*?(<!-- /tables -->)", re.DOTALL)
AGENTS = (
    "random-search", "local-search", "regularized-evolution", "gp-bo", "bananas", "ppo",
    "reinforce",
)  # fmt: skip
LOCAL = "local-search"
AT = (50, 100, 200)  # evaluations
SEEDS = 30
RESAMPLES = 10_000
DRAWN = 10_000  # architectures whose median is the worth of a random one
# by name: benchmark, and whether a search sees single trainings instead of means
PROBLEMS = {
    "nas-bench-macro": ("macro", "mean"),
    "blox": ("cifar10", "mean"),
    "blox, single trainings": ("cifar10", "sampled"),
    "darts": ("yahpo", "mean"),
    "bloxxl": ("bloxxl-digits", "mean"),
    "bloxxl, single trainings": ("bloxxl-digits", "sampled"),
}


def run(out: Path, macro: Path | None, yahpo: Path | None, names: Sequence[str]) -> None:
    """Run the searches that have no file yet, and sum up all that have one.

    Args:
        out: folder of their files.
        macro: the file of NAS-Bench-Macro.
        yahpo: YAHPO Gym's folder.
        names: of the problems.
    """
    given = {"macro": macro, "yahpo": yahpo}
    for key, path in given.items():
        if path is not None and not (out / key).exists():
            import_files(path, out / key)
    jobs = list(product(names, range(SEEDS), AGENTS))
    with tracked() as track:
        for i in track("searching", range(len(jobs))):
            name, seed, agent = jobs[i]
            benchmark, noise = PROBLEMS[name]
            where = str(out / benchmark) if benchmark in given else benchmark
            target = out / f"{name.replace(', ', '-').replace(' ', '-')}-{agent}-{seed}.json"
            if not target.exists():
                write_atomic(target, json.dumps(_search(where, noise, agent, seed)))
    found = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    for name in names:
        stem = name.replace(", ", "-").replace(" ", "-")
        files = {agent: sorted(out.glob(f"{stem}-{agent}-[0-9]*.json")) for agent in AGENTS}
        runs = {agent: [json.loads(f.read_text()) for f in each] for agent, each in files.items()}
        benchmark, _ = PROBLEMS[name]
        where = str(out / benchmark) if benchmark in given else benchmark
        found[name] = _facts(where, runs)
    ordered = {name: found[name] for name in PROBLEMS if name in found}
    write_atomic(FIGURES, json.dumps(ordered, separators=(",", ":")) + "\n")


def _search(benchmark: str, noise: str, agent: str, seed: int) -> dict[str, Any]:
    """True accuracies of the incumbents of one search after :data:`AT` evaluations."""
    problem = blox_env.Problem(benchmark, None, budget=AT[-1], noise=noise, seed=seed)
    start = time.process_time()
    history = blox_env.search(problem, agent, seed=seed)
    seconds = time.process_time() - start
    truth = problem.peek(history.x).val_acc
    new = np.flatnonzero(history.column("cost") > 0)  # asking again is no evaluation
    best = []
    for count in AT:
        seen = history.reward[: new[min(count, len(new)) - 1] + 1]
        best.append(round(float(truth[int(np.argmax(seen))]), 6))
    return {"best": best, "seconds": round(seconds, 2), "evaluations": len(new)}


def _facts(benchmark: str, runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Accuracies by agent, seed and evaluations; what a random network has, and the best known."""
    problem = blox_env.Problem(benchmark, None)
    space = problem.space
    if space.listable:
        every = problem.peek(space.all()).val_acc
        best = float(every.max())
    else:
        every = problem.peek(space.sample(np.random.default_rng(0), DRAWN)).val_acc
        best = max(max(one["best"]) for each in runs.values() for one in each)
    return {
        "size": f"{space.size:.1e}" if space.size > 1e6 else f"{space.size:,}",
        "slots": space.slots,
        "neighbours": int(sum(count - 1 for count in space.options)),
        "known_optimum": space.listable,
        "best": round(best, 6),
        "median": round(float(np.median(every)), 6),
        "agents": {agent: [one["best"] for one in each] for agent, each in runs.items()},
        "evaluations": {
            agent: float(np.mean([one["evaluations"] for one in each]))
            for agent, each in runs.items()
        },
    }


def regrets(found: dict[str, Any]) -> dict[str, np.ndarray]:
    """Regret by agent ``(seeds, evaluations)``: 0 is the best known, 1 a random network."""
    span = found["best"] - found["median"]
    return {
        agent: (found["best"] - np.array(values)) / span
        for agent, values in found["agents"].items()
        if values
    }


def tables() -> str:
    """All tables of the page."""
    figures = json.loads(FIGURES.read_text())
    rng = np.random.default_rng(0)
    text = []
    for name, found in figures.items():
        best = "the optimum" if found["known_optimum"] else "the best that any search found"
        text += [
            "",
            f"### {name}: {found['size']} networks, {found['slots']} slots",
            "",
            (
                f"A network has {found['neighbours']} neighbours. Median accuracy "
                f"{found['median']:.4f}, {best} {found['best']:.4f}."
            ),
            "",
        ]
        heads = [
            "agent",
            *(f"regret after {count}" for count in AT),
            f"local search better, {AT[-1]}",
        ]
        text += [_row(heads), _row(["---"] * len(heads))]
        every = regrets(found)
        means = {agent: values.mean(axis=0) for agent, values in every.items()}
        lowest = np.min(list(means.values()), axis=0)
        for agent, values in sorted(every.items(), key=lambda item: means[item[0]][-1]):
            cells = []
            for k in range(len(AT)):
                low, high = _interval(values[:, k], rng)
                mean = f"{means[agent][k]:.3f}"
                mean = f"**{mean}**" if means[agent][k] == lowest[k] else mean
                cells.append(f"{mean} ({low:.3f} … {high:.3f})")
            text.append(_row([f"`{agent}`", *cells, _better(every, agent, rng)]))
    return "\n".join(text).lstrip("\n") + "\n"


def _better(every: dict[str, np.ndarray], agent: str, rng: np.random.Generator) -> str:
    """Probability that local search has the lower regret in the end, with its interval."""
    if agent == LOCAL:
        return "–"
    own, other = every[LOCAL][:, -1], every[agent][:, -1]
    picks = rng.integers(len(own), size=(RESAMPLES // 10, len(own)))
    others = rng.integers(len(other), size=(RESAMPLES // 10, len(other)))
    draws = [_chance(own[i], other[j]) for i, j in zip(picks, others, strict=True)]
    low, high = np.quantile(draws, [0.025, 0.975])
    return f"{_chance(own, other):.2f} ({low:.2f} … {high:.2f})"


def _chance(own: np.ndarray, other: np.ndarray) -> float:
    """Probability that one of the first is below one of the others, ties counting half."""
    gaps = own[:, None] - other[None]
    return float((gaps < 0).mean() + (gaps == 0).mean() / 2)


def _interval(values: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
    """95 % interval of a mean, by bootstrap."""
    draws = values[rng.integers(len(values), size=(RESAMPLES, len(values)))].mean(axis=1)
    low, high = np.quantile(draws, [0.025, 0.975])
    return float(low), float(high)


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Run the searches if asked, and write the tables into the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, metavar="OUT", help="folder of the searches' files")
    parser.add_argument("--macro", type=Path, help="file of NAS-Bench-Macro")
    parser.add_argument("--yahpo", type=Path, help="folder nb301 of YAHPO Gym")
    parser.add_argument("--problems", default=None, help=f"only these of {'; '.join(PROBLEMS)}")
    given = parser.parse_args()
    if given.run:
        names = list(PROBLEMS) if given.problems is None else given.problems.split("; ")
        run(given.run, given.macro, given.yahpo, names)
    page = ROOT / "docs" / "local_search.md"
    filled = BLOCK.sub(lambda match: match[1] + tables() + match[2], page.read_text())
    write_atomic(page, filled)


if __name__ == "__main__":
    main()
