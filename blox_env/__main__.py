"""``python -m blox_env`` is the command ``blox-env``."""

from blox_env.cli import main

main()
