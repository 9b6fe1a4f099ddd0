"""What machine this is, and what other processes do on it."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

import numpy as np


def machine() -> dict[str, str]:
    """Processor, number of cores and operating system of this machine."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = (line.partition(":") for line in info.read_text().splitlines())
        fields = {key.strip(): value.strip() for key, _, value in lines}
        model = fields.get("model name", model)
        if "cpu family" in fields:
            model += f" (family {fields['cpu family']}, model {fields.get('model', '?')})"
    system = f"{platform.system()} {platform.release()}"
    return {"cpu": model, "cores": str(os.cpu_count()), "system": system}


class OthersClock:
    """Tells how many cores other processes used since it was last asked; NaN where not known."""

    def __init__(self) -> None:
        self._last = self._read()

    def __call__(self) -> float:
        """Mean number of cores in use by others, at least 0; it resolves about 10 ms."""
        before, self._last = self._last, self._read()
        elapsed, busy, own = (now - then for now, then in zip(self._last, before, strict=True))
        return max(0.0, (busy - own) / elapsed) if elapsed > 0 else 0.0

    @staticmethod
    def _read() -> tuple[float, float, float]:
        stat = Path("/proc/stat")
        busy = float("nan")
        if stat.exists():
            ticks = [int(t) for t in stat.read_text().split("\n", 1)[0].split()[1:9]]
            busy = (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")  # idle, iowait
        return time.perf_counter(), busy, time.process_time()


def watch_others(seconds: float = 2.0) -> float:
    """Cores in use by other processes over some seconds; the load average where not known."""
    clock = OthersClock()
    time.sleep(seconds)
    used = clock()
    return os.getloadavg()[0] if np.isnan(used) else used
