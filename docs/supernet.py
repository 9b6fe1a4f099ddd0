"""Writes docs/supernet.md: how well a one-shot supernet ranks architectures, and what it costs.

    python docs/supernet.py --run
    python docs/supernet.py

The first trains supernets on the task ``digits``, one after the other, and scores with each the
architectures of docs/proxies.json; what is in docs/supernet.json already is not trained again. The
second writes the page.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from blox_env import BloxSpace, load_benchmark
from blox_env.cli.views.progress import tracked
from blox_env.ground.files import write_atomic
from blox_env.networks.recipe import Recipe
from blox_env.networks.supernet import score, train_supernet
from blox_env.networks.tasks import load_task

ROOT = Path(__file__).resolve().parents[1]
FIGURES, PAGE = ROOT / "docs" / "supernet.json", ROOT / "docs" / "supernet.md"
CHOSEN = ROOT / "docs" / "proxies.json"  # the architectures, at random and of the best tenth
NAME = "digits"
EPOCHS = (7, 28, 112)  # the first are those of one training
SEEDS = 2
FIRST = 12  # a tenth of those at random

PAGE_TEXT = """# A one-shot supernet

Written by `python docs/supernet.py`; do not edit. A supernet has all 91,125 networks of Blox in it,
which share weights (`blox_env.networks.supernet`; Guo et al., ECCV 2020: every step trains one
path, drawn uniformly). An architecture is scored by its validation accuracy with the shared
weights, batch norms estimated anew. Does that rank architectures as trainings of their own do?

Task and recipe are those of the benchmark `digits`, with more epochs; the architectures are those
of [Zero-cost proxies](proxies.md): {random} at random of all that were trained, and {best} of
their best tenth, where searches end. Correlations are with the table's validation accuracy: the
mean over supernets of other seeds, in brackets each of them. Seconds are CPU time of one core, on a
machine that did other things besides: compare them within this page only.
"""


def run(kept: dict[str, Any]) -> None:
    """Train and score what is missing, and keep each as soon as it is there.

    Args:
        kept: what is there; it is extended.
    """
    chosen, task, space = json.loads(CHOSEN.read_bytes())[NAME], load_task(NAME), BloxSpace()
    rows = space.from_index(np.array(chosen["index"]))
    kept.update({key: chosen[key] for key in ("index", "accuracy", "random", "best")})
    kept.update(checksum=load_benchmark(NAME).checksum(), same_pictures=chosen["same_pictures"])
    found = kept.setdefault("supernets", {})
    todo = [(seed, epochs) for seed in range(SEEDS) for epochs in EPOCHS]
    with tracked() as track:
        for k in track("supernets", range(len(todo))):
            seed, epochs = todo[k]
            if (key := f"{epochs}-{seed}") in found:
                continue
            supernet, seconds = train_supernet(task, replace(Recipe(), epochs=epochs), seed=seed)
            began = time.process_time()
            scores = score(supernet, task, rows)
            found[key] = {
                "train_s": round(seconds, 2),
                "score_s": round((time.process_time() - began) / len(rows), 4),
                "accuracy": scores.round(6).tolist(),
            }
            write_atomic(FIGURES, json.dumps(kept, separators=(",", ":")) + "\n")


def correlations(ours: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Spearman's and Kendall's rank correlation.

    Args:
        ours: ``(n,)``.
        truth: ``(n,)``.
    """
    return float(stats.spearmanr(ours, truth).statistic), float(
        stats.kendalltau(ours, truth).statistic
    )


def figures(kept: dict[str, Any], epochs: int) -> list[dict[str, float]]:
    """Figures of the supernets of so many epochs, one entry a seed.

    Args:
        kept: all that is kept.
        epochs: of these.
    """
    truth, found = np.array(kept["accuracy"]), []
    for key, each in kept["supernets"].items():
        if int(key.partition("-")[0]) != epochs:
            continue
        ours = np.array(each["accuracy"])
        entry = {"train_s": each["train_s"], "score_s": each["score_s"], "mean": float(ours.mean())}
        for part in ("random", "best"):
            chosen = np.array(kept[part])
            entry[f"spearman_{part}"], entry[f"kendall_{part}"] = correlations(
                ours[chosen], truth[chosen]
            )
        tenth = np.array(kept["random"])[np.argsort(ours[kept["random"]])[-FIRST:]]
        entry["place"] = float((truth[kept["random"]][:, None] > truth[tenth]).mean())
        worst = np.array(kept["random"])[np.argsort(truth[kept["random"]])[:FIRST]]
        entry |= {"worst": float(ours[worst].mean()), "worst_own": float(truth[worst].mean())}
        found.append(entry)
    return found


def _cell(values: list[float], digits: int = 2) -> str:
    """A mean, and in brackets what it is of."""
    each = ", ".join(f"{value:+.{digits}f}" for value in values)
    return f"{np.mean(values):+.{digits}f} ({each})"


def lines(kept: dict[str, Any]) -> Iterator[str]:
    """The table and what it says."""
    yield PAGE_TEXT.format(random=len(kept["random"]), best=len(kept["best"]))
    ready = {epochs: found for epochs in EPOCHS if (found := figures(kept, epochs))}
    first = np.mean([entry["train_s"] for entry in ready[EPOCHS[0]]])
    yield (
        "| epochs | training, s | that is, trainings | scoring one, s | Spearman, at random | "
        "Kendall, at random | Spearman, best tenth | Kendall, best tenth | mean accuracy |"
    )
    yield "| --: | --: | --: | --: | --- | --- | --- | --- | --: |"
    for epochs, found in ready.items():
        columns = {key: [entry[key] for entry in found] for key in found[0]}
        yield (
            f"| {epochs} | {np.mean(columns['train_s']):.1f} "
            f"| {np.mean(columns['train_s']) / first:.1f} | {np.mean(columns['score_s']):.3f} "
            f"| {_cell(columns['spearman_random'])} | {_cell(columns['kendall_random'])} "
            f"| {_cell(columns['spearman_best'])} | {_cell(columns['kendall_best'])} "
            f"| {np.mean(columns['mean']):.1%} |"
        )
    yield ""
    most = max(ready)
    mean = {key: float(np.mean([e[key] for e in ready[most]])) for key in ready[most][0]}
    chance = 1.96 / np.sqrt(len(kept["best"]) - 3)
    chains, macs = _free(kept)
    yield (
        f"- The price: {most} epochs cost {mean['train_s'] / first:.0f} times what {EPOCHS[0]} "
        f"cost, the epochs of a training; to score an architecture then costs "
        f"{mean['score_s'] / first:.0%} of that."
    )
    early = {key: float(np.mean([e[key] for e in ready[EPOCHS[0]]])) for key in mean}
    yield (
        f"- From {EPOCHS[0]} epochs to {most}, Spearman at random goes from "
        f"{early['spearman_random']:+.2f} to {mean['spearman_random']:+.2f}, in the best tenth "
        f"from {early['spearman_best']:+.2f} to {mean['spearman_best']:+.2f}. The tenth of those "
        f"at random that is worst when trained on its own ({mean['worst_own']:.1%}) has "
        f"{early['worst']:.1%} with weights shared for {EPOCHS[0]} epochs, {mean['worst']:.1%} for "
        f"{most}: what learns little alone learns with others, and its place is lost."
    )
    yield (
        f"- At random: Spearman {mean['spearman_random']:+.2f}. The shortest chain without a "
        f"shortcut, which costs nothing, has {chains:+.2f}."
    )
    yield (
        f"- Best tenth: Spearman {mean['spearman_best']:+.2f}, multiply-adds {macs:+.2f}; up to "
        f"{chance:.2f} may be chance (95 %)."
    )
    yield (
        f"- Of those at random, {mean['place']:.0%} are better than one of the {FIRST} that the "
        f"supernet puts first, on average; {(FIRST - 1) / 2 / len(kept['random']):.0%} if these "
        "were the best, 50 % if they were drawn."
    )
    yield (
        f"- With shared weights the architectures have {mean['mean']:.1%} on average, trained on "
        f"their own {np.mean(kept['accuracy']):.1%}: the accuracy of a path is a rank at most, and "
        "no estimate."
    )


def _free(kept: dict[str, Any]) -> tuple[float, float]:
    """Rank correlations of what needs no network: at random by chains, best tenth by size."""
    space, truth = BloxSpace(), np.array(kept["accuracy"])
    x = space.from_index(np.array(kept["index"]))
    chains, macs = space.features(x, "depth")[:, -5], space.macs(x)
    return (
        correlations(chains[kept["random"]], truth[kept["random"]])[0],
        correlations(macs[kept["best"]], truth[kept["best"]])[0],
    )


def page(kept: dict[str, Any]) -> str:
    """The whole page of what is kept."""
    return "\n".join(lines(kept)).rstrip() + "\n"


def main() -> None:
    """Train what is asked for, write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", action="store_true")
    given = parser.parse_args()
    kept = json.loads(FIGURES.read_bytes()) if FIGURES.exists() else {}
    if given.run:
        run(kept)
    write_atomic(PAGE, page(kept))


if __name__ == "__main__":
    main()
