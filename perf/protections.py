"""Removes the package's protections one by one and looks whether a test notices.

    python perf/protections.py                 # all of them
    python perf/protections.py zlib page       # those with one of these words in their names
    python perf/protections.py --list

``protections.toml`` has them: a piece of a file, what takes its place when it is removed, and the
tests that must fail then. The tree is copied to a temporary folder; there the tests are run once as
they are, and once without each protection.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LISTED = ROOT / "perf" / "protections.toml"
LEFT_OUT = ("*.pyc", "__pycache__", ".git", ".venv*", "runs", ".*_cache", ".hypothesis", "build")
PATIENCE_S = 120  # a protection against endless work is noticed when its tests take longer
FAILED = 1  # pytest's status
LIBRARIES = (
    "gymnasium",
    "numpy",
    "yaml",
    "typer.testing",
    "rich.console",
    "hypothesis",
    "pyarrow.parquet",
    "pandas",
    "matplotlib.pyplot",
    "jinja2",
    "scipy.stats",
    "PIL.Image",
    "sqlite3",
)


@dataclass(frozen=True)
class Protection:
    """A protection and who must notice when it is gone.

    Attributes:
        name: what it protects from.
        file: where it stands.
        text: in the file, once.
        without: what takes its place.
        tests: files of tests, or tests, one of which must fail.
    """

    name: str
    file: str
    text: str
    without: str
    tests: tuple[str, ...]


def protections(source: Path = LISTED) -> list[Protection]:
    """The protections that a file lists."""
    with source.open("rb") as file:
        entries = tomllib.load(file)["protection"]
    return [Protection(**{**entry, "tests": tuple(entry["tests"])}) for entry in entries]


def copy_tree(target: Path) -> None:
    """Copy the checkout without what is no part of it."""
    shutil.copytree(ROOT, target, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))


def removed(source: str, protection: Protection) -> str:
    """The text of a file without a protection.

    Args:
        source: the text.
        protection: to be removed.

    Raises:
        ValueError: when its text is not there, or more than once.
    """
    count = source.count(protection.text)
    if count != 1:
        raise ValueError(
            f"{protection.name!r}: its text is {count} times in {protection.file}, expected once: "
            f"{protection.text!r}"
        )
    return source.replace(protection.text, protection.without)


def run_tests(tree: Path, tests: Sequence[str], patience_s: float = PATIENCE_S) -> int | None:
    """Status of pytest in a copied tree, None where it took too long.

    It runs in a child of this process, which has loaded the libraries already.

    Args:
        tree: the tree.
        tests: files of tests, or tests.
        patience_s: seconds that they may take.
    """
    log = tree.parent / "log"
    child = os.fork()
    if child == 0:
        os.setsid()  # with whatever the tests start
        with log.open("wb") as file:
            for stream in (1, 2):
                os.dup2(file.fileno(), stream)
        os.chdir(tree)
        os.environ["PYTHONPATH"] = sys.path[0] = str(tree)
        status = pytest.main(["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *tests])
        sys.stdout.flush()
        os._exit(int(status))
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            if code > FAILED:
                print(log.read_text(errors="replace")[-3000:])
            return code
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def noticed(tree: Path, protection: Protection) -> str:
    """How the tests notice that a protection is gone; empty where they do not.

    Tests that take too long notice it only if they end in time with the protection in its place.

    Args:
        tree: the copied tree.
        protection: to be removed there for a while.
    """
    path = tree / protection.file
    source = path.read_text()
    path.write_text(removed(source, protection))
    try:
        status = run_tests(tree, protection.tests)
    finally:
        path.write_text(source)
        for compiled in path.parent.glob(f"__pycache__/{path.stem}.*"):
            compiled.unlink()  # its time may be that of the other text
    if status is None:
        return "by time" if run_tests(tree, protection.tests) == 0 else ""
    if status < 0:
        return f"the process ended by signal {-status}"
    return "by a test" if status == FAILED else ""


def main() -> None:
    """Remove the chosen protections and say which are noticed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("words", nargs="*", help="of the names of some protections")
    parser.add_argument("--list", action="store_true", help="show their names, run nothing")
    parser.add_argument("--quick", action="store_true", help="do not run the tests as they are")
    options = parser.parse_args()
    chosen = [
        p for p in protections() if not options.words or any(w in p.name for w in options.words)
    ]
    if options.list:
        print("\n".join(f"{p.name} ({p.file})" for p in chosen))
        return
    began = time.monotonic()
    os.environ["OMP_NUM_THREADS"] = "1"
    for library in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(library)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        copy_tree(tree)
        for protection in chosen:  # a text that is not there is an error before any test
            removed((tree / protection.file).read_text(), protection)
        tests = sorted({test for p in chosen for test in p.tests})
        if not options.quick and run_tests(tree, tests, 10 * PATIENCE_S) != 0:
            print((tree.parent / "log").read_text(errors="replace")[-3000:])
            sys.exit("the tests fail, or take too long, with all protections in their places")
        missed = []
        for protection in chosen:
            how = noticed(tree, protection)
            missed += [] if how else [protection.name]
            said = "noticed" if how == "by a test" else f"noticed ({how})"
            print(f"{said if how else 'NOT NOTICED'}  {protection.name}", flush=True)
    minutes = (time.monotonic() - began) / 60
    print(f"{len(chosen) - len(missed)} of {len(chosen)} noticed in {minutes:.1f} minutes")
    if missed:
        sys.exit(1)


if __name__ == "__main__":
    main()
