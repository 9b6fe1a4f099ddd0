"""Contract checks for benchmarks, devices and agents, ours and other people's.

Each raises an ``AssertionError`` that says which promise is broken; nothing here needs pytest.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np

from blox_env.agent import Agent
from blox_env.benchmarks.base import Benchmark
from blox_env.devices.base import Device
from blox_env.problem import Problem
from blox_env.searching import search


def check_benchmark(benchmark: Benchmark, *, n: int = 100, seed: int = 0) -> None:
    """Check what :class:`~blox_env.benchmarks.base.Benchmark` promises on ``n`` architectures."""
    x = benchmark.space.sample(np.random.default_rng(seed), n)
    value = benchmark.evaluate(x)
    for name in ("val_acc", "test_acc", "val_std", "train_time_s", "source"):
        column = getattr(value, name)
        _promise(np.shape(column) == (n,), f"{name} has shape ({n},), not {np.shape(column)}")
    _promise(_fraction(value.val_acc), "val_acc are fractions in 0 … 1")
    known = value.test_acc[~np.isnan(value.test_acc)]
    _promise(_fraction(known), "test_acc are fractions in 0 … 1 or NaN")
    _promise(bool((value.val_std >= 0).all()), "val_std is at least 0")
    times = value.train_time_s[~np.isnan(value.train_time_s)]
    _promise(bool((times >= 0).all()), "train_time_s is at least 0 or NaN")
    known_sources = {"trained", "surrogate", "imported"}
    _promise(set(value.source.tolist()) <= known_sources, f"source is one of {known_sources}")

    again = benchmark.evaluate(x)
    _promise(np.array_equal(again.val_acc, value.val_acc), "equal calls give equal values")
    alone = np.concatenate([benchmark.evaluate(row[None]).val_acc for row in x[:10]])
    _promise(np.array_equal(alone, value.val_acc[:10]), "a batch gives what its rows give alone")
    _promise(len(benchmark.evaluate(x[:0]).val_acc) == 0, "an empty batch is answered")
    full = benchmark.evaluate(x, epochs=benchmark.epochs)
    _promise(np.array_equal(full.val_acc, value.val_acc), "epochs=None is all epochs")
    best = benchmark.evaluate(x, best=True).val_acc
    _promise(bool((best >= value.val_acc).all()), "best is at least the last")
    if "curves" in benchmark.provides:
        short = benchmark.evaluate(x, epochs=1)
        _promise(_fraction(short.val_acc), "curves are fractions in 0 … 1")
        shorter = ~(short.train_time_s > value.train_time_s)
        _promise(bool(shorter.all()), "shorter trainings take no longer")
        if benchmark.epochs > 1:
            _promise(bool(np.isnan(short.test_acc).all()), "test_acc is NaN below full epochs")
    drawn, redrawn = (benchmark.evaluate(x, seed=0).val_acc for _ in range(2))
    _promise(np.array_equal(drawn, redrawn), "equal seeds give equal values")
    _promise(_fraction(drawn), "val_acc of a single training are fractions in 0 … 1")
    for bad in (0, benchmark.epochs + 1):
        _promise(_refused(benchmark, x, bad), f"epochs={bad} is a ValueError")


def check_device(device: Device, *, n: int = 100, seed: int = 0) -> None:
    """Check what :class:`~blox_env.devices.base.Device` promises on ``n`` architectures."""
    x = device.space.sample(np.random.default_rng(seed), n)
    latency, measured = device.latency_ms(x), device.measured(x)
    _promise(latency.shape == (n,), f"latency_ms has shape ({n},), not {latency.shape}")
    _promise(measured.shape == (n,), f"measured has shape ({n},), not {measured.shape}")
    _promise(measured.dtype == bool, f"measured is bool, not {measured.dtype}")
    _promise(bool((np.isfinite(latency) & (latency > 0)).all()), "latencies are finite, above 0")
    _promise(np.array_equal(device.latency_ms(x), latency), "equal calls give equal values")
    alone = np.concatenate([device.latency_ms(row[None]) for row in x[:10]])
    _promise(np.array_equal(alone, latency[:10]), "a batch gives what its rows give alone")
    _promise(device.latency_ms(x[:0]).shape == (0,), "an empty batch is answered")


def check_agent(agent: str | Agent, problem: Callable[[], Problem], *, seed: int = 0) -> None:
    """Check what :class:`~blox_env.agent.Agent` promises.

    Args:
        agent: a registered name, ``"module:Class"``, or an agent.
        problem: makes a fresh problem with a budget, at every call the same.
        seed: of the searches.
    """
    plain, arrays = random.getstate(), np.random.get_state()  # noqa: NPY002 (only compared)
    first = problem()
    history = search(first, agent, seed=seed)
    _promise(first.done, "the search goes on until the problem is done")
    assert first.budget is not None
    _promise(first.spent <= first.budget + 1e-9, "the budget is kept")
    cost = float(history.column("cost").sum())
    _promise(abs(cost - first.spent) < 1e-6, "what is spent is what the history says")
    again = search(problem(), agent, seed=seed)
    _promise(np.array_equal(again.x, history.x), "equal seeds give equal trials")
    _promise(random.getstate() == plain, "Python's global random state is left alone")
    now = np.random.get_state()  # noqa: NPY002
    same = all(np.array_equal(a, b) for a, b in zip(arrays, now, strict=True))
    _promise(same, "numpy's global random state is left alone")


def _fraction(values: np.ndarray) -> bool:
    return bool(((values >= 0) & (values <= 1)).all())


def _refused(benchmark: Benchmark, x: np.ndarray, epochs: int) -> bool:
    try:
        benchmark.evaluate(x, epochs=epochs)
    except ValueError:
        return True
    return False


def _promise(kept: bool, promise: str) -> None:
    if not kept:
        raise AssertionError(f"broken promise: {promise}")
