"""``python -m blox_env`` is the command ``blox-env``."""

import os
import sys
from pathlib import Path

import blox_env
from blox_env.cli import main

# Python puts the working directory first: files there must not take a library's place.
if sys.path[0] == os.getcwd():
    here = sys.path.pop(0)
    if Path(blox_env.__file__).resolve().parents[1] == Path(here).resolve():
        sys.path.append(here)  # a checkout that is not installed

main()
