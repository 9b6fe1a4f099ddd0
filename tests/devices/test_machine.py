from __future__ import annotations

import numpy as np

from blox_env.devices.machine import OthersClock, machine, watch_others


def test_machine_and_others() -> None:
    assert set(machine()) == {"cpu", "cores", "system"}
    assert watch_others(0.01) >= 0
    clock = OthersClock()
    used = clock()
    assert np.isnan(used) or used >= 0
