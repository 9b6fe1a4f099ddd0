"""Many small networks at once on one GPU, in groups that train in lockstep.

While one process prepares its next group, the others keep the GPU busy.
"""

from __future__ import annotations

import gc
import multiprocessing
import queue
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import torch

from blox_env.networks.lockstep import Lockstep
from blox_env.networks.recipe import Recipe
from blox_env.networks.run import DeviceTask
from blox_env.networks.tasks import Split, Task

NUMBERS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Group:
    """Trainings of one task and recipe that one process does side by side.

    Attributes:
        task: name of the task in the farm.
        recipe: of all of them.
        trainings: architectures ``(row, seed)``.
        tag: carried along to the results.
        number: ``"float32"`` or ``"bfloat16"``, what networks compute in.
    """

    task: str
    recipe: Recipe
    trainings: tuple[tuple[tuple[int, ...], int], ...]
    tag: str = ""
    number: str = "bfloat16"


@dataclass(frozen=True)
class Trained:
    """Result of a group: right answers ``(trainings, epochs + 1)``, or an error."""

    group: Group
    correct: list[list[int]]
    wall_s: float
    error: str = ""


def train_group(group: Group, data: DeviceTask, *, eval_batch: int = 1000) -> list[list[int]]:
    """Train the networks of a group in lockstep on a GPU, as repetitions of one recorded step.

    Args:
        group: what to train.
        data: its task on the GPU.
        eval_batch: pictures evaluated at once.

    Returns:
        Right answers on the validation pictures after each epoch, then on the test pictures.
    """
    networks = Lockstep(group.trainings, data, group.recipe)
    graph = record(networks)
    for epoch in range(group.recipe.epochs):
        for _ in range(networks.per_epoch):
            graph.replay()
        networks.evaluate(epoch, data.val, eval_batch)
    networks.evaluate(group.recipe.epochs, data.test, eval_batch)
    torch.cuda.synchronize()
    answer: list[list[int]] = networks.correct.t().tolist()
    return answer


def record(networks: Lockstep) -> torch.cuda.CUDAGraph:
    """Record one step as a CUDA graph; the networks are afterwards as before."""
    state = networks.state()
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        networks.step()  # libraries choose their kernels at the first call: not to be recorded
        networks.restore(state)
        stream.synchronize()
        graph = torch.cuda.CUDAGraph()
        graph.capture_begin(capture_error_mode="thread_local")
        try:
            networks.step()
        finally:
            graph.capture_end()
    torch.cuda.current_stream().wait_stream(stream)
    return graph


class Farm:
    """Processes that train groups on one GPU.

    Args:
        folder: where :func:`save_task` wrote the tasks.
        processes: number of them: while one prepares its next group, the others train.
        border: the largest shift of any recipe.
    """

    def __init__(self, folder: Path, *, processes: int = 3, border: int = 2) -> None:
        context = multiprocessing.get_context("spawn")
        self._in: Any = context.Queue()
        self._out: Any = context.Queue()
        arguments = (folder, border, self._in, self._out)
        self._processes: list[SpawnProcess] = [
            context.Process(target=_work, args=arguments, daemon=True) for _ in range(processes)
        ]
        for process in self._processes:
            process.start()

    def run(
        self, more: Callable[[], Group | None], *, stop_at: float, give_up_at: float
    ) -> Iterator[Trained]:
        """Train groups until a moment; yields results as they come.

        Args:
            more: the next group, or None while there is none.
            stop_at: ``time.monotonic()`` after which no group is begun.
            give_up_at: the same after which nothing is waited for.
        """
        under_way = 0
        while True:
            now = time.monotonic()
            while under_way < len(self._processes) + 1 and now < stop_at:
                group = more()
                if group is None:
                    break
                self._in.put(group)
                under_way += 1
            if now > give_up_at or (under_way == 0 and now >= stop_at):
                return
            try:
                result = self._out.get(timeout=0.2)
            except queue.Empty:
                if not any(process.is_alive() for process in self._processes):
                    raise RuntimeError("all processes of the farm have ended") from None
                continue
            under_way -= 1
            yield result

    def run_all(self, groups: Sequence[Group]) -> Iterator[Trained]:
        """Train groups, however long it takes; yields results as they come."""
        left = list(reversed(groups))
        missing = len(left)
        if not missing:
            return
        for result in self.run(
            lambda: left.pop() if left else None, stop_at=float("inf"), give_up_at=float("inf")
        ):
            yield result
            missing -= 1
            if not missing:
                return

    def close(self) -> None:
        """End all processes at once."""
        for process in self._processes:
            process.kill()


PARTS, FIELDS = ("train", "val", "test"), ("images", "labels", "sources")


def save_task(task: Task, folder: Path) -> None:
    """Write a task where the processes of a farm find it.

    Args:
        task: to write.
        folder: of the farm.
    """
    splits = {
        part: {field: torch.from_numpy(getattr(getattr(task, part), field)) for field in FIELDS}
        for part in PARTS
    }
    facts = {"description": task.description, "classes": task.classes, "width": task.width}
    torch.save({**facts, **splits}, folder / f"{task.name}.pt")


def read_task(folder: Path, name: str) -> Task:
    """Read what :func:`save_task` wrote.

    Args:
        folder: of the farm.
        name: of the task.
    """
    whole = torch.load(folder / f"{name}.pt", weights_only=True)
    train, val, test = (Split(*(whole[p][f].numpy() for f in FIELDS)) for p in PARTS)
    facts = {key: whole[key] for key in ("description", "classes", "width")}
    return Task(name, facts["description"], train, val, test, facts["classes"], facts["width"])


def _work(folder: Path, border: int, todo: Any, done: Any) -> None:
    """Train groups until killed."""
    torch.set_num_threads(1)
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    loaded: dict[tuple[str, str], DeviceTask] = {}
    while True:
        group: Group = todo.get()
        started = time.monotonic()
        try:
            key = (group.task, group.number)
            if key not in loaded:
                task = read_task(folder, group.task)
                loaded[key] = DeviceTask.load(
                    task, border, torch.device("cuda"), NUMBERS[group.number]
                )
            data = loaded[key]
            pixels = data.task.image_size**2 * data.task.width
            correct = train_group(group, data, eval_batch=max(125, 1000 * 2048 // pixels))
            done.put(Trained(group, correct, time.monotonic() - started))
        except Exception:  # noqa: BLE001 (whatever it is, the others go on)
            done.put(Trained(group, [], time.monotonic() - started, traceback.format_exc()))
        gc.collect()  # what a group recorded keeps its memory until then
        torch.cuda.empty_cache()


def whereabouts(number: str) -> str:
    """Name of this machine's GPU and of the arithmetic, for files of trainings."""
    return f"{torch.cuda.get_device_name()}, {number}, in lockstep"


def groups_of(
    trainings: Sequence[tuple[tuple[int, ...], int]], size: int, **rest: Any
) -> list[Group]:
    """Cut trainings into groups.

    Args:
        trainings: ``(row, seed)`` of each.
        size: most trainings in a group.
        **rest: task, recipe and whatever else their groups have in common.
    """
    return [
        Group(trainings=tuple(trainings[i : i + size]), **rest)
        for i in range(0, len(trainings), size)
    ]
