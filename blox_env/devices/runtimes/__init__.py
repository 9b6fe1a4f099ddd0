"""What runs a network on a machine: one file a runtime, loaded on first use."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from blox_env.devices.runtimes.base import Runtime
from blox_env.ground.errors import unknown_name

_HERE = "blox_env.devices.runtimes"
_RUNTIMES = {
    "onnxruntime": f"{_HERE}.onnxruntime:OnnxRuntime",
    "openvino": f"{_HERE}.openvino:OpenVino",
    "torch-cpu": f"{_HERE}.torch_cpu:TorchCpu",
    "torch-cuda": f"{_HERE}.torch_cuda:TorchCuda",
}


def list_runtimes() -> list[str]:
    """Names that :func:`load_runtime` knows, whether or not what they need is installed."""
    return sorted(_RUNTIMES)


def load_runtime(name: str, **settings: Any) -> Runtime:  # noqa: ANN401 (whatever it takes)
    """The runtime of a name, or of a literal ``"module:Class"``.

    Args:
        name: of the runtime.
        settings: constructor arguments, such as ``threads`` and ``precision``.

    Raises:
        ValueError: for an unknown name or setting, with the closest known one.
        TypeError: when the target is no :class:`Runtime`.
        ImportError: where a package is missing; names the extra.
    """
    target = _RUNTIMES.get(name, name if ":" in name else None)
    if target is None:
        raise ValueError(unknown_name("runtime", name, _RUNTIMES))
    module, _, attribute = target.partition(":")
    made = getattr(importlib.import_module(module), attribute)
    known = inspect.signature(made).parameters
    for setting in settings:
        if setting not in known:
            raise ValueError(unknown_name(f"setting of {name}", setting, known))
    runtime = made(**settings)
    if not isinstance(runtime, Runtime):
        raise TypeError(f"runtime {name!r} must give a Runtime, got {runtime!r}")
    return runtime


__all__ = ["Runtime", "list_runtimes", "load_runtime"]
