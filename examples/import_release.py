"""Import a Blox release and use it everywhere a name of a benchmark or a device may stand.

The release here is made up and small; with the real one the same is
``blox-env import FOLDER --out my-store``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import gymnasium as gym
import numpy as np

import blox_env
from blox_env.benchmarks.imported import ReleaseBenchmark
from blox_env.importers.importing import import_files
from blox_env.importers.made_up import write_release


def main() -> None:
    """Write a made-up release, import it, ask it, and play an episode on it."""
    space = blox_env.BloxSpace()
    x = space.from_index(np.random.default_rng(0).permutation(space.size)[:200])
    with tempfile.TemporaryDirectory() as folder:
        release, store = Path(folder, "release"), Path(folder, "store")
        write_release(release, x, epochs=20, seeds=(0, 1), formats=("csv", "pickle"))

        report = import_files(release, store)
        print("found:", *report.found, sep="\n  ")
        print("missing:", *report.missing, sep="\n  ")

        benchmark = ReleaseBenchmark(store)  # load_benchmark(str(store)) gives the same
        phone = str(store / "devices" / "phone")
        device = blox_env.load_device(phone)
        value = benchmark.evaluate(x[:3], best=True)
        print("made-up accuracies:", value.val_acc, "latencies:", device.latency_ms(x[:3]), "ms")
        print("an architecture that is not there:", benchmark.evaluate([[0, 0, 0]]).val_acc)

        blox = benchmark.upstream()  # the calls of the upstream package
        arch_vec = space.to_arch_vec(x[0])
        print("in percent:", blox.val_acc(arch_vec, epoch=10, seed=1), blox.latency(arch_vec))

        env = gym.make("blox_env/Blox-v0", benchmark=str(store), device=phone)
        env.reset(seed=0)
        for action in x[0]:
            *_, reward, _, _, info = env.step(action)
        print(f"an episode: reward {reward:.4f}, source {info['source']}")


if __name__ == "__main__":
    main()
