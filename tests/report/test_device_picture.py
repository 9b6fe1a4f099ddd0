"""The picture of a device: what is in it, and that it can be drawn."""

import pytest

from blox_env.analysis.device_points import DevicePoints
from blox_env.benchmarks.base import load_benchmark
from blox_env.devices.base import load_device
from blox_env.report.device_picture import draw_device


def points():
    return DevicePoints.of(load_benchmark("digits"), load_device("x86-ort-1t"))


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_equal_points_are_equal_pictures(tmp_path, kind):
    for name in ("a", "b"):
        draw_device(points(), tmp_path / f"{name}.{kind}", title="made-up title")
    content = (tmp_path / f"a.{kind}").read_bytes()
    assert len(content) > 10_000
    assert content == (tmp_path / f"b.{kind}").read_bytes()
