"""Is there something to find? Front, optimum and random search of problems, beside each other.

    python perf/default_problem.py [--benchmarks cifar10,digits]

For each benchmark, device, reward and target: the points of the accuracy-latency front, how many of
them were trained and measured, the largest share of its hypervolume that one point has alone, the
place of the reward's optimum on the front (1 is the fastest point), and the regret of random search
(expected, exact: the best of n distinct draws). A default problem needs a front of 20 points or
more, an inner optimum, and random search that is clearly worse.
"""

from __future__ import annotations

import argparse

import numpy as np
from rich.console import Console
from rich.table import Table

import blox_env
from blox_env import Problem
from blox_env.ground.typing import FloatArray
from blox_env.problem.pareto import hypervolume

REWARDS = ("mnasnet", "mnasnet-hard", "tunas", "constraint")
QUANTILES = (0.1, 0.25, 0.5)


def random_regret(reward: FloatArray, budget: int) -> float:
    """Expected regret of the best of ``budget`` distinct uniform draws, exact."""
    order = np.sort(reward)[::-1]
    n = len(order)
    # probability that the best draw is the one of rank r: none of the r better ones was drawn
    missed = np.cumsum(np.log1p(-budget / (n - np.arange(n - budget))))
    chance = np.concatenate([[1.0], np.exp(missed)])
    weight = -np.diff(np.append(chance, 0.0))
    return float(order[0] - (weight * order[: len(weight)]).sum())


def largest_share(front: FloatArray, reference: FloatArray) -> float:
    """Largest share of the hypervolume that is lost without everything but one point."""
    whole = hypervolume(front, reference, maximise=True)
    return max(hypervolume(front[[i]], reference, maximise=True) / whole for i in range(len(front)))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--benchmarks", default="cifar10,digits")
    parser.add_argument("--devices", default=",".join(blox_env.list_devices("blox")))
    arguments = parser.parse_args()
    table = Table()
    for head in ("benchmark", "device", "reward", "target ms", "front", "trained", "measured",
                 "largest share", "optimum at", "accuracy", "latency", "random 100",
                 "random 500"):  # fmt: skip
        table.add_column(head)
    for benchmark in arguments.benchmarks.split(","):
        space = blox_env.load_benchmark(benchmark).space
        every = space.all()
        known = blox_env.load_benchmark(benchmark).evaluate(every)
        accuracy, trained = known.val_acc, known.source == "trained"
        for device in arguments.devices.split(","):
            loaded = blox_env.load_device(device)
            latency, measured = loaded.latency_ms(every), loaded.measured(every)
            order = np.lexsort((-accuracy, latency))
            best = np.maximum.accumulate(accuracy[order])
            front = order[np.r_[True, np.diff(best) > 0]]
            points = np.column_stack([accuracy[front], -latency[front]])
            reference = np.array([np.quantile(accuracy, 0.01), -np.quantile(latency, 0.99)])
            share = largest_share(points, reference)
            for reward in REWARDS:
                for quantile in QUANTILES:
                    target = round(float(np.quantile(latency, quantile)), 2)
                    problem = Problem(benchmark, device, reward, latency_target_ms=target)
                    values = problem.peek(every).reward
                    top = int(values.argmax())
                    place = int(np.searchsorted(latency[front], latency[top]))
                    on = front[min(place, len(front) - 1)] == top
                    where = f"{place + 1} of {len(front)}" if on else "off the front"
                    table.add_row(
                        benchmark, device, reward, f"{target}", f"{len(front)}",
                        f"{trained[front].sum()}", f"{measured[front].sum()}", f"{share:.2f}",
                        where, f"{accuracy[top]:.4f}", f"{latency[top]:.2f}",
                        f"{random_regret(values, 100):.4f}", f"{random_regret(values, 500):.4f}",
                    )  # fmt: skip
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
