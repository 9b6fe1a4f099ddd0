"""A benchmark and a device of one's own, ten lines each, known by name everywhere.

The names work in ``gymnasium.make``, in Ray workers, and on the command line:
``blox-env --plugin your_own compare --benchmarks tiny --devices abacus --out runs/tiny``.
"""

from __future__ import annotations

import tempfile

import gymnasium as gym
import numpy as np
from numpy.typing import ArrayLike

import blox_env
from blox_env import Benchmark, Device, Evaluation, SearchSpace
from blox_env.testing import check_benchmark, check_device

SPACE = SearchSpace((5, 5, 5, 5), name="tiny")


class Tiny(Benchmark):
    name, space = "tiny", SPACE
    provides = frozenset({"table"})  # cheap to evaluate as a whole

    def evaluate(
        self,
        x: ArrayLike,
        *,
        epochs: int | None = None,
        best: bool = False,
        seed: int | None = None,
    ) -> Evaluation:
        self.check_epochs(epochs)
        acc = 0.5 + self.space.check(x).sum(axis=1) / 40
        zeros = np.zeros(len(acc))
        return Evaluation(acc, acc, zeros, zeros, np.full(len(acc), "imported"))


class Abacus(Device):
    name, space = "abacus", SPACE

    def latency_ms(self, x: ArrayLike) -> np.ndarray:
        latency: np.ndarray = 1.0 + np.square(self.space.check(x)).sum(axis=1)
        return latency

    def measured(self, x: ArrayLike) -> np.ndarray:
        return np.zeros(len(self.space.check(x)), dtype=bool)


# by the module's own name, so that Ray workers find it when this file is run as a script, too
blox_env.register_benchmark("tiny", "your_own:Tiny")
blox_env.register_device("abacus", "your_own:Abacus")


def main() -> None:
    """Check the contracts, play an episode, search, and compare two agents on Ray."""
    check_benchmark(Tiny())
    check_device(Abacus())

    env = gym.make("blox_env/Blox-v0", benchmark="tiny", device="abacus", reward="mnasnet")
    env.reset(seed=0)
    for action in (4, 0, 3, 1):
        *_, info = env.step(action)
    print("built by hand:", info["arch"], f"{info['val_acc']:.3f}", f"{info['latency_ms']} ms")

    problem = blox_env.Problem("tiny", "abacus", budget=100)
    history = blox_env.search(problem, "regularized-evolution", seed=0)
    best = history.best.row
    print("found:", history.x[best], f"reward {history.reward[best]:.4f}")
    print("best of all:", *problem.optimum())

    with tempfile.TemporaryDirectory() as folder:
        agents = ["random-search", "regularized-evolution"]
        ended = blox_env.compare(agents, ["tiny"], ["abacus"], seeds=2, budget=50, out=folder)
    print("on Ray:", len(ended), "searches,", sum(e.error is not None for e in ended), "failed")


if __name__ == "__main__":
    main()
