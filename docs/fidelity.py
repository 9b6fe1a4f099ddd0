"""Writes docs/fidelity.md: how far small trainings tell the order of larger ones.

    python docs/fidelity.py

From ``docs/fidelity.json``, the trainings of ``perf/pilot.py`` and ``perf/collect_gpu.py``: the
same architectures at several widths, resolutions, lengths and sizes of the training set. Rank
correlations are shown as they are, and divided by the root of both reliabilities where two seeds
tell them (Spearman 1904); intervals are percentiles of a bootstrap over architectures.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

import blox_env
from blox_env.ground.files import write_atomic

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"(<!-- tables -->\n).*?(<!-- /tables -->)", re.DOTALL)
DRAWS = 2000
WORDS = {
    "digits": "digits, 8 px, width 8, 7 epochs of 1,400",
    "short": "16 px, width 8, 4 epochs of 30,000 (the benchmark `cifar10`)",
    "base": "16 px, width 8, 8 epochs of 30,000",
    "long": "16 px, width 8, 32 epochs of 30,000",
    "adamw": "16 px, width 8, 8 epochs of 30,000 with AdamW",
    "low-lr": "16 px, width 8, 8 epochs of 30,000 at a third of the learning rate",
    "few-12": "16 px, width 8, 12 epochs of 10,240",
    "short-w16": "16 px, width 16, 4 epochs of 30,000",
    "short-w32": "16 px, width 32, 4 epochs of 30,000",
    "short-p32": "32 px, width 8, 4 epochs of 30,000",
}
# multiply-adds of a training, in those of "short": pixels, squared width, pictures and epochs
COST = {
    "digits": 0.02,
    "short": 1.0,
    "base": 2.0,
    "long": 8.0,
    "adamw": 2.0,
    "low-lr": 2.0,
    "few-12": 1.02,
    "short-w16": 4.0,
    "short-w32": 16.0,
    "short-p32": 4.0,
}

Values = dict[str, dict[tuple[int, ...], list[float]]]


def load() -> Values:
    """Validation accuracies of every fidelity, by architecture and seed."""
    found: Values = defaultdict(dict)
    for entry in json.loads((ROOT / "docs" / "fidelity.json").read_text())["trainings"]:
        found[entry["fidelity"]].setdefault(tuple(entry["row"]), []).append(entry["val_acc"])
    return found


def reliability(values: dict[tuple[int, ...], list[float]]) -> float:
    """Rank correlation of two trainings of the same architectures; NaN without pairs."""
    pairs = np.array([v[:2] for v in values.values() if len(v) > 1])
    return float(spearmanr(*pairs.T).statistic) if len(pairs) > 9 else float("nan")


def correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[float, float, float]:
    """Spearman's correlation with a 95 % interval."""
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(a), (DRAWS, len(a)))
    again = [spearmanr(a[d], b[d]).statistic for d in draws]
    low, high = np.nanquantile(again, [0.025, 0.975])
    return float(spearmanr(a, b).statistic), float(low), float(high)


def tables() -> str:
    """All tables of the page."""
    values = load()
    reliable = {name: reliability(v) for name, v in values.items()}
    heads: tuple[str, ...] = (
        "fidelity",
        "cost",
        "architectures",
        "mean",
        "deviation between architectures",
    )
    heads += ("of one training", "two seeds agree (Spearman)")
    text = ["| " + " | ".join(heads) + " |", "| --- " * len(heads) + "|"]
    names = [name for name in WORDS if name in values]
    for name in names:
        mean = np.array([np.mean(v) for v in values[name].values()])
        pairs = np.array([v[:2] for v in values[name].values() if len(v) > 1])
        noise = (
            f"{np.sqrt(np.mean((pairs[:, 0] - pairs[:, 1]) ** 2) / 2):.4f}" if len(pairs) else "–"
        )
        two = f"{reliable[name]:.3f}" if np.isfinite(reliable[name]) else "–"
        text.append(
            f"| {WORDS[name]} | {COST[name]:g} | {len(mean)} | {mean.mean():.3f} "
            f"| {mean.std(ddof=1):.4f} | {noise} | {two} |"
        )
    text += ["", "| Spearman with | " + " | ".join(f"`{n}`" for n in names) + " |",
             "| --- |" + " --- |" * len(names)]  # fmt: skip
    for one in names:
        cells = []
        for other in names:
            shared = sorted(set(values[one]) & set(values[other]))
            if one == other or len(shared) < 10:
                cells.append("" if one == other else "–")
                continue
            a, b = (np.array([np.mean(values[n][s]) for s in shared]) for n in (one, other))
            r, low, high = correlation(a, b)
            root = np.sqrt(reliable[one] * reliable[other])
            mended = f", {min(1.0, r / root):.2f} without noise" if np.isfinite(root) else ""
            cells.append(f"{r:.2f} ({low:.2f} … {high:.2f}, n = {len(shared)}{mended})")
        text.append(f"| `{one}` | " + " | ".join(cells) + " |")
    text += ["", *explained(values, names)]
    heads = ("Spearman of accuracy with", "parameters", "multiply-adds")
    heads += ("latency on x86-ort-1t", "latency on x86-ort-int8-1t")
    text += ["", "| " + " | ".join(heads) + " |", "| --- " * len(heads) + "|"]
    space = blox_env.BloxSpace()
    for benchmark in ("cifar10", "digits"):
        every = space.all()
        accuracy = blox_env.load_benchmark(benchmark).evaluate(every).val_acc
        columns = [np.asarray(v, float) for v in (space.params(every), space.macs(every))]
        devices = [blox_env.load_device(name) for name in ("x86-ort-1t", "x86-ort-int8-1t")]
        columns.extend(device.latency_ms(every) for device in devices)
        cells = [f"{spearmanr(accuracy, c).statistic:.2f}" for c in columns]
        text.append(f"| benchmark `{benchmark}`, whole table | " + " | ".join(cells) + " |")
    text += ["", both_places()]
    return "\n".join(text) + "\n"


def both_places() -> str:
    """A sentence about trainings of the same architecture and seed on a CPU and on a GPU."""
    pairs = json.loads((ROOT / "docs" / "fidelity.json").read_text())["both_places"]
    difference = np.array([pair["cpu"] - pair["gpu"] for pair in pairs])
    error = difference.std(ddof=1) / np.sqrt(len(difference))
    return (
        f"{len(pairs)} trainings of the benchmark `cifar10` were made with the same architecture "
        f"and seed on a CPU in float32 and on the GPU in bfloat16: CPU minus GPU is "
        f"{difference.mean():+.4f} ± {error:.4f} on average, {difference.std(ddof=1):.4f} from one "
        f"to the next, as between two seeds."
    )


def explained(values: Values, names: list[str]) -> list[str]:
    """Lines of a table: share of the variance that one structural number explains.

    Args:
        values: accuracies of every fidelity.
        names: of the fidelities, in their order.
    """
    space = blox_env.BloxSpace()
    numbers = ("shortest chain", "longest chain", "parameters", "multiply-adds")
    heads = ("share of the variance explained by", *numbers)
    text = ["| " + " | ".join(heads) + " |", "| --- " * len(heads) + "|"]
    for name in names:
        x = np.array(list(values[name]))
        y = np.array([np.mean(v) for v in values[name].values()])
        depth = space.features(x, "depth")
        columns = (depth[:, -5], depth[:, -6], space.params(x), space.macs(x))
        cells = [f"{np.corrcoef(np.asarray(n, float), y)[0, 1] ** 2:.2f}" for n in columns]
        text.append(f"| `{name}`, {len(x)} architectures | " + " | ".join(cells) + " |")
    return text


def main() -> None:
    """Write the tables into the page."""
    page = ROOT / "docs" / "fidelity.md"
    filled = BLOCK.sub(lambda match: match[1] + tables() + match[2], page.read_text())
    write_atomic(page, filled)


if __name__ == "__main__":
    main()
