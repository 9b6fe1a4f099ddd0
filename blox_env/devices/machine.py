"""The machine, what other processes do on it, and keeping to some of its cores."""

from __future__ import annotations

import math
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np


def machine() -> dict[str, str]:
    """Processor, number of cores and operating system of this machine."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = (line.partition(":") for line in info.read_text(encoding="utf-8").splitlines())
        fields = {key.strip(): value.strip() for key, _, value in lines}
        model = fields.get("model name", model)
        if "cpu family" in fields:
            model += f" (family {fields['cpu family']}, model {fields.get('model', '?')})"
    system = f"{platform.system()} {platform.release()}"
    return {"cpu": model, "cores": str(os.cpu_count()), "system": system}


def choose_cores(threads: int) -> tuple[int, ...]:
    """The last ``threads`` cores this process may use (the first ones serve interrupts).

    Empty where the system does not tell.

    Raises:
        ValueError: for more threads than cores.
    """
    if not hasattr(os, "sched_getaffinity"):
        return ()
    allowed = sorted(os.sched_getaffinity(0))
    if threads > len(allowed):
        raise ValueError(f"threads must be at most {len(allowed)}, the cores here, got {threads}")
    return tuple(allowed[-threads:])


@contextmanager
def pinned(cores: Sequence[int]) -> Iterator[None]:
    """Keep this thread, and those it starts, to ``cores`` for the block; none: to no cores."""
    if sys.platform == "win32" or not cores:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class OthersClock:
    """Tells how many cores other processes used since it was last asked; NaN where not known.

    Args:
        cores: look at these alone, on which everything of this process must run; all if not given.
        own: tells the processor seconds that are not others'; those of this process if not given.
    """

    def __init__(
        self, cores: Sequence[int] = (), own: Callable[[], float] = time.process_time
    ) -> None:
        self._own = own
        self._names = {f"cpu{core}" for core in cores} or {"cpu"}
        self._last = self._read()

    def __call__(self) -> float:
        """Mean number of cores in use by others, at least 0; it resolves about 10 ms."""
        before, self._last = self._last, self._read()
        elapsed, busy, own = (now - then for now, then in zip(self._last, before, strict=True))
        used = (busy - own) / elapsed if elapsed > 0 else 0.0
        return used if math.isnan(used) else max(0.0, used)

    def _read(self) -> tuple[float, float, float]:
        stat = Path("/proc/stat")
        busy = float("nan")
        if stat.exists() and hasattr(os, "sysconf"):
            lines = (
                line.split()
                for line in stat.read_text(encoding="utf-8").split("\nintr", 1)[0].splitlines()
            )
            ticks = [[int(t) for t in line[1:9]] for line in lines if line[0] in self._names]
            used = sum(sum(t) - t[3] - t[4] for t in ticks)  # all but idle and iowait
            busy = used / os.sysconf("SC_CLK_TCK")
        return time.perf_counter(), busy, self._own()


def watch_others(seconds: float = 2.0, cores: Sequence[int] = ()) -> float:
    """Cores of ``cores`` in use by others over some seconds; the load average where not known.

    Args:
        seconds: how long to watch.
        cores: numbers of the cores; empty for all.
    """
    with pinned(cores):
        clock = OthersClock(cores)
        time.sleep(seconds)
        used = clock()
    return load_average() if np.isnan(used) else used


def load_average() -> float:
    """Processes that ran or waited in the last minute; NaN where the system does not count."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
