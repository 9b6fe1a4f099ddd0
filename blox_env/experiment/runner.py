"""Many searches at once: agents × benchmarks × devices × seeds as Ray tasks, a file each."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blox_env.agent import search
from blox_env.experiment import provenance
from blox_env.experiment.plan import Search, claim, make_plan, unfinished
from blox_env.experiment.results import encode_run, write_run
from blox_env.ground.files import write_json
from blox_env.ground.parallel import Worker, run_tasks
from blox_env.problem import Problem

TRIES = 3  # of a search, before it is reported


@dataclass(frozen=True)
class Progress:
    """What happened when a search ended: its place in the plan, and the error if it failed."""

    search: Search
    error: str | None = None


def compare(
    agents: Sequence[str],
    benchmarks: Sequence[str] = ("digits",),
    devices: Sequence[str | None] = ("x86-ort-1t",),
    *,
    seeds: int = 8,
    budget: int = 500,
    out: str | Path,
    reward: str | None = None,
    latency_target_ms: float | None = None,
    noise: str = "mean",
    max_queries: int | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    seed: int = 0,
    simulated_workers: int = 1,
    simulated_hours: float | None = None,
    workers: int | None = None,
    address: str = "local",
) -> list[Progress]:
    """Run every agent on every benchmark and device with several seeds, in parallel on Ray.

    Every search is a task and leaves one run file below ``out/runs``; those that are there already
    are not run again, so the same call goes on where a killed one stopped. Results do not depend on
    the number of workers.

    Args:
        agents: names of agents.
        benchmarks: names of benchmarks.
        devices: names of devices; None for no latency.
        seeds: searches of each kind.
        budget: full trainings of each search.
        out: folder for results; what is to be done stands in its ``plan.json``.
        reward: name of a formula.
        latency_target_ms: target of the formula, each device's median if not given.
        noise: ``"mean"`` or ``"sampled"``.
        max_queries: see :class:`~blox_env.problem.Problem`.
        options: constructor arguments of agents, by agent.
        seed: from which the seeds of all searches are spawned.
        simulated_workers: how many trainings each search does at once in simulated time, see
            :mod:`blox_env.problem.clock`; not how many searches run at once.
        simulated_hours: limit of each search in simulated time, beside the budget.
        workers: how many run at once, all cores if not given; 0 runs them here, without Ray.
        address: of a Ray cluster.

    Returns:
        One :class:`Progress` a search that was run now, in the order in which they ended.

    Raises:
        ValueError: for unknown names and options, and for a folder that holds another experiment,
            before anything runs.
    """
    plan = make_plan(
        agents,
        benchmarks,
        devices,
        seeds=seeds,
        budget=budget,
        out=out,
        reward=reward,
        latency_target_ms=latency_target_ms,
        noise=noise,
        max_queries=max_queries,
        options=options,
        seed=seed,
        simulated_workers=simulated_workers,
        simulated_hours=simulated_hours,
    )
    claim(plan)
    return list(run_plan(plan, workers=workers, address=address))


def run_plan(
    plan: Sequence[Search],
    *,
    workers: int | None = None,
    address: str = "local",
    started: Callable[[Search, Worker], None] | None = None,
) -> Iterator[Progress]:
    """Run what has no run file yet and yield each search as it ends.

    A search that fails three times leaves its error in a file beside the runs (``*.failed.json``)
    and is tried again by the next call.

    Args:
        plan: what is to be there in the end.
        workers: as in :func:`compare`.
        address: as in :func:`compare`.
        started: called with a search and its worker whenever one starts.
    """
    left = unfinished(plan)

    def tell(index: int, worker: Worker) -> None:
        if started is not None:
            started(left[index], worker)

    for outcome in run_tasks(
        run_search,
        left,
        workers=workers,
        address=address,
        retries=TRIES - 1,
        kind=lambda item: item.kind,
        started=tell,
    ):
        item = left[outcome.index]
        if outcome.error is None:
            write_run(Path(item.path), *outcome.result)
            item.error_path.unlink(missing_ok=True)
        else:
            failure = {"search": item.name, "tries": outcome.tries, "error": outcome.error}
            write_json(item.error_path, {**failure, "unix": time.time()})
        yield Progress(item, outcome.error)


def run_search(item: Search) -> tuple[bytes, dict[str, Any]]:
    """Run one search; its run file and sidecar. What a worker does, on whatever machine."""
    started, cpu = time.perf_counter(), time.process_time()
    problem = item.problem()
    history = search(problem, item.agent, seed=item.random, options=dict(item.options))
    assert problem.clock is not None
    wall = time.perf_counter() - started
    content = encode_run(history, facts(item, problem), problem.clock.schedule())
    meta = {
        "wall_s": wall,
        "trial_wall_s": [round(seconds - started, 6) for seconds in problem.clock.recorded],
        "cpu_s": time.process_time() - cpu,
        "host": platform.node(),
        "pid": os.getpid(),
        "python": platform.python_version(),
        "git": provenance.checkout(),
    }
    # the search and what follows from it, until the result can be sent
    meta |= {"task_s": time.perf_counter() - started, "finished_unix": time.time()}
    return content, meta


def facts(item: Search, problem: Problem) -> dict[str, Any]:
    """What determines a run, and its result; see :class:`~blox_env.experiment.results.Run`."""
    assert problem.history is not None
    try:
        best = problem.history.best()
    except ValueError:
        if item.simulated_hours is None:
            raise
        raise ValueError(
            f"no full training ended within simulated_hours={item.simulated_hours:g}"
        ) from None
    return {
        "agent": item.agent,
        "options": dict(item.options),
        "benchmark": item.benchmark,
        "device": item.device,
        "space": problem.space.name,
        "epochs": problem.benchmark.epochs,
        "seed": item.seed,
        **item.determinants(problem),
        "best": best,
        "measured": (
            None
            if problem.device is None
            else bool(problem.device.measured(problem.history.x[best])[0])
        ),
        "test_acc": float(problem.test_acc(problem.history.x[best])[0]),
        "queries": problem.queries,
        "spent": problem.spent,
        "optimum": item.optimum,
    }
