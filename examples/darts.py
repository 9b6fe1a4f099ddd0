"""Search the space of DARTS, 10^18 architectures, on a model of NAS-Bench-301's trainings.

    python examples/darts.py                          # accuracies made up from sizes
    blox-env import yahpo_data/nb301 --out stores/nb301
    python examples/darts.py --store stores/nb301     # the model's

The model is YAHPO Gym's (Apache-2.0), which its authors publish: a folder with ``model_v2.onnx``
and ``encoding_v2.json``. It is not part of this package.
"""

from __future__ import annotations

import argparse

import gymnasium as gym
import numpy as np
from numpy.typing import ArrayLike

import blox_env
from blox_env import Benchmark, DartsSpace, Evaluation, Problem


class MadeUp(Benchmark):
    """Accuracies that rise with the number of parameters: they are made up."""

    def __init__(self) -> None:
        self.name, self.space = "made-up", DartsSpace()

    def evaluate(
        self,
        x: ArrayLike,
        *,
        epochs: int | None = None,
        best: bool = False,
        seed: int | None = None,
    ) -> Evaluation:
        """Look nothing up."""
        self.check_epochs(epochs)
        size = self.space.size_of("params", x) / 1e6
        n = len(size)
        unknown = np.full(n, np.nan)
        source = np.full(n, "surrogate")
        return Evaluation(0.9 + 0.05 * np.tanh(size - 0.8), unknown, np.zeros(n), unknown, source)


def main() -> None:
    """Evaluate a known architecture, search, and take a random episode."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--store", help="folder that blox-env import wrote")
    parser.add_argument("--budget", type=int, default=200)
    arguments = parser.parse_args()

    space = DartsSpace()
    benchmark = blox_env.load_benchmark(arguments.store) if arguments.store else MadeUp()
    drawn = benchmark.evaluate(space.sample(np.random.default_rng(0), 1000)).val_acc
    print(f"{space.size:.3g} architectures; median of 1,000 drawn: {np.median(drawn):.4f}")

    problem = Problem(benchmark, None, "accuracy", budget=arguments.budget)
    history = blox_env.search(problem, "regularized-evolution", seed=0)
    best = history.x[int(np.argmax(history.reward))]
    print(f"found in {arguments.budget} evaluations: {history.reward.max():.4f}")
    print(space.describe(best))
    print(space.to_genotype(best))
    size = {name: int(space.size_of(name, best)[0]) for name in space.sizes}
    print(f"eight cells of 32 channels: {size['params']:,} parameters, {size['macs']:,} MACs")

    env = gym.make("blox_env/Darts-v0", benchmark=benchmark, device=None)
    _, info = env.reset(seed=0)
    rng, done = np.random.default_rng(0), False
    while not done:
        action = int(rng.choice(np.flatnonzero(info["action_mask"])))
        _, reward, done, _, info = env.step(action)
    print(f"an episode of random choices: {float(reward):.4f}")


if __name__ == "__main__":
    main()
