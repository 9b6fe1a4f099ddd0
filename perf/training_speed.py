"""Trainings per core-hour as a plain loop has them, and as ``blox-env collect`` does.

Both train the same architectures for the same number of images, one process a core at the same
time, since that is how a collection runs. The plain loop: default memory format, batches of 40, an
optimiser that walks over the parameters, all threads for every process, the allocator as it comes,
validation and test after every epoch.

    python perf/training_speed.py
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

import numpy as np

from blox_env import BloxSpace
from blox_env.ground.parallel import WORKER_ENVIRONMENT, available_cores

EPOCHS = 2  # of 1,400 images; enough for a ratio


def plain(rows: list[list[int]]) -> None:
    """What one would write first."""
    import torch
    from torch.nn import functional

    from blox_env.networks.blox import BloxNetwork
    from blox_env.networks.steps import accuracy
    from blox_env.networks.tasks import load_task

    task = load_task("digits")
    splits = [
        (torch.from_numpy(s.images), torch.from_numpy(s.labels))
        for s in (task.train, task.val, task.test)
    ]
    images, labels = splits[0]
    for row in rows:
        network = BloxNetwork(row, width=task.width, classes=task.classes, in_channels=1)
        optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9, foreach=False)
        for _ in range(EPOCHS):
            network.train()
            for index in torch.randperm(len(labels)).split(40):
                loss = functional.cross_entropy(network(images[index]), labels[index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            for split in splits[1:]:
                accuracy(network, *split, batch=40)


def fast(rows: list[list[int]]) -> None:
    """What the collection does."""
    from blox_env.networks.recipe import Recipe
    from blox_env.networks.tasks import load_task
    from blox_env.networks.training import train

    for row in rows:
        train(row, load_task("digits"), Recipe(epochs=EPOCHS), seed=0)


def timed(way: str, architectures: int) -> float:
    """Seconds a training and core, start of the processes left out."""
    cores = available_cores()
    environment = {**os.environ, **(WORKER_ENVIRONMENT if way == "fast" else {})}
    if way == "plain":
        for name in WORKER_ENVIRONMENT:
            environment.pop(name, None)
    command = [sys.executable, __file__, "--worker", way, "--architectures", str(architectures)]
    processes = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(cores)
    ]
    seconds = [float(process.communicate()[0]) for process in processes]
    return sum(seconds) / cores / architectures


def main() -> None:
    """Alternate both ways and print trainings per core-hour and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--architectures", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--worker", choices=("plain", "fast"))
    arguments = parser.parse_args()
    if arguments.worker:
        rng = np.random.default_rng(7)
        rows = BloxSpace().sample(rng, arguments.architectures).tolist()
        work = {"plain": plain, "fast": fast}[arguments.worker]
        work(rows[:1])  # imports and first use are not what is asked
        started = time.perf_counter()
        work(rows)
        print(time.perf_counter() - started)
        return
    times: dict[str, list[float]] = {"plain": [], "fast": []}
    for _ in range(arguments.rounds):
        for way in times:
            times[way].append(timed(way, arguments.architectures))
    for way, seconds in times.items():
        per_hour = 3600 / np.median(seconds)
        print(f"{way}: {per_hour:.0f} trainings of {EPOCHS} epochs a core-hour")
    print(f"ratio: {np.median(times['plain']) / np.median(times['fast']):.2f}")


if __name__ == "__main__":
    main()
