"""Networks that were found as ONNX or ``torch.export`` files that say what they are.

The weights are random, drawn from a seed: a search looks accuracies up and trains nothing. Train
the network on your own task; its latency does not depend on the weights.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from blox_env.devices.base import Device
from blox_env.devices.runtimes import load_runtime
from blox_env.ground.errors import check_positive_int
from blox_env.ground.extras import extra
from blox_env.ground.files import write_atomic
from blox_env.ground.typing import IntArray
from blox_env.problem import Problem
from blox_env.spaces.base import SearchSpace
from blox_env.spaces.blox import BloxSpace
from blox_env.version import __version__

FORMATS = (".onnx", ".pt2")
EXTRA_FILE = "metadata.json"  # in a .pt2 file
WEIGHTS = "not trained: val_acc is what the benchmark says of this architecture once it is"


def export_network(
    row: ArrayLike,
    path: str | Path,
    *,
    problem: Problem | None = None,
    search: Mapping[str, object] | None = None,
    weights_seed: int = 0,
    batch: int = 1,
    image_size: int = 32,
    **network: int,
) -> dict[str, str]:
    """Write one architecture as a network that runs without this package.

    ``.onnx`` has one input ``image``, float32 ``(batch, channels, image_size, image_size)``, and
    one output ``logits``; batch norms are folded. ``.pt2`` is ``torch.export``'s. What is known of
    the network stands in the file: ONNX ``metadata_props``, or ``metadata.json`` among the extra
    files of a ``.pt2``; :func:`read_metadata` reads both. By default the network is the one that
    the embedded devices measured: width 32, 100 classes, 32×32 colour images.

    Args:
        row: the architecture ``(slots,)``, as a history's ``x`` or ``info["arch"]`` has it.
        path: ends in ``.onnx`` or ``.pt2``.
        problem: what it was found for: its accuracy, latency and reward go into the file, each
            with its source.
        search: more to note, such as ``{"agent": "nsga2", "seed": 0}``.
        weights_seed: of the random weights.
        batch: images an inference.
        image_size: side of the square images, for Blox a multiple of 8.
        network: of the space's networks; for Blox ``width`` (32), ``classes`` (100) and
            ``in_channels`` (3).

    Returns:
        The metadata in the file.

    Raises:
        ValueError: for another ending or a row that is not one architecture.
        TypeError: for what the space's networks do not take.
        ImportError: without the extra ``devices``.
    """
    target = check_target(path)
    space = BloxSpace() if problem is None else problem.space
    rows = space.check(row)
    if len(rows) != 1:
        raise ValueError(f"row must be one architecture, got {len(rows)}")
    shape = _input_shape(batch, image_size, network)
    runtime = load_runtime("onnxruntime")
    weights_seed = check_positive_int("weights_seed", weights_seed, 0)
    built = runtime.build(space, rows[0], seed=weights_seed, **network)
    facts = {
        **_of_architecture(space, rows, image_size, network),
        "weights": "random",
        "weights_note": WEIGHTS,
        "weights_seed": weights_seed,
        "input": f"image, float32 {list(shape)}",
        **({} if problem is None else _of_problem(problem, rows, shape, network)),
        **(search or {}),
        "versions": {"blox-env": __version__, **runtime.versions()},
    }
    metadata = {key: _text(value) for key, value in facts.items()}
    if target.suffix == ".onnx":
        content = _with_metadata(runtime.export(built, shape), metadata)
    else:
        from blox_env.networks.export import pt2_bytes

        content = pt2_bytes(built, shape, {EXTRA_FILE: json.dumps(metadata, indent=1)})
    write_atomic(target, content)
    return metadata


def check_target(path: str | Path) -> Path:
    """``path``, if its ending is one of :data:`FORMATS`; else a ValueError."""
    target = Path(path)
    if target.suffix not in FORMATS:
        raise ValueError(f"a network's file ends in {' or '.join(FORMATS)}, got {str(path)!r}")
    return target


def read_metadata(path: str | Path) -> dict[str, str]:
    """Read what :func:`export_network` wrote into a file.

    Raises:
        ValueError: for a file that holds none.
        ImportError: for an ONNX file without the extra ``devices``.
    """
    target = check_target(path)
    if target.suffix == ".onnx":
        return {entry.key: entry.value for entry in _onnx().load(str(target)).metadata_props}
    if zipfile.is_zipfile(target):
        with zipfile.ZipFile(target) as archive:
            for name in archive.namelist():
                if name.endswith(f"/extra/{EXTRA_FILE}"):
                    metadata: dict[str, str] = json.loads(archive.read(name))
                    return metadata
    raise ValueError(f"{target}: expected a file that export_network wrote, got another")


def _input_shape(batch: int, image_size: int, network: Mapping[str, int]) -> tuple[int, ...]:
    side = check_positive_int("image_size", image_size)
    channels = check_positive_int("in_channels", network.get("in_channels", 3))
    return check_positive_int("batch", batch), channels, side, side


def _of_architecture(
    space: SearchSpace, rows: IntArray, image_size: int, network: Mapping[str, int]
) -> dict[str, object]:
    """Facts of the architecture, and the sizes of the network that is exported."""
    facts: dict[str, object] = {
        "space": space.name,
        "arch": "-".join(map(str, rows[0].tolist())),
        "description": space.describe(rows[0]),
    }
    facts |= space.identify(rows[0])
    for name in space.sizes:
        facts[name] = int(space.size_of(name, rows, **network, image_size=image_size)[0])
    full = {**space.network_defaults, **network, "image_size": image_size}
    return {**facts, "network": full}


def _of_problem(
    problem: Problem, rows: IntArray, shape: tuple[int, ...], network: Mapping[str, int]
) -> dict[str, object]:
    """Accuracy, latency and reward, each with where it is from."""
    trials, benchmark, device = problem.peek(rows), problem.benchmark, problem.device
    facts: dict[str, object] = {
        "benchmark": benchmark.name,
        "benchmark_checksum": benchmark.checksum(),
        "val_acc": float(trials.val_acc[0]),
        "val_acc_source": str(trials.source[0]),
        "reward": float(trials.reward[0]),
        "reward_formula": problem.reward_name,
    }
    if benchmark.description:
        facts["benchmark_description"] = benchmark.description
    if device is not None:
        facts |= {
            "device": device.name,
            "device_checksum": device.checksum(),
            "latency_ms": float(trials.latency_ms[0]),
            "latency_source": device.provenance(rows)[0],
            "latency_target_ms": problem.latency_target_ms,
            **_of_device(device, shape, network),
        }
    return facts


def _of_device(
    device: Device, shape: tuple[int, ...], network: Mapping[str, int]
) -> dict[str, object]:
    """Facts of the latency's measurement, and a note if it is of a network of another size."""
    card = device.card
    if not {"input_shape", "network", "runtime"} <= card.keys():
        return {}
    runtime = {"name": card["runtime"]["name"], **card["runtime"]["settings"]}
    facts: dict[str, object] = {"latency_runtime": runtime}
    given = {**device.space.network_defaults, **network}
    same = list(shape) == card["input_shape"] and all(
        given.get(key) == value for key, value in card["network"].items()
    )
    if not same:
        other = f"input {card['input_shape']}, {card['network']}"
        facts["latency_is_of"] = f"the same architecture in another size: {other}"
    return facts


def _with_metadata(model: bytes, metadata: Mapping[str, str]) -> bytes:
    onnx = _onnx()
    graph = onnx.load_from_string(model)
    onnx.helper.set_model_props(graph, dict(metadata))
    graph.producer_name, graph.producer_version = "blox-env", __version__
    onnx.checker.check_model(graph)
    file = io.BytesIO()
    onnx.save_model(graph, file)
    return file.getvalue()


def _onnx() -> Any:
    with extra("devices", "reading and writing ONNX files"):
        import onnx
    return onnx


def _text(value: object) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, str) else json.dumps(value)
