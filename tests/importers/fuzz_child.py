"""Imports mutated files in a process with little memory; prints what came of it as JSON.

    python -m tests.importers.fuzz_child FORMAT FIRST COUNT FOLDER

Input number i depends on the format and on i alone, so that a failure can be had again:
FIRST = i, COUNT = 1.
"""

import json
import os
import pickle
import resource
import signal
import struct
import sys
import time
import zlib
from pathlib import Path

import numpy as np

from blox_env.benchmarks.imported import ReleaseBenchmark
from blox_env.importers.importing import import_files
from blox_env.importers.made_up import SUFFIXES, encode_file, make_files
from blox_env.spaces import BloxSpace, MacroBenchSpace

MEMORY = 2**30
SECONDS = 20  # for one input; they take milliseconds
PARTS = ("base", "ext", "info", "env", "bench")
TOKENS = (
    *(b"nan", b"inf", b"-1", b"1e999", b"1e-320", b"9" * 400, b"100.001", b"0.0001", b"true"),
    *(
        b"[",
        b"]",
        b'"',
        b",",
        b"\n",
        b"\r",
        b"\0",
        b"[[[[[[[[",
        b"---\n",
        b"\xff\xfe",
        b"{}",
        b"''",
    ),
    *(
        b"\xff" * 8,
        b"\0" * 8,
        b"\x80\x05",
        b"c",
        b"R",
        b".",
        b"(",
        b"e",
        b"\x94",
        b"h\0",
        b"0",
        b"2",
    ),
    *(
        b"r\xff\xff\xff\x7f",
        b"\x8e" + b"\xff" * 8,
        b"\x8d" + b"\xff" * 7 + b"\x7f",
        b"X\xff\xff\xff",
    ),
    *(b"\x8a\xff", b"\x8b\xff\xff\xff\x7f", b"}", b"u", b"N", b"../../evil", b"/etc/passwd"),
)
BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in range(98, 116)
)
MERGES = b"a: &a {k: v}\n" + b"".join(
    b"%c: &%c {<<: [%s]}\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in range(98, 116)
)
HEADERS = (
    *(BOMB, MERGES, b"epochs: 0x" + b"f" * 3000 + b"\n", b"z: " + b"[" * 2000 + b"\n"),
    *(b"z: " + b"{a: " * 500 + b"1" + b"}" * 500 + b"\n", b"q: &q [*q]\n", b"seed: 2001-99-99\n"),
    *(b"!!python/object/apply:os.system ['touch pwned']\n", b"device: ../../../evil\n", b"? {}\n"),
    *(b"columns: [model_hash, ../evil]\n", b"epochs: 99999999999999999999\n", b"epochs: -1\n"),
    *(b"epochs: 10000\n", b"epochs: 255\n"),
    *(b"seed: [1]\n", b"version: 2\n", b"format: csv\n", b"columns: *id001\n", b"- 1\n", b"%x\n"),
)


class Evil:
    def __reduce__(self):
        return os.system, ("touch pwned",)


def sources():
    """Small files of every part: header, and what follows it."""
    space = BloxSpace()
    rng = np.random.default_rng(5)
    x = space.from_index(rng.permutation(space.size)[:3])
    return make_files(x, 4, (0,), ("phone",), PARTS, rng)


def halves(data):
    cut = data.index(b"\n---\n") + 5
    return data[:cut], data[cut:]


def bytes_changed(data, rng):
    """Some bytes of the data other than they were."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        place = int(rng.integers(len(data) + 1))
        kind = rng.integers(6)
        if kind == 0:
            del data[place:]
        elif kind == 1 and data:
            for at in rng.integers(len(data), size=rng.integers(1, 6)):
                data[at] = rng.integers(256)
        elif kind == 2:
            data[place:place] = TOKENS[rng.integers(len(TOKENS))]
        elif kind == 3:
            token = TOKENS[rng.integers(len(TOKENS))]
            data[place : place + len(token)] = token
        elif kind == 4:
            end = place + int(rng.integers(80))
            data[place:place] = data[place:end]
        elif data:
            data[place % len(data)] ^= 1 << int(rng.integers(8))
    return bytes(data)


def header_changed(head, rng):
    if rng.random() < 0.6:
        lines = head.splitlines(keepends=True)
        place = rng.integers(1, len(lines))
        lines.insert(place, HEADERS[rng.integers(len(HEADERS))])
        if rng.random() < 0.5:
            del lines[rng.integers(1, len(lines))]
        return b"".join(lines)
    return bytes_changed(head, rng)


def shared(rng):
    """Lists of lists of the same list: some hundred bytes that would be far larger written out."""
    value = [[1], "x" * 1000, 0.5, list(rng.random(50))][rng.integers(4)]
    for _ in range(rng.integers(1, 40)):
        value = [value] * int(rng.integers(1, 12))
    return value


def rows_shared(body, rng):
    """Rows and values that are referred to again and again, and lists nested deeply."""
    kind = rng.integers(5)
    if kind == 0:
        deep = int(rng.integers(100, 20_000))
        return b"\x80\x04" + b"]" * deep + b"a" * (deep - 1) + b"."
    rows = pickle.loads(body)
    row = rows[rng.integers(len(rows))]
    if kind == 1:
        rows[0][rng.integers(len(row))] = shared(rng)
    elif kind == 2:
        rows = [row] * int(rng.integers(2, 100_000))
    elif kind == 3:
        long = "a" * int(rng.integers(1, 200_000))
        rows = [[long, *row[1:]] for _ in range(rng.integers(1, 3000))]
    else:
        column = [list(rng.random(10_000)), shared(rng), row[-1]][rng.integers(3)]
        rows = [[*row[:-1], column] for _ in range(rng.integers(1, 30_000))]
    return pickle.dumps(rows, protocol=4)


def body_changed(form, body, rng):
    if form == "custom" and rng.random() < 0.7:  # behind the checksum of zlib
        inside = zlib.decompress(body)
        if rng.random() < 0.3:
            count = struct.pack("<I", int(rng.choice([0, 1, 2, 4, 91_125, 2**31, 2**32 - 1])))
            inside = inside[:8] + count + inside[12:]
        else:
            inside = bytes_changed(inside, rng)
        if rng.random() < 0.02:
            inside += bytes(50_000_000)
        return zlib.compress(inside, 1)
    if form == "pickle" and rng.random() < 0.1:
        return rows_shared(body, rng)
    if form == "pickle" and rng.random() < 0.1:
        rows = pickle.loads(body)
        rows[rng.integers(3)][rng.integers(2)] = [Evil(), {1: rows}, rows, b"x", 1j][
            rng.integers(5)
        ]
        return pickle.dumps(rows, protocol=int(rng.integers(6)))
    if form == "csv" and rng.random() < 0.02:
        return body + [b'"a\nb",', b",", b'"', b"a\n\n"][rng.integers(4)] * int(rng.integers(10**7))
    if form == "csv" and rng.random() < 0.2:
        lines = body.splitlines(keepends=True)
        lines.insert(0, lines[rng.integers(len(lines))])
        return b"".join(lines)
    return bytes_changed(body, rng)


def macro_file():
    space = MacroBenchSpace()
    rng = np.random.default_rng(6)
    keys = space.to_keys(space.from_index(rng.permutation(space.size)[:3]))
    entries = {}
    for key in keys:
        acc = (rng.integers(4000, 9400, 3) / 100).tolist()
        mean, std = float(np.mean(acc)), float(np.std(acc))
        entries[key] = {"test_acc": acc, "mean_acc": mean, "std": std, "params": 5, "flops": 7}
    return json.dumps(entries).encode()


class TooSlowError(Exception):
    pass


def on_alarm(*_):
    raise TooSlowError


def state(folder):
    """What tells whether the store and what stands beside it were touched."""
    names = sorted(os.listdir(folder))
    status = (folder / "store" / "manifest.json").stat()
    return names, status.st_ino, status.st_size, status.st_mtime_ns


def main(form, first, count, folder):
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGALRM, on_alarm)
    os.chdir(folder)
    (folder / "out").mkdir(exist_ok=True)
    store = folder / "out" / "store"
    if form == "json":
        plain = {"macro.json": macro_file()}
    else:
        plain = {f"{f.stem}.{SUFFIXES[form]}": encode_file(f, form) for f in sources()}
    for name, data in plain.items():
        (folder / name).write_bytes(data)
        import_files(folder / name, store, replace=True)
    names = list(plain)
    result = {"refused": 0, "imported": 0}
    failures, slowest = [], 0.0
    for i in range(first, first + count):
        rng = np.random.default_rng([*form.encode(), i])
        name = names[rng.integers(len(names))]
        path = folder / name
        data = plain[name]
        if form == "json":
            data = bytes_changed(data, rng)
        else:
            head, body = halves(data)
            if rng.random() < 0.35:
                head = header_changed(head, rng)
            else:
                body = body_changed(form, body, rng)
            data = head + body
        path.write_bytes(data)
        before = state(folder / "out")
        started = time.perf_counter()
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        try:
            import_files(path, store, replace=True)
            benchmark = ReleaseBenchmark(store)
            benchmark.verify()
            benchmark.evaluate(benchmark.space.from_index(benchmark.store.numbers))
            result["imported"] += 1
            fine = len(os.listdir(folder / "out")) == 1
        except ValueError as error:
            result["refused"] += 1
            fine = type(error) is ValueError and name in str(error)
            fine = fine and state(folder / "out") == before and len(str(error)) < 2000
            if not fine:
                failures.append(f"{i}: {name}: {error!r:.300}")
        except BaseException as error:  # noqa: BLE001 (all of them are what is looked for)
            failures.append(f"{i}: {name}: {error!r:.300}")
        else:
            if not fine:
                failures.append(f"{i}: {name}: something was left beside the store")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        slowest = max(slowest, time.perf_counter() - started)
    peak = peak_mb()
    ran = any(folder.rglob("pwned"))
    sys.stdout.write(
        json.dumps(
            {**result, "failures": failures, "code_ran": ran, "slowest_s": slowest, "peak_mb": peak}
        )
    )


def peak_mb():
    """Most memory that this process had; ``ru_maxrss`` would inherit what its parent had."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (
            s for s in status.read_text(encoding="utf-8").splitlines() if s.startswith("VmHWM:")
        )
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]).resolve())
