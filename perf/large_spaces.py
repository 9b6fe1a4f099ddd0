"""Environments and models in spaces that no table can hold, beside a table in the same run.

    python perf/large_spaces.py
    python perf/large_spaces.py --darts STORE      with what blox-env import made of nb301

Prints microseconds a step of vector environments of 4,096, and their ratio to the table's;
predictions a second of the models that can be kept; and the memory of searches and environments in
spaces of 3, 6, 12 and 24 slots. The rounds of what is compared take turns.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import tracemalloc
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

import blox_env
from blox_env.benchmarks.base import Benchmark, Evaluation
from blox_env.benchmarks.fit import fit_model
from blox_env.benchmarks.predictors.base import Features
from blox_env.benchmarks.predictors.network import Network
from blox_env.benchmarks.predictors.registry import list_predictors
from blox_env.spaces.blox.stages import BlockSpace

ENVS = 4096
ROUNDS = 15
PREDICTED = 100_000
DATA = Path(blox_env.__file__).parent / "data" / "benchmarks"


def environments(darts: str | None) -> None:
    """Print the cost of a step in each space."""
    named: dict[str, dict[str, Any]] = {
        "Blox-v0 (table)": {"id": "blox_env/Blox-v0"},
        "BloxXL-v0 (model)": {"id": "blox_env/BloxXL-v0"},
    }
    if darts:
        named["Darts-v0 (YAHPO's network)"] = {"id": "blox_env/Darts-v0", "benchmark": darts}
    envs: dict[str, Any] = {}
    for name, arguments in named.items():
        env = gym.make_vec(
            **arguments, num_envs=ENVS, vectorization_mode="vector_entry_point", device=None,
            reward="accuracy",
        )  # fmt: skip
        env.reset(seed=0)
        envs[name] = env
    rng = np.random.default_rng(0)
    seconds: dict[str, list[float]] = {name: [] for name in envs}
    for _ in range(ROUNDS):
        for name, env in envs.items():
            # all environments are at the same slot; the step after the last one resets
            options = (*env.unwrapped.problem.space.options, 1)
            actions = [rng.integers(0, count, ENVS) for count in options * 2]
            start = time.process_time()
            for each in actions:
                _, _, ended, _, _ = env.step(each)
            seconds[name].append((time.process_time() - start) / (len(actions) * ENVS))
            assert not ended.any()  # which was a reset
    table = statistics.median(seconds["Blox-v0 (table)"])
    print(f"vector environments of {ENVS}, processor time of a step:")
    for name, values in seconds.items():
        middle = statistics.median(values)
        print(f"  {name:28} {1e6 * middle:6.2f} µs   {middle / table:5.1f} × the table")


def predictions(darts: str | None) -> None:
    """Print predictions a second of each kind of model, on Blox, BloxXL and DARTS."""
    print("predictions a second, one core:")
    with tempfile.TemporaryDirectory() as folder:
        models = {"YAHPO's network, darts": blox_env.load_benchmark(darts)} if darts else {}
        for family in list_predictors():
            for space, data in (("blox", "digits"), ("bloxxl", "bloxxl-digits")):
                out = Path(folder) / f"{family}-{space}"
                csv = DATA / data / "trainings.csv"
                fit_model([csv], out, space, name=family, family=family, folds=2)
                models[f"{family}, {space}"] = blox_env.load_benchmark(str(out))
        for name, model in models.items():
            x = model.space.sample(np.random.default_rng(0), PREDICTED)
            model.evaluate(x[:1000])
            rounds = []
            for _ in range(3):
                start = time.process_time()
                model.evaluate(x)
                rounds.append(PREDICTED / (time.process_time() - start))
            print(f"  {name:28} {statistics.median(rounds):12,.0f}")


class _Made(Benchmark):
    """A network of random weights on a space of any size."""

    name = "made"
    provides = frozenset()
    epochs = 1

    def __init__(self, depth: int) -> None:
        self.space = BlockSpace(depth, f"blocks-{depth}")
        columns = self.space.features(np.zeros((1, 3 * depth), dtype=int)).shape[1]
        rng = np.random.default_rng(0)
        facts = {"kinds": ("onehot",), "shift": np.zeros(columns), "scale": np.ones(columns)}
        hidden, output = rng.normal(size=(columns + 1, 32)), rng.normal(size=(1, 33))
        self._model = Network(Features(self.space, facts), hidden, output, np.zeros((2, 1)))

    def evaluate(
        self, x: Any, *, epochs: int | None = None, best: bool = False, seed: int | None = None
    ) -> Evaluation:
        """Some number between 0 and 1."""
        rows = self.space.check(x)
        said = 1 / (1 + np.exp(-self._model.predict(rows)[0][:, 0] / 10))
        zeros, source = np.zeros(len(rows)), np.full(len(rows), "surrogate")
        return Evaluation(said, said, zeros, zeros, source)


def memory() -> None:
    """Print the most that Python held, by the number of slots."""
    print("most memory held (MB): model, search of 500 evaluations, vector environment of 256")
    for depth in (1, 2, 4, 8):
        tracemalloc.start()
        made = _Made(depth)
        problem = blox_env.Problem(made, None, budget=500)
        blox_env.search(problem, "regularized-evolution", seed=0)
        env = gym.make_vec(
            "blox_env/Blox-v0", num_envs=256, vectorization_mode="vector_entry_point",
            benchmark=made, device=None, reward="accuracy",
        )  # fmt: skip
        env.reset(seed=0)
        for _ in range(3 * depth + 1):
            env.step(env.action_space.sample())
        most = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        print(f"  {3 * depth:2} slots, {float(made.space.size):.1e} networks: {most:6.1f}")


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--darts", help="store of YAHPO Gym's nb301")
    given = parser.parse_args()
    environments(given.darts)
    predictions(given.darts)
    memory()


if __name__ == "__main__":
    main()
