"""Writes the frozen reference points of the embedded benchmarks and devices.

    python docs/reference_points.py

The rule is in :mod:`blox_env.problem.reference_points`; a test compares the file with what this
gives. Adding a benchmark or a device adds its entry; what is there changes only when the data do,
and then every hypervolume that was reported before does, too.
"""

from __future__ import annotations

import blox_env
from blox_env.ground import registry
from blox_env.ground.files import write_json
from blox_env.problem.reference_points import FROZEN, freeze


def content() -> dict[str, object]:
    """The file's content for everything that the package brings."""
    ours = {
        kind: [name for name, target in sorted(names.items()) if target.startswith("blox_env.")]
        for kind, names in registry.registrations().items()
    }
    # of spaces that cannot be listed nobody knows the worst
    return freeze(
        [b for b in map(blox_env.load_benchmark, ours["benchmark"]) if b.space.listable],
        [d for d in map(blox_env.load_device, ours["device"]) if d.space.listable],
        [blox_env.BloxSpace()],
    )


if __name__ == "__main__":
    write_json(FROZEN, content())
