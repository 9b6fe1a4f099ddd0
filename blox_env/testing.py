"""Contract checks for benchmarks, devices and agents, ours and other people's.

Each raises an ``AssertionError`` that says which promise is broken; nothing here needs pytest.
"""

from __future__ import annotations

import json
import os
import pickle
import random
import subprocess
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blox_env.agent import Agent, make_agent, search
from blox_env.benchmarks.base import Benchmark, Evaluation
from blox_env.devices.base import Device
from blox_env.ground import registry
from blox_env.ground.typing import FloatArray
from blox_env.problem import Problem
from blox_env.spaces.base import SearchSpace


def check_benchmark(benchmark: Benchmark, *, n: int = 100, seed: int = 0) -> None:
    """Check what :class:`~blox_env.benchmarks.base.Benchmark` promises on ``n`` architectures.

    Args:
        benchmark: to be checked.
        n: number of architectures.
        seed: of their draw.
    """
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
    """Check what :class:`~blox_env.devices.base.Device` promises on ``n`` architectures.

    Args:
        device: to be checked.
        n: number of architectures.
        seed: of their draw.
    """
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


def check_agent(
    agent: str | Agent,
    problem: Callable[[], Problem],
    *,
    seed: int = 0,
    spaces: bool = True,
    other_process: bool = False,
) -> None:
    """Check what :class:`~blox_env.agent.Agent` promises.

    An agent that requires what ``problem`` lacks has to be refused with an error that says so.

    Args:
        agent: a registered name, ``"module:Class"``, or an agent.
        problem: makes a fresh problem with a budget, at every call the same.
        seed: of the searches.
        spaces: whether to search two made-up spaces as well, one of six architectures, which has to
            be exhausted, and one of 45^12, which cannot be listed.
        other_process: whether to repeat the search in another process with another hash seed;
            ``agent`` and ``problem`` have to be picklable, a lambda is not.
    """
    first, ready = problem(), make_agent(agent)
    if spaces:
        for options in ((3, 1, 2), (45,) * 12):
            _check_space(agent, ready, SearchSpace(options, name="made-up"), seed)
    lacking = _lacking(ready, first)
    if lacking:
        _check_refusal(agent, first, lacking, seed)
        return
    _promise(first.budget is not None, "problem() has a budget")
    generators = _generators()
    history = search(first, agent, seed=seed)
    _check_accounts(first)
    settings = _settings()  # libraries are loaded by now
    again = search(problem(), agent, seed=seed)
    for what, before, after in (
        *zip(("Python", "numpy"), generators, _generators(), strict=True),
        *((name, value, _settings().get(name)) for name, value in settings.items()),
    ):
        _promise(before == after, f"the process's state is left alone: {what}")
    same = np.array_equal(again.x, history.x) and np.array_equal(again.epochs, history.epochs)
    _promise(same, "equal seeds give equal trials")
    if other_process:
        there = _elsewhere(agent, problem, seed)
        here = [history.x.tolist(), history.epochs.tolist()]
        _promise(there == here, "equal seeds give equal trials in another process")


def _check_accounts(problem: Problem) -> None:
    """Check what a finished search has spent, and that it is finished."""
    history = problem.history
    assert history is not None
    assert problem.budget is not None
    _promise(problem.done, "the search goes on until the problem is done")
    _promise(problem.spent <= problem.budget + 1e-9, "the budget is kept")
    cost = float(history.column("cost").sum())
    _promise(abs(cost - problem.spent) < 1e-6, "what is spent is what the history says")
    full = int((history.epochs == problem.benchmark.epochs).sum())
    _promise(full > 0, "something is trained in full, which alone is ranked")
    assert problem.max_queries is not None
    if problem.queries < problem.max_queries and problem.space.size <= problem.budget:
        _promise(full == problem.space.size, "a small space is exhausted")


def _check_space(agent: str | Agent, ready: Agent, space: SearchSpace, seed: int) -> None:
    problem = Problem(_MadeUpBenchmark(space), _MadeUpDevice(space), budget=40)
    lacking = _lacking(ready, problem)
    if lacking:
        _check_refusal(agent, problem, lacking, seed)
    else:
        search(problem, agent, seed=seed)
        _check_accounts(problem)


def _lacking(agent: Agent, problem: Problem) -> set[str]:
    """Requirements that the error has to name; empty for a problem that the agent can search."""
    lacking = set(agent.requires - problem.provides)
    names = problem.objectives.names
    if agent.searches_for != "several" and len(names) > 1:
        lacking = lacking or {"one objective"}
    elif agent.searches_for == "reward" and names != ("reward",):
        lacking = lacking or {"reward"}
    return lacking


def _check_refusal(agent: str | Agent, problem: Problem, lacking: set[str], seed: int) -> None:
    said = ""
    try:
        search(problem, agent, seed=seed)
    except ValueError as error:
        said = str(error)
    named = bool(said) and all(name in said for name in lacking)
    _promise(named, f"a problem is refused with a ValueError that names {sorted(lacking)}")
    _promise(not problem.history, "a refused problem is left alone")


def _generators() -> tuple[str, str]:
    """The states of the global generators of Python and numpy."""
    return repr(random.getstate()), pickle.dumps(np.random.get_state()).hex()  # noqa: NPY002


def _settings() -> dict[str, Any]:
    """Other state of the process that an agent might change, as far as it is loaded."""
    found: dict[str, Any] = {"numpy.seterr": np.geterr(), "warnings": list(warnings.filters)}
    torch = sys.modules.get("torch")
    if torch is not None:
        found["torch's generator"] = torch.get_rng_state().tolist()
        found["torch's threads"] = torch.get_num_threads()
    optuna = sys.modules.get("optuna")
    if optuna is not None:
        found["optuna's verbosity"] = optuna.logging.get_verbosity()
    return found


_CHILD = """
import json, pickle, sys
from blox_env.ground import registry
from blox_env.agent import search
names, rest = pickle.load(sys.stdin.buffer)
registry.restore(names)
agent, problem, seed = pickle.loads(rest)
history = search(problem(), agent, seed=seed)
print(json.dumps([history.x.tolist(), history.epochs.tolist()]))
"""


def _elsewhere(agent: str | Agent, problem: Callable[[], Problem], seed: int) -> Any:
    """Architectures and epochs of the same search in another process, with another hash seed."""
    hash_seed = "1" if os.environ.get("PYTHONHASHSEED") == "2" else "2"
    ended = subprocess.run(
        [sys.executable, "-c", _CHILD],
        input=pickle.dumps((registry.registrations(), pickle.dumps((agent, problem, seed)))),
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    if ended.returncode:
        raise RuntimeError(f"the search in another process failed:\n{ended.stderr.decode()}")
    return json.loads(ended.stdout.splitlines()[-1])


class _MadeUpBenchmark(Benchmark):
    """Smooth accuracies with curves of ten epochs."""

    name = "made-up"
    epochs = 10
    provides = frozenset({"curves"})

    def __init__(self, space: SearchSpace) -> None:
        self.space = space

    def evaluate(
        self,
        x: ArrayLike,
        *,
        epochs: int | None = None,
        best: bool = False,
        seed: int | None = None,
    ) -> Evaluation:
        """Waves over the options, rising with the epochs."""
        rows, length = self.space.check(x), self.check_epochs(epochs)
        waves = np.cos(rows * np.linspace(0.1, 0.3, self.space.slots)).mean(axis=1)
        n, whole = len(rows), length == self.epochs
        val_acc = (0.5 + 0.4 * waves) * length / self.epochs
        test_acc = val_acc if whole else np.full(n, np.nan)
        time = np.full(n, 6.0 * length)
        return Evaluation(val_acc, test_acc, np.zeros(n), time, np.full(n, "trained"))


class _MadeUpDevice(Device):
    """Latency that grows with the option numbers."""

    name = "made-up"

    def __init__(self, space: SearchSpace) -> None:
        self.space = space

    def latency_ms(self, x: ArrayLike) -> FloatArray:
        """2 ms and up."""
        return np.asarray(2.0 + self.space.check(x).sum(axis=1) / 45)

    def measured(self, x: ArrayLike) -> NDArray[np.bool_]:
        """Nothing was."""
        return np.zeros(len(self.space.check(x)), bool)


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
