"""Writes docs/platforms.md: on which systems and with which Pythons the test suite was run.

    make pythons                        each Python 3.11 or newer that is found, one after the other
    python docs/platforms.py            the suite with this Python, recorded
    python docs/platforms.py --page     the page alone

The records are in docs/platforms.json. A suite that ran before is taken from what it printed
(``pytest -q -rs``) with ``--log FILE``.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from blox_env.ground.files import write_atomic, write_json

ROOT = Path(__file__).resolve().parents[1]
FIGURES, PAGE = ROOT / "docs" / "platforms.json", ROOT / "docs" / "platforms.md"
PACKAGES = ("numpy", "gymnasium", "torch", "ray", "jax")
COMMAND = ("-m", "pytest", "-q", "-rs", "-n", "1")
BLOCK = re.compile(r"(<!-- tables -->\n).*?(<!-- /tables -->)", re.DOTALL)
COUNTS = ("passed", "skipped", "failed", "error")
_SKIP = re.compile(r"^SKIPPED \[(\d+)\] (\S+?)(?::\d+)?: (.*)$", re.M)
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+::.*?)(?: - .*)?$", re.M)
_END = re.compile(r"^(?:=+ )?((?:\d+ [a-z]+, )*\d+ [a-z]+) in [\d.]+s", re.M)


def figures(text: str) -> dict[str, Any]:
    """Counts and reasons of what pytest printed.

    Args:
        text: all of it.

    Raises:
        ValueError: when it did not come to its end.
    """
    ends = _END.findall(text)
    if not ends:
        raise ValueError(
            "expected the output of a suite that came to its end, got none of its counts"
        )
    said = {name.rstrip("s"): int(n) for n, name in re.findall(r"(\d+) ([a-z]+)", ends[-1])}
    reasons: Counter[str] = Counter()
    for count, _, reason in _SKIP.findall(text):
        reasons[reason.strip()] += int(count)
    counts = {name: said.get(name, 0) for name in COUNTS}
    return {**counts, "names": sorted(set(_FAILED.findall(text))), "reasons": dict(reasons)}


def record(output: str, again: Sequence[str] = ()) -> dict[str, Any]:
    """The record of a suite that ran with this Python.

    Args:
        output: what it printed.
        again: what they printed when the tests that failed ran once more, alone, and what had
            failed then once more.
    """
    found = figures(output)
    if again:
        runs = [figures(each) for each in again]
        found |= {"again": sum(run["passed"] for run in runs), "names": runs[-1]["names"]}
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "–"
    commit = subprocess.run(
        ["git", "rev-parse", "--short=10", "HEAD"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "libc": " ".join(platform.libc_ver()).strip() or "–",
        "python": platform.python_version(),
        "commit": commit.stdout.strip() or "–",
        "packages": versions,
        **found,
    }


def tables(found: list[dict[str, Any]]) -> str:
    """What stands between the marks of the page.

    Args:
        found: the records.
    """
    columns = ("passed", "skipped", "failed", "of these passed alone")
    lines = [
        f"| Python | system | {' | '.join((*PACKAGES, *columns))} | commit |",
        f"|---|---|{'---|' * len(PACKAGES)}{'--:|' * len(columns)}---|",
    ]
    reasons: dict[str, list[str]] = {}
    for each in found:
        packages = " | ".join(each["packages"][name] for name in PACKAGES)
        lines.append(
            f"| {each['python']} | {each['system']}, {each['libc']} | {packages} "
            f"| {each['passed']} | {each['skipped']} | {each['failed'] + each['error']} "
            f"| {each.get('again', '')} | {each['commit']} |"
        )
        for reason, count in each["reasons"].items():
            reasons.setdefault(reason, []).append(f"{count} on {each['python']}")
    lines += ["", "What was skipped, and why:", ""]
    lines += [f"- {reason}: {', '.join(counts)}" for reason, counts in sorted(reasons.items())]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run or read a suite, and write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--log", type=Path, help="what the suite printed, if it ran before")
    parser.add_argument(
        "--again",
        type=Path,
        nargs="*",
        default=[],
        help="what those that failed printed, run again",
    )
    parser.add_argument("--page", action="store_true", help="the page alone")
    parser.add_argument("--records", type=Path, default=FIGURES, help="where the records are")
    options = parser.parse_args()
    found = json.loads(options.records.read_bytes()) if options.records.exists() else []
    failed = 0
    if not options.page:
        if options.log:
            output = options.log.read_text(encoding="utf-8", errors="replace")
        else:
            done = subprocess.run(
                [sys.executable, *COMMAND], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
            )
            failed, output = done.returncode, done.stdout
            sys.stdout.write(output)
        again = [file.read_text(encoding="utf-8") for file in options.again]
        if failed and (names := figures(output)["names"]):  # a busy machine has its own failures
            command = [sys.executable, "-m", "pytest", "-q", "-n", "0", *names]
            done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
            failed, again = done.returncode, [done.stdout]
            sys.stdout.write(done.stdout)
        new = record(output, again)
        same = [new["python"].rpartition(".")[0], new["system"]]
        found = [e for e in found if [e["python"].rpartition(".")[0], e["system"]] != same] + [new]
        found.sort(
            key=lambda each: (each["system"], [int(n) for n in re.findall(r"\d+", each["python"])])
        )
        write_json(options.records, found)
    if options.records == FIGURES:
        text = BLOCK.sub(lambda m: m[1] + tables(found) + m[2], PAGE.read_text(encoding="utf-8"))
        write_atomic(PAGE, text)
    sys.exit(failed)


if __name__ == "__main__":
    main()
