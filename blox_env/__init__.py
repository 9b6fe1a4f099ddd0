"""Hardware-aware neural architecture search as a Gymnasium environment.

``import blox_env`` registers ``blox_env/Blox-v0``, ``BloxEdit-v0`` and ``MOBlox-v0``, and the same
for other spaces, such as ``BloxXL-v0``; what is heavy is imported where it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import blox_env.ground.startup  # isort: skip # noqa: F401 (before any library)

import gymnasium as _gym

from blox_env.agent import Agent, AskTellAgent, search
from blox_env.benchmarks.base import Benchmark, Evaluation, load_benchmark
from blox_env.devices.base import Device, list_devices, load_device
from blox_env.envs.edit_env import BloxEditEnv, BloxEditVectorEnv
from blox_env.envs.env import BloxEnv
from blox_env.envs.mo_env import MOBloxEnv, MOBloxVectorEnv
from blox_env.envs.vector_env import BloxVectorEnv
from blox_env.export import export_network
from blox_env.ground.registry import (
    list_agents,
    list_benchmarks,
    register_agent,
    register_benchmark,
    register_device,
)
from blox_env.policies import list_policies, load_policy
from blox_env.problem import Problem
from blox_env.problem.history import History, Trials
from blox_env.spaces import (
    BloxSpace,
    BloxXLSpace,
    DartsSpace,
    MacroBenchSpace,
    NatsTopologySpace,
    SearchSpace,
)
from blox_env.version import __version__

if TYPE_CHECKING:
    from blox_env.experiment.runner import compare

__all__ = [
    "Agent",
    "AskTellAgent",
    "Benchmark",
    "BloxEditEnv",
    "BloxEditVectorEnv",
    "BloxEnv",
    "BloxSpace",
    "BloxVectorEnv",
    "BloxXLSpace",
    "DartsSpace",
    "Device",
    "Evaluation",
    "History",
    "MOBloxEnv",
    "MOBloxVectorEnv",
    "MacroBenchSpace",
    "NatsTopologySpace",
    "Problem",
    "SearchSpace",
    "Trials",
    "__version__",
    "build_network",
    "compare",
    "export_network",
    "list_agents",
    "list_benchmarks",
    "list_devices",
    "list_policies",
    "load_benchmark",
    "load_device",
    "load_policy",
    "register_agent",
    "register_benchmark",
    "register_device",
    "search",
]

_ENVIRONMENTS: dict[str, dict[str, Any]] = {
    "Blox-v0": {
        "entry_point": "blox_env.envs.env:BloxEnv",
        "vector_entry_point": "blox_env.envs.vector_env:BloxVectorEnv",
    },
    "BloxEdit-v0": {
        "entry_point": "blox_env.envs.edit_env:BloxEditEnv",
        "vector_entry_point": "blox_env.envs.edit_env:BloxEditVectorEnv",
        "max_episode_steps": 20,
    },
    # the checker warns of rewards that are not a number
    "MOBlox-v0": {
        "entry_point": "blox_env.envs.mo_env:MOBloxEnv",
        "vector_entry_point": "blox_env.envs.mo_env:MOBloxVectorEnv",
        "disable_env_checker": True,
    },
}
_ENVIRONMENTS["MacroBench-v0"] = {
    **_ENVIRONMENTS["Blox-v0"],
    # its data are other people's: an error says how to import them
    "kwargs": {
        "benchmark": "blox_env.benchmarks.imported:macro_not_imported",
        "space": "macrobench",
    },
}
for _kind in ("{}-v0", "{}Edit-v0", "MO{}-v0"):
    _ENVIRONMENTS[_kind.format("Darts")] = {
        **_ENVIRONMENTS[_kind.format("Blox")],
        "kwargs": {
            "benchmark": "blox_env.benchmarks.yahpo:not_imported",
            "device": None,
            "space": "darts",
        },
    }
    _ENVIRONMENTS[_kind.format("BloxXL")] = {
        **_ENVIRONMENTS[_kind.format("Blox")],
        "kwargs": {"benchmark": "bloxxl-digits"},
    }
_ENVIRONMENTS["NatsTopology-v0"] = {
    **_ENVIRONMENTS["Blox-v0"],
    "kwargs": {
        "benchmark": "blox_env.benchmarks.imported:nats_not_imported",
        "device": None,
        "space": "nats-topology",
    },
}
for _name, _arguments in _ENVIRONMENTS.items():
    if f"blox_env/{_name}" not in _gym.registry:
        _gym.register(f"blox_env/{_name}", **_arguments)


def build_network(row: Any, space: SearchSpace | None = None, **kwargs: Any) -> Any:
    """The network of one architecture ``(slots,)`` as a ``torch.nn.Module``.

    Args:
        row: the architecture, as a history's ``x`` or ``info["arch"]`` has it.
        space: what it is from, Blox if not given.
        kwargs: of the space's networks; for Blox ``width`` (32), ``classes`` (100) and
            ``in_channels`` (3).
    """
    return (space or BloxSpace()).build_network(row, **kwargs)


def __getattr__(name: str) -> Any:
    """``compare``, imported on first use: half of what it needs comes with an extra."""
    if name == "compare":
        from blox_env.experiment.runner import compare as run

        return run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
