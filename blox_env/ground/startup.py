"""In ``python -m blox_env``, files of the working directory take no library's place.

Python puts that directory first on its path. Importing this module, as the package does before all
others, takes it away, or puts it last where it is a checkout that is not installed.
"""

from __future__ import annotations

import os
import sys
from itertools import pairwise

PACKAGE = "blox_env"


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


tidy(sys.argv, sys.orig_argv, sys.path, os.getcwd())
