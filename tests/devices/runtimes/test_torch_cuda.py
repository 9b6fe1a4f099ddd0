from __future__ import annotations

from typing import Any

import pytest

from blox_env.devices.runtimes import load_runtime
from tests.devices.runtimes.networks import SHAPE, network, torch


def test_a_gpu_that_is_not_there_is_said() -> None:
    if torch.cuda.is_available():
        runtime = load_runtime("torch-cuda")
        run = runtime.prepare(network(runtime), SHAPE)
        output: Any = run()
        assert output.shape == (2, 10)
        assert runtime.timed(run) > 0
        return
    with pytest.raises(RuntimeError, match="needs a CUDA GPU"):
        load_runtime("torch-cuda")
