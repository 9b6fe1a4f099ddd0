"""Latency of architectures on target devices."""

from blox_env.devices.base import Device, list_devices, load_device

__all__ = ["Device", "list_devices", "load_device"]
