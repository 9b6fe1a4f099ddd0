"""Made-up runs, in memory and as files, with a made-up benchmark and device."""

from __future__ import annotations

import numpy as np

from blox_env.benchmarks.base import Benchmark, Evaluation
from blox_env.devices.base import Device
from blox_env.experiment.facts import Facts
from blox_env.experiment.results import Run, encode_run, write_run
from blox_env.problem import Problem
from blox_env.spaces.base import SearchSpace
from blox_env.spaces.blox import BloxSpace

SPACE = SearchSpace((5, 8), name="toy")


def make_run(
    rewards, *, agent="a", seed=0, cost=None, epochs=None, meta=None, latency=None, extra=None,
    **facts,
):  # fmt: skip
    """A run whose accuracies are its rewards and whose latencies are 10 times as much."""
    reward = np.array(rewards, dtype=float)
    n = len(reward)
    columns = {
        "epochs": np.full(n, 4) if epochs is None else np.array(epochs),
        "cost": np.ones(n) if cost is None else np.array(cost, dtype=float),
        "val_acc": reward,
        "latency_ms": 10 * reward if latency is None else np.array(latency, dtype=float),
        "reward": reward,
        "train_time_s": np.full(n, 1800.0),
        "source": np.array(["trained", "surrogate"] * n)[:n],
        **(extra or {}),
    }
    defaults = {
        "agent": agent, "benchmark": "toy", "device": "board", "reward": "mnasnet",
        "latency_target_ms": 5.0, "noise": "mean", "budget": n, "repeat": seed, "optimum": 1.0,
        "best": int(np.argmax(reward)), "test_acc": reward.max() - 0.25, "checksums": {"b": "1"},
    }  # fmt: skip
    x = np.stack([np.arange(n), np.full(n, seed)], axis=1)
    return Run(Facts(**{**defaults, **facts}), x, columns, meta or {})


class Toy(Benchmark):
    name = "toy"
    space: SearchSpace = SPACE
    provides = frozenset({"table"})
    description = "Accuracies <made up> for a test."

    def evaluate(self, x, *, epochs=None, best=False, seed=None):
        i = self.space.index(x)
        acc = 0.8 + 0.1 * np.sin(i) ** 2
        source = np.where(i % 2 == 0, "trained", "surrogate")
        return Evaluation(acc, acc - 0.01, np.zeros(len(i)), np.full(len(i), 36.0), source)


class Board(Device):
    name = "board"
    space: SearchSpace = SPACE

    def latency_ms(self, x):
        return 1.0 + self.space.index(x) % 7

    def measured(self, x):
        return self.space.index(x) % 3 == 0


class BloxToy(Toy):
    """The same on the Blox space, which is drawn."""

    name = "blox-toy"
    space = BloxSpace()


class BloxBoard(Board):
    name = "blox-board"
    space = BloxSpace()

    def latency_ms(self, x):
        return 1.0 + (self.space.index(x) * 7919 % 1009) / 100


BENCHMARKS = {"toy": Toy(), "blox-toy": BloxToy()}
DEVICES = {"board": Board(), "blox-board": BloxBoard()}


def write_runs(
    folder,
    agents=("first", "second"),
    device="board",
    seeds=3,
    benchmark="toy",
    n=8,
    said=None,
    **facts,
):
    """Run files of random searches with wall times; ``said`` and ``facts`` replace their facts."""
    source = BENCHMARKS[benchmark]
    board = None if device is None else DEVICES[device]
    for agent in agents:
        for seed in range(seeds):
            rng = np.random.default_rng([len(agent), seed])
            problem = Problem(source, board, budget=n + 2)
            problem.evaluate(source.space.sample(rng, n))
            assert problem.history is not None
            best = problem.history.best.row
            values = {
                "agent": agent,
                "options": {},
                "benchmark": benchmark,
                "device": device,
                "space": source.space.name,
                "reward": problem.reward_name,
                "latency_target_ms": None if device is None else problem.latency_target_ms,
                "budget": n + 2,
                "noise": "mean",
                "repeat": seed,
                "seed": seed + 77,
                "version": "0.1.0",
                "checksums": {
                    "benchmark": problem.benchmark.checksum(),
                    "device": None if problem.device is None else problem.device.checksum(),
                },
                "best": best,
                "test_acc": float(problem.test_acc(problem.history.x[best])[0]),
                "queries": problem.queries,
                "optimum": problem.optimum()[1],
                **facts,
                **(said or {}),
            }
            path = folder / "runs" / f"{agent}-{benchmark}-{device}-{seed}.parquet"
            times = np.linspace(0.1, 1.4, len(problem.history)).tolist()
            meta = {"wall_s": 1.5, "trial_wall_s": times, "python": "3.12.1"}
            write_run(path, encode_run(problem.history, Facts(**values)), meta)
