"""Pilot on a GPU: which recipe agrees best with long trainings of larger networks, at which cost?

    python perf/pilot.py --pictures PICTURES.npz --out FOLDER --seconds 300

Trains the same architectures at many fidelities (pixels, width, length, pictures, optimiser) and
appends every training to ``FOLDER/pilot.jsonl``; ``--rank`` prints the table of what is there.
``--order FILE`` holds other lines than :data:`ORDER`, as JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from blox_env.networks.farm import Farm, Group, groups_of, save_task
from blox_env.networks.natural import ImageSettings, image_task
from blox_env.networks.recipe import Recipe
from blox_env.networks.tasks import Task
from blox_env.spaces import BloxSpace

BASE = Recipe(epochs=8, batch=256, peak_lr=0.2, flip=1, shift=2)
FEW = {"train": 10_240}
# name: (pixels and width and pictures, recipe)
FIDELITIES: dict[str, tuple[dict[str, int], Recipe]] = {
    "base": ({}, BASE),
    "short-old": (FEW, Recipe(epochs=6, batch=128, peak_lr=0.1)),
    "short": ({}, replace(BASE, epochs=4)),
    "adamw": ({}, replace(BASE, optimizer="adamw", peak_lr=4e-3, weight_decay=0.05)),
    "low-lr": ({}, replace(BASE, peak_lr=0.07)),
    "smooth": ({}, replace(BASE, label_smoothing=0.1)),
    "gain-1": ({}, replace(BASE, branch_gain=1.0)),
    "batch-128": ({}, replace(BASE, batch=128, peak_lr=0.1)),
    "batch-512": ({}, replace(BASE, epochs=16, batch=512, peak_lr=0.3)),
    "few-long": (FEW, replace(BASE, epochs=24)),
    "long": ({}, replace(BASE, epochs=32)),
    "w16": ({"width": 16}, BASE),
    "w32": ({"width": 32}, BASE),
    "p32-w8": ({"side": 32}, replace(BASE, epochs=6)),
    "p32-w16": ({"side": 32, "width": 16}, replace(BASE, epochs=6)),
    "p32-w32": ({"side": 32, "width": 32}, replace(BASE, epochs=6)),
    "float32": ({}, BASE),
    "short-w16": ({"width": 16}, replace(BASE, epochs=4)),
    "short-p32": ({"side": 32}, replace(BASE, epochs=4)),
    "epochs-16": ({}, replace(BASE, epochs=16)),
    "few-12": (FEW, replace(BASE, epochs=12)),
    "short-w32": ({"width": 32}, replace(BASE, epochs=4)),
    "short-p32-w16": ({"side": 32, "width": 16}, replace(BASE, epochs=4)),
}
# what is trained, in this order: fidelity, architectures from, to, seeds, networks side by side
Order = tuple[tuple[str, int, int, tuple[int, ...], int], ...]
ORDER: Order = (
    ("base", 0, 40, (0, 1), 40),
    ("short", 0, 40, (0, 1), 40),
    ("long", 0, 40, (0,), 40),
    ("adamw", 0, 40, (0, 1), 40),
    ("p32-w16", 0, 40, (0,), 20),
    ("low-lr", 0, 40, (0, 1), 40),
    ("w16", 0, 40, (0,), 40),
    ("short-old", 0, 40, (0, 1), 40),
    ("smooth", 0, 40, (0, 1), 40),
    ("gain-1", 0, 40, (0, 1), 40),
    ("p32-w8", 0, 40, (0,), 40),
    ("few-long", 0, 40, (0,), 40),
    ("w32", 0, 40, (0,), 20),
    ("p32-w32", 0, 40, (0,), 10),
    ("float32", 0, 40, (0,), 40),
    ("long", 0, 40, (1,), 40),
    ("batch-128", 0, 40, (0, 1), 40),
    ("batch-512", 0, 40, (0, 1), 40),
    ("p32-w16", 0, 40, (1,), 20),
    ("w16", 0, 40, (1,), 40),
)


def architectures() -> np.ndarray:
    """Forty architectures: sixteen over parameters and longest chain, the others uniform."""
    space = BloxSpace()
    rng = np.random.default_rng(12)
    x = space.sample(rng, 4000)
    params, chain = space.params(x), longest_chain(x)
    chosen = []
    for i in range(4):
        low, high = np.quantile(params, [i / 4, (i + 1) / 4])
        part = np.flatnonzero((params >= low) & (params <= high))
        part = part[np.lexsort((rng.random(len(part)), chain[part]))]
        chosen += [part[int(q * (len(part) - 1))] for q in (0.01, 0.35, 0.7, 0.99)]
    rest = [i for i in range(len(x)) if i not in set(chosen)]
    return np.asarray(x[np.array(chosen + rest[:24])])


def longest_chain(x: np.ndarray) -> np.ndarray:
    """Convolutions in the longest chain without a shortcut, over all stages: ``(n,)``."""
    depth = BloxSpace().features(x, "depth")
    return np.asarray(depth[:, -6])


def layers(x: np.ndarray) -> np.ndarray:
    """About how many layers a network has: ``(n,)``."""
    return np.asarray(BloxSpace().features(x, "depth")[:, -3:] @ [4, 8, 18])


def task_name(settings: dict[str, int]) -> str:
    """Short name of a task with these settings."""
    return "cifar10" + "".join(f"-{k}{v}" for k, v in sorted(settings.items()))


def load_tasks(pictures: Path, folder: Path, names: list[str]) -> dict[str, Task]:
    """Cut the tasks of some fidelities out of the pictures, and write them for the farm."""
    with np.load(pictures, allow_pickle=False) as file:
        images, labels, test = file["images"], file["labels"], file["test"]
    tasks = {}
    for name in names:
        settings = FIDELITIES[name][0]
        key = task_name(settings)
        if key not in tasks:
            tasks[key] = replace(
                image_task("cifar10", images, labels, test, ImageSettings(**settings)), name=key
            )
            save_task(tasks[key], folder)
    return tasks


def all_groups(number: str, order: Order = ORDER) -> Iterator[Group]:
    """Every group in an order such as :data:`ORDER`."""
    x = architectures()
    for name, start, end, seeds, size in order:
        settings, recipe = FIDELITIES[name]
        part = x[start:end]
        part = part[np.argsort(-layers(part), kind="stable")]  # equal lengths side by side
        trainings = [(tuple(row), seed) for seed in seeds for row in part.tolist()]
        kind = "float32" if name == "float32" else number
        yield from groups_of(
            trainings, size, task=task_name(settings), recipe=recipe, tag=name, number=kind
        )


def say(text: str) -> None:
    """Print at once, with the seconds since the start."""
    print(f"{time.monotonic() - STARTED:6.1f} {text}", flush=True)


def rank(rows: list[dict[str, Any]], val: int = 15_000) -> None:
    """Print each fidelity's noise and its rank correlation with the largest networks."""
    by: dict[str, dict[tuple[int, ...], dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    cost: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        by[row["tag"]][tuple(row["row"])][row["seed"]] = row["correct"][-2] / val
        cost[row["tag"]].append(row["share_s"])
    tops = [t for t in ("p32-w32", "p32-w16", "long") if t in by]
    print("fidelity      n  seeds2  mean   min    max   s_arch s_seed ratio  gpu_s  spearman with "
          + " ".join(tops) + "  chain params")  # fmt: skip
    chain = {
        tuple(r): c
        for r, c in zip(architectures().tolist(), longest_chain(architectures()), strict=True)
    }
    params = dict(zip(chain, BloxSpace().params(architectures()), strict=True))
    for name, archs in by.items():
        mean = {a: float(np.mean(list(v.values()))) for a, v in archs.items()}
        pairs = np.array([list(v.values())[:2] for v in archs.values() if len(v) > 1])
        noise = float(np.sqrt(((pairs[:, 0] - pairs[:, 1]) ** 2).mean() / 2)) if len(pairs) else 0
        values = np.array(list(mean.values()))
        parts = []
        for top in tops:
            shared = [a for a in archs if a in by[top]]
            if len(shared) > 3:
                a = [mean[s] for s in shared]
                b = [float(np.mean(list(by[top][s].values()))) for s in shared]
                parts.append(rank_correlation(a, b))
            else:
                parts.append(float("nan"))
        parts += [
            rank_correlation(values, [float(chain[a]) for a in mean]),
            rank_correlation(values, [float(params[a]) for a in mean]),
        ]
        spread = np.sqrt(max(1e-9, values.var(ddof=1) - noise**2 / 2))
        print(f"{name:12s} {len(mean):3d} {len(pairs):5d}  {values.mean():.4f} {values.min():.4f} "
              f"{values.max():.4f} {spread:.4f} {noise:.4f} {noise / spread:.3f} "
              f"{np.mean(cost[name]):6.2f}   " + " ".join(f"{p:.3f}" for p in parts))  # fmt: skip


def rank_correlation(a: Any, b: Any) -> float:
    """Rank correlation."""
    return float(spearmanr(a, b).statistic)


def main() -> None:
    """Train for as long as asked, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--number", default="bfloat16", choices=("bfloat16", "float32"))
    parser.add_argument("--rank", action="store_true")
    parser.add_argument("--order", type=Path)
    arguments = parser.parse_args()
    target = arguments.out / "pilot.jsonl"
    if arguments.rank:
        rank([json.loads(line) for line in target.read_text().splitlines()])
        return
    folder = Path("/dev/shm/blox-env-tasks")
    folder.mkdir(exist_ok=True)
    order = json.loads(arguments.order.read_text()) if arguments.order else ORDER
    tasks = load_tasks(arguments.pictures, folder, list(dict.fromkeys(line[0] for line in order)))
    say("tasks: " + ", ".join(f"{k} {t.fingerprint()}" for k, t in tasks.items()))
    farm = Farm(folder, processes=arguments.processes)
    groups = list(all_groups(arguments.number, order))
    left = len(groups)
    seen: dict[str, list[float]] = defaultdict(list)
    rows: list[dict[str, Any]] = []
    pictures = 0.0
    begun = time.monotonic()
    stop_at = STARTED + arguments.seconds
    failures = 0
    with target.open("a") as file:
        for result in farm.run(
            lambda: groups.pop(0) if groups else None, stop_at=stop_at - 15, give_up_at=stop_at
        ):
            group = result.group
            left -= 1
            if result.error:
                failures += 1
                if failures < 4:
                    say(f"{group.tag} failed: {result.error[-1500:]}")
                continue
            for (row, seed), correct in zip(group.trainings, result.correct, strict=True):
                entry = {
                    "tag": group.tag, "row": row, "seed": seed, "correct": correct,
                    "share_s": result.wall_s / len(group.trainings) / arguments.processes,
                    "number": group.number, "recipe": group.recipe.to_dict(),
                }  # fmt: skip
                rows.append(entry)
                file.write(json.dumps(entry) + "\n")
                pictures += group.recipe.epochs * len(tasks[group.task].train)
            file.flush()
            seen[group.tag].append(result.wall_s)
            if len(seen[group.tag]) <= 2:
                pace = pictures / (time.monotonic() - begun)
                say(
                    f"{group.tag}: {len(seen[group.tag])} groups, {len(rows)} trainings, "
                    f"{pace:.0f} images/s"
                )
            if not left:
                break
    farm.close()
    say(f"{len(rows)} trainings, {failures} groups failed")
    rank(rows)


STARTED = time.monotonic()
if __name__ == "__main__":
    main()
