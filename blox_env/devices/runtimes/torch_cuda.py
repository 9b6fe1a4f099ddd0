"""PyTorch on a CUDA GPU, timed by events on the GPU's own clock."""

from __future__ import annotations

import platform
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from blox_env.devices.runtimes.base import Runtime
from blox_env.devices.runtimes.onnx_export import normal_input
from blox_env.ground.errors import unknown_name
from blox_env.ground.extras import extra_module

MODES = ("eager", "graph")
BEFORE_CAPTURE = 3  # inferences on the stream of the capture, as torch's notes on CUDA graphs ask


class TorchCuda(Runtime):
    """The module as it is on the current GPU.

    Launching kernels from Python is part of the time of an ``eager`` inference. A ``graph`` is
    captured once, when a network is loaded, and replayed: its kernels run without Python between
    them. ``float32`` computes without TF32, convolutions by cuDNN as its heuristics choose them.
    Events are recorded before and after the inference, so that what is timed is from the first
    kernel to the last, with the gaps between them.

    Args:
        precision: ``"float32"`` or ``"bfloat16"``.
        mode: ``"eager"`` or ``"graph"``.

    Raises:
        RuntimeError: where torch finds no GPU.
        ValueError: for an unknown precision or mode.
    """

    name = "torch-cuda"
    precisions = ("float32", "bfloat16")
    exports = False
    on_cpu = False
    _where = "cuda"

    def __init__(self, precision: str | None = None, mode: str = "eager") -> None:
        super().__init__(1, precision)
        if mode not in MODES:
            raise ValueError(unknown_name("mode", mode, MODES))
        self.mode = mode
        self._torch: Any = extra_module("torch", "devices", "measuring on a GPU")
        if not self._torch.cuda.is_available():
            raise RuntimeError("torch-cuda needs a CUDA GPU and torch built for it, found none")

    def versions(self) -> dict[str, str]:
        """Of torch with its CUDA and cuDNN, Python."""
        return {
            "torch": str(self._torch.__version__),
            "cuda": str(self._torch.version.cuda),
            "cudnn": str(self._torch.backends.cudnn.version()),
            "python": platform.python_version(),
        }

    def settings(self) -> dict[str, str]:
        """Settings under which modules run, and the GPU."""
        return {
            "gpu": str(self._torch.cuda.get_device_name()),
            "mode": self.mode,
            "precision": self.precision,
            "tf32": "no",
            "batch_norms": "not folded",
            "memory_format": "contiguous",
            "clock": "CUDA events",
        }

    def environment(self) -> AbstractContextManager[object]:
        """Convolutions by cuDNN without TF32, chosen by its heuristics."""
        # what is not named here would be switched off
        flags: AbstractContextManager[object] = self._torch.backends.cudnn.flags(
            enabled=True, benchmark=False, allow_tf32=False
        )
        return flags

    def load(self, model: Any, input_shape: tuple[int, ...]) -> Callable[[], object]:
        """Runs the module on one standard normal input that lies on the GPU.

        Args:
            model: the module, which is moved to the GPU.
            input_shape: of its one input, the batch size first.
        """
        torch = self._torch
        dtype = getattr(torch, self.precision)
        module = model.eval().to(self._where, dtype)
        image = torch.from_numpy(normal_input(input_shape)).to(self._where, dtype)

        def run() -> object:
            with torch.inference_mode():
                output: object = module(image)
            return output

        return self._captured(run) if self.mode == "graph" else run

    def timed(self, run: Callable[[], object]) -> int:
        """Nanoseconds between an event before and one after the call."""
        start, end = (self._torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        run()
        end.record()
        end.synchronize()
        return int(start.elapsed_time(end) * 1e6)

    def _captured(self, run: Callable[[], object]) -> Callable[[], object]:
        """A function that replays what ``run`` launches; its output is always the same tensor."""
        cuda = self._torch.cuda
        stream = cuda.Stream()
        stream.wait_stream(cuda.current_stream())
        with cuda.stream(stream):
            for _ in range(BEFORE_CAPTURE):
                run()
        cuda.current_stream().wait_stream(stream)
        graph = cuda.CUDAGraph()
        with cuda.graph(graph, stream=stream):
            output = run()
        return partial(_replay, graph, output, run)


def _replay(graph: Any, output: object, run: Callable[[], object]) -> object:
    """Replay a graph; ``run`` holds what it reads, the weights and the image."""
    graph.replay()
    return output
