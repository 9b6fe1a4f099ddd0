"""Estimate devices of Arm's NPUs by the vendor's compiler, which counts cycles and runs nothing.

    python -m venv npu && npu/bin/pip install tensorflow-cpu==2.21.0 ethos-u-vela==5.2.0 gymnasium
    PYTHONPATH=. npu/bin/python perf/estimate_npu.py --out runs/npu       some seconds a network
    python perf/estimate_npu.py --out runs/npu --build                    files of the devices

The first two want an environment of their own, with nothing else of this package; the last one
wants the extra surrogate. Networks are those that devices are measured with, at full size, written
as functions of tensorflow with weights that are drawn as torch draws them, batch norms folded (they
are the identity in a new network), and quantised to int8. ``estimates.jsonl`` gets a line a network
with what the compiler says for each NPU; a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from blox_env.devices.measure import choose_rows
from blox_env.ground.files import write_atomic
from blox_env.ground.typing import IntArray
from blox_env.spaces import BloxSpace
from blox_env.spaces.blox import BLOCKS, STAGES
from blox_env.spaces.blox.counts import BOTTLENECK

DATA = Path(__file__).resolve().parents[1] / "blox_env" / "data" / "devices"
SEED = 0
WIDTH, CLASSES, SIDE = 32, 100, 32
CALIBRATION = 8  # standard normal images, by which the ranges of activations are set

# accelerator, and its system and memory as in the compiler's own vela.ini
U55 = {"system-config": "Ethos_U55_High_End_Embedded", "memory-mode": "Shared_Sram"}
U65 = {"system-config": "Ethos_U65_High_End", "memory-mode": "Dedicated_Sram_384KB"}
NPUS = {
    "ethos-u55-128": {"accelerator-config": "ethos-u55-128", **U55},
    "ethos-u55-256": {"accelerator-config": "ethos-u55-256", **U55},
    "ethos-u65-256": {"accelerator-config": "ethos-u65-256", **U65},
}
KEPT = ("cycles_total", "cycles_npu", "inference_time", "sram_memory_used", "nn_macs")


class Network:
    """A Blox network as a function of tensorflow, ``(1, 32, 32, 3)`` to ``(1, 100)``.

    Args:
        row: block numbers ``(3,)``.
        weights: gives weights and bias of the next layer, of a shape ``(out, in, k, k)`` or
            ``(out, in)``.
        tf: tensorflow.
    """

    def __init__(
        self,
        row: IntArray,
        weights: Callable[[tuple[int, ...]], tuple[np.ndarray, np.ndarray]],
        tf: Any,
    ) -> None:
        self.tf, self.row, self.weights = tf, row, weights

    def __call__(self, x: Any) -> Any:
        """Logits of an image, channels last."""
        x = self.conv(x, 3, WIDTH, 3)
        for stage, number in enumerate(self.row.tolist()):
            c = WIDTH << stage
            x = self.block(x, BLOCKS[number], c)
            main = self.conv(self.conv(x, c, 2 * c, 3, stride=2), 2 * c, 2 * c, 3)
            x = main + self.conv(x, c, 2 * c, 2, stride=2)
        weight, bias = self.weights((CLASSES, WIDTH << STAGES))
        return self.tf.matmul(self.tf.reduce_mean(x, [1, 2]), weight.T) + bias

    def block(self, x: Any, block: Any, c: int) -> Any:
        """One block at ``c`` channels.

        Args:
            x: its input.
            block: operations and connections.
            c: channels.
        """
        operations = (self.convs, self.mbconv, self.bconv)
        if block.single:
            return operations[block.op2](x, c)
        first = operations[block.op1](x, c)
        source = x if not block.prev else first + x if block.input else first
        out = operations[block.op2](source, c)
        return out + first if block.skip else out

    def convs(self, x: Any, c: int) -> Any:
        """Operation 0.

        Args:
            x: its input.
            c: channels.
        """
        for _ in range(4):
            x = self.conv(x, c, c, 3)
        return x

    def mbconv(self, x: Any, c: int) -> Any:
        """Operation 1.

        Args:
            x: its input.
            c: channels.
        """
        for _ in range(2):
            y = self.conv(x, c, 2 * c, 3)
            gate = self.conv(self.tf.reduce_mean(y, [1, 2], keepdims=True), 2 * c, 2 * c, 1)
            gate = self.tf.sigmoid(self.conv(gate, 2 * c, 2 * c, 1, relu=False))
            x = x + self.conv(y * gate, 2 * c, c, 1)
        return x

    def bconv(self, x: Any, c: int) -> Any:
        """Operation 2.

        Args:
            x: its input.
            c: channels.
        """
        for ratio in BOTTLENECK:
            b = int(c / ratio)
            y = self.conv(self.conv(x, c, b, 1), b, b, 5, groups=b)
            x = x + self.conv(y, b, c, 1)
        return x

    def conv(
        self,
        x: Any,
        c_in: int,
        c_out: int,
        kernel: int,
        *,
        stride: int = 1,
        groups: int = 1,
        relu: bool = True,
    ) -> Any:
        """Convolution with bias, and ReLU.

        Args:
            x: its input.
            c_in: channels of it.
            c_out: channels of the output.
            kernel: side of the kernel.
            stride: of the convolution.
            groups: 1, or as many as channels.
            relu: whether a ReLU follows.
        """
        tf = self.tf
        weight, bias = self.weights((c_out, c_in // groups, kernel, kernel))
        weight = weight.transpose(2, 3, 1, 0)
        if groups > 1:
            y = tf.nn.depthwise_conv2d(x, weight.transpose(0, 1, 3, 2), [1, 1, 1, 1], "SAME")
        elif stride > 1:  # torch's padding, where tensorflow would pad on one side alone
            pad = [kernel // 2 if kernel % 2 else 0] * 2
            y = tf.nn.conv2d(x, weight, stride, [[0, 0], pad, pad, [0, 0]])
        else:
            y = tf.nn.conv2d(x, weight, 1, "SAME")
        return tf.nn.relu(y + bias) if relu else y + bias


class Drawn:
    """Weights as torch draws them: uniform up to one over the root of the inputs.

    Args:
        rng: draws them.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng, self.size = rng, 0

    def __call__(self, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Weights of a shape, and as many biases as outputs."""
        bound = 1 / np.sqrt(np.prod(shape[1:]))
        weight = self.rng.uniform(-bound, bound, shape).astype(np.float32)
        bias = self.rng.uniform(-bound, bound, shape[0]).astype(np.float32)
        self.size += weight.size + bias.size
        return weight, bias


def int8_bytes(network: Network, rng: np.random.Generator) -> bytes:
    """A tflite file of a network, weights, activations, input and output in int8.

    Args:
        network: to convert.
        rng: draws the images of the calibration.
    """
    tf = network.tf
    shape = (1, SIDE, SIDE, 3)
    function = tf.function(network.__call__).get_concrete_function(tf.TensorSpec(shape, tf.float32))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8

    def images() -> Iterator[list[Any]]:
        for _ in range(CALIBRATION):
            yield [rng.normal(size=shape).astype(np.float32)]

    converter.representative_dataset = images
    return bytes(converter.convert())


def compile_for(file: Path, npu: dict[str, str]) -> dict[str, float]:
    """What the compiler says of a network on an NPU.

    Args:
        file: the network, int8.
        npu: options of the compiler.

    Raises:
        RuntimeError: the compiler left something to the CPU, or failed.
    """
    from ethosu.vela import vela  # type: ignore[import-not-found]  # see above

    said = io.StringIO()
    options = [f"--{key}={value}" for key, value in npu.items()]
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(said):
        code = vela.main([str(file), "--output-dir", folder, "--config=Arm/vela.ini", *options])
        summaries = list(Path(folder).glob("*_summary_*.csv"))
        if code or len(summaries) != 1 or "CPU operators = 0 (0.0%)" not in said.getvalue():
            raise RuntimeError(f"expected {file} to be compiled for the NPU, got {said.getvalue()}")
        with summaries[0].open() as lines:
            (found,) = csv.DictReader(lines)
    return {key: float(found[key]) for key in KEPT}


def estimate(folder: Path, n: int, npus: dict[str, dict[str, str]]) -> None:
    """Add a line a network to ``estimates.jsonl``; what is there already is not done again.

    Args:
        folder: of the estimates.
        n: number of networks.
        npus: options of the compiler, by name.
    """
    import tensorflow as tf  # type: ignore[import-untyped]  # see above

    space = BloxSpace()
    rows = choose_rows(space, n, SEED)
    macs = space.macs(rows, width=WIDTH, image_size=SIDE, classes=CLASSES)
    params = space.params(rows, width=WIDTH, classes=CLASSES)
    folder.mkdir(parents=True, exist_ok=True)
    plan = {
        "space": space.name,
        "seed": SEED,
        "input_shape": [1, 3, SIDE, SIDE],
        "network": {"width": WIDTH, "classes": CLASSES},
        "versions": {p: version(p) for p in ("ethos-u-vela", "tensorflow-cpu", "numpy")},
        "npus": npus,
    }
    write_atomic(folder / "plan.json", json.dumps(plan, indent=1).encode())
    path = folder / "estimates.jsonl"
    known = path.read_text().splitlines() if path.exists() else []
    done = {json.loads(line)["architecture"] for line in known}
    with path.open("a") as out, tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "network.tflite"
        for i, row in enumerate(rows):
            number = int(space.index(row)[0])
            if number in done:
                continue
            rng = np.random.default_rng([SEED, number])
            drawn = Drawn(rng)
            file.write_bytes(int8_bytes(Network(row, drawn, tf), rng))
            said = {name: compile_for(file, npu) for name, npu in npus.items()}
            folded = drawn.size  # of the batch norms nothing is left
            line = {"architecture": number, "macs": int(macs[i]), "params": int(params[i])}
            out.write(json.dumps({**line, "folded_params": folded, "npus": said}) + "\n")
            out.flush()
            print(i + 1, number, {k: round(v["inference_time"] * 1e3, 3) for k, v in said.items()})


def build(folder: Path) -> None:
    """Write the devices of the estimates of a folder below the embedded ones.

    Args:
        folder: of the estimates.
    """
    from blox_env.devices.estimated import build_estimated

    plan = json.loads((folder / "plan.json").read_text())
    lines = [json.loads(line) for line in (folder / "estimates.jsonl").read_text().splitlines()]
    for name, npu in plan["npus"].items():
        first = lines[0]["npus"][name]
        clock = first["cycles_total"] / first["inference_time"]
        about = {
            **{key: plan[key] for key in ("space", "seed", "input_shape", "network", "versions")},
            "tool": f"ethos-u-vela {plan['versions']['ethos-u-vela']}",
            "estimates": f"Arm's NPU {npu['accelerator-config']} at {clock / 1e6:.0f} MHz",
            "settings": {**npu, "precision": "int8", "batch-norms": "folded"},
        }
        estimates = [
            {
                "architecture": line["architecture"],
                "macs": line["macs"],
                "ms": 1e3 * line["npus"][name]["inference_time"],
                "cycles": line["npus"][name]["cycles_total"],
                "sram_kib": line["npus"][name]["sram_memory_used"],
            }
            for line in lines
        ]
        device = build_estimated(name, BloxSpace(), about, estimates, DATA / name)
        print(device, device.card["predictor"]["held_out"], device.card["multiply_adds"])


def main() -> None:
    """Estimate, or build the devices."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/npu"), help="folder of estimates")
    parser.add_argument("--networks", type=int, default=640)
    parser.add_argument("--build", action="store_true", help="write the devices")
    options = parser.parse_args()
    if options.build:
        build(options.out)
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    estimate(options.out, options.networks, NPUS)


if __name__ == "__main__":
    main()
