"""Accuracies of your own from a CSV file: a store that everything takes by its path.

The command does the same: ``blox-env import mine.csv --out stores/mine``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import gymnasium as gym
import numpy as np

import blox_env
from blox_env.importers.importing import import_files


def write_table(path: Path) -> None:
    """Made-up numbers of all 6,561 networks of NAS-Bench-Macro's space, as a table."""
    space = blox_env.MacroBenchSpace()
    x = space.all()
    val_acc = 0.9 - 0.4 * np.exp(-0.3 * x.sum(axis=1))
    latency = 0.8 + (x * np.arange(1, 9)).sum(axis=1) / 20
    lines = ["architecture,val_acc,latency_ms:my-phone"]
    for row, acc, ms in zip(x.tolist(), val_acc.tolist(), latency.tolist(), strict=True):
        lines.append(f"{'-'.join(map(str, row))},{acc:.5f},{ms:.3f}")
    path.write_text("\n".join(lines), encoding="utf-8")


def main() -> None:
    """Write a table, import it, search on it, play an episode on it."""
    with tempfile.TemporaryDirectory() as folder:
        table, store = Path(folder, "mine.csv"), Path(folder, "store")
        write_table(table)
        report = import_files(table, store)
        print(*report.found, *report.notes, sep="\n")

        phone = str(store / "devices" / "my-phone")
        problem = blox_env.Problem(str(store), phone, budget=200)
        history = blox_env.search(problem, "regularized-evolution", seed=0)
        best = history.best
        print("best:", best.architecture, best.val_acc, f"{best.latency_ms} ms")
        print(f"regret: {problem.regret(best.architecture)[0]:.4f}")

        env = gym.make("blox_env/Blox-v0", benchmark=str(store), device=phone)
        env.reset(seed=0)
        over = False
        while not over:
            *_, reward, over, _, _ = env.step(env.action_space.sample())
        print("reward of a random network:", reward)


if __name__ == "__main__":
    main()
