"""Thousands of compiled PPO searches on one accelerator, against Stable-Baselines3 beside it.

    python perf/jax_population.py --searches 1024,64,1 --seconds 60 --out population.json

Every search is a PPO with masks on ``blox_env/Blox-v0``'s default problem, with the
hyper-parameters of the agent ``ppo``, until it has evaluated 500 architectures or asked for 10,000.
Prints a line of JSON for each population, and for Stable-Baselines3's PPO with the same
hyper-parameters on ``blox_env.adapters.sb3``, on one core; at the end all in one line. What the
time no longer allows is left out. Steps a second are those of the whole program, compilation apart.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import sys
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np

import blox_env
import blox_env.agents.ppo as torch_agent
from blox_env.jax import make
from blox_env.jax.population import Population
from blox_env.jax.ppo import PPO, Form, Hyper

START = time.perf_counter()
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
AT = (1, 5, 10, 20, 50, 100, 150, 200, 300, 400, 500)  # evaluations after which regrets are shown
STEADY_S = 2.0  # that steps are counted for at least
GPU_OPTIONS: dict[str, Any] = {"xla_gpu_enable_triton_gemm": False}  # tries fewer kernels


def left(seconds: float) -> float:
    """Seconds of the limit that are left, without those of the imports."""
    return seconds - (time.perf_counter() - START)


def population(count: int, seconds: float, triton: bool) -> dict[str, Any]:
    """Compile and run so many searches; figures of it."""
    like = torch_agent.PPO()
    env, params = make("blox_env/Blox-v0", observation="onehot")
    form = Form(
        envs=like.envs,
        steps=like.episodes * env.space.slots,
        epochs=like.epochs,
        minibatches=like.minibatches,
        hidden=like.hidden,
    )
    hyper = Hyper(learning_rate=like.learning_rate, entropy=like.entropy, clip=like.clip)
    started = time.perf_counter()
    keys = jax.random.split(jax.random.key(count), count)
    searches = Population(PPO(env, form), params, keys, hyper, updates=8)
    gpu = jax.default_backend() == "gpu"
    try:
        searches.compile(GPU_OPTIONS if gpu and not triton else None)
    except Exception as error:  # noqa: BLE001 (an option that this XLA does not have)
        print(f"without options: {error}", file=sys.stderr, flush=True)
        searches.compile()
    prepared = time.perf_counter() - started
    first = searches.run(0.01)  # the first call may load and warm up
    found = searches.run(seconds - (time.perf_counter() - started))
    steady_steps, steady_s = found.steps, found.seconds
    while steady_s < STEADY_S and time.perf_counter() - started < seconds:
        more = searches.run(0.0)  # beyond their budgets: the same work
        steady_steps, steady_s = steady_steps + more.steps, steady_s + more.seconds
    memory = searches.program.memory_analysis()
    regret = float(np.nanmax(np.asarray(params.known.reward)[0])) - found.best()
    stats = jax.devices()[0].memory_stats() or {}
    rate = steady_steps / steady_s if steady_steps else first.steps / first.seconds
    return {
        "searches": count,
        "prepared_s": round(prepared, 2),
        "compiled_s": round(searches.compiling_s, 2),
        "first_call_s": round(first.seconds, 3),
        "steps": first.steps + found.steps,
        "run_s": round(first.seconds + found.seconds, 3),
        "steps_s": round(rate),
        "program_mb": round((memory.argument_size_in_bytes + memory.temp_size_in_bytes) / 1e6, 1),
        "peak_device_mb": round(stats.get("peak_bytes_in_use", 0) / 1e6, 1),
        "peak_host_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
        "evaluations": quantiles((found.trace >= 0).sum(axis=1)),
        "queries": quantiles(found.queries),
        "regret": {str(n): quantiles(regret[:, n - 1]) for n in AT},
        "triton": triton,
    }


def quantiles(values: Any) -> list[float]:
    """The quantiles of :data:`QUANTILES`."""
    finite = np.where(np.isfinite(values), values, np.nan)
    if np.isnan(finite).all():
        return []
    return [round(float(q), 5) for q in np.nanquantile(finite, QUANTILES)]


def stable_baselines(seconds: float) -> dict[str, Any]:
    """Steps a second of Stable-Baselines3's PPO on the adapter, on one core."""
    import stable_baselines3
    import torch

    from blox_env.adapters.sb3 import make_sb3

    torch.set_num_threads(1)
    like = torch_agent.PPO()
    env = make_sb3("blox_env/Blox-v0", like.envs, observation="onehot", monitor=False)
    rollout = like.episodes * 3
    model = like._model(env, 0, rollout)
    model.learn(10 * rollout * like.envs)  # first use is not what is asked
    before, start = model.num_timesteps, time.perf_counter()
    while time.perf_counter() - start < seconds:
        model.learn(20 * rollout * like.envs, reset_num_timesteps=False)
    took = time.perf_counter() - start
    return {
        "stable_baselines3": stable_baselines3.__version__,
        "torch": torch.__version__,
        "steps": model.num_timesteps - before,
        "run_s": round(took, 3),
        "steps_s": round((model.num_timesteps - before) / took),
    }


def _dict(part: Any) -> dict[str, Any]:
    return part if isinstance(part, dict) else {}


def main() -> None:
    """Measure what the time allows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--searches", default="1024,64,1", help="sizes of populations, commas")
    parser.add_argument("--seconds", type=float, default=60.0, help="limit of the whole")
    parser.add_argument("--sb3-seconds", type=float, default=5.0)
    parser.add_argument("--triton", action="store_true", help="once more with XLA's own choice")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    device = jax.devices()[0]
    result: dict[str, Any] = {
        "blox_env": blox_env.__version__,
        "jax": jax.__version__,
        "python": platform.python_version(),
        "device": f"{device.platform} {device.device_kind}",
        "quantiles": QUANTILES,
        "parameters": vars(torch_agent.PPO()),
        "started_s": round(time.perf_counter() - START, 2),
    }
    print(json.dumps(result), flush=True)
    parts: list[tuple[str, Any]] = []
    sizes = [int(size) for size in arguments.searches.split(",") if size]
    for number, size in enumerate(sizes):
        parts.append((f"population_{size}", (size, False)))
        if number == 0 and arguments.sb3_seconds > 0:
            parts.append(("sb3", None))
    if arguments.triton:
        parts.append((f"population_{sizes[0]}_triton", (sizes[0], True)))
    for name, what in parts:
        seconds = left(arguments.seconds)
        done = [part["prepared_s"] for part in result.values() if "prepared_s" in _dict(part)]
        needed = 4.0 if what is None or not done else 2.0 + 1.2 * max(done)
        if seconds < needed:
            print(f"{name}: left out, {seconds:.1f} s are left", file=sys.stderr, flush=True)
            continue
        try:
            if what is None:
                result[name] = stable_baselines(min(arguments.sb3_seconds, seconds - 3.0))
            else:
                result[name] = population(what[0], seconds - 1.0, what[1])
        except Exception as error:  # noqa: BLE001 (the others are still wanted)
            result[name] = {"error": f"{type(error).__name__}: {error}"[:500]}
        print(name, json.dumps(result[name]), flush=True)
        if "sb3" in result and "steps_s" in result["sb3"] and "steps_s" in result[name]:
            for size in sizes:
                own = result.get(f"population_{size}", {}).get("steps_s")
                if own:
                    result[f"ratio_{size}"] = round(own / result["sb3"]["steps_s"], 1)
        result["ended_s"] = round(time.perf_counter() - START, 2)
        if arguments.out:
            arguments.out.write_text(json.dumps(result) + "\n", encoding="utf-8")
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
