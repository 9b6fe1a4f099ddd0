"""Search without a good teacher: a random one teaches first, then the best that was found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blox_env.ground.files import write_json
from blox_env.ground.progress import Tell, silent
from blox_env.networks.blockwise.distil import BlockLesson
from blox_env.networks.blockwise.driver import NetworkLesson, distil_all, train_all
from blox_env.networks.blockwise.signatures import read_signatures
from blox_env.networks.blockwise.teacher import Teacher, random_teacher, trained_teacher
from blox_env.networks.recipe import Recipe, recipe_for
from blox_env.networks.signatures import Signatures
from blox_env.spaces import BloxSpace


@dataclass(frozen=True)
class Round:
    """One round.

    Attributes:
        teacher: architecture of the teacher.
        teacher_acc: its validation accuracy.
        tried: architectures that were put together and fine-tuned.
        found: the best of them.
        found_acc: its validation accuracy, trained from scratch.
        seconds: CPU time of blocks, fine-tuning and that training.
    """

    teacher: tuple[int, ...]
    teacher_acc: float
    tried: tuple[tuple[int, ...], ...]
    found: tuple[int, ...]
    found_acc: float
    seconds: float


def iterate(
    task: str,
    out: str | Path,
    lesson: BlockLesson,
    *,
    rounds: int = 3,
    tried: int = 16,
    epochs: int = 1,
    seed: int = 0,
    recipe: Recipe | None = None,
    workers: int | None = None,
    tell: Tell = silent,
) -> list[Round]:
    """Blockwise search from a random teacher; resumable, as everything it does is.

    Each round distils all blocks, ranks all architectures by the sum of their signatures,
    fine-tunes the first ``tried`` for ``epochs``, and trains the best of those from scratch: it is
    the next teacher.

    Args:
        task: name of the task.
        out: folder; a folder each round.
        lesson: how blocks learn.
        rounds: how many.
        tried: architectures that are fine-tuned each round.
        epochs: of their fine-tuning.
        seed: of the first teacher and of all trainings.
        recipe: of trainings from scratch, that of the task if not given.
        workers: as :func:`distil_all`.
        tell: told how far the blocks of a round are.
    """
    rng, space, folder = np.random.default_rng(seed), BloxSpace(), Path(out)
    row = tuple(space.sample(rng, 1)[0].tolist())
    whole, found = recipe or recipe_for(task), []
    for number in range(rounds):
        own = folder / f"round{number}"
        file = own / "teacher.npz"
        if not file.exists():
            if number:
                made = trained_teacher(row, task, seed=seed, recipe=whole)
            else:
                made = random_teacher(row, task, seed=seed)
            made.save(file)
        teacher = Teacher.load(file)
        options: dict[str, Any] = {"workers": workers, "tell": tell}
        distil_all(file, own / "blocks", lesson, seed=seed, **options)
        signatures = read_signatures(own / "blocks")
        first = best_sums(signatures, tried)
        lessons = [NetworkLesson("fine-tuned", r, epochs, seed) for r in first]
        train_all(lessons, own / "tuned", teacher=file, blocks=own / "blocks", workers=workers)
        tuned = [json.loads((own / "tuned" / each.file).read_text()) for each in lessons]
        row = first[int(np.argmax([each["val_correct"][-1] for each in tuned]))]
        after = folder / f"round{number + 1}" / "teacher.npz"
        if not after.exists():
            trained_teacher(row, task, seed=seed, recipe=whole).save(after)
        best = Teacher.load(after)
        spent = float(np.nansum(signatures.seconds)) + best.seconds
        spent += sum(each["train_time_s"] for each in tuned)
        found.append(Round(teacher.row, teacher.val_acc, tuple(first), row, best.val_acc, spent))
        write_json(own / "round.json", found[-1].__dict__)
    return found


def best_sums(signatures: Signatures, n: int) -> list[tuple[int, ...]]:
    """The ``n`` architectures of the lowest sums of signatures, the best first.

    Args:
        signatures: of all blocks.
        n: how many.
    """
    every = BloxSpace().all()
    order = np.argsort(signatures.of(every).sum(axis=1), kind="stable")
    return _rows(every[order[:n]].tolist())


def _rows(rows: Sequence[Sequence[int]]) -> list[tuple[int, ...]]:
    return [tuple(row) for row in rows]
