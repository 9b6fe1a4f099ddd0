import numpy as np
import pytest

from blox_env import list_devices, load_device
from blox_env.devices.base import Device
from tests.toys import ToyDevice, huge_space


def test_quantiles_are_those_of_the_whole_space():
    device = ToyDevice()
    every = device.latency_ms(device.space.all())
    np.testing.assert_array_equal(device.quantiles_ms((0.1, 0.9)), np.quantile(every, (0.1, 0.9)))
    assert device.median_ms() == np.median(every)


def test_quantiles_of_a_space_that_cannot_be_listed_are_drawn_and_repeat():
    first, second = (ToyDevice(huge_space()).quantiles_ms((0.5,)) for _ in range(2))
    assert first == second
    assert first == pytest.approx(2 + 12 * 22 / 45, rel=0.01)


def test_what_a_device_need_not_know():
    device = ToyDevice()
    assert device.slot_bounds_ms() is None
    assert (device.description, dict(device.card)) == ("", {})
    assert device.checksum() == "tests.toys.ToyDevice"


def test_devices_of_a_space():
    assert set(list_devices("blox")) <= set(list_devices())
    assert list_devices("nowhere") == []


def test_what_gives_no_device_is_refused():
    device = ToyDevice()
    assert load_device(device) is device
    with pytest.raises(TypeError, match="must give a Device"):
        load_device("tests.toys:ToyBenchmark")
    with pytest.raises(ValueError, match="did you mean 'x86-ort-1t'"):
        load_device("x86-ort-1")


def test_the_interface_is_abstract():
    with pytest.raises(TypeError, match="latency_ms"):
        Device()
