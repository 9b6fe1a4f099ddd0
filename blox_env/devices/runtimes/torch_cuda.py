"""PyTorch on a CUDA GPU, timed by events on the GPU's own clock."""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any

from blox_env.devices.runtimes.base import Runtime
from blox_env.devices.runtimes.onnx_export import normal_input
from blox_env.ground.extras import extra_module


class TorchCuda(Runtime):
    """The module as it is on the current GPU; launching kernels from Python is part of the time.

    ``float32`` computes without TF32. Events are recorded before and after the inference, so that
    what is timed is from the first kernel to the last, with the gaps between them.

    Raises:
        RuntimeError: where torch finds no GPU.
    """

    name = "torch-cuda"
    precisions = ("float32", "bfloat16")
    exports = False
    on_cpu = False

    def __init__(self, precision: str | None = None) -> None:
        super().__init__(1, precision)
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
            "mode": "eager",
            "precision": self.precision,
            "tf32": "no",
            "batch_norms": "not folded",
            "clock": "CUDA events",
        }

    def load(self, model: Any, input_shape: tuple[int, ...]) -> Callable[[], object]:
        """Runs the module on one standard normal input that lies on the GPU."""
        torch = self._torch
        dtype = getattr(torch, self.precision)
        module = model.eval().to("cuda", dtype)
        image = torch.from_numpy(normal_input(input_shape)).to("cuda", dtype)

        def run() -> object:
            with torch.inference_mode(), torch.backends.cudnn.flags(allow_tf32=False):
                output: object = module(image)
            return output

        return run

    def timed(self, run: Callable[[], object]) -> int:
        """Nanoseconds between an event before and one after the call."""
        start, end = (self._torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        run()
        end.record()
        end.synchronize()
        return int(start.elapsed_time(end) * 1e6)
