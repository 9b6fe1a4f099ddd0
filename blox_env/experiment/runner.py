"""Many searches at once: agents × benchmarks × devices × seeds as Ray tasks, a file each."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from blox_env.agent import search
from blox_env.experiment import provenance
from blox_env.experiment.comparison import Comparison, Ended
from blox_env.experiment.facts import Facts
from blox_env.experiment.lock import locked
from blox_env.experiment.plan import Search, make_plan, unfinished
from blox_env.experiment.planfile import claim, write_digests
from blox_env.experiment.results import encode_run, truth_of, write_run
from blox_env.experiment.settings import ExperimentSettings
from blox_env.ground.files import write_json
from blox_env.ground.parallel import Worker, run_tasks, time_limit
from blox_env.problem import Problem

TRIES = 3  # of a search, before it is reported


class Watcher(Protocol):
    """Receiver of an experiment's progress, such as the display of the command line."""

    def planned(self, plan: Sequence[Search], left: Sequence[Search]) -> None:
        """Take note of all searches, and of those that have no run file yet.

        Args:
            plan: all searches.
            left: those that have no run file yet.

        Args:
            plan: all searches.
            left: those that are still to be run.
        """

    def started(self, search: Search, worker: Worker) -> None:
        """Take note that a search starts on a worker, again at each try.

        Args:
            search: the search.
            worker: the process that runs it.

        Args:
            search: that begins.
            worker: that does it.
        """

    def ended(self, ended: Ended) -> None:
        """Take note that a search has a run file now, or failed for good."""


class Silent:
    """A watcher that shows nothing."""

    def planned(self, plan: Sequence[Search], left: Sequence[Search]) -> None:
        """Do nothing."""

    def started(self, search: Search, worker: Worker) -> None:
        """Do nothing."""

    def ended(self, ended: Ended) -> None:
        """Do nothing."""


def compare(
    agents: Sequence[str] = ExperimentSettings.agents,
    benchmarks: Sequence[str] = ExperimentSettings.benchmarks,
    devices: Sequence[str | None] = ExperimentSettings.devices,
    *,
    out: str | Path,
    seeds: int = ExperimentSettings.seeds,
    budget: int = ExperimentSettings.budget,
    reward: str | None = ExperimentSettings.reward,
    latency_target_ms: float | None = ExperimentSettings.latency_target_ms,
    constraints: Mapping[str, float] | None = ExperimentSettings.constraints,
    noise: str = ExperimentSettings.noise,
    max_queries: int | None = ExperimentSettings.max_queries,
    options: Mapping[str, Mapping[str, Any]] | None = ExperimentSettings.options,
    seed: int = ExperimentSettings.seed,
    simulated_workers: int = ExperimentSettings.simulated_workers,
    simulated_hours: float | None = ExperimentSettings.simulated_hours,
    workers: int | None = None,
    address: str = "local",
    time_limit_s: float | None = None,
    watcher: Watcher | None = None,
) -> Comparison:
    """Run every agent on every benchmark and device with several seeds, in parallel on Ray.

    Every search is a task and leaves one run file below ``out/runs``; those that are there already
    are not run again, so the same call goes on where a killed one stopped. Results do not depend on
    the number of workers.

    Args:
        agents: names of agents.
        benchmarks: names of benchmarks.
        devices: names of devices; None for no latency; ``"default"`` for the package's where it
            knows the benchmark's space, and none elsewhere.
        out: folder for results; what is to be done stands in its ``plan.json``.
        seeds: searches of each kind.
        budget: full trainings of each search.
        reward: name of a formula.
        latency_target_ms: target of the formula, each device's median if not given.
        constraints: limits by name that architectures have to keep to, as of a
            :class:`~blox_env.problem.Problem`; regret is to the best that is within them.
        noise: ``"mean"`` or ``"sampled"``.
        max_queries: see :class:`~blox_env.problem.Problem`.
        options: constructor arguments of agents, by agent.
        seed: from which the seeds of all searches are spawned.
        simulated_workers: how many trainings each search does at once in simulated time, see
            :mod:`blox_env.problem.clock`; not how many searches run at once.
        simulated_hours: limit of each search in simulated time, beside the budget.
        workers: how many run at once, all cores if not given; 0 runs them here, without Ray.
        address: of a Ray cluster.
        time_limit_s: real seconds after which a search has failed; None for no limit.
        watcher: is told how it goes on.

    Returns:
        What ended now, in that order, with the results of all searches asked for: ``.runs``,
        ``.to_pandas()``, ``.plot()``, ``.report()``.

    Raises:
        ValueError: for unknown names and options, and for a folder that holds another experiment,
            before anything runs.
    """
    settings = ExperimentSettings(
        agents=agents,
        benchmarks=benchmarks,
        devices=devices,
        seeds=seeds,
        budget=budget,
        reward=reward,
        latency_target_ms=latency_target_ms,
        constraints=constraints,
        noise=noise,
        max_queries=max_queries,
        options=options,
        seed=seed,
        simulated_workers=simulated_workers,
        simulated_hours=simulated_hours,
    )
    return run_experiment(
        settings, out, workers=workers, address=address, time_limit_s=time_limit_s, watcher=watcher
    )


def run_experiment(
    settings: ExperimentSettings,
    out: str | Path,
    *,
    workers: int | None = None,
    address: str = "local",
    time_limit_s: float | None = None,
    watcher: Watcher | None = None,
) -> Comparison:
    """Run what has no run file yet; :func:`compare` with its settings as one object.

    Args:
        settings: what the experiment is asked to do.
        out: folder for results.
        workers: as in :func:`compare`.
        address: as in :func:`compare`.
        time_limit_s: as in :func:`compare`.
        watcher: as in :func:`compare`.

    Returns:
        As :func:`compare`.

    Raises:
        RuntimeError: when another comparison is at work in the folder.
    """
    plan = make_plan(settings, out)
    with locked(Path(out)):
        claim(plan, settings.seed)
        running = run_plan(
            plan, workers=workers, address=address, time_limit_s=time_limit_s, watcher=watcher
        )
        ended = list(running)
        write_digests(Path(out))
    return Comparison(Path(out), settings, plan, ended)


def run_plan(
    plan: Sequence[Search],
    *,
    workers: int | None = None,
    address: str = "local",
    time_limit_s: float | None = None,
    watcher: Watcher | None = None,
) -> Iterator[Ended]:
    """Run what has no run file yet and yield each search as it ends.

    A search that fails three times leaves its error in a file beside the runs (``*.failed.json``)
    and is tried again by the next call.

    Args:
        plan: what is to be there in the end.
        workers: as in :func:`compare`.
        address: as in :func:`compare`.
        time_limit_s: as in :func:`compare`.
        watcher: as in :func:`compare`.
    """
    watching = watcher or Silent()
    left = unfinished(plan)
    watching.planned(plan, left)
    for outcome in run_tasks(
        partial(run_search, time_limit_s=time_limit_s),
        left,
        workers=workers,
        address=address,
        retries=TRIES - 1,
        kind=lambda item: item.kind,
        started=lambda index, worker: watching.started(left[index], worker),
    ):
        item = left[outcome.index]
        if outcome.error is None:
            write_run(Path(item.path), *outcome.result)
            item.error_path.unlink(missing_ok=True)
        else:
            failure = {"search": item.name, "tries": outcome.tries, "error": outcome.error}
            write_json(item.error_path, {**failure, "unix": time.time()})
        done = Ended(item, outcome.error)
        watching.ended(done)
        yield done


def run_search(item: Search, *, time_limit_s: float | None = None) -> tuple[bytes, dict[str, Any]]:
    """Run one search, as a worker does on whatever machine.

    Args:
        item: the search.
        time_limit_s: as in :func:`compare`.

    Returns:
        Its run file and its sidecar.

    Raises:
        TimeoutError: when it takes longer than the limit.
        RuntimeError: when it trained more than its budget, whatever its account says.
    """
    started, cpu = time.perf_counter(), time.process_time()
    problem = item.problem()
    with time_limit(time_limit_s):
        history = search(problem, item.agent, seed=item.seed, options=dict(item.options))
    assert problem.clock is not None
    paid = float(history.column("cost").sum())
    if paid > item.settings.budget * (1 + 1e-9):
        raise RuntimeError(f"the search trained {paid:g} on a budget of {item.settings.budget}")
    wall = time.perf_counter() - started
    when, truth = problem.clock.schedule(), truth_of(problem)
    content = encode_run(history, run_facts(item, problem), when, truth)
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
    return content, {**meta, "task_s": time.perf_counter() - started, "finished_unix": time.time()}


def run_facts(item: Search, problem: Problem) -> Facts:
    """Facts of a search that has ended.

    Args:
        item: the search.
        problem: its problem, searched.

    Raises:
        ValueError: when nothing was trained in full.
    """
    assert problem.history is not None
    try:
        best = problem.history.best
    except ValueError:
        hours = item.settings.simulated_hours
        if hours is None:
            raise
        raise ValueError(f"no full training ended within simulated_hours={hours:g}") from None
    row, limits = best.architecture, problem.constraints.limits
    return Facts.of(
        item.origin(problem),
        best=best.row,
        measured=None if problem.device is None else bool(problem.device.measured(row)[0]),
        latency_source=None if problem.device is None else problem.device.provenance(row)[0],
        test_acc=float(problem.test_acc(row)[0]),
        queries=problem.queries,
        spent=problem.spent,
        optimum=item.optimum,
        best_values={goal.name: goal.value for goal in best.goals if goal.name in limits},
    )
