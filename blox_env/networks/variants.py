"""Compile the kernels of lockstep training before they are needed, in many processes.

    python -m blox_env.networks.variants --width 8 --side 16

A step on a machine without GPU, that launches nothing, tells which variants there are. Processes
compile a share each into Triton's cache (``TRITON_CACHE_DIR``), where training finds them. No GPU
is needed.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from blox_env.networks.recipe import Recipe
from blox_env.networks.run import DeviceTask
from blox_env.networks.tasks import Split, Task
from blox_env.spaces.blox import STAGES, BloxSpace

Variant = tuple[str, tuple[Any, ...], dict[str, Any]]


def variants(
    width: int, side: int, *, channels: int = 3, number: torch.dtype = torch.bfloat16
) -> list[Variant]:
    """Kernels of a step and of evaluation, with types for tensors; whatever the batch.

    Args:
        width: channels of the stem.
        side: of the pictures.
        channels: of the pictures.
        number: type that networks compute in.
    """
    from blox_env.networks.fused import FusedEngine
    from blox_env.networks.lockstep import Lockstep

    nothing = Split(
        np.zeros((2, channels, side, side), np.uint8), np.zeros(2, np.int64), np.arange(2)
    )
    if channels != 3:
        nothing = Split(nothing.images.astype(np.float32), nothing.labels, nothing.sources)
    task = Task("variants", "", nothing, nothing, nothing, classes=2, width=width)
    data = DeviceTask.load(task, 0, torch.device("cpu"), number)
    lockstep = Lockstep(
        [((block,) * STAGES, 0) for block in _every_operation()],
        data,
        Recipe(epochs=1, batch=2),
        "fused",
    )
    engine = lockstep.engine
    assert isinstance(engine, FusedEngine)
    engine.launches = []
    lockstep.step()
    lockstep.evaluate(0, data.val, 2)
    found: dict[str, Variant] = {}
    for name, arguments, rest in engine.launches:
        types = tuple(a.dtype if isinstance(a, torch.Tensor) else a for a in arguments)
        kinds = tuple(t if isinstance(t, torch.dtype) else type(t) for t in types)
        found.setdefault(repr((name, kinds, sorted(rest.items()))), (name, types, rest))
    return list(found.values())


def _every_operation() -> list[int]:
    """Blocks that have every operation first and every operation second."""
    chosen: dict[tuple[int, int], int] = {}
    for number, block in enumerate(BloxSpace.blocks):
        if not block.single:
            chosen.setdefault((block.op1, block.op2), number)
    return [number for (first, second), number in chosen.items() if first == second]


class _Nowhere:
    """Stands for a GPU that is not there."""

    def __init__(self, capability: int) -> None:
        from triton.backends.compiler import GPUTarget

        self.target = GPUTarget("cuda", capability, 32)

    def get_current_target(self) -> Any:
        """Target to compile for."""
        return self.target

    def get_current_device(self) -> int:
        """Its number."""
        return 0

    def get_current_stream(self, device: int) -> int:
        """Its stream."""
        return 0


def compile_share(share: Sequence[Variant], capability: int, report: bool = False) -> list[str]:
    """Compile some variants into the cache; this process has no GPU from then on.

    Args:
        share: which.
        capability: of the GPU, 90 for an H100.
        report: whether to ask the tools of CUDA for registers.

    Returns:
        A line for every variant.
    """
    from triton.runtime.driver import driver

    from blox_env.networks import kernels

    driver.set_active(_Nowhere(capability))
    lines: list[str] = []
    built: set[str] = set()
    for name, types, rest in share:
        started = time.perf_counter()
        compiled = getattr(kernels, name).warmup(*types, grid=(1, 1), **rest)
        if name not in built:
            built.add(name)
            _build_launcher(compiled)
        took = time.perf_counter() - started
        facts = " ".join(f"{k}={int(v)}" for k, v in rest.items())
        usage = registers(compiled.asm["cubin"]) if report else ""
        lines.append(f"{name} {facts} shared={compiled.metadata.shared} {usage} {took:.1f} s")
    return lines


def _build_launcher(compiled: Any) -> None:
    """Compile the function that launches a kernel, where there is a driver of CUDA."""
    from triton.backends.nvidia.driver import CudaLauncher

    # without a driver, or a compiler of C, nothing can be launched here anyway
    with contextlib.suppress(AssertionError, RuntimeError, OSError, subprocess.SubprocessError):
        CudaLauncher(compiled.src, compiled.metadata)


def registers(binary: bytes) -> str:
    """Registers and stack, the place of spilled ones, of a compiled kernel."""
    import triton

    tool = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        file.write(binary)
        file.flush()
        answer = subprocess.run(
            [tool, "--dump-resource-usage", file.name], capture_output=True, text=True, check=True
        ).stdout
    return " ".join(
        w for w in answer.split() if w.startswith(("REG:", "STACK:", "LOCAL:")) and w != "LOCAL:0"
    )


def warm_up(
    width: int,
    side: int,
    *,
    channels: int = 3,
    number: torch.dtype = torch.bfloat16,
    processes: int | None = None,
    capability: int = 90,
    report: bool = False,
) -> list[str]:
    """Compile all variants of a task.

    Args:
        width: channels of the stem.
        side: of the pictures.
        channels: of the pictures.
        number: type that networks compute in.
        processes: how many compile; None for one a core.
        capability: of the GPU, 90 for an H100.
        report: whether lines tell registers.

    Returns:
        A line for every variant.
    """
    todo = variants(width, side, channels=channels, number=number)
    todo.sort(key=lambda v: -v[2].get("J", 0) * v[2].get("CO", v[2].get("CB", 1)))
    count = min(processes or os.cpu_count() or 1, len(todo))
    shares = [todo[i::count] for i in range(count)]
    context = multiprocessing.get_context("spawn")
    with context.Pool(count) as pool:
        parts = pool.starmap(compile_share, [(share, capability, report) for share in shares])
    return [line for part in parts for line in part]


def main() -> None:
    """Compile, and tell what."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--side", type=int, default=16)
    parser.add_argument("--channels", type=int, default=3)
    parser.add_argument("--float32", action="store_true")
    parser.add_argument("--processes", type=int)
    parser.add_argument("--report", action="store_true", help="a line for every kernel")
    arguments = parser.parse_args()
    started = time.monotonic()
    lines = warm_up(
        arguments.width,
        arguments.side,
        channels=arguments.channels,
        number=torch.float32 if arguments.float32 else torch.bfloat16,
        processes=arguments.processes,
        report=arguments.report,
    )
    if arguments.report:
        print("\n".join(sorted(lines)))
    print(f"{len(lines)} variants in {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
