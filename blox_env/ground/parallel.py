"""Many independent tasks at once, on Ray or in this process."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import platform
import signal
import socket
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from blox_env.ground import registry
from blox_env.ground.errors import check_positive_int
from blox_env.ground.extras import extra
from blox_env.ground.files import PLACES

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


ANSWER_S = 20.0  # a cluster has to take a connection within it
LISTEN_S = 1.0  # so often a wait looks whether it was interrupted
CORES_S = 2.0  # so often a cluster is asked how many cores it has by now
_AGAIN_S = 0.02  # so often a time limit looks whether something is still busy
TOKEN_HINT = (
    "; ray start of Ray 2.60 and newer asks everybody who connects for the cluster's token: "
    "set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH"
)
BATCH_S = 1.0  # tasks that take less go to a worker together


@dataclass(frozen=True)
class Outcome:
    """The end of one task: its place in the list, and its result or the last error as text."""

    index: int
    result: Any = None
    error: str | None = None
    tries: int = 1


@dataclass(frozen=True, order=True)
class Worker:
    """A process that works: on which machine, and its number there."""

    host: str
    pid: int

    def __str__(self) -> str:
        """As a table shows it."""
        return f"{self.host} {self.pid}"


Started = Callable[[int, Worker], None]


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
    kind: Callable[[Any], Hashable] = lambda payload: None,
    started: Started | None = None,
) -> Iterator[Outcome]:
    """Run ``function`` on every payload and yield outcomes as they come, in any order.

    A task that raises or whose worker process dies is tried again ``retries`` times, then reported
    by its outcome; it does not stop the others. Tasks that are expected to take less than a second
    together, by what others of their kind took, go to a worker at once. Closing the iterator
    cancels what still runs.

    Args:
        function: a module-level function of one picklable payload.
        payloads: one each task.
        workers: how many run at once, if not given all cores, also those of nodes that join a
            cluster meanwhile; 0 runs in this process without Ray.
        address: of a Ray cluster; ``"local"`` starts one for this call and stops it again.
        retries: further tries after a failure.
        kind: what payloads whose tasks take about equally long have in common.
        started: called with a task's index and worker when it starts, again at each try.
    """
    if workers == 0:
        here = Worker(platform.node(), os.getpid())
        for index, payload in enumerate(payloads):
            for tries in range(1, retries + 2):
                if started is not None:
                    started(index, here)
                result, error = _guarded(function, payload)
                if error is None or tries > retries:
                    yield Outcome(index, result, error, tries)
                    break
        return
    if workers is not None:
        check_positive_int("workers", workers, 0)
    if not payloads:
        return
    with ray_session(address, workers) as (ray, ours):
        places = {name: os.environ[name] for name in PLACES if name in os.environ}
        environment = {"env_vars": WORKER_ENVIRONMENT | places}
        remote = ray.remote(num_cpus=1, max_retries=0, runtime_env=environment)(_in_worker)
        state = ray.put((function, registry.registrations(), list(sys.path)))
        cores = _Cores(ray, workers)
        queue = _Queue([kind(payload) for payload in payloads], cores.now())
        running: dict[Any, _Batch] = {}
        with _interruptions() as check, _cancelled(ray, running):
            while True:
                check()
                queue.workers = cores.now()
                # two in reserve keep workers of ours busy
                at_once = queue.workers + 2 if ours else queue.workers
                while len(running) < at_once and (batch := queue.take()):
                    items = [(index, payloads[index]) for index in batch.left]
                    running[remote.remote(state, items)] = batch
                if not running:
                    return
                ready, _ = ray.wait(list(running), num_returns=1, timeout=LISTEN_S)
                if not ready:
                    continue
                (stream,) = ready
                outcome = None
                try:
                    outcome = running[stream].take(ray.get(next(stream)), queue, started)
                except StopIteration:
                    running.pop(stream)
                except ray.exceptions.RayError as error:  # its process is gone, or the node
                    check()  # a ctrl-C reaches the workers, too
                    lost = running.pop(stream).left
                    queue.waiting.extendleft(reversed(list(lost)[1:]))
                    if lost:
                        outcome = Outcome(lost[0], error=f"{type(error).__name__}: {error}")
                if outcome is not None and (ended := queue.ended(outcome, retries)):
                    yield ended


@contextlib.contextmanager
def _cancelled(ray: Any, running: dict[Any, Any]) -> Iterator[None]:
    """After the block, what still runs is cancelled."""
    try:
        yield
    finally:
        with contextlib.suppress(Exception):  # Ray may be gone already
            for stream in running:
                ray.cancel(stream, force=True)


@contextlib.contextmanager
def _interruptions() -> Iterator[Callable[[], None]]:
    """Gives a function that raises KeyboardInterrupt if there was one in the block.

    Ray's native code may be what is interrupted, and it does not always pass the exception on; so
    the handlers of SIGINT and SIGTERM that Python has also leave a note, in the main thread.
    """
    noted: list[int] = []

    def check() -> None:
        if noted:
            raise KeyboardInterrupt

    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for kind in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(kind) is signal.default_int_handler:
                before[kind] = signal.default_int_handler

    def note(number: int, frame: FrameType | None) -> None:
        noted.append(number)
        before[number](number, frame)

    for number in before:
        signal.signal(number, note)
    try:
        yield check
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Cores:
    """Number of tasks that may run at once: as asked for, else cores that a cluster has by now."""

    def __init__(self, ray: Any, asked: int | None) -> None:
        self._ray, self._asked = ray, asked
        self._known, self._since = 1, -math.inf

    def now(self) -> int:
        """The number; nodes come and go."""
        if self._asked is not None:
            return self._asked
        if time.monotonic() - self._since > CORES_S:
            self._known = max(1, int(self._ray.cluster_resources().get("CPU", 1)))
            self._since = time.monotonic()
        return self._known


class _Queue:
    """Tasks still to be done, handed out in batches that take about a second."""

    def __init__(self, kinds: list[Hashable], workers: int) -> None:
        self.kinds, self.workers = kinds, workers
        self.waiting = deque(range(len(kinds)))
        self.tries = [0] * len(kinds)
        self._seconds: dict[Hashable, float] = {}  # by kind

    def take(self) -> _Batch | None:
        """The next batch; so small that all workers have something to do in the end."""
        share = len(self.waiting) / (2 * self.workers)
        batch, seconds = _Batch(), 0.0
        while self.waiting:
            index = self.waiting[0]
            seconds += self._seconds.get(self.kinds[index], BATCH_S)
            # what failed before goes alone: if it kills its worker, nothing else is lost
            alone = self.tries[index] > 0 or seconds > BATCH_S or len(batch.left) >= share
            if batch.left and alone:
                break
            batch.left.append(self.waiting.popleft())
            if alone:
                break
        return batch if batch.left else None

    def took(self, index: int, seconds: float) -> None:
        """Learn how long a task took; the latest count most, since first ones import a lot."""
        known = self._seconds.get(self.kinds[index], seconds)
        self._seconds[self.kinds[index]] = (known + seconds) / 2

    def ended(self, outcome: Outcome, retries: int) -> Outcome | None:
        """The outcome if it is final; else the task waits again."""
        self.tries[outcome.index] += 1
        tries = self.tries[outcome.index]
        if outcome.error is not None and tries <= retries:
            self.waiting.appendleft(outcome.index)
            return None
        return Outcome(outcome.index, outcome.result, outcome.error, tries)


@dataclass
class _Batch:
    """Tasks that one worker does one after the other; those that are left, in order."""

    left: deque[int] = field(default_factory=deque)
    worker: Worker | None = None

    def take(self, message: Any, queue: _Queue, started: Started | None) -> Outcome | None:
        """Understand what :func:`_in_worker` says."""
        outcome = None
        if isinstance(message, Worker):
            self.worker = message
        else:
            index, result, error, seconds = message
            assert self.left[0] == index
            self.left.popleft()
            queue.took(index, seconds)
            outcome = Outcome(index, result, error)
        if started is not None and self.left and self.worker is not None:
            started(self.left[0], self.worker)
        return outcome


@contextlib.contextmanager
def ray_session(address: str = "local", workers: int | None = None) -> Iterator[tuple[Any, bool]]:
    """Ray, started for the block and stopped after it; one that already runs is left running.

    Gives the module, and whether a Ray of ``workers`` cores was started for this block alone.

    Args:
        address: of a cluster; ``"local"`` starts one for the block.
        workers: cores of a local one, all if not given.

    Raises:
        ImportError: when Ray is not installed; names the extra.
        RuntimeError: when it does not start.
    """
    with extra("ray", "running in parallel"):
        import ray
    if ray.is_initialized():
        yield ray, False
        return
    local = address == "local"
    if not local:
        _check_answers(address)
    handler = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(
            address=address,
            num_cpus=(workers or available_cores()) if local else None,
            include_dashboard=False if local else None,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except Exception as error:
        ray.shutdown()
        hint = "" if local or os.environ.get("RAY_AUTH_MODE") else TOKEN_HINT
        raise RuntimeError(f"Ray did not start (address {address!r}): {error}{hint}") from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, handler)  # Ray puts one of its own there
    try:
        yield ray, local
    finally:
        ray.shutdown()


def _check_answers(address: str) -> None:
    """Raise at once where nothing answers: Ray itself tries for a quarter of an hour."""
    host, colon, port = address.rpartition("://")[2].partition("?")[0].rpartition(":")
    if not colon or not port.isdigit():
        return  # "auto", or a name that only Ray understands
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_S).close()
    except OSError as error:
        raise RuntimeError(
            f"Ray did not start (address {address!r}): nothing answers there: {error}"
        ) from error


def _in_worker(
    state: tuple[Callable[[Any], Any], Any, list[str]], items: list[tuple[int, Any]]
) -> Iterator[Any]:
    """A Ray task: says who works, then (index, result, error, seconds) of each item."""
    function, registrations, path = state
    sys.path.extend(folder for folder in path if folder not in sys.path)
    registry.restore(registrations)
    yield Worker(platform.node(), os.getpid())
    for index, payload in items:
        begun = time.perf_counter()
        result, error = _guarded(function, payload)
        yield index, result, error, time.perf_counter() - begun


@contextlib.contextmanager
def time_limit(seconds: float | None, busy: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Raise in the block when it takes longer; only in the main thread, where signals arrive.

    Args:
        seconds: the limit, None for none.
        busy: while it says so, nothing is raised yet.

    Raises:
        TimeoutError: when it is over.
    """
    here = threading.current_thread() is threading.main_thread()
    if sys.platform == "win32" or seconds is None or not here:  # Windows has no such signal
        yield
        return

    ended = False

    def over(number: int, frame: FrameType | None) -> None:
        if ended:  # an alarm that came with the end: another one would meet no handler
            return
        if busy():
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)
            return
        raise TimeoutError(f"the time limit of {seconds:g} s is over")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        ended = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _guarded(function: Callable[[Any], Any], payload: Any) -> tuple[Any, str | None]:
    try:
        return function(payload), None
    except (Exception, SystemExit):  # noqa: BLE001 (reported with its traceback, the others go on)
        return None, traceback.format_exc()
