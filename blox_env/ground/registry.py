"""Names for benchmarks, devices and agents; what they stand for is imported on first use.

A name stands for ``"module:Class"``, so names can point at modules that import this one, and
registering costs no import. Names cross process borders as strings: Ray workers get the
registrations of their driver through :func:`registrations` and :func:`restore`.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import inspect
import os
import stat
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from blox_env.ground.errors import unknown_name

_ENTRIES: dict[str, dict[str, str]] = {
    "benchmark": {
        "cifar10": "blox_env.benchmarks.embedded:cifar10",
        "digits": "blox_env.benchmarks.embedded:digits",
        "bloxxl-digits": "blox_env.benchmarks.embedded:bloxxl_digits",
    },
    "device": {
        "ethos-u55-128": "blox_env.devices.embedded:ethos_u55_128",
        "ethos-u55-256": "blox_env.devices.embedded:ethos_u55_256",
        "ethos-u65-256": "blox_env.devices.embedded:ethos_u65_256",
        "h100-torch-graph": "blox_env.devices.embedded:h100_torch_graph",
        "h100-torch-graph-b64": "blox_env.devices.embedded:h100_torch_graph_b64",
        "h100-torch-graph-bf16": "blox_env.devices.embedded:h100_torch_graph_bf16",
        "x86-ort-1t": "blox_env.devices.embedded:x86_ort_1t",
        "x86-chromium-wasm-1t": "blox_env.devices.embedded:x86_chromium_wasm_1t",
        "x86-ncnn-1t": "blox_env.devices.embedded:x86_ncnn_1t",
        "x86-openvino-1t": "blox_env.devices.embedded:x86_openvino_1t",
        "x86-ort-b16-1t": "blox_env.devices.embedded:x86_ort_b16_1t",
        "x86-ort-int8-1t": "blox_env.devices.embedded:x86_ort_int8_1t",
        "x86-ort-int8-1t-xl": "blox_env.devices.slotwise:x86_ort_int8_1t_xl",
        "x86-torch-1t": "blox_env.devices.embedded:x86_torch_1t",
    },
    "agent": {
        "bananas": "blox_env.agents.bananas:BANANAS",
        "bananas-published": "blox_env.agents.bananas_published:BANANASPublished",
        "blockwise-gcn": "blox_env.agents.blockwise_gcn:BlockwiseGCN",
        "bohb": "blox_env.agents.bohb:BOHB",
        "brp-nas": "blox_env.agents.brp_nas:BRPNAS",
        "brp-nas-published": "blox_env.agents.brp_nas_published:BRPNASPublished",
        "donna": "blox_env.agents.donna:DONNA",
        "dqn": "blox_env.agents.dqn:DQN",
        "dyna-ppo": "blox_env.agents.dyna_ppo:DynaPPO",
        "gp-bo": "blox_env.agents.gp_bo:GPBO",
        "hant": "blox_env.agents.hant:HANT",
        "hyperband": "blox_env.agents.hyperband:Hyperband",
        "iterative-blockwise": "blox_env.agents.iterative_blockwise:IterativeBlockwise",
        "local-search": "blox_env.agents.local_search:LocalSearch",
        "maskable-ppo": "blox_env.agents.maskable_ppo:MaskablePPO",
        "mcts": "blox_env.agents.mcts:MCTS",
        "mo-asha": "blox_env.agents.mo_asha:MOASHA",
        "npenas": "blox_env.agents.npenas:NPENAS",
        "nsga2": "blox_env.agents.nsga2:NSGA2",
        "ppo": "blox_env.agents.ppo:PPO",
        "ppo-jax": "blox_env.agents.ppo_jax:PPOJax",
        "qnehvi": "blox_env.agents.qnehvi:QNEHVI",
        "random-search": "blox_env.agents.random_search:RandomSearch",
        "regularized-evolution": "blox_env.agents.regularized_evolution:RegularizedEvolution",
        "regularized-evolution-jax": "blox_env.agents.regularized_evolution_jax:EvolutionJax",
        "reinforce": "blox_env.agents.reinforce:Reinforce",
        "reinforce-jax": "blox_env.agents.reinforce_jax:ReinforceJax",
        "simulated-annealing": "blox_env.agents.simulated_annealing:SimulatedAnnealing",
        "smac": "blox_env.agents.smac:SMAC",
        "snes-jax": "blox_env.agents.snes_jax:SNESJax",
        "successive-halving": "blox_env.agents.successive_halving:SuccessiveHalving",
        "tpe": "blox_env.agents.tpe:TPE",
    },
    "policy": {
        "device-conditioned": "blox_env.policies.loading:device_conditioned",
        "latency-goal": "blox_env.policies.loading:latency_goal",
    },
    "importer": {
        "csv": "blox_env.importers.table:read",
        "hw-nas-bench": "blox_env.importers.hw_nas_bench:read",
        "nats-topology": "blox_env.importers.nats:read",
    },
    "runtime": {
        "ncnn": "blox_env.devices.runtimes.ncnn:Ncnn",
        "onnxruntime": "blox_env.devices.runtimes.onnxruntime:OnnxRuntime",
        "onnxruntime-web": "blox_env.devices.runtimes.onnxruntime_web:OnnxRuntimeWeb",
        "openvino": "blox_env.devices.runtimes.openvino:OpenVino",
        "torch-cpu": "blox_env.devices.runtimes.torch_cpu:TorchCpu",
        "torch-cuda": "blox_env.devices.runtimes.torch_cuda:TorchCuda",
    },
    "view": {
        "history": "blox_env.report.views:history_figure",
        "regret": "blox_env.report.views:regret_figure",
        "report": "blox_env.report:write_report",
    },
    "network": {  # by the name of the space
        "blox": "blox_env.networks.blox:BloxNetwork",
        "bloxxl": "blox_env.networks.blox:BloxNetwork",
        "darts": "blox_env.networks.darts:DartsNetwork",
    },
}
# A folder is read by what its first file of these belongs to.
_FOLDERS: dict[str, dict[str, str]] = {
    "benchmark": {
        "card.json": "blox_env.benchmarks.table:from_folder",
        "manifest.json": "blox_env.benchmarks.imported:from_folder",
        "model.json": "blox_env.benchmarks.imported_model:from_folder",
        "surrogate.json": "blox_env.benchmarks.model:from_folder",
    },
    "device": {
        "card.json": "blox_env.devices.embedded:from_folder",
        "latency.npy": "blox_env.devices.imported:from_folder",
        "slots.json": "blox_env.devices.slotwise:from_folder",
    },
    "policy": {"card.json": "blox_env.policies.files:read_policy"},
}
T = TypeVar("T")

# Families of names, such as "live:digits": the word before the colon -> what makes one of a name.
_FAMILIES: dict[str, dict[str, str]] = {
    "benchmark": {"live": "blox_env.benchmarks.live:from_name"},
}


def register_benchmark(name: str, target: str) -> None:
    """Let ``name`` stand for a benchmark, ``target`` being ``"module:Class"`` or a factory.

    Args:
        name: a word.
        target: ``"module:Class"`` or ``"module:function"``, called without arguments.
    """
    _register("benchmark", name, target)


def register_device(name: str, target: str) -> None:
    """Let ``name`` stand for a device, ``target`` being ``"module:Class"`` or a factory.

    Args:
        name: a word.
        target: ``"module:Class"`` or ``"module:function"``, called without arguments.
    """
    _register("device", name, target)


def register_agent(name: str, target: str) -> None:
    """Let ``name`` stand for an agent, ``target`` being ``"module:Class"``.

    Args:
        name: a word.
        target: ``"module:Class"``, called with the agent's options.
    """
    _register("agent", name, target)


def list_benchmarks() -> list[str]:
    """Names that :func:`blox_env.load_benchmark` knows."""
    return sorted(_ENTRIES["benchmark"])


def list_agents() -> list[str]:
    """Names that :func:`blox_env.search` and ``blox-env compare`` know."""
    return sorted(_ENTRIES["agent"])


def names(kind: str) -> list[str]:
    """All names of a kind: ``"benchmark"``, ``"device"`` or ``"agent"``."""
    return sorted(_ENTRIES[kind])


def family(kind: str, name: str) -> str | None:
    """The maker of names like ``"live:digits"``; None for a name of its own.

    Args:
        kind: such as ``"benchmark"``.
        name: to be looked up.
    """
    word, colon, _ = name.partition(":")
    return _FAMILIES.get(kind, {}).get(word) if colon and name not in _ENTRIES[kind] else None


def is_code(kind: str, name: str) -> bool:
    """Tell a ``"module:Class"`` that nobody registered, whose loading imports that module.

    Args:
        kind: such as ``"benchmark"``.
        name: to be looked up.
    """
    return ":" in name and name not in _ENTRIES[kind] and family(kind, name) is None


def absolute(kind: str, name: str) -> str:
    """The name, made an absolute path if it is a folder's, so that other processes find it.

    Args:
        kind: such as ``"benchmark"``.
        name: a registered name, a folder or ``"module:Class"``.
    """
    if not isinstance(name, str) or name in _ENTRIES[kind] or not Path(name).is_dir():
        return name
    return str(Path(name).resolve())


def resolve(kind: str, name: str) -> Any:
    """The object that ``name`` or a literal ``"module:Class"`` stands for.

    Args:
        kind: such as ``"benchmark"``.
        name: a registered name or ``"module:Class"``.

    Raises:
        ValueError: for an unknown name, with the closest known one.
        ImportError: when the module or the object in it is not there.
    """
    _check_name(kind, name)
    target = _ENTRIES[kind].get(name, name if ":" in name else None)
    if target is None:
        raise ValueError(unknown_name(kind, name, _ENTRIES[kind]))
    module, _, attribute = target.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)
    except AttributeError as error:
        raise ImportError(f"{kind} {name!r}: {module} has no {attribute!r}") from error


def load(kind: str, name: str, expected: type[T]) -> T:
    """The benchmark or device of a name, a folder or ``"module:Class"``, made once a process.

    A folder that was written anew since is another one.

    Args:
        kind: ``"benchmark"`` or ``"device"``.
        name: a registered name, a folder that this package wrote, or ``"module:Class"``.
        expected: the class that it has to be an instance of.

    Raises:
        ValueError: for an unknown name, with the closest known one.
        TypeError: for a target that gives something else.
    """
    _check_name(kind, name)
    name = absolute(kind, name)
    target = _ENTRIES[kind].get(name)
    made = _loaded(kind, name, target, None if target else _state(kind, name))
    return _checked(kind, name, made, expected)


def _state(kind: str, name: str) -> tuple[Any, ...] | None:
    """The reader of a folder, and what changes when the folder is written anew."""
    if os.path.isabs(name):
        for file, reader in _FOLDERS[kind].items():
            with contextlib.suppress(OSError, ValueError):
                found = os.stat(os.path.join(name, file))
                if stat.S_ISREG(found.st_mode):
                    return reader, found.st_ino, found.st_size, found.st_mtime_ns
    return None


@lru_cache(maxsize=24)
def _loaded(kind: str, name: str, target: str | None, state: tuple[Any, ...] | None) -> object:
    # the last two are arguments so that another target or folder of the name is another key
    if maker := family(kind, name):
        return resolve(kind, maker)(name)
    if target is None and ":" not in name:
        _check_folder(kind, Path(name))
    if target is None and state is not None:
        return resolve(kind, state[0])(name)
    return resolve(kind, name)()


def _check_folder(kind: str, path: Path) -> None:
    """Say what a folder is that is none of this kind, or that there is none but a similar one."""
    if kind not in _FOLDERS or path.parent == Path():
        return
    if not path.exists() and path.parent.is_dir():
        close = difflib.get_close_matches(path.name, os.listdir(path.parent), n=1)
        hint = f"; did you mean {path.parent / close[0]}?" if close else ""
        raise ValueError(f"{kind} {str(path)!r}: there is no such folder{hint}")
    is_device = (path / "latency.npy").is_file()
    if kind == "benchmark" and is_device:
        raise ValueError(f"{path} is a device, not a benchmark")
    files = _FOLDERS["benchmark"]
    if kind == "device" and not is_device and any((path / file).is_file() for file in files):
        inside = ", ".join(map(str, sorted((path / "devices").glob("*"))))
        hint = f"; its devices are {inside}" if inside else ""
        raise ValueError(f"{path} is a benchmark, not a device{hint}")


def make(kind: str, name: str, options: Mapping[str, Any], expected: type[T]) -> T:
    """A new agent or runtime of a name or ``"module:Class"``.

    Args:
        kind: ``"agent"`` or ``"runtime"``.
        name: a registered name or ``"module:Class"``.
        options: arguments of its constructor.
        expected: the class that it has to be an instance of.

    Raises:
        ValueError: for an unknown name or option, with the closest known one.
        TypeError: for a target that gives something else.
    """
    target = resolve(kind, name)
    known = [each for each in inspect.signature(target).parameters if each != "self"]
    for option in options:
        if option not in known:
            raise ValueError(unknown_name(f"option of {name}", option, known))
    return _checked(kind, name, target(**options), expected)


def _check_name(kind: str, name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"{kind} must be a name, got {name!r} ({type(name).__name__})")


def _checked(kind: str, name: str, made: object, expected: type[T]) -> T:
    if not isinstance(made, expected):
        article = "an" if expected.__name__[0] in "AEIOU" else "a"
        raise TypeError(f"{kind} {name!r} must give {article} {expected.__name__}, got {made!r}")
    return made


def registrations() -> dict[str, dict[str, str]]:
    """A copy of all registrations, for another process."""
    return {kind: dict(entries) for kind, entries in _ENTRIES.items()}


def restore(entries: dict[str, dict[str, str]]) -> None:
    """Take over registrations that another process made."""
    for kind, targets in entries.items():
        _ENTRIES[kind].update(targets)


def _register(kind: str, name: str, target: str) -> None:
    if not isinstance(name, str) or not name or ":" in name or "/" in name or "," in name:
        raise ValueError(f"name must be a word without ':', '/' or ',', got {name!r}")
    module, colon, attribute = target.partition(":") if isinstance(target, str) else ("", "", "")
    if not (module and colon and attribute.isidentifier()):
        raise ValueError(f'target must be "module:Class", got {target!r}')
    present = _ENTRIES[kind].get(name)
    if present is not None and present != target:
        raise ValueError(f"{kind} {name!r} already stands for {present!r}")
    _ENTRIES[kind][name] = target
