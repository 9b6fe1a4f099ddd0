"""What Ray costs, and what a second worker gains.

Two questions, each answered in one run on as quiet a machine as there is:

1. Throughput of two workers over one, on 60 searches: seconds from the start of the first search
   to the end of the last, each number of workers in turn, the median of five. Needs two cores.
2. Ray's share of the wall time of ``make demo`` (after ``ray.init``, without the imports of the
   workers). A worker's time from the end of one search, its result ready to be sent, to the start
   of its next is Ray's: sending the result, scheduling, fetching the next; so is everything between
   the end of the last search and the end of the call, for all workers. Idle at the end while the
   other workers search is not, because that comes from unequal searches. The time before a worker's
   first search is printed by itself: it is the start of its process and its imports.

    python perf/ray_throughput.py [--repeats 5] [--workers 2] [--skip-throughput | --skip-share]
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from blox_env.experiment.plan import make_plan
from blox_env.experiment.runner import run_plan
from blox_env.experiment.settings import ExperimentSettings
from blox_env.ground.parallel import available_cores, ray_session

DEMO = ["random-search", "regularized-evolution", "ppo"]  # as in the Makefile
AGENTS = ["random-search", "regularized-evolution", "local-search"]
SEEDS = 20


def timed(workers: int, agents: list[str], seeds: int, budget: int) -> dict[str, Any]:
    """Run searches after ``ray.init``; sidecars by worker, and when the call began and ended."""
    with tempfile.TemporaryDirectory() as folder, ray_session("local", workers):
        settings = ExperimentSettings(agents=agents, seeds=seeds, budget=budget)
        plan = make_plan(settings, folder)
        began = time.time()
        failed = [ended for ended in run_plan(plan, workers=workers) if ended.error]
        over = time.time()
        if failed:
            raise RuntimeError(f"{len(failed)} searches failed: {failed[0].error}")
        metas = [json.loads(path.read_text()) for path in Path(folder).glob("runs/*.meta.json")]
    spans: dict[int, list[tuple[float, float]]] = {}
    for meta in metas:
        end = meta["finished_unix"]
        spans.setdefault(meta["pid"], []).append((end - meta["task_s"], end))
    return {"began": began, "ended": over, "spans": {k: sorted(v) for k, v in spans.items()}}


def throughput(repeats: int, budget: int) -> None:
    """Print the ratio of two workers to one."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(repeats):
        for workers, taken in seconds.items():
            run = timed(workers, AGENTS, SEEDS, budget)
            spans = [span for own in run["spans"].values() for span in own]
            taken.append(max(end for _, end in spans) - min(start for start, _ in spans))
    print(f"{len(AGENTS) * SEEDS} searches of {budget} evaluations, {available_cores()} cores")
    for workers, taken in seconds.items():
        print(f"  {workers} worker(s): {' '.join(f'{s:.2f}' for s in taken)} s")
    ratios = [one / two for one, two in zip(seconds[1], seconds[2], strict=True)]
    print(f"  throughput of two workers over one: {statistics.median(ratios):.2f} (goal 1.6)")


def share(workers: int) -> None:
    """Print Ray's share of the wall time of the demo."""
    run = timed(workers, DEMO, seeds=8, budget=500)
    spans = run["spans"].values()
    wall = run["ended"] - run["began"]
    last = max(end for own in spans for _, end in own)
    searching = sum(end - start for own in spans for start, end in own)
    starting = sum(own[0][0] - run["began"] for own in spans)
    between = sum(b[0] - a[1] for own in spans for a, b in itertools.pairwise(own))
    after = (run["ended"] - last) * len(spans)
    idle = sum(last - own[-1][1] for own in spans)
    rest = wall * len(spans) - starting
    print(f"demo with {len(spans)} worker(s), {wall:.2f} s after ray.init; worker seconds:")
    print(f"  before first searches (processes, imports) {starting:8.2f}")
    print(f"  searching                                  {searching:8.2f}")
    print(f"  between searches                           {between:8.2f}")
    print(f"  after the last search                      {after:8.2f}")
    print(f"  idle at the end                            {idle:8.2f}")
    print(f"  Ray's share: (between + after) / (all - before) = {(between + after) / rest:.2%}")


def main() -> None:
    """Answer both questions."""
    parser = argparse.ArgumentParser(description="What Ray costs.")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--budget", type=int, default=2000, help="of the 60 searches")
    parser.add_argument("--workers", type=int, default=2, help="of the demo")
    parser.add_argument("--skip-throughput", action="store_true")
    parser.add_argument("--skip-share", action="store_true")
    arguments = parser.parse_args()
    if not arguments.skip_share:
        share(arguments.workers)
    if not arguments.skip_throughput:
        throughput(arguments.repeats, arguments.budget)


if __name__ == "__main__":
    main()
