"""Trains many architectures of a space on a task: one atomic file each, resumable at any point."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from blox_env.benchmarks.trainings import pack
from blox_env.ground.errors import check_positive_int, unknown_name
from blox_env.ground.files import write_json
from blox_env.ground.parallel import Outcome, run_tasks
from blox_env.ground.progress import Tell, silent
from blox_env.networks.recipe import Recipe, recipe_for
from blox_env.networks.tasks import load_task
from blox_env.spaces import BloxSpace, BloxXLSpace
from blox_env.spaces.blox.stages import BlockSpace

SCHEMA = 1
SPACES: dict[str, Callable[[], BlockSpace]] = {"blox": BloxSpace, "bloxxl": BloxXLSpace}
GROUP = 64  # networks that train in lockstep on a GPU


@dataclass(frozen=True)
class Plan:
    """Trainings to be done: ``architectures`` uniform ones, the first ``repeated`` several times.

    Attributes:
        task: name of the task to train on.
        architectures: number of distinct architectures, drawn uniformly.
        repeated: how many of them are trained with all seeds; the others with seed 0.
        seeds: number of seeds of a repeated architecture.
        seed: of the draw; a larger plan with the same seed contains a smaller one.
        recipe: fields of :class:`blox_env.networks.recipe.Recipe` that differ from the task's.
        listed: trainings ``(row, seed, asked_by)`` to do instead of uniform ones.
        space: name of the space of uniform ones, ``"blox"`` or ``"bloxxl"``.
    """

    task: str = "digits"
    architectures: int = 700
    repeated: int = 100
    seeds: int = 3
    seed: int = 0
    recipe: dict[str, Any] = field(default_factory=dict)
    listed: tuple[tuple[tuple[int, ...], int, str], ...] = ()
    space: str = "blox"

    def full_recipe(self) -> Recipe:
        """The recipe of the task with the plan's changes."""
        return recipe_for(self.task, **self.recipe)

    def asked_by(self) -> dict[str, str]:
        """Origins of listed trainings, by the names of their files."""
        return {result_name(row, seed): why for row, seed, why in self.listed}

    def trainings(self) -> list[tuple[tuple[int, ...], int]]:
        """All (row, seed), the repeated ones spread over the first part, in a fixed order."""
        if self.listed:
            return [(row, seed) for row, seed, _ in self.listed]
        for name in ("architectures", "seeds"):
            check_positive_int(name, getattr(self, name))
        check_positive_int("repeated", self.repeated, 0)
        return [
            (row, seed)
            for i, row in enumerate(self._drawn())
            for seed in range(self.seeds if i < self.repeated else 1)
        ]

    def _drawn(self) -> list[tuple[int, ...]]:
        """Distinct architectures, drawn uniformly."""
        if self.space not in SPACES:
            raise ValueError(unknown_name("space", self.space, SPACES))
        space = SPACES[self.space]()
        rng = np.random.default_rng(self.seed)
        if not space.listable:  # far more than can be drawn, so that two are hardly ever equal
            rows = space.sample(rng, 2 * self.architectures).tolist()
            return list(dict.fromkeys(map(tuple, rows)))[: self.architectures]
        if self.architectures > space.size:
            raise ValueError(f"architectures must be at most {space.size}")
        order = rng.permutation(space.size)
        return list(map(tuple, space.from_index(order[: self.architectures]).tolist()))


def result_name(row: tuple[int, ...], seed: int) -> str:
    """File name of one training.

    Args:
        row: the architecture.
        seed: of the training.
    """
    return "-".join(f"{v:02d}" for v in row) + f"-s{seed}.json"


def train_one(payload: dict[str, Any]) -> dict[str, Any]:
    """Train one architecture with one thread; its result. What a worker does, wherever it is."""
    from blox_env.networks.training import train

    task = load_task(payload["task"])
    recipe = Recipe(**payload["recipe"])
    result = train(payload["row"], task, recipe, seed=payload["seed"])
    return {
        "schema": SCHEMA,
        "row": list(payload["row"]),
        "seed": payload["seed"],
        "task": task.fingerprint(),
        "recipe": recipe.to_dict(),
        "val_correct": [round(v * len(task.val)) for v in result.val_acc],
        "test_correct": round(result.test_acc * len(task.test)),
        "train_time_s": round(result.train_time_s, 3),
        "eval_time_s": round(result.eval_time_s, 3),
    }


def collect(
    plan: Plan,
    out: str | Path,
    *,
    device: str = "cpu",
    workers: int | None = None,
    address: str = "local",
    tell: Tell = silent,
) -> dict[str, Any]:
    """Do every training of ``plan`` that has no result in ``out`` yet.

    Every result is a file of its own that appears whole or not at all, so killing this at any point
    loses only trainings under way, and the same call goes on with what is left.

    Args:
        plan: the trainings.
        out: folder of the results.
        device: ``"cpu"``, or ``"cuda"``: many networks at once, in lockstep, on one GPU.
        workers: how many run at once, all cores if not given; 0 runs in this process without Ray.
        address: of a Ray cluster; ``"local"`` starts one for this call.
        tell: told how many trainings are done.

    Returns:
        ``done`` now, ``failed`` as a list of (file, error), ``before`` already there, ``wall_s``,
        ``per_core_hour`` trainings.
    """
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    there = _check_results(folder, plan)
    plan_trainings = plan.trainings()
    left = [t for t in plan_trainings if result_name(*t) not in there]
    asked_by = plan.asked_by()
    if device == "cuda":
        outcomes = _on_gpu(plan, left, workers)
    elif device == "cpu":
        recipe = asdict(plan.full_recipe())
        payloads = [
            {"row": row, "seed": seed, "task": plan.task, "recipe": recipe} for row, seed in left
        ]
        outcomes = run_tasks(train_one, payloads, workers=workers, address=address)
    else:
        raise ValueError(unknown_name("device", device, ("cpu", "cuda")))
    before = len(plan_trainings) - len(left)
    done = 0
    busy = 0.0
    failed: list[tuple[str, str]] = []
    started = time.perf_counter()
    tell(before, len(plan_trainings), "")
    for outcome in outcomes:
        name = result_name(*left[outcome.index])
        if outcome.error is None:
            result = outcome.result
            if name in asked_by:
                result["asked_by"] = asked_by[name]
            write_json(folder / name, result)
            done += 1
            busy += result.get("train_time_s", 0.0) + result.get("eval_time_s", 0.0)
        else:
            failed.append((name, outcome.error))
        note = f"{len(failed)} failed" if failed else ""
        tell(before + done + len(failed), len(plan_trainings), note)
    wall = time.perf_counter() - started
    return {
        "done": done,
        "failed": failed,
        "before": before,
        "wall_s": wall,
        "per_core_hour": 3600 * done / busy if busy else float("nan"),
    }


def _on_gpu(
    plan: Plan, left: list[tuple[tuple[int, ...], int]], processes: int | None
) -> Iterator[Outcome]:
    """Train on a GPU, with two processes if not said otherwise."""
    from blox_env.networks.farm import Farm, groups_of, save_task, whereabouts

    task, recipe = load_task(plan.task), plan.full_recipe()
    if recipe.is_full:
        raise ValueError(
            "recipes with cutout, augment, plain or keep_best do not train in lockstep: use "
            "blox_env.networks.full.train_augmented(…, device='cuda')"
        )
    place = {training: index for index, training in enumerate(left)}
    groups = groups_of(left, GROUP, task=task.name, recipe=recipe)
    with tempfile.TemporaryDirectory() as folder:
        save_task(task, Path(folder))
        farm = Farm(Path(folder), processes=processes or 2, border=recipe.shift)
        try:
            for trained in farm.run_all(groups):
                answers = trained.correct or [[] for _ in trained.group.trainings]
                for training, correct in zip(trained.group.trainings, answers, strict=True):
                    if trained.error:
                        yield Outcome(place[training], error=trained.error)
                        continue
                    result = {
                        "schema": SCHEMA,
                        "row": list(training[0]),
                        "seed": training[1],
                        "task": task.fingerprint(),
                        "recipe": recipe.to_dict(),
                        "val_correct": correct[:-1],
                        "test_correct": correct[-1],
                        "ran_on": whereabouts(trained.group.number),
                    }
                    yield Outcome(place[training], result)
        finally:
            farm.close()


def _check_results(folder: Path, plan: Plan) -> set[str]:
    """Names of the results in ``folder``, all of them of this task and recipe.

    Raises:
        ValueError: names the first that is damaged or of another task or recipe.
    """
    wanted = {"recipe": plan.full_recipe().to_dict(), "task": load_task(plan.task).fingerprint()}
    names = set()
    for path in sorted(folder.glob("*-s*.json")):
        try:
            result = json.loads(path.read_text())
        except json.JSONDecodeError as error:
            raise ValueError(f"{path} is damaged: {error}") from error
        for field_, value in wanted.items():
            if result.get(field_) != value:
                raise ValueError(
                    f"{path} is of another {field_}: expected {value}, got {result.get(field_)}; "
                    f"choose another folder for out"
                )
        names.add(path.name)
    return names


def pack_results(folder: Path, target: Path, task_name: str) -> int:
    """Join all results of a folder in one CSV file; returns how many.

    Args:
        folder: of the results.
        target: the CSV file.
        task_name: name of the task.
    """
    task = load_task(task_name)
    header = {
        "task": task.name,
        "width": task.width,
        "image_size": task.image_size,
        "classes": task.classes,
        "train_images": len(task.train),
        "val_images": len(task.val),
        "test_images": len(task.test),
        "description": task.description,
    }
    return pack(sorted(folder.glob("*-s*.json")), target, header)
