"""The problem that everybody sees first: declared here for environments, searches and commands.

``python perf/default_problem.py`` shows why it is this one: its front has many points, its optimum
lies inside the front, and random search is far from it.
"""

from __future__ import annotations

# How the device is asked for that is DEVICE where the benchmark has its space, and none elsewhere:
# the default everywhere.
DEFAULT = "default"

BENCHMARK = "cifar10"
DEVICE = "x86-ort-int8-1t"
DEVICES = {"blox": DEVICE, "bloxxl": "x86-ort-int8-1t-xl"}  # by the name of the benchmark's space
