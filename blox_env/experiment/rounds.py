"""Rounds of trainings: of what optimisers find on a table, so that it is true at the top.

A table of uniform trainings is right in the middle and wrong where searches end. So trainings go in
rounds: fit a table, let agents search it with and without latency, take what they found, the best
of the table and the points of its fronts, train those several times, and fit again.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from blox_env.agent import search
from blox_env.benchmarks.base import Benchmark, Evaluation, load_benchmark
from blox_env.devices.base import list_devices, load_device
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem import Problem
from blox_env.spaces.base import SearchSpace

AGENTS = ("regularized-evolution", "local-search", "simulated-annealing", "random-search")


@dataclass(frozen=True)
class Proposal:
    """An architecture to train, the seeds to train it with, and what asked for it."""

    row: tuple[int, ...]
    seeds: tuple[int, ...]
    asked_by: str


class ArrayBenchmark(Benchmark):
    """A table of final accuracies in memory.

    Args:
        space: an enumerable space.
        val_acc: accuracy of every architecture ``(space.size,)``.
    """

    provides = frozenset({"table"})

    def __init__(self, space: SearchSpace, val_acc: FloatArray) -> None:
        self.name, self.space, self._val_acc = "array", space, val_acc

    def evaluate(
        self,
        x: ArrayLike,
        *,
        epochs: int | None = None,
        best: bool = False,
        seed: int | None = None,
    ) -> Evaluation:
        """Look architectures up; see :meth:`blox_env.benchmarks.base.Benchmark.evaluate`."""
        self.check_epochs(epochs)
        value = self._val_acc[self.space.index(x)]
        nothing = np.zeros(len(value))
        unknown = np.full(len(value), np.nan)
        return Evaluation(value, unknown, nothing, unknown, np.full(len(value), "surrogate"))


def propose(
    space: SearchSpace,
    val_acc: FloatArray,
    trained: dict[tuple[int, ...], int],
    *,
    devices: Sequence[str],
    rng: np.random.Generator,
    name: str,
    top: int = 50,
    seeds: int = 3,
    top_seeds: int = 10,
    budget: int = 200,
    repeats: int = 2,
    agents: Sequence[str] = AGENTS,
) -> list[Proposal]:
    """Propose trainings after a fit: the top of the table, its fronts, what agents find on it.

    Args:
        space: an enumerable space.
        val_acc: the table ``(space.size,)``.
        trained: how many trainings an architecture has, seeds from 0.
        devices: names of devices for fronts and for rewards with latency.
        rng: where random choices come from.
        name: of the round, the first part of ``asked_by``.
        top: number of architectures at the top of the table.
        seeds: trainings that what agents found is to have.
        top_seeds: trainings that the top and the fronts are to have.
        budget: evaluations of a search.
        repeats: searches of each agent on each device.
        agents: names of the agents.

    Returns:
        One proposal an architecture, for the trainings that it lacks.
    """
    wanted: dict[tuple[int, ...], tuple[int, str]] = {}

    def want(x: IntArray, count: int, why: str) -> None:
        for row in map(tuple, np.atleast_2d(x).tolist()):
            have, first = wanted.get(row, (0, f"{name}:{why}"))
            wanted[row] = (max(have, count), first)

    everything = space.all()
    want(everything[np.argsort(-val_acc, kind="stable")[:top]], top_seeds, "top")
    latency = {d: load_device(d).latency_ms(everything) for d in devices}
    for device, values in latency.items():
        order = np.lexsort((-val_acc, values))
        best = np.maximum.accumulate(val_acc[order])
        front = order[np.r_[True, np.diff(best) > 0]]
        want(everything[front], top_seeds, f"front:{device}")
    benchmark = ArrayBenchmark(space, val_acc)
    for target_device in (None, *devices):
        for agent in agents:
            for _ in range(repeats):
                reward: str = "accuracy"
                target: float | None = None
                if target_device is not None:
                    reward = str(rng.choice(["mnasnet", "tunas", "constraint"]))
                    target = float(np.quantile(latency[target_device], rng.uniform(0.1, 0.9)))
                problem = Problem(
                    benchmark, target_device, reward, latency_target_ms=target, budget=budget
                )
                history = search(problem, agent, seed=int(rng.integers(2**31)))
                best_three = np.argsort(-history.reward, kind="stable")[:3]
                want(history.x[best_three], seeds, f"{agent}:{target_device or 'accuracy'}")
    proposals = []
    for row, (count, why) in wanted.items():
        have = trained.get(row, 0)
        if have < count:
            proposals.append(Proposal(row, tuple(range(have, count)), why))
    return proposals


def found_trainings(
    benchmark: str,
    name: str,
    *,
    seeds: int = 3,
    seed: int = 0,
    devices: Sequence[str] | None = None,
    limit: int | None = None,
) -> tuple[tuple[tuple[int, ...], int, str], ...]:
    """Trainings of what agents find on a benchmark, with seeds that depend on the round's name.

    Args:
        benchmark: name of a benchmark whose space can be listed.
        name: of the round.
        seeds: trainings an architecture.
        seed: of the agents.
        devices: of rewards and fronts, all embedded ones of the space if not given.
        limit: the most architectures, drawn at random; all if not given.

    Returns:
        ``(row, seed, asked_by)``, what :class:`blox_env.benchmarks.collect.Plan` takes.
    """
    loaded = load_benchmark(benchmark)
    space = loaded.space
    rng = np.random.default_rng(seed)
    proposals = propose(
        space,
        loaded.evaluate(space.all()).val_acc,
        {},
        devices=list_devices(space.name) if devices is None else devices,
        rng=rng,
        name=name,
        seeds=seeds,
        top_seeds=seeds,
    )
    if limit is not None and limit < len(proposals):
        chosen = np.sort(rng.permutation(len(proposals))[:limit])
        proposals = [proposals[i] for i in chosen]
    # far from the seeds of uniform trainings, others in every round
    first = 1000 + 10_000 * (zlib.crc32(name.encode()) % 100_000)
    # and others for every architecture: trainings with one seed see the pictures in one order, and
    # are high or low together
    return tuple(
        (p.row, first + number * len(proposals) + place, p.asked_by)
        for number in range(seeds)
        for place, p in enumerate(proposals)
    )
