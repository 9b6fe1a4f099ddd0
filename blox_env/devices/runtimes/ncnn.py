"""ncnn on the CPU, as phones and boards run it: converted once for a network by pnnx."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from blox_env.devices.runtimes.base import Runtime, versions_of
from blox_env.devices.runtimes.onnx_export import normal_input, onnx_bytes
from blox_env.ground.extras import extra_module

_WHAT = "measuring with ncnn"
_LENGTH = 8  # bytes that say how long the graph is, before graph and weights


class Ncnn(Runtime):
    """ncnn's CPU layers in float32: no half precision, no Vulkan; one picture at a time."""

    name = "ncnn"

    def versions(self) -> dict[str, str]:
        """Of ncnn (it decides the kernels), pnnx (it writes the graph), torch, onnx, Python."""
        extra_module("ncnn", "ncnn", _WHAT)
        own = {name: version(name) for name in ("ncnn", "pnnx")}
        return {**own, **versions_of("onnx", "torch", "numpy")}

    def settings(self) -> dict[str, str]:
        """Settings of every network."""
        return {
            "intra_op_num_threads": str(self.threads),
            "vulkan": "no",
            "winograd": "yes",
            "sgemm": "yes",
            "packing_layout": "yes",
            "precision": self.precision,
            "batch_norms": "folded",
        }

    def export(self, network: Any, input_shape: tuple[int, ...]) -> bytes:
        """Graph and weights in ncnn's form.

        Raises:
            ValueError: for more than one picture at a time.
            RuntimeError: where pnnx cannot convert the network; says what it printed.
        """
        if input_shape[0] != 1:
            raise ValueError(f"ncnn takes one picture at a time, got a batch of {input_shape[0]}")
        program = Path(extra_module("pnnx", "ncnn", _WHAT).__file__).parent / "pnnx"
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            (place / "m.onnx").write_bytes(onnx_bytes(network, input_shape))
            told = subprocess.run(
                [program, "m.onnx"], cwd=folder, capture_output=True, text=True, check=False
            )
            files = [place / "m.ncnn.param", place / "m.ncnn.bin"]
            if told.returncode or not all(file.is_file() for file in files):
                raise RuntimeError(f"pnnx did not convert the network: {told.stderr[-500:]}")
            graph, weights = (file.read_bytes() for file in files)
            return len(graph).to_bytes(_LENGTH, "little") + graph + weights

    def load(self, model: bytes, input_shape: tuple[int, ...]) -> Callable[[], object]:
        """A fresh network; the input is one standard normal picture, the same every time."""
        ncnn = extra_module("ncnn", "ncnn", _WHAT)
        network = ncnn.Net()
        network.opt.num_threads = self.threads
        network.opt.use_vulkan_compute = False
        for kind in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
            setattr(network.opt, f"use_{kind}", False)
        with tempfile.TemporaryDirectory() as folder:
            start = _LENGTH + int.from_bytes(model[:_LENGTH], "little")
            for name, content in (("param", model[_LENGTH:start]), ("bin", model[start:])):
                (Path(folder) / name).write_bytes(content)
            network.load_param(os.path.join(folder, "param"))
            network.load_model(os.path.join(folder, "bin"))
        given = normal_input(input_shape)[0]
        picture = ncnn.Mat(given).clone()  # which would look into the array otherwise

        def run() -> object:
            extractor = network.create_extractor()
            extractor.input("in0", picture)
            return extractor.extract("out0")[1]

        return run
