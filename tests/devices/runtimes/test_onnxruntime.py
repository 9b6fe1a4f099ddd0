from __future__ import annotations

from blox_env.devices.runtimes import load_runtime
from tests.devices.runtimes.networks import SHAPE, network


def test_int8_is_smaller_and_holds_integers() -> None:
    whole = load_runtime("onnxruntime")
    small = load_runtime("onnxruntime", precision="int8")
    full, quantized = (r.export(network(r, 32), SHAPE) for r in (whole, small))
    assert len(quantized) < len(full) / 2
