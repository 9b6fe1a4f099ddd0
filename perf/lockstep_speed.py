"""How long a step of networks in lockstep takes on a GPU, with fused kernels and without.

    python perf/lockstep_speed.py

Compiles the kernels in all cores, checks a few steps against torch, times recorded steps and lists
the kernels that take longest. The pictures are noise.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable

import numpy as np
import torch

from blox_env.networks.lockstep import Lockstep
from blox_env.networks.recipe import Recipe
from blox_env.networks.run import DeviceTask
from blox_env.networks.tasks import Split, Task
from blox_env.networks.variants import warm_up
from blox_env.spaces import BloxSpace

STARTED = time.monotonic()


def say(text: str) -> None:
    """Print at once, with the seconds since the start."""
    print(f"{time.monotonic() - STARTED:5.1f} {text}", flush=True)


def noise(width: int, side: int, batch: int) -> Task:
    """A task of random pictures, a few batches long."""
    rng = np.random.default_rng(0)

    def split(n: int) -> Split:
        images = rng.integers(0, 256, (n, 3, side, side)).astype(np.uint8)
        return Split(images, rng.integers(0, 10, n), np.arange(n))

    return Task("noise", "", split(4 * batch), split(2000), split(2000), classes=10, width=width)


def trainings(networks: int) -> list[tuple[list[int], int]]:
    """Architectures drawn uniformly, the same ones always."""
    rows = BloxSpace().sample(np.random.default_rng(1), networks).tolist()
    return [(row, seed) for seed, row in enumerate(rows)]


def recorded(lockstep: Lockstep) -> tuple[torch.cuda.CUDAGraph, float]:
    """A recorded step, and seconds that the first one took."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        started = time.monotonic()
        state = lockstep.state()
        lockstep.step()
        lockstep.restore(state)
        stream.synchronize()
        first = time.monotonic() - started
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=stream):
            lockstep.step()
    return graph, first


def milliseconds(repeat: Callable[[], None], times: int) -> float:
    """Time of one call."""
    repeat()
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(times):
        repeat()
    torch.cuda.synchronize()
    return 1e3 * (time.perf_counter() - started) / times


def profile(lockstep: Lockstep, lines: int) -> None:
    """Print the kernels of one step that take longest in all."""
    lockstep._step.zero_()
    kinds = [torch.profiler.ProfilerActivity.CUDA]
    with torch.profiler.profile(activities=kinds) as profiler:
        lockstep.step()
        torch.cuda.synchronize()
    total: dict[str, list[float]] = defaultdict(list)
    for event in profiler.events():
        total[event.name].append(event.device_time_total)
    every = sum(sum(times) for times in total.values())
    print(f"all kernels {every / 1e3:.1f} ms, {sum(map(len, total.values()))} launches")
    for name, times in sorted(total.items(), key=lambda item: -sum(item[1]))[:lines]:
        short = name.replace("void ", "").replace("at::native::", "")[:60]
        print(f"{sum(times) / 1e3:8.2f} ms {len(times):4d} x longest {max(times):6.0f} us {short}")


def agreement(task: Task, batch: int, *, float32: bool) -> list[str]:
    """How far three steps end from those of torch in float32, as a share of how far these went."""
    recipe = Recipe(epochs=1, batch=batch, peak_lr=0.05, flip=1, shift=2)
    allowed = torch.backends.cudnn.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    cases = [("plain", torch.float32), ("plain", torch.bfloat16), ("fused", torch.bfloat16)]
    if float32:
        cases.append(("fused", torch.float32))
    lines = []
    truth = moved = torch.empty(0)
    for engine, number in cases:
        data = DeviceTask.load(task, 2, torch.device("cuda"), number)
        lockstep = Lockstep(trainings(12), data, recipe, engine)
        begin = lockstep._flat.clone()
        for _ in range(3):
            lockstep.step()
        lockstep.evaluate(0, data.val, 1000)
        if not len(truth):
            truth, moved = lockstep._flat.clone(), lockstep._flat - begin
        owner, zeros = lockstep._owner, torch.zeros(12, device="cuda")
        far = zeros.index_add(0, owner, (lockstep._flat - truth).square()).sqrt()
        far /= zeros.index_add(0, owner, moved.square()).sqrt()
        lines.append(
            f"{engine} {str(number)[6:]}: {float(far.median()):.1e} from torch float32, worst "
            f"network {float(far.max()):.1e}, right {lockstep.correct[0].tolist()}"
        )
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = allowed
    return lines


def main() -> None:
    """Compile, check, time, list."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--side", type=int, default=16)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--networks", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--torch", action="store_true", help="time torch without Triton as well")
    parser.add_argument("--float32", action="store_true", help="check fused float32 as well")
    parser.add_argument("--lines", type=int, default=30)
    arguments = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    started = time.monotonic()
    count = len(warm_up(arguments.width, arguments.side))
    results = [f"{count} variants compiled in {time.monotonic() - started:.1f} s"]
    if arguments.float32:
        warm_up(arguments.width, arguments.side, number=torch.float32)
    say(results[0])
    task = noise(arguments.width, arguments.side, arguments.batch)
    results += agreement(task, arguments.batch, float32=arguments.float32)
    say("checked")
    data = DeviceTask.load(task, 2, torch.device("cuda"), torch.bfloat16)
    recipe = Recipe(epochs=8, batch=arguments.batch, flip=1, shift=2, label_smoothing=0.1)
    engines = ["fused", "plain"] if arguments.torch else ["fused"]
    for networks in arguments.networks:
        for engine in engines:
            lockstep = Lockstep(trainings(networks), data, recipe, engine)
            graph, first = recorded(lockstep)
            took = milliseconds(graph.replay, 10)
            lockstep._step.zero_()
            memory = torch.cuda.max_memory_allocated() / 2**30
            results.append(
                f"{engine} K={networks}: {1e3 * took / networks:.0f} us a step of one network, "
                f"{took:.1f} ms a step of all, first step {first:.1f} s, memory {memory:.1f} GiB"
            )
            say(results[-1])
            if networks == arguments.networks[0]:
                if engine == "fused":
                    profile(lockstep, arguments.lines)
                number = len(data.val[1])
                took = milliseconds(lambda one=lockstep: one.evaluate(0, data.val, 1000), 2)  # type: ignore[misc]
                results.append(
                    f"{engine} evaluation {1e6 * took / networks / number:.0f} ns a picture"
                )
            del graph, lockstep
            torch.cuda.empty_cache()
    print("\n".join(results))


if __name__ == "__main__":
    main()
