"""Writes docs/proxies.md: how well zero-cost proxies rank architectures.

    BLOX_ENV_DATA=FOLDER python docs/proxies.py --run digits cifar10
    python docs/proxies.py

The first computes the proxies of trained architectures (minutes) and keeps them, with the
accuracies of the table, in docs/proxies.json; the second writes the page. FOLDER has CIFAR-10.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from blox_env import BloxSpace, load_benchmark
from blox_env.cli.views.progress import tracked
from blox_env.ground.files import write_atomic
from blox_env.networks.proxies import PROXIES, zero_cost
from blox_env.networks.tasks import load_task

ROOT = Path(__file__).resolve().parents[1]
FIGURES, PAGE = ROOT / "docs" / "proxies.json", ROOT / "docs" / "proxies.md"
BENCHMARKS = ROOT / "blox_env" / "data" / "benchmarks"
SAMPLE, BEST = 120, 80  # architectures at random, and further ones of the best tenth
SEEDS = 1  # draws of weights, whose proxies are averaged
BATCH = 32
CLOSED = {
    "parameters": "parameters",
    "multiply-adds": "multiply-adds",
    "longest": "longest chain without a shortcut",
    "shortest": "shortest chain without a shortcut",
    "paths": "paths through the operations",
}

PAGE_TEXT = """# Zero-cost proxies

Written by `python docs/proxies.py`; do not edit. How well what is known of an architecture before
its training ranks what it reaches: rank correlation (Spearman) with validation accuracy, and its
95 % interval (Bonett & Wright, 2000), over trained architectures of the embedded benchmarks.
*At random* are {sample} of them; *best tenth* are those of the best tenth of all that were trained,
where searches end. Trained architectures are partly what optimisers found, so there are more good
ones than in the space. Accuracies are the table's.

Signs are as found: a proxy of −0.9 ranks as well as one of +0.9, turned round. Parameters,
multiply-adds, chains and paths are closed forms (`BloxSpace().params`, `.macs`,
`.features(x, "depth")`) and cost nothing. A chain is convolutions in a row without a shortcut
around them, on the longest and on the shortest way through the network, summed over the stages;
paths are summed over them, too. The others look at an untrained network of the size that was
trained and {batch} training images, draws of weights: {seeds}
(`blox_env.networks.proxies`).
"""


def run(name: str) -> dict[str, Any]:
    """Proxies and accuracies of trained architectures of a benchmark.

    Args:
        name: of the benchmark and its task.
    """
    space, benchmark = BloxSpace(), load_benchmark(name)
    card = json.loads((BENCHMARKS / name / "card.json").read_text())
    trained = np.load(BENCHMARKS / name / "trained.npy")
    rows = space.from_index(trained)
    accuracy = benchmark.evaluate(rows).val_acc
    rng = np.random.default_rng(0)
    chosen = rng.permutation(len(rows))[:SAMPLE]
    tenth = np.flatnonzero(accuracy >= np.quantile(accuracy, 0.9))
    best = rng.permutation(tenth)[:BEST]
    every = np.unique(np.concatenate([chosen, best]))
    task, gain = load_task(name), float(card["task"]["recipe"]["branch_gain"])
    start = time.process_time()
    found: dict[str, list[float]] = {proxy: [] for proxy in PROXIES}
    with tracked() as track:
        for k in track(name, range(len(every))):
            row = rows[every[k]].tolist()
            draws = [
                zero_cost(row, task, batch=BATCH, seed=seed, branch_gain=gain)
                for seed in range(SEEDS)
            ]
            for proxy in PROXIES:
                found[proxy].append(round(float(np.mean([draw[proxy] for draw in draws])), 5))
    seconds = (time.process_time() - start) / len(every) / SEEDS
    return {
        "checksum": benchmark.checksum(),
        "trained": len(rows),
        "index": trained[every].tolist(),
        "accuracy": accuracy[every].round(6).tolist(),
        "random": np.flatnonzero(np.isin(every, chosen)).tolist(),
        "best": np.flatnonzero(np.isin(every, tenth)).tolist(),
        "proxies": found,
        "seconds": round(seconds, 3),
        "training_s": round(float(np.median(benchmark.evaluate(rows).train_time_s)), 1),
        "same_pictures": task.fingerprint() == card["task"]["task_sha256"],
    }


def scores(found: dict[str, Any]) -> dict[str, np.ndarray]:
    """All proxies of a benchmark's architectures, ``(n,)`` each, more being better."""
    space = BloxSpace()
    x = space.from_index(np.array(found["index"]))
    chains = space.features(x, "depth")[:, -6:-3]
    closed = {
        "parameters": space.params(x),
        "multiply-adds": space.macs(x),
        "longest": chains[:, 0],
        "shortest": chains[:, 1],
        "paths": chains[:, 2],
    }
    return {name: np.asarray(v, dtype=float) for name, v in (closed | found["proxies"]).items()}


def correlation(ours: np.ndarray, truth: np.ndarray) -> tuple[float, float, float]:
    """Spearman's correlation with the limits of its interval; NaN where all are equal.

    Args:
        ours: ``(n,)``.
        truth: ``(n,)``.
    """
    if np.ptp(ours) == 0:
        return np.nan, np.nan, np.nan
    value = float(stats.spearmanr(ours, truth).statistic)
    reach = 1.96 * np.sqrt((1 + value**2 / 2) / (len(ours) - 3))
    low, high = np.tanh(np.arctanh(value) + np.array([-reach, reach]))
    return value, float(low), float(high)


def lines(kept: dict[str, Any]) -> Iterator[str]:
    """The tables."""
    yield PAGE_TEXT.format(sample=SAMPLE, batch=BATCH, seeds=SEEDS)
    for name, found in kept.items():
        truth, table = np.array(found["accuracy"]), []
        for proxy, values in scores(found).items():
            row = [CLOSED.get(proxy, f"`{proxy}`")]
            for part in ("random", "best"):
                value, low, high = correlation(values[found[part]], truth[found[part]])
                clear = low > 0 or high < 0
                text = f"{value:+.2f} [{low:+.2f}, {high:+.2f}]"
                text = f"**{text}**" if clear else text
                row.append("all equal" if np.isnan(value) else text)
            table.append(row)
        yield f"## {name}"
        yield ""
        yield (
            f"{found['trained']:,} trained architectures; a draw of all four proxies that need a "
            f"network takes {found['seconds']:.2f} s of a core, a training "
            f"{found['training_s']:.0f} s. **Bold** where the interval leaves out 0."
        )
        if not found["same_pictures"]:
            yield ""
            yield "The pictures are not bit by bit those of the trainings."
        yield ""
        yield f"| proxy | at random ({len(found['random'])}) | best tenth ({len(found['best'])}) |"
        yield "| --- | --- | --- |"
        yield from ("| " + " | ".join(row) + " |" for row in table)
        yield ""


def page(kept: dict[str, Any]) -> str:
    """The whole page of what is kept."""
    return "\n".join(lines(kept)).rstrip() + "\n"


def main() -> None:
    """Compute what is asked for, write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", nargs="*", default=[], choices=("digits", "cifar10"))
    given = parser.parse_args()
    kept = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    for name in given.run:
        kept[name] = run(name)
        write_atomic(FIGURES, json.dumps(kept, separators=(",", ":")) + "\n")
    write_atomic(PAGE, page(kept))


if __name__ == "__main__":
    main()
