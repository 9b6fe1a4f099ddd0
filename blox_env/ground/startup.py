"""Folders where modules are found; the package imports this module before all others.

In ``python -m blox_env``, files of the working directory take no library's place: Python puts that
directory first on its path, and this takes it away, or puts it last where it is a checkout that is
not installed. And ``blox_env.agents`` and ``blox_env.wrappers`` are found in a checkout without
links.
"""

from __future__ import annotations

import os
import sys
from itertools import pairwise

PACKAGE = "blox_env"
BESIDE = ("agents", "wrappers")


def tidy(argv: list[str], called: list[str], path: list[str], here: str) -> None:
    """Take the working directory off the path, if Python is about to run this package.

    Args:
        argv: ``sys.argv``, which is ``-m`` until the module to run is found.
        called: the command line of the interpreter.
        path: ``sys.path``, which is changed.
        here: the working directory.
    """
    runs = ("-m", PACKAGE) in pairwise(called) or f"-m{PACKAGE}" in called
    if argv[:1] == ["-m"] and runs and path[:1] == [here]:
        path.pop(0)
        if os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))) == here:
            path.append(here)


def find_beside(path: list[str]) -> None:
    """Let folders beside the package be found where a link to one is a file.

    Git writes links so where the system has none, or may not make any, as on Windows by default:
    ``blox_env/agents`` is a text then that says ``../agents``.

    Args:
        path: ``blox_env.__path__``, which is changed.
    """
    beside = os.path.dirname(path[0])
    if any(os.path.isfile(os.path.join(path[0], name)) for name in BESIDE) and beside not in path:
        path.append(beside)


tidy(sys.argv, sys.orig_argv, sys.path, os.getcwd())
find_beside(sys.modules[PACKAGE].__path__)  # type: ignore[arg-type]
