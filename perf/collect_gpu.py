"""Collect the most trainings in some minutes on a GPU: uniform ones, then rounds at the top.

    python perf/collect_gpu.py --pictures PICTURES.npz --out FOLDER --recipe base --seconds 300

Appends every training to ``FOLDER/trainings.jsonl``; ``--known FILE`` tells of earlier ones, whose
architectures and seeds are not trained again, and ``--jobs FILE`` trains a list of (row, seed, why)
first. Every other training has a seed of its own: trainings that share one see the pictures in one
order, and are high or low together.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from pilot import (  # type: ignore[import-not-found]  # stands beside this script
    FIDELITIES,
    Order,
    all_groups,
    load_tasks,
    task_name,
)

from blox_env.experiment.rounds import Proposal, propose
from blox_env.networks.farm import Farm, Group, Trained, groups_of, save_task
from blox_env.networks.recipe import Recipe
from blox_env.networks.tasks import load_task
from blox_env.spaces import BloxSpace

DEVICES = ("x86-ort-1t", "x86-torch-1t", "x86-ort-int8-1t")  # of different clusters
AGENTS = ("regularized-evolution", "local-search", "simulated-annealing")
VAL = 15_000
# trained while a round is fitted, for docs/fidelity.md
BESIDE: Order = (
    ("short-p32", 0, 40, (0,), 20),
    ("short-w16", 0, 40, (0,), 40),
    ("few-12", 0, 40, (0,), 40),
)


def quick_table(rows: list[tuple[tuple[int, ...], int, float]]) -> np.ndarray:
    """A table of the whole space from trainings, in seconds: trees and a Gaussian process."""
    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.gaussian_process import GaussianProcessRegressor

    from blox_env.benchmarks.families.base import log_error
    from blox_env.benchmarks.families.process import fit_kernels

    space = BloxSpace()
    by: dict[tuple[int, ...], list[float]] = defaultdict(list)
    for row, _, value in rows:
        by[row].append(value)
    x = np.array(list(by))
    y = np.array([np.mean(v) for v in by.values()])
    count = np.array([len(v) for v in by.values()])
    several = [v for v in by.values() if len(v) > 1]
    noise = float(np.mean([np.var(v, ddof=1) for v in several])) if several else y.var() * 0.1

    def columns(z: np.ndarray) -> np.ndarray:
        kinds = ("depth", "ops", "onehot")
        return np.concatenate([space.features(z, k) for k in kinds], axis=1)

    forest = ExtraTreesRegressor(
        150, min_samples_leaf=2, max_features=0.3, n_jobs=2, random_state=0, bootstrap=True,
        oob_score=True,
    ).fit(columns(x), y, sample_weight=count / (1 + 0.3 * count))  # fmt: skip
    trees = forest.predict(columns(space.all()))
    plain = np.concatenate([space.features(space.all(), k) for k in ("depth", "ops")], axis=1)
    at = space.index(x)
    mean, std = plain[at].mean(axis=0), plain[at].std(axis=0)
    plain = (plain - mean) / np.where(std > 0, std, 1)
    variance = (noise / count)[:, None]
    kernel, level = fit_kernels(plain[at], y[:, None], variance, 0)
    target = log_error(y)
    process = GaussianProcessRegressor(kernel, alpha=level * count.mean() / count, optimizer=None)
    process.fit(plain[at], (target - target.mean()) / target.std())
    smooth = np.concatenate([process.predict(p) for p in np.array_split(plain, 12)])
    smooth = 1 - np.exp(smooth * target.std() + target.mean())
    table = 0.5 * trees + 0.5 * smooth
    # a trained architecture's own trainings, shrunk towards what trees that have not seen it say
    unseen = forest.oob_prediction_
    spread = max(1e-6, float(np.mean((y - unseen) ** 2 - noise / count)))
    weight = spread / (spread + noise / count)
    table[at] = unseen + weight * (y - unseen)
    return np.asarray(table)


def next_round(
    rows: list[tuple[tuple[int, ...], int, float]], number: int, seed: int, out: Any
) -> None:
    """Fit and propose; what a process beside the trainings does."""
    table = quick_table(rows)
    trained = Counter(row for row, _, _ in rows)
    rng = np.random.default_rng([seed, number])
    out.put(
        propose(
            BloxSpace(), table, dict(trained), devices=DEVICES, rng=rng, name=f"round{number}",
            top=30, seeds=2, top_seeds=5, repeats=1, agents=AGENTS,
        )
    )  # fmt: skip


def digits_groups(path: Path, folder: Path) -> list[Group]:
    """Listed trainings of the task ``digits``, and those of the pilot's architectures."""
    task = load_task("digits")
    save_task(task, folder)
    listed = [(tuple(row), seed) for row, seed, _ in json.loads(path.read_text(encoding="utf-8"))]
    return groups_of(listed, 128, task="digits", recipe=Recipe(), tag="digits")


def beside_entries(result: Trained, processes: int) -> list[dict[str, Any]]:
    """Trainings of another fidelity or task, as lines of a file."""
    share = result.wall_s / len(result.correct) / processes
    return [
        {
            "tag": result.group.tag,
            "row": row,
            "seed": seed,
            "correct": correct,
            "share_s": round(share, 4),
            "number": result.group.number,
            "recipe": result.group.recipe.to_dict(),
        }
        for (row, seed), correct in zip(result.group.trainings, result.correct, strict=True)
    ]


class Jobs:
    """What to train next: listed trainings, then proposals, then uniform architectures."""

    def __init__(
        self,
        listed: list[tuple[tuple[int, ...], int, str]],
        known: set[tuple[tuple[int, ...], int]],
        size: int,
        seed: int,
        first_seed: int,
    ) -> None:
        self.size, self.next_seed = size, first_seed
        self.known = {job[0] for job in listed} | {row for row, _ in known}
        self.waiting = [job for job in listed if job[:2] not in known]
        space = BloxSpace()
        order = np.random.default_rng(seed).permutation(space.size)
        self.uniform: Iterator[tuple[int, ...]] = (
            tuple(row) for part in np.array_split(order, 200) for row in
            space.from_index(part).tolist()
        )  # fmt: skip
        self.count = 0

    def add(self, proposals: list[Proposal]) -> None:
        """Take proposals, each with as many seeds of their own as it asks for."""
        for proposal in proposals:
            self.known.add(proposal.row)
            for _ in proposal.seeds:
                self.waiting.append((proposal.row, self._own_seed(), proposal.asked_by))

    def _own_seed(self) -> int:
        """A seed that no other training has."""
        self.next_seed += 1
        return self.next_seed

    def take(self, uniform: bool) -> list[tuple[tuple[int, ...], int, str]]:
        """The next group."""
        if uniform:
            while len(self.waiting) < self.size:
                row = next(self.uniform)
                if row in self.known:
                    continue
                self.known.add(row)
                # some architectures three times, for the noise
                for _ in range(3 if self.count % 40 == 0 else 1):
                    self.waiting.append((row, self._own_seed(), "uniform"))
                self.count += 1
        if not self.waiting:
            return []
        chosen = self.waiting[: self.size]
        del self.waiting[: self.size]
        return chosen


def main() -> None:
    """Train until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--recipe", default="base", choices=list(FIDELITIES))
    parser.add_argument("--number", default="bfloat16")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first-seed", type=int, default=800_000_000, help="of own seeds")
    parser.add_argument("--first-round", type=int, default=700, help="trainings before it")
    parser.add_argument("--round", type=int, default=1, help="number of that round")
    parser.add_argument("--last", type=float, default=30, help="seconds that a group may take")
    parser.add_argument("--known", type=Path)
    parser.add_argument("--jobs", type=Path)
    parser.add_argument("--only-jobs", action="store_true")
    parser.add_argument("--uniform", type=int, default=10**9, help="before what runs beside")
    parser.add_argument("--beside", action="store_true", help="other fidelities, for docs")
    parser.add_argument("--digits", type=Path, help="a list of (row, seed, why) on digits")
    arguments = parser.parse_args()
    started = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - started:6.1f} {text}", flush=True)

    folder = Path("/dev/shm/blox-env-tasks")
    folder.mkdir(exist_ok=True)
    settings, recipe = FIDELITIES[arguments.recipe]
    task = load_tasks(arguments.pictures, folder, [arguments.recipe])[task_name(settings)]
    say(f"task {task.fingerprint()}")
    farm = Farm(folder, processes=arguments.processes)
    rows: list[tuple[tuple[int, ...], int, float]] = []
    for line in arguments.known.read_text().splitlines() if arguments.known else []:
        entry = json.loads(line)
        rows.append((tuple(entry["row"]), entry["seed"], entry["correct"][-2] / VAL))
    listed = []
    if arguments.jobs:
        for row, seed, why in json.loads(arguments.jobs.read_text()):
            listed.append((tuple(row), seed, why))
    known = {(row, seed) for row, seed, _ in rows}
    jobs = Jobs(listed, known, arguments.size, arguments.seed, arguments.first_seed)
    why_of: dict[tuple[tuple[int, ...], int], str] = {}

    beside = digits_groups(arguments.digits, folder) if arguments.digits else []
    if arguments.beside:
        names = list(dict.fromkeys(line[0] for line in BESIDE))
        load_tasks(arguments.pictures, folder, names)
        beside += list(all_groups(arguments.number, BESIDE))
    asked = under_way = 0

    def more() -> Group | None:
        nonlocal asked, under_way
        under_way += 1
        if beside and not jobs.waiting and asked >= arguments.uniform:
            return beside.pop(0)
        chosen = jobs.take(uniform=not arguments.only_jobs)
        if not chosen:
            if beside:
                return beside.pop(0)
            under_way -= 1
            return None
        asked += len(chosen)
        for row, seed, why in chosen:
            why_of[row, seed] = why
        return Group(
            task.name, recipe, tuple((row, seed) for row, seed, _ in chosen),
            number=arguments.number,
        )  # fmt: skip

    context = multiprocessing.get_context("spawn")
    answers: Any = context.Queue()
    proposer: Any = None
    number = arguments.round - 1
    failures = new = 0
    waits_for: set[tuple[tuple[int, ...], int]] = set()
    stop_at = started + arguments.seconds
    with (
        (arguments.out / "trainings.jsonl").open("a") as file,
        (arguments.out / "beside.jsonl").open("a") as other,
    ):
        for result in farm.run(more, stop_at=stop_at - arguments.last, give_up_at=stop_at):
            under_way -= 1
            over = arguments.only_jobs and not (under_way or jobs.waiting or beside)
            if result.error:
                failures += 1
                if failures < 4:
                    say(f"failed: {result.error[-1500:]}")
                if over or (failures > 5 and not new):
                    break
                continue
            if result.group.tag:
                other.writelines(
                    json.dumps(entry) + "\n"
                    for entry in beside_entries(result, arguments.processes)
                )
                other.flush()
                say(f"{result.group.tag}: {len(result.correct)} in {result.wall_s:.1f} s")
            else:
                for (row, seed), correct in zip(
                    result.group.trainings, result.correct, strict=True
                ):
                    share = result.wall_s / len(result.correct) / arguments.processes
                    entry = {"row": row, "seed": seed, "correct": correct}
                    entry |= {"asked_by": why_of[row, seed], "share_s": round(share, 4)}
                    file.write(json.dumps(entry) + "\n")
                    rows.append((row, seed, correct[-2] / VAL))
                    waits_for.discard((row, seed))
                new += len(result.correct)
                file.flush()
                say(f"{new} trainings, best single {max(v for _, _, v in rows):.4f}")
            if over:
                break
            if arguments.only_jobs:
                continue
            if (
                proposer is None
                and len(rows) >= arguments.first_round
                and len(waits_for) < 2 * arguments.size
            ):
                number += 1
                say(f"round {number}: fitting on {len(rows)}")
                proposer = context.Process(
                    target=next_round, args=(list(rows), number, arguments.seed, answers),
                    daemon=True,
                )  # fmt: skip
                proposer.start()
            elif proposer is not None and not answers.empty():
                proposals = answers.get()
                later = jobs.waiting  # uniform ones that were not begun
                jobs.waiting = []
                jobs.add(proposals)
                waits_for = {(row, seed) for row, seed, _ in jobs.waiting}
                jobs.waiting += later
                say(f"round {number}: {len(proposals)} architectures, {len(waits_for)} trainings")
                proposer = None
            elif proposer is not None and not proposer.is_alive() and answers.empty():
                say("a fit failed")
                proposer = None
    farm.close()
    say(f"{new} trainings, {failures} groups failed, {number - arguments.round + 1} rounds")


if __name__ == "__main__":
    main()
