"""Import, open and query a release of full size: 91,125 architectures, curves of 200 epochs.

The numbers in it are made up, the format is upstream's. Everything is timed in processes of its
own, beside a plain reading of the same files: rows in a dict by model hash.

    python perf/import_and_query.py                      # makes the release in a temporary folder
    python perf/import_and_query.py --folder runs/full   # or keeps it there for the next time
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from blox_env import BloxSpace
from blox_env.importers.made_up import write_release

FORMATS = {"blox": "custom", "pickle": "pickle", "csv": "csv"}

RESIDENT = """
def resident_mb(what="VmRSS"):
    for line in open("/proc/self/status"):
        if line.startswith(what):
            return int(line.split()[1]) / 1024
def peak_mb():
    return resident_mb("VmHWM")
"""
DECODE = """
from pathlib import Path
import time
from blox_env.importers.files import read_chunks, read_table, source_of
path = Path(PATH)
t = time.perf_counter()
source = source_of(path)
rows = sum(len(chunk.hashes) for chunk in read_chunks(source))
decoded = time.perf_counter() - t
t = time.perf_counter()
read_table(source_of(path))
found = {"decode_s": decoded, "read_s": time.perf_counter() - t, "peak_mb": peak_mb()}
"""
IMPORT = """
from blox_env.importers.importing import import_files
import time
t = time.perf_counter()
import_files(FILES, OUT, replace=True)
found = {"import_s": time.perf_counter() - t, "cpu_s": time.process_time(), "peak_mb": peak_mb()}
"""
PLAIN = """
import csv, json, pickle, time
from pathlib import Path
import numpy as np
from blox_env import BloxSpace
def rows(path):
    data = path.open("rb")
    data.readline()
    while data.readline().rstrip() != b"---":
        pass
    if path.suffix == ".pickle":
        return pickle.load(data)
    lines = csv.reader(line.decode() for line in data)
    return [[r[0], *(json.loads(cell) for cell in r[1:])] for r in lines]
t = time.perf_counter()
base = {r[0]: r[1:] for r in rows(Path(BASE))}
bench = {r[0]: r[1] for r in rows(Path(BENCH))}
loaded = time.perf_counter() - t
space = BloxSpace()
x = space.sample(np.random.default_rng(0), 2000)
t = time.perf_counter()
for row in x:
    key = space.model_hash(row)[0]
    answer = max(base[key][0]), bench[key]
single = (time.perf_counter() - t) / len(x)
found = {"load_s": loaded, "resident_mb": resident_mb(), "single_us": single * 1e6}
"""
QUERY = """
import time
import numpy as np
import blox_env
space = blox_env.BloxSpace()
every = space.all()
x = space.sample(np.random.default_rng(0), 4096)
bare = resident_mb()
t = time.perf_counter()
benchmark = blox_env.load_benchmark(STORE)
device = blox_env.load_device(STORE + "/devices/phone")
opened = time.perf_counter() - t
# accuracy and latency of everything, at the end, the best, the single trainings
for best in (False, True):
    for seed in (None, *benchmark.seeds):
        benchmark.evaluate(every, best=best, seed=seed)
device.latency_ms(every)
after = resident_mb()
def once(rows, repeats):
    times = []
    for _ in range(repeats):
        t = time.perf_counter()
        benchmark.evaluate(rows), device.latency_ms(rows)
        times.append(time.perf_counter() - t)
    return np.percentile(times, [50, 99])
batch, one = once(x, 2000), once(x[:1], 20000)
for epoch in range(1, 201):
    benchmark.evaluate(every, epochs=epoch)
    benchmark.curves("val_acc", x)
found = {
    "open_ms": opened * 1e3, "bare_mb": bare, "resident_mb": after,
    "resident_all_epochs_mb": resident_mb(),
    "batch_ns": (batch / len(x) * 1e9).tolist(), "single_us": (one * 1e6).tolist(),
}
"""


def run(code: str, **names: object) -> dict[str, Any]:
    """What ``code`` found, run in a process of its own with these names set."""
    start = "".join(f"{name} = {value!r}\n" for name, value in names.items())
    whole = f"{start}{RESIDENT}{code}\nimport json\nprint(json.dumps(found))"
    done = subprocess.run([sys.executable, "-c", whole], check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def make(folder: Path) -> None:
    """Write base, info and bench files of all architectures in the three formats."""
    if (folder / "done").exists():
        return
    space = BloxSpace()
    x = space.all()
    started = time.perf_counter()
    hashes = space.model_hash(x)
    print(f"hashed all architectures in {time.perf_counter() - started:.0f} s", flush=True)
    write_release(
        folder, x, formats=list(FORMATS.values()), parts=("base", "info", "bench"), hashes=hashes
    )
    (folder / "done").touch()


def show(folder: Path) -> None:
    """Time everything and print it."""
    make(folder)
    store = str(folder / "store")
    print("| format | base file MB | decode s | with checks s | import s | CPU s of it | peak MB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for suffix in reversed(FORMATS):  # the store that stays is the one of the .blox files
        base = folder / f"blox-base-0.{suffix}"
        decode = run(DECODE, PATH=str(base))
        files = [str(path) for path in sorted(folder.glob(f"*.{suffix}"))]
        done = run(IMPORT, FILES=files, OUT=store)
        print(
            f"| {suffix} | {base.stat().st_size / 1e6:.0f} | {decode['decode_s']:.1f} | "
            f"{decode['read_s']:.1f} | {done['import_s']:.1f} | {done['cpu_s']:.1f} | "
            f"{done['peak_mb']:.0f} |",
            flush=True,
        )
    query = run(QUERY, STORE=store)
    size = sum(path.stat().st_size for path in Path(store).rglob("*") if path.is_file())
    print(f"store on disk: {size / 1e6:.0f} MB")
    print(f"opening it: {query['open_ms']:.1f} ms (at most 50)")
    print(
        f"resident after evaluating everything: {query['resident_mb']:.0f} MB (at most 150), "
        f"{query['bare_mb']:.0f} MB of it before opening; "
        f"{query['resident_all_epochs_mb']:.0f} MB after every epoch of every architecture"
    )
    for what, key, unit, most in (
        ("4,096 architectures, each", "batch_ns", "ns", 30),
        ("one architecture", "single_us", "µs", 15),
    ):
        median, slow = query[key]
        print(
            f"accuracy and latency of {what}: median {median:.1f} {unit} (at most {most}), "
            f"99 % within {slow:.1f} {unit}"
        )
    for suffix in ("pickle", "csv"):
        names = (folder / f"blox-{part}.{suffix}" for part in ("base-0", "bench-phone"))
        plain = run(PLAIN, **dict(zip(("BASE", "BENCH"), map(str, names), strict=True)))
        print(
            f"plain reading of .{suffix}: {plain['load_s']:.1f} s and "
            f"{plain['resident_mb']:.0f} MB to load, {plain['single_us']:.0f} µs a query; "
            f"ratios: loading {plain['load_s'] / query['open_ms'] * 1e3:,.0f}, memory "
            f"{plain['resident_mb'] / query['resident_mb']:.1f}, query "
            f"{plain['single_us'] / query['single_us'][0]:.0f}"
        )


def main() -> None:
    """Make the release, or use what is there, and print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where the release is kept")
    folder = parser.parse_args().folder
    place = Path(tempfile.mkdtemp()) if folder is None else folder
    place.mkdir(parents=True, exist_ok=True)
    try:
        show(place)
    finally:
        if folder is None:
            shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
