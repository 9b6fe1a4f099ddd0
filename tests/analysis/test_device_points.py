import numpy as np
import pytest

from blox_env.analysis.device_points import DevicePoints
from blox_env.benchmarks.base import load_benchmark
from blox_env.devices.base import load_device


def points():
    return DevicePoints.of(load_benchmark("digits"), load_device("x86-ort-1t"))


def test_the_points_are_all_architectures_and_the_uniform_ones_among_them():
    data = points()
    assert data.complete
    assert data.latency_ms.shape == data.val_acc.shape == (91_125,)
    assert data.uniform.sum() == 45
    assert (data.uniform_front <= data.uniform).all()


def test_fronts_and_gain_are_those_of_brute_force():
    data = points()
    for mask, among in ((data.front, slice(None)), (data.uniform_front, data.uniform)):
        t, a = data.latency_ms[among], data.val_acc[among]
        for i in np.flatnonzero(mask):
            better = (t <= data.latency_ms[i]) & (a >= data.val_acc[i])
            better &= (t < data.latency_ms[i]) | (a > data.val_acc[i])
            assert not better.any()
    for gain, i in zip(
        data.gain(),
        sorted(np.flatnonzero(data.front), key=lambda i: data.latency_ms[i]),
        strict=True,
    ):
        among = data.uniform & (data.latency_ms <= data.latency_ms[i])
        if among.any():
            assert gain == pytest.approx(data.val_acc[i] - data.val_acc[among].max())
            assert gain >= 0
        else:
            assert np.isnan(gain)
