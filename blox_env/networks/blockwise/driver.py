"""Every block of a teacher, and many networks made of them: one atomic file each, resumable."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from blox_env.ground.errors import check_positive_int, unknown_name
from blox_env.ground.files import write_json
from blox_env.ground.parallel import run_tasks
from blox_env.ground.progress import Tell, silent
from blox_env.networks.blockwise.assembly import (
    assemble,
    block_file,
    fine_tune,
    fine_tune_recipe,
    load_blocks,
)
from blox_env.networks.blockwise.distil import BlockLesson, Distilled, distil_from_file
from blox_env.networks.blockwise.teacher import Teacher, frame, load_teacher, teach
from blox_env.networks.blockwise.weights import read_facts_of, write_weights
from blox_env.networks.recipe import recipe_for
from blox_env.networks.tasks import load_task
from blox_env.spaces.blox import BLOCKS, STAGES

SCHEMA = 1
ALL_BLOCKS = tuple((s, b) for s in range(STAGES) for b in range(len(BLOCKS)))
KINDS = ("fine-tuned", "distilled", "scratch")


def distil_all(
    teacher: str | Path,
    out: str | Path,
    lesson: BlockLesson,
    *,
    seed: int = 0,
    places: Sequence[tuple[int, int]] = ALL_BLOCKS,
    workers: int | None = None,
    address: str = "local",
    tell: Tell = silent,
) -> dict[str, Any]:
    """Distil every block of every stage that has no file in ``out`` yet.

    A file appears whole or not at all, so killing this at any point loses only what was under way,
    and the same call goes on with what is left. Equal arguments give equal files; the seconds that
    they took lie beside them, in ``seconds/``.

    Args:
        teacher: a file that :meth:`Teacher.save` wrote, where all workers can read it.
        out: folder of the blocks.
        lesson: how blocks learn.
        seed: of all blocks.
        places: ``(stage, block)`` to do, all 135 if not given.
        workers: how many run at once, all cores if not given; 0 runs in this process without Ray.
        address: of a Ray cluster; ``"local"`` starts one for this call.
        tell: told how many blocks are done.

    Returns:
        ``done`` now, ``failed`` as a list of (file, error), ``before`` already there, ``wall_s``.

    Raises:
        ValueError: names a file in ``out`` that is damaged or of another teacher or lesson.
    """
    path, folder = Path(teacher).resolve(), Path(out)
    master = Teacher.load(path)
    common = {
        "schema": SCHEMA,
        "teacher": master.hash,
        "task": load_task(master.task).fingerprint(),
        "recipe": lesson.recipe.to_dict(),
        "loss": lesson.loss,
        "checked": lesson.checked,
        "seed": seed,
    }
    there = _blocks_there(folder, common)
    left = [place for place in places if block_file(folder, *place) not in there]
    payloads = [
        {
            "teacher": str(path), "hash": master.hash, "stage": stage, "block": block,
            "recipe": asdict(lesson.recipe), "loss": lesson.loss, "checked": lesson.checked,
            "seed": seed,
        }
        for stage, block in left
    ]  # fmt: skip

    def write(index: int, result: Distilled) -> None:
        file = block_file(folder, *left[index])
        write_json(folder / "seconds" / f"{file.stem}.json", round(result.seconds, 3))
        stage, block = left[index]
        measured = {"mse": result.mse, "nsr": result.nsr, "swap_acc": result.swap_acc}
        facts = {**common, "stage": stage, "block": block, **measured}
        write_weights(file, result.weights, facts)

    names = [block_file(folder, *place).name for place in left]
    options: dict[str, Any] = {"workers": workers, "address": address, "tell": tell}
    return _run(distil_from_file, payloads, names, write, len(places), "stage", options)


def _blocks_there(folder: Path, common: dict[str, Any]) -> set[Path]:
    there = set()
    for file in sorted(folder.glob("stage*-block*.npz")):
        facts = read_facts_of(file)
        _check_same(file, facts, common)
        there.add(file)
    return there


def _check_same(file: Path, facts: dict[str, Any], wanted: dict[str, Any]) -> None:
    for name, value in wanted.items():
        if facts.get(name) != value:
            raise ValueError(
                f"{file} is of another {name}: expected {value}, got {facts.get(name)}; "
                f"choose another folder for out"
            )


@dataclass(frozen=True)
class NetworkLesson:
    """The training of one network.

    Attributes:
        kind: ``"fine-tuned"`` from distilled blocks, ``"distilled"`` as a whole from a teacher's
            answers, or ``"scratch"``, by labels alone.
        row: the architecture.
        epochs: of the training.
        seed: of the training.
    """

    kind: str
    row: tuple[int, ...]
    epochs: int
    seed: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(unknown_name("kind", self.kind, KINDS))
        check_positive_int("epochs", self.epochs)

    @property
    def file(self) -> str:
        """Name of its result."""
        row = "-".join(f"{block:02d}" for block in self.row)
        return f"{self.kind}-{row}-e{self.epochs}-s{self.seed}.json"


def train_all(
    lessons: Sequence[NetworkLesson],
    out: str | Path,
    *,
    teacher: str | Path,
    blocks: str | Path,
    workers: int | None = None,
    address: str = "local",
    tell: Tell = silent,
) -> dict[str, Any]:
    """Do every training that has no result in ``out`` yet; resumable as :func:`distil_all`.

    Args:
        lessons: the trainings.
        out: folder of the results.
        teacher: file of the teacher.
        blocks: folder of its blocks.
        workers: how many run at once, all cores if not given; 0 runs in this process without Ray.
        address: of a Ray cluster.
        tell: told how many are done.

    Returns:
        As :func:`distil_all`.
    """
    folder, path = Path(out), Path(teacher).resolve()
    master = Teacher.load(path)
    common = {"schema": SCHEMA, "teacher": master.hash}
    for file in sorted(folder.glob("*-s*.json")):
        try:
            _check_same(file, json.loads(file.read_text()), common)
        except json.JSONDecodeError as error:
            raise ValueError(f"{file} is damaged: {error}") from error
    left = [lesson for lesson in lessons if not (folder / lesson.file).exists()]
    payloads = [
        {
            "teacher": str(path), "hash": master.hash, "blocks": str(Path(blocks).resolve()),
            **asdict(lesson),
        }
        for lesson in left
    ]  # fmt: skip

    def write(index: int, result: dict[str, Any]) -> None:
        write_json(folder / left[index].file, {**common, **result})

    names = [lesson.file for lesson in left]
    options: dict[str, Any] = {"workers": workers, "address": address, "tell": tell}
    return _run(train_one, payloads, names, write, len(lessons), "kind", options)


def train_one(payload: dict[str, Any]) -> dict[str, Any]:
    """One training of :func:`train_all`; what a worker does.

    Args:
        payload: the fields of a :class:`NetworkLesson`, ``teacher``, its ``hash``, ``blocks``.
    """
    master = load_teacher(payload["teacher"], payload["hash"])
    row, kind, epochs, seed = (payload[key] for key in ("row", "kind", "epochs", "seed"))
    task = load_task(master.task)
    if kind == "fine-tuned":
        network = assemble(row, master, load_blocks(payload["blocks"], row))
        taught = fine_tune(network, master.task, fine_tune_recipe(master.task, epochs), seed=seed)
    else:
        generator = torch.Generator().manual_seed(seed)
        network = frame(row, master.task, generator)
        recipe = recipe_for(master.task, epochs=epochs)
        taught = teach(
            network,
            master.task,
            recipe,
            generator,
            teacher=master if kind == "distilled" else None,
        )
    return {
        "kind": kind,
        "row": list(row),
        "epochs": epochs,
        "seed": seed,
        "val_correct": [round(v * len(task.val)) for v in taught.val_acc],
        "test_correct": round(taught.test_acc * len(task.test)),
        "train_time_s": round(taught.seconds, 3),
    }


def _run(
    function: Callable[[Any], Any],
    payloads: list[dict[str, Any]],
    names: list[str],
    write: Callable[[int, Any], None],
    total: int,
    kind: str,
    options: dict[str, Any],
) -> dict[str, Any]:
    """Run what is left, write every result when it comes, and say what became of all."""
    tell: Tell = options.pop("tell")
    before, done, failed, started = total - len(payloads), 0, [], time.perf_counter()
    tell(before, total, "")
    outcomes = run_tasks(function, payloads, kind=lambda payload: payload[kind], **options)
    for outcome in outcomes:
        if outcome.error is None:
            write(outcome.index, outcome.result)
            done += 1
        else:
            failed.append((names[outcome.index], outcome.error))
        tell(before + done + len(failed), total, f"{len(failed)} failed" if failed else "")
    wall = time.perf_counter() - started
    return {"done": done, "failed": failed, "before": before, "wall_s": wall}
