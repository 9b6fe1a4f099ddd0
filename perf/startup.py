"""How long importing takes, and loading the embedded data and evaluating the whole space.

Each is measured in fresh processes and printed beside the same for ``import gymnasium``.

    python perf/startup.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

RUNS = 7
WHOLE_SPACE = """
import time, blox_env
space = blox_env.BloxSpace()
x = space.all()
t = time.perf_counter()
value = blox_env.load_benchmark("digits").evaluate(x)
latency = blox_env.load_device("x86-ort-1t").latency_ms(x)
assert len(value.val_acc) == len(latency) == 91125
print(time.perf_counter() - t)
"""


def process_s(code: str) -> float:
    """Wall seconds of a Python process that runs ``code``."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - started


def main() -> None:
    """Print medians of several runs, taken in turn."""
    bare, gymnasium, ours, whole = [], [], [], []
    for _ in range(RUNS):
        bare.append(process_s("pass"))
        gymnasium.append(process_s("import gymnasium"))
        ours.append(process_s("import blox_env"))
        done = subprocess.run(
            [sys.executable, "-c", WHOLE_SPACE], check=True, capture_output=True, text=True
        )
        whole.append(float(done.stdout))
    median = statistics.median
    base = median(bare)
    print(f"import gymnasium: {median(gymnasium) - base:.3f} s")
    print(f"import blox_env:  {median(ours) - base:.3f} s (gymnasium included)")
    print(f"ratio:            {(median(ours) - base) / (median(gymnasium) - base):.2f}")
    print(f"load benchmark and device, evaluate all 91,125: {median(whole):.3f} s")


if __name__ == "__main__":
    main()
