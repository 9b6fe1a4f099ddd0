from __future__ import annotations

import gc
import weakref
from contextlib import contextmanager
from typing import Any

import pytest

from blox_env.devices.runtimes import Runtime, load_runtime
from blox_env.devices.runtimes.torch_cuda import BEFORE_CAPTURE, TorchCuda
from tests.devices.runtimes.networks import SHAPE, network, torch


class Gpu:
    """Stands for the calls of ``torch.cuda``, computes on the CPU, and tells what was called."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.told: list[str] = []
        self.streams: list[Any] = []
        self.captured_on: Any = None
        gpu = self

        class Stream:
            def wait_stream(self, other: Any) -> None:
                gpu.told.append("wait")

        class Graph:
            def replay(self) -> None:
                gpu.told.append("replay")

        class Event:
            def __init__(self, enable_timing: bool) -> None:
                assert enable_timing

            def record(self) -> None:
                gpu.told.append("record")

            def synchronize(self) -> None:
                gpu.told.append("synchronize")

            def elapsed_time(self, end: Any) -> float:
                return 1.5

        @contextmanager
        def stream(chosen: Any) -> Any:
            gpu.streams.append(chosen)
            gpu.told.append("side stream")
            yield
            gpu.told.append("back")

        @contextmanager
        def graph(_graph: Any, stream: Any) -> Any:
            gpu.captured_on = stream
            gpu.told.append("capture")
            yield
            gpu.told.append("captured")

        parts = {
            "is_available": lambda: True, "get_device_name": lambda: "Abacus 9", "Stream": Stream,
            "CUDAGraph": Graph, "Event": Event, "stream": stream, "graph": graph,
            "current_stream": Stream,
        }  # fmt: skip
        for name, part in parts.items():
            patch.setattr(torch.cuda, name, part)
        patch.setattr(TorchCuda, "_where", "cpu")


class Told(torch.nn.Module):  # type: ignore[misc]
    """A layer that says when it runs."""

    def __init__(self, gpu: Gpu) -> None:
        super().__init__()
        self.layer = torch.nn.Conv2d(3, 2, 3)
        self.gpu = gpu

    def forward(self, x: Any) -> Any:
        self.gpu.told.append("run")
        return self.layer(x)


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Gpu:
    return Gpu(monkeypatch)


def test_a_gpu_that_is_not_there_is_said() -> None:
    if torch.cuda.is_available():
        outputs: list[Any] = []
        for mode in ("eager", "graph"):
            runtime = load_runtime("torch-cuda", mode=mode)
            with runtime.environment():
                run = runtime.prepare(network(runtime), SHAPE)
                outputs.append(run())
                assert runtime.timed(run) > 0
        assert outputs[0].shape == (2, 10)
        torch.testing.assert_close(*outputs, rtol=1e-3, atol=1e-4)
        return
    with pytest.raises(RuntimeError, match="needs a CUDA GPU"):
        load_runtime("torch-cuda")


def test_a_graph_is_captured_once_on_the_stream_of_the_warm_up_and_replayed(gpu: Gpu) -> None:
    runtime = load_runtime("torch-cuda", mode="graph")
    module = Told(gpu)
    run = runtime.load(module, SHAPE)
    runs = ["run"] * BEFORE_CAPTURE
    expected = ["wait", "side stream", *runs, "back", "wait", "capture", "run", "captured"]
    assert gpu.told == expected
    assert gpu.streams == [gpu.captured_on]
    assert run() is run()
    assert gpu.told == [*expected, "replay", "replay"]


def test_what_a_graph_reads_lives_as_long_as_it(gpu: Gpu) -> None:
    module = Told(gpu)
    weights = weakref.ref(module.layer)
    run = load_runtime("torch-cuda", mode="graph").load(module, SHAPE)
    del module
    gc.collect()
    assert weights() is not None
    del run
    gc.collect()
    assert weights() is None


def test_an_eager_inference_runs_the_module_between_two_events(gpu: Gpu) -> None:
    runtime = load_runtime("torch-cuda", precision="bfloat16")
    run = runtime.load(Told(gpu), SHAPE)
    assert gpu.told == []
    assert runtime.timed(run) == 1_500_000
    assert gpu.told == ["record", "run", "record", "synchronize"]
    output: Any = run()
    assert output.dtype == torch.bfloat16


def test_it_says_its_mode_and_refuses_others(gpu: Gpu) -> None:
    runtime: Runtime = load_runtime("torch-cuda", mode="graph", precision="bfloat16")
    said = runtime.settings()
    assert (said["mode"], said["precision"], said["gpu"]) == ("graph", "bfloat16", "Abacus 9")
    assert load_runtime("torch-cuda").settings()["mode"] == "eager"
    with pytest.raises(ValueError, match=r"unknown mode 'graf'.*did you mean 'graph'"):
        load_runtime("torch-cuda", mode="graf")


def test_cudnn_computes_without_tf32_for_the_block_alone(gpu: Gpu) -> None:
    cudnn = torch.backends.cudnn
    before = (cudnn.enabled, cudnn.allow_tf32)
    with load_runtime("torch-cuda").environment():
        assert (cudnn.enabled, cudnn.allow_tf32) == (True, False)
    assert (cudnn.enabled, cudnn.allow_tf32) == before
