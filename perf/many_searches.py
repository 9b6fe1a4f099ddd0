"""What an experiment of 10,000 searches takes: time, memory, size on disk, its report.

    python perf/many_searches.py --keep runs/many [--searches 10000] [--workers 2]

Half of the searches are random search, half regularized evolution, on the default problem, 200
evaluations each. Each of the three commands that a user would call runs in a process of its own:
``compare`` (with its report at the end), ``report`` again, ``validate``, which runs every search
once more. Memory is that of this process alone, without Ray's, sampled: when a tenth, half and all
of the searches had a file, and at most. ``compare`` goes on where an earlier one ended, so a folder
that is complete is measured as such. ``--steps`` leaves some out.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from blox_env.ground.parallel import available_cores

AGENTS = "random-search,regularized-evolution"
SHARES = (0.1, 0.5, 1.0)  # of the searches: memory is told when so many have ended
SAMPLE_S = 0.05
STEPS = ("compare", "report", "validate")


@dataclass
class Figures:
    """What a command took.

    Attributes:
        seconds: wall time.
        processor_s: seconds of processor time of its process.
        most: MiB of memory at most.
        at: MiB of memory when a share of the searches had ended, by share.
        searching_s: seconds until all searches had a file.
    """

    seconds: float = 0.0
    processor_s: float = 0.0
    most: float = 0.0
    at: dict[float, float] = field(default_factory=dict)
    searching_s: float = 0.0


def measure(arguments: list[str], folder: Path, searches: int) -> Figures:
    """Run ``blox-env`` and watch its process.

    Args:
        arguments: of the command.
        folder: of the experiment.
        searches: of the experiment.

    Returns:
        What it took.

    Raises:
        SystemExit: when it fails.
    """
    found = Figures()
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "blox_env", *arguments], stdout=subprocess.DEVNULL
    ) as process:
        seen, count = psutil.Process(process.pid), 0
        while process.poll() is None:
            try:
                now = seen.memory_info().rss / 2**20
                taken = seen.cpu_times()
            except psutil.NoSuchProcess:
                break
            found.most = max(found.most, now)
            found.processor_s = taken.user + taken.system
            if arguments[0] == "compare" and count < searches:
                count = sum(path.suffix == ".parquet" for path in folder.glob("runs/*"))
                found.searching_s = time.perf_counter() - began
                for share in SHARES:
                    if share not in found.at and count >= share * searches:
                        found.at[share] = now
            # listing many files takes a while itself
            time.sleep(
                SAMPLE_S if count >= searches or arguments[0] != "compare" else 20 * SAMPLE_S
            )
    found.seconds = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"{arguments[0]} failed with status {process.returncode}")
    return found


def sizes(folder: Path) -> str:
    """Words for what lies below a folder."""
    words = []
    for name, pattern in (
        ("run files", "runs/*.parquet"),
        ("sidecars", "runs/*.meta.json"),
        ("figures", "figures/*"),
        ("tables", "tables/*"),
        ("page", "report.html"),
        ("plan and digests", "*.json"),
    ):
        files = [path.stat() for path in folder.glob(pattern)]
        size = sum(each.st_size for each in files) / 2**20
        held = sum(512 * getattr(each, "st_blocks", 0) for each in files) / 2**20
        words.append(f"  {name:16} {len(files):7,} files {size:8.1f} MiB, {held:8.1f} on disk")
    return "\n".join(words)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--searches", type=int, default=10_000)
    parser.add_argument("--budget", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="folder of the experiment; else it is deleted")
    parser.add_argument("--steps", default=",".join(STEPS))
    given = parser.parse_args()
    chosen = given.steps.split(",")
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        workers = ["--workers", str(given.workers)]
        compare = ["compare", "--agents", AGENTS, "--seeds", str(given.searches // 2)]
        compare += ["--budget", str(given.budget), *workers, "--out", str(folder)]
        print(
            f"{given.searches:,} searches of {given.budget} evaluations, {given.workers} workers, "
            f"{available_cores()} cores"
        )
        commands = {
            "compare": compare,
            "report": ["report", str(folder)],
            "validate": ["validate", str(folder), *workers],
        }
        for name in chosen:
            found = measure(commands[name], folder, given.searches)
            print(
                f"{name:8} {found.seconds:7.1f} s, {found.processor_s:7.1f} s of processor time, "
                f"at most {found.most:6.0f} MiB",
                flush=True,
            )
            if name == "compare":
                told = [f"{share:.0%} {mib:.0f}" for share, mib in found.at.items()]
                print(
                    f"         searching {found.searching_s:.1f} s, "
                    f"{1000 * found.searching_s / given.searches:.1f} ms a search; "
                    f"MiB when so many had ended: {', '.join(told)}",
                    flush=True,
                )
        print(sizes(folder))


if __name__ == "__main__":
    main()
