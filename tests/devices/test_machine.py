from __future__ import annotations

import numpy as np
import pytest

from blox_env.devices import machine as module
from blox_env.devices.machine import OthersClock, choose_cores, machine, pinned, watch_others
from tests.windows import Windows


def test_machine_and_others() -> None:
    assert set(machine()) == {"cpu", "cores", "system"}
    assert watch_others(0.01) >= 0
    clock = OthersClock()
    used = clock()
    assert np.isnan(used) or used >= 0


def test_where_the_system_tells_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "os", Windows())
    assert choose_cores(1000) == ()
    with pinned(choose_cores(1)):
        assert np.isnan(OthersClock()())
        assert np.isnan(watch_others(0.01))
    assert set(machine()) == {"cpu", "cores", "system"}
