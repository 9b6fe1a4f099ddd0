"""PyTorch on the CPU, eagerly: what a network costs that nobody has compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from blox_env.devices.runtimes.base import Runtime, versions_of
from blox_env.devices.runtimes.onnx_export import normal_input
from blox_env.ground.extras import extra_module


class TorchCpu(Runtime):
    """The module as it is, in evaluation mode and inference mode."""

    name = "torch-cpu"
    precisions = ("float32", "bfloat16")
    exports = False

    def versions(self) -> dict[str, str]:
        """Of torch, numpy, Python."""
        return versions_of("torch", "numpy")

    def settings(self) -> dict[str, str]:
        """Settings under which modules run."""
        return {
            "mode": "eager",
            "intra_op_num_threads": str(self.threads),
            "precision": self.precision,
            "batch_norms": "not folded",
            "memory_format": "contiguous",
        }

    @contextmanager
    def environment(self) -> Iterator[None]:
        """As many threads as were asked for, and afterwards as many as there were before."""
        torch = extra_module("torch", "devices", "measuring latency")
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    def load(self, model: Any, input_shape: tuple[int, ...]) -> Callable[[], object]:
        """Runs the module on one standard normal input, the same every time."""
        torch = extra_module("torch", "devices", "measuring latency")
        dtype = getattr(torch, self.precision)
        module = model.eval().to(dtype)
        image = torch.from_numpy(normal_input(input_shape)).to(dtype)

        def run() -> object:
            with torch.inference_mode():
                output: object = module(image)
            return output

        return run
