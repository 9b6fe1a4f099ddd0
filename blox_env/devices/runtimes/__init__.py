"""Runtimes, which run a network on a machine: one file each, loaded on first use."""

from __future__ import annotations

from typing import Any

from blox_env.devices.runtimes.base import Runtime
from blox_env.ground import registry


def list_runtimes() -> list[str]:
    """Names that :func:`load_runtime` knows, whether or not what they need is installed."""
    return registry.names("runtime")


def load_runtime(name: str, **settings: Any) -> Runtime:
    """The runtime of a name, or of a literal ``"module:Class"``.

    Args:
        name: of the runtime.
        settings: constructor arguments, such as ``threads`` and ``precision``.

    Raises:
        ValueError: for an unknown name or setting, with the closest known one.
        TypeError: when the target is no :class:`Runtime`.
        ImportError: where a package is missing; names the extra.
    """
    return registry.make("runtime", name, settings, Runtime)


__all__ = ["Runtime", "list_runtimes", "load_runtime"]
