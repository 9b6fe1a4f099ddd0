"""A benchmark that trains when it is asked: ``live:TASK``, to check any search against reality."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blox_env.benchmarks.base import Benchmark, Evaluation
from blox_env.benchmarks.live_cache import (
    FILE,
    Key,
    Training,
    TrainingCache,
    arch_text,
    default_folder,
)
from blox_env.ground.errors import check_positive_int
from blox_env.ground.names import check_settings, join_name, split_name
from blox_env.ground.parallel import run_tasks
from blox_env.networks import tasks
from blox_env.networks.recipe import Recipe, recipe_for
from blox_env.spaces import BloxSpace

PREFIX = "live:"
_PAUSES_S = (0.02, 1.0)  # between looks at what others train: the first, and the longest

Trainer = Callable[[Sequence[int], str, Recipe, int], Training]


def train_network(row: Sequence[int], task: str, recipe: Recipe, seed: int) -> Training:
    """Train one architecture in this process.

    Args:
        row: the architecture.
        task: name of the task.
        recipe: how to train.
        seed: of weights and order of the images.
    """
    from blox_env.networks.training import train

    result = train(row, tasks.load_task(task), recipe, seed=seed)
    curve = tuple(float(value) for value in result.val_acc)
    return Training(curve, float(result.test_acc), float(result.train_time_s))


class LiveBenchmark(Benchmark):
    """Accuracies by training on request, kept in a file that processes share.

    A training always runs to its end, so that a longer look at the same one is free. Trainings of a
    batch run in parallel on Ray where it is installed; a single one runs in this process. Whoever
    asks for what another process is training waits for it. Killing a process loses the trainings
    that it was in, nothing else.

    Args:
        task: name of a task, with settings in brackets if you like, as :func:`load_task
            <blox_env.networks.tasks.load_task>` takes it.
        recipe: of the trainings, that of the task if not given.
        seeds: the trainings that a value is the mean of, unless ``evaluate`` asks for one of them.
        workers: how many trainings run at once, all cores if not given; 0 runs all of them here.
        cache: folder of the file; ``BLOX_ENV_CACHE`` or the user's cache folder if not given.
        trainer: what trains, a module-level function as :func:`train_network`.

    Raises:
        ValueError: for an unknown task, with the closest known one.
    """

    provides = frozenset({"curves"})
    trains = True

    def __init__(
        self,
        task: str,
        *,
        recipe: Recipe | None = None,
        seeds: Sequence[int] = (0,),
        workers: int | None = None,
        cache: str | Path | None = None,
        trainer: Trainer = train_network,
    ) -> None:
        tasks.task_settings(task)  # an unknown one is an error here
        self.task = task
        self.recipe = recipe or recipe_for(task)
        self.seeds = tuple(check_positive_int("seeds", seed, 0) for seed in seeds)
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds must be different numbers, at least one, got {seeds!r}")
        self.workers = None if workers is None else check_positive_int("workers", workers, 0)
        self.folder = default_folder() if cache is None else Path(cache)
        self.trainer = trainer
        self.name = _name(task, self.recipe, self.seeds)
        self.space = BloxSpace()
        self.epochs = self.recipe.epochs
        self._known: dict[Key, Training] = {}

    def evaluate(
        self,
        x: ArrayLike,
        *,
        epochs: int | None = None,
        best: bool = False,
        seed: int | None = None,
    ) -> Evaluation:
        """Train what is not there yet; see :meth:`blox_env.benchmarks.base.Benchmark.evaluate`.

        ``val_std`` is the standard error of the mean over trainings, 0 of a single one: how far it
        is from others is not known. ``test_acc`` is NaN below full epochs.

        Args:
            x: the architectures.
            epochs: value of the learning curve after so many epochs, ``None`` for all of them.
            best: take the best value up to there instead of the last.
            seed: one training with this seed instead of the mean over ``seeds``.

        Raises:
            RuntimeError: when a training fails; those that did not are kept.
        """
        rows = self.space.check(x)
        length = self.check_epochs(epochs)
        seeds = self.seeds if seed is None else (check_positive_int("seed", seed, 0),)
        context = self.checksum() if len(rows) else ""
        keys = [[Key(context, arch_text(row), s) for s in seeds] for row in rows.tolist()]
        self._complete(dict.fromkeys(key for row in keys for key in row))
        curves = np.array([[self._known[key].val_acc[:length] for key in row] for row in keys])
        curves = curves.reshape(len(rows), len(seeds), length)
        each = curves.max(axis=2) if best else curves[:, :, -1]
        test = np.array([[self._known[key].test_acc for key in row] for row in keys])
        time_s = np.array([[self._known[key].train_time_s for key in row] for row in keys])
        shape = (len(rows), len(seeds))
        std = each.std(axis=1, ddof=1) / np.sqrt(len(seeds)) if len(seeds) > 1 else 0.0
        return Evaluation(
            val_acc=each.mean(axis=1),
            test_acc=(test if length == self.epochs else test * np.nan).reshape(shape).mean(axis=1),
            val_std=np.zeros(len(rows)) + std,
            train_time_s=time_s.reshape(shape).mean(axis=1) * (length / self.epochs),
            source=np.full(len(rows), "trained"),
        )

    def checksum(self) -> str:
        """Identity of the trainings: SHA-256 of images, recipe and network frame."""
        return hashlib.sha256(json.dumps(self._context, sort_keys=True).encode()).hexdigest()

    @cached_property
    def _context(self) -> dict[str, Any]:
        """On what and how is trained; loads the images."""
        return {
            "task": self.task,
            "fingerprint": tasks.load_task(self.task).fingerprint(),
            "recipe": self.recipe.to_dict(),
        }

    @cached_property
    def _cache(self) -> TrainingCache:
        opened = TrainingCache(self.folder / FILE)
        opened.describe(self.checksum(), self._context)
        return opened

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in self.__dict__.items() if k not in ("_cache", "_known")} | {
            "_known": {}
        }

    def _complete(self, keys: Iterable[Key]) -> None:
        """Make sure that all of ``keys`` are known: look them up, train them, or wait for them."""
        missing = [key for key in keys if key not in self._known]
        pause, longest = _PAUSES_S
        while missing:
            self._known.update(self._cache.get(missing))
            missing = [key for key in missing if key not in self._known]
            held = self._cache.held(missing)
            if free := [key for key in missing if key not in held]:
                self._train(free)
                pause = _PAUSES_S[0]
            elif missing:
                time.sleep(pause)
                pause = min(2 * pause, longest)

    def _train(self, keys: list[Key]) -> None:
        work = [(str(self._cache.path), key, self.task, self.recipe, self.trainer) for key in keys]
        errors = [
            (keys[outcome.index], outcome.error)
            for outcome in run_tasks(_train_one, work, workers=self._parallel(len(keys)), retries=0)
            if outcome.error is not None
        ]
        if errors:
            key, error = errors[0]
            raise RuntimeError(
                f"{len(errors)} of {len(keys)} trainings failed; {key.arch} with seed {key.seed}:\n"
                f"{error}"
            )

    def _parallel(self, count: int) -> int | None:
        """Number of workers for so many trainings: 0 is this process."""
        if count == 1 or self.workers == 0 or _is_ray_worker():
            return 0
        if self.workers is None and importlib.util.find_spec("ray") is None:
            return 0
        return self.workers


def from_name(name: str) -> LiveBenchmark:
    """The benchmark of ``"live:TASK"`` or ``"live:TASK(epochs=20, seeds=3)"``.

    In brackets stand settings of the task and of the recipe, ``seeds`` (how many, or which:
    ``4-7``) and ``workers``.

    Raises:
        ValueError: for an unknown task or parameter, with the closest known one.
    """
    task, given = split_name(name.removeprefix(PREFIX), "benchmark")
    frame = {f.name for f in fields(tasks.task_settings(task))}
    check_settings(given, [*frame, *(f.name for f in fields(Recipe)), "seeds", "workers"], name)
    task = join_name(task, {key: given.pop(key) for key in frame & set(given)})
    seeds = _seeds(given.pop("seeds", 1))
    workers = given.pop("workers", None)
    return LiveBenchmark(task, recipe=recipe_for(task, **given), seeds=seeds, workers=workers)


def _seeds(given: object) -> Sequence[int]:
    """``3`` is 0, 1, 2; ``"4-7"`` is 4 and 7."""
    if isinstance(given, str) and all(part.isdecimal() for part in given.split("-")):
        return [int(part) for part in given.split("-")]
    return range(check_positive_int("seeds", given))


def _name(task: str, recipe: Recipe, seeds: tuple[int, ...]) -> str:
    """``live:TASK`` with whatever differs from the defaults."""
    default = asdict(recipe_for(task))
    given = {k: v for k, v in asdict(recipe).items() if v != default[k]}
    if seeds == tuple(range(len(seeds))):
        given |= {"seeds": len(seeds)} if len(seeds) > 1 else {}
    else:
        given["seeds"] = "-".join(map(str, seeds))
    word, frame = split_name(task, "task")
    return join_name(PREFIX + word, frame | given)


def _train_one(work: tuple[str, Key, str, Recipe, Trainer]) -> None:
    """Train what nobody has claimed and put it into the cache; what a worker does."""
    path, key, task, recipe, trainer = work
    cache = TrainingCache(path)
    claimed, training = False, None
    try:
        claimed = cache.claim(key)
        if claimed:  # else another process was faster
            training = trainer([int(v) for v in key.arch.split("-")], task, recipe, key.seed)
    finally:
        if claimed:
            cache.release(key, training)


def _is_ray_worker() -> bool:
    """True in a worker of Ray: its core is taken, and there may be no other."""
    ray = sys.modules.get("ray")
    if ray is None or not ray.is_initialized():
        return False
    return ray.get_runtime_context().get_task_id() is not None
