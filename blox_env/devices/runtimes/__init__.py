"""What runs a network on a machine: one file a runtime, loaded on first use."""

from __future__ import annotations

import importlib

from blox_env.devices.runtimes.base import Runtime
from blox_env.errors import unknown_name

_RUNTIMES = {"onnxruntime": "blox_env.devices.runtimes.onnxruntime:OnnxRuntime"}


def load_runtime(name: str) -> Runtime:
    """The runtime of a name, or of a literal ``"module:Class"``, with its default settings.

    Raises:
        ValueError: for an unknown name, with the closest known one.
        TypeError: when the target is no :class:`Runtime`.
    """
    target = _RUNTIMES.get(name, name if ":" in name else None)
    if target is None:
        raise ValueError(unknown_name("runtime", name, _RUNTIMES))
    module, _, attribute = target.partition(":")
    runtime = getattr(importlib.import_module(module), attribute)()
    if not isinstance(runtime, Runtime):
        raise TypeError(f"runtime {name!r} must give a Runtime, got {runtime!r}")
    return runtime


__all__ = ["Runtime", "load_runtime"]
