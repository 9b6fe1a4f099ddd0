"""Six questions about blockwise search, answered by training: blocks, networks, rounds.

    python examples/blockwise_questions.py                                   # a small setting
    python examples/blockwise_questions.py --setting digits --out runs/blockwise

Teachers of different quality teach all 135 blocks; networks of them are fine-tuned, or taught as a
whole; a search begins with a random teacher. Kill it at any time: the same call goes on with what
is left. It ends with ``records.json``, all that was measured, which ``docs/blockwise.py`` makes a
page of, and ``blocks.json``, signatures that lie beside the setting's table for ``donna`` and
others. The setting ``digits`` takes about 40 minutes of one core, ``cifar10`` as long; it needs
the pictures (``BLOX_ENV_DATA``), of which blocks see a part.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

import blox_env
from blox_env.analysis.blockwise import by_key, spearman, truth_of
from blox_env.benchmarks import trainings
from blox_env.benchmarks.blocks import TaughtBlocks, write_blocks
from blox_env.ground.files import write_json
from blox_env.networks.blockwise import (
    BlockLesson,
    NetworkLesson,
    Teacher,
    distil_all,
    iterate,
    lesson_for,
    random_teacher,
    read_signatures,
    train_all,
    trained_teacher,
)
from blox_env.networks.blockwise.driver import ALL_BLOCKS
from blox_env.networks.recipe import recipe_for
from blox_env.networks.signatures import MEASURES, Signatures
from blox_env.networks.tasks import task_settings

Row = tuple[int, ...]


@dataclass(frozen=True)
class Setting:
    """What is trained.

    Attributes:
        benchmark: whose trainings are the truth.
        blocks_task: task that blocks and networks learn, the benchmark's or a part of it.
        lesson: how blocks learn.
        round_epochs: epochs of blocks in the search from a random teacher, 0 for no such search.
        rounds: of that search.
        teacher_epochs: how long teachers are trained.
        networks: for each teacher ``(kind, epochs, how many)``.
        uniform: architectures drawn evenly among those trained from scratch.
        good: others out of the ``best`` of those.
        best: how many are good.
        repeats: trainings from scratch that the uniform ones have at least.
        part: ``(stage, block)`` that are distilled; all of them where it is empty.
    """

    benchmark: str
    blocks_task: str
    lesson: BlockLesson
    round_epochs: int
    networks: dict[str, tuple[tuple[str, int, int], ...]]
    rounds: int = 2
    teacher_epochs: dict[str, int] = field(default_factory=dict)
    uniform: int = 80
    good: int = 40
    best: int = 150
    repeats: int = 3
    part: tuple[tuple[int, int], ...] = ()


SETTINGS = {
    "small": Setting(
        "digits",
        "digits",
        lesson_for(recipe_for("digits", epochs=1, batch=700), checked=100),
        0,
        {"random": (("fine-tuned", 1, 2),)},
        part=tuple((stage, block) for stage in range(3) for block in (0, 6)),
    ),
    "digits": Setting(
        "digits",
        "digits",
        lesson_for(recipe_for("digits", epochs=4)),
        2,
        {
            "good": (
                ("fine-tuned", 3, 120),
                ("distilled", 7, 16),
                ("fine-tuned", 7, 24),
                ("fine-tuned", 1, 24),
            ),
            "mediocre": (("fine-tuned", 3, 40),),
        },
        teacher_epochs={"good": 7, "mediocre": 4},
    ),
    "cifar10": Setting(
        "cifar10",
        "cifar10(train=2560)",
        lesson_for(recipe_for("cifar10", epochs=1, batch=32, peak_lr=0.1), checked=1000),
        0,
        {"good": (("fine-tuned", 2, 60),), "mediocre": (("fine-tuned", 2, 60),)},
        teacher_epochs={"mediocre": 1, "good": 1},
        uniform=40,
        good=20,
        best=80,
        repeats=1,
    ),
}


def make_teacher(name: str, setting: Setting) -> Teacher:
    """The best architecture of the table, an ordinary one half trained, or a random one untrained.

    Args:
        name: ``good``, ``mediocre`` or ``random``.
        setting: on what.
    """
    benchmark = blox_env.load_benchmark(setting.benchmark)
    every = benchmark.space.all()
    order = np.argsort(benchmark.evaluate(every).val_acc)
    if name == "random":
        return random_teacher((0, 0, 0), setting.blocks_task, seed=0)
    row = every[order[-1]] if name == "good" else every[order[len(order) // 4]]
    recipe = recipe_for(setting.benchmark, epochs=setting.teacher_epochs[name])
    made = trained_teacher(row.tolist(), setting.benchmark, seed=0, recipe=recipe)
    return replace(made, task=setting.blocks_task)


def networks_of(setting: Setting) -> list[Row]:
    """Architectures with trainings from scratch: even draws and good ones, mixed."""
    if setting.part:
        blocks = sorted({block for _, block in setting.part})
        return [(a, b, blocks[0]) for a in blocks for b in blocks]
    benchmark = blox_env.load_benchmark(setting.benchmark)
    space, rng = benchmark.space, np.random.default_rng(17)
    known = trainings.read(trainings_file(setting))
    number = space.index(known.x)
    evenly, count = np.unique(number[known.asked_by == "uniform"], return_counts=True)
    uniform = rng.permutation(evenly[count >= setting.repeats])[: setting.uniform]
    trained = np.unique(number)
    accuracy = benchmark.evaluate(space.from_index(trained)).val_acc
    ranked = [n for n in trained[np.argsort(-accuracy)] if n not in set(uniform)]
    good = rng.permutation(np.array(ranked[: setting.best]))[: setting.good]
    chosen = np.concatenate([uniform, good])
    mixed = space.from_index(chosen[rng.permutation(len(chosen))])
    return [tuple(row) for row in mixed.tolist()]


def trainings_file(setting: Setting) -> Path:
    """The trainings that the benchmark was made from."""
    data = Path(blox_env.__file__).parent / "data" / "benchmarks"
    return data / setting.benchmark / "trainings.csv"


def collect(setting: Setting, out: Path, workers: int) -> None:
    """Do all trainings that are not there yet.

    Args:
        setting: what.
        out: folder.
        workers: 0 for this process.
    """
    rows = networks_of(setting)
    for name, wanted in setting.networks.items():
        file = out / name / "teacher.npz"
        if not file.exists():
            make_teacher(name, setting).save(file)
        places = setting.part or ALL_BLOCKS
        blocks = out / name / "blocks"
        ended = distil_all(file, blocks, setting.lesson, places=places, workers=workers)
        print(f"{name}: {ended['before'] + ended['done']} of {len(places)} blocks")
        for kind, epochs, count in wanted:
            lessons = [NetworkLesson(kind, row, epochs) for row in rows[:count]]
            options: dict[str, Any] = {"teacher": file, "blocks": blocks, "workers": workers}
            ended = train_all(lessons, out / name / "networks", **options)
            print(f"{name}: {ended['before'] + ended['done']} networks {kind}, {epochs} epochs")
    if setting.round_epochs:
        lesson = replace(
            setting.lesson, recipe=replace(setting.lesson.recipe, epochs=setting.round_epochs)
        )
        options = {"rounds": setting.rounds, "tried": 12, "workers": workers}
        iterate(setting.blocks_task, out / "iteration", lesson, **options)


def gather(setting: Setting, out: Path) -> dict[str, Any]:
    """All that was measured, as plain values.

    Args:
        setting: what was trained.
        out: folder.
    """
    benchmark = blox_env.load_benchmark(setting.benchmark)
    header = trainings.read(trainings_file(setting)).header
    pictures = header["val_images"]
    facts: dict[str, Any] = {"benchmark": setting.benchmark, "task": setting.blocks_task}
    facts |= {"loss": setting.lesson.loss, "recipe": setting.lesson.recipe.to_dict()}
    found: dict[str, Any] = {"facts": facts, "teachers": [], "networks": [], "rounds": []}
    for file in sorted(out.glob("*/teacher.npz")) + sorted(out.glob("iteration/*/teacher.npz")):
        teacher, name = Teacher.load(file), file.parent.name
        signatures = read_signatures(file.parent / "blocks")
        if np.isnan(signatures.nsr).all():
            continue  # the last found, which taught nobody
        entry = {"name": name, "row": teacher.row, "val_acc": teacher.val_acc}
        tables = {m: np.round(getattr(signatures, m), 6).tolist() for m in (*MEASURES, "seconds")}
        found["teachers"].append({**entry, "teacher_s": teacher.seconds, **tables})
        for result in sorted(file.parent.glob("networks/*.json")):
            network = json.loads(result.read_text())
            kept = ("kind", "row", "epochs", "seed", "train_time_s")
            correct = np.array(network["val_correct"])
            accuracy = np.round(correct / pictures, 5).tolist()
            entry = {key: network[key] for key in kept}
            found["networks"].append({"teacher": name, **entry, "val_acc": accuracy})
        done = file.parent / "round.json"
        if done.exists():
            tuned = [json.loads(f.read_text()) for f in sorted(file.parent.glob("tuned/*.json"))]
            spent = sum(each["train_time_s"] for each in tuned)
            found["rounds"].append({**json.loads(done.read_text()), "tuned_s": spent})
    # an epoch of the table has more pictures where blocks learn from a part of them
    part = getattr(task_settings(setting.blocks_task), "train", header["train_images"])
    facts["speed"] = speed(benchmark, found["networks"]) * part / header["train_images"]
    return found


def speed(benchmark: blox_env.Benchmark, networks: Sequence[dict[str, Any]]) -> float:
    """Seconds of an epoch of the table in one of these trainings, on this machine under its load.

    Args:
        benchmark: the table.
        networks: trainings whose seconds are known.
    """
    tuned = [each for each in networks if each["kind"] != "distilled"]
    said = benchmark.evaluate(np.array([each["row"] for each in tuned])).train_time_s
    own = np.array([each["train_time_s"] / each["epochs"] for each in tuned])
    return float(np.median(said / benchmark.epochs / own))


def embedded(records: dict[str, Any]) -> list[TaughtBlocks]:
    """Blocks as agents use them.

    Args:
        records: as :func:`gather` gives them.
    """
    rounds = {tuple(each["teacher"]): each["tuned_s"] for each in records["rounds"]}
    return [
        TaughtBlocks(
            each["name"],
            tuple(each["row"]),
            each["val_acc"],
            each["teacher_s"],
            0.0,  # of the blocks, each of which has its own
            rounds.get(tuple(each["row"]), 0.0) if each["name"].startswith("round") else 0.0,
            Signatures(*(np.array(each[m]) for m in ("nsr", "mse", "swap_acc", "seconds"))),
        )
        for each in records["teachers"]
        if np.isfinite(each["seconds"]).all()  # the others are not complete yet
    ]


def main() -> None:
    """Collect, gather, and say what correlates."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--setting", choices=SETTINGS, default="small")
    parser.add_argument("--out", type=Path, default=Path("blockwise-runs"))
    parser.add_argument("--workers", type=int, default=0, help="on Ray; 0 is this process")
    parser.add_argument("--gather", action="store_true", help="only what is there already")
    given = parser.parse_args()
    setting, out = SETTINGS[given.setting], given.out / given.setting
    if not given.gather:
        collect(setting, out, given.workers)
    records = gather(setting, out)
    write_json(out / "records.json", records)
    if not setting.part:
        origin = {key: value for key, value in records["facts"].items() if key != "speed"}
        write_blocks(out, embedded(records), records["facts"]["speed"], origin)
    known = trainings.read(trainings_file(setting))
    space = blox_env.load_benchmark(setting.benchmark).space
    for teacher in records["teachers"]:
        tuned = by_key(records["networks"], teacher=teacher["name"], kind="fine-tuned")
        if not tuned:
            continue
        truth = truth_of(space, known.x, known.val_acc[:, -1], list(tuned))
        accuracy = np.array([each["val_acc"][-1] for each in tuned.values()])
        both = ~np.isnan(truth)
        said = f"teacher {teacher['name']} ({teacher['val_acc']:.3f}): {len(tuned)} networks"
        if both.sum() > 9:
            said += f", Spearman with scratch {spearman(accuracy[both], truth[both]).text()}"
        print(said)
    print(f"{json.dumps(asdict(setting.lesson.recipe))[:60]} … → {out / 'records.json'}")


if __name__ == "__main__":
    main()
