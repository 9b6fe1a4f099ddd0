"""Many independent tasks on Ray, files that appear whole or not at all, and spawned seeds."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blox_env import registry
from blox_env.errors import check_positive_int, missing_extra

# Workers compute with one thread each. glibc hands freed memory back to the kernel by default,
# and fetching it again costs more than the arithmetic on small tensors.
WORKER_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "4294967296",
    "MALLOC_TOP_PAD_": "134217728",
}


@dataclass(frozen=True)
class Outcome:
    """What became of one task: its place in the list, and its result or the error as text."""

    index: int
    result: Any = None
    error: str | None = None


def write_atomic(path: str | Path, content: bytes | str) -> None:
    """Write a file that is there whole or not at all, making its folder first."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    handle, beside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(beside).chmod(0o644)
        os.replace(beside, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(beside)
        raise


def write_json(path: str | Path, value: object) -> None:
    """Write JSON atomically, keys sorted, so that equal values are equal files."""
    write_atomic(path, json.dumps(value, indent=1, sort_keys=True) + "\n")


def spawn_seeds(seed: int | np.random.SeedSequence, n: int) -> list[int]:
    """``n`` independent seeds below 2^31 that follow from ``seed``; the first of more are equal."""
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    return [int(child.generate_state(1)[0] >> 1) for child in root.spawn(n)]


def available_cores() -> int:
    """Number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_tasks(
    function: Callable[[Any], Any],
    payloads: Sequence[Any],
    *,
    workers: int | None = None,
    address: str = "local",
    retries: int = 2,
) -> Iterator[Outcome]:
    """Run ``function`` on every payload and yield outcomes as they come, in any order.

    A task that raises is reported by its outcome and does not stop the others; one whose worker
    process dies is tried again ``retries`` times. Closing the iterator cancels what still runs.

    Args:
        function: a module-level function of one picklable payload.
        payloads: one each task.
        workers: how many run at once, all cores if not given; 0 runs in this process without Ray.
        address: of a Ray cluster; ``"local"`` starts one for this call and stops it again.
        retries: further tries after the death of a worker.
    """
    if workers == 0:
        for index, payload in enumerate(payloads):
            yield Outcome(index, *_guarded(function, payload))
        return
    if workers is not None:
        check_positive_int("workers", workers, 0)
    if not payloads:
        return
    with ray_session(address, workers) as (ray, ours):
        remote = ray.remote(
            num_cpus=1, max_retries=retries, runtime_env={"env_vars": WORKER_ENVIRONMENT}
        )(_in_worker)
        state = ray.put((function, registry.registrations(), list(sys.path)))
        if workers is None:
            workers = max(1, int(ray.cluster_resources().get("CPU", 1)))
        at_once = workers + 2 if ours else workers  # two in reserve keep workers of ours busy
        waiting = iter(enumerate(payloads))
        running: dict[Any, int] = {}
        try:
            while True:
                for index, payload in waiting:
                    running[remote.remote(state, payload)] = index
                    if len(running) >= at_once:
                        break
                if not running:
                    return
                (done,), _ = ray.wait(list(running), num_returns=1)
                index = running.pop(done)
                try:
                    yield Outcome(index, *ray.get(done))
                except ray.exceptions.RayError as error:
                    yield Outcome(index, error=f"{type(error).__name__}: {error}")
        finally:
            with contextlib.suppress(Exception):  # Ray may be gone already
                for reference in running:
                    ray.cancel(reference, force=True)


@contextlib.contextmanager
def ray_session(address: str = "local", workers: int | None = None) -> Iterator[tuple[Any, bool]]:
    """Ray, started for the block and stopped after it; one that already runs is left running.

    Gives the module, and whether a Ray of ``workers`` cores was started for this block alone.

    Raises:
        ImportError: when Ray is not installed; names the extra.
    """
    try:
        import ray  # noqa: PLC0415 (an extra)
    except ImportError as error:
        raise missing_extra("running in parallel", "ray", error) from error
    if ray.is_initialized():
        yield ray, False
        return
    local = address == "local"
    handler = signal.getsignal(signal.SIGTERM)
    ray.init(
        address=address,
        num_cpus=(workers or available_cores()) if local else None,
        include_dashboard=False if local else None,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)  # Ray puts one of its own there
    try:
        yield ray, local
    finally:
        ray.shutdown()


def _in_worker(state: tuple[Callable[[Any], Any], Any, list[str]], payload: Any) -> Any:  # noqa: ANN401
    function, registrations, path = state
    sys.path.extend(folder for folder in path if folder not in sys.path)
    registry.restore(registrations)
    return _guarded(function, payload)


def _guarded(function: Callable[[Any], Any], payload: Any) -> tuple[Any, str | None]:  # noqa: ANN401
    try:
        return function(payload), None
    except Exception:  # noqa: BLE001 (reported with its traceback, the others go on)
        return None, traceback.format_exc()
