"""Other people's trainers on the environment, measured: writes docs/trainers.md.

    make trainers

Each environment of the Makefile (.venv, .venv-rllib, .venv-clients) measures the rows whose
libraries it has and puts them into docs/trainers.json; rows that it cannot measure keep what was
measured earlier, with date and versions. docs/trainers.md is rendered from that file.

A rate is environment steps by wall seconds of a short training, after a first short one and without
the making of environment and model. OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib.metadata
import importlib.util
import io
import json
import logging
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import blox_env  # noqa: F401 (registers the environments)
from blox_env.devices.machine import OthersClock, machine
from blox_env.ground.errors import unknown_name
from blox_env.ground.files import write_atomic, write_json

ROOT = Path(__file__).resolve().parents[1]
JSON, MARKDOWN = ROOT / "docs" / "trainers.json", ROOT / "docs" / "trainers.md"
NATIVE = "vector_entry_point"  # how RLlib calls native vector environments
BLOX, MO = "blox_env:blox_env/Blox-v0", "blox_env:blox_env/MOBlox-v0"

Learn = Callable[[int], int]  # trains for at least so many steps, gives how many it were
Start = Callable[[], AbstractContextManager[Learn]]


@dataclass(frozen=True)
class Row:
    """One line of the table: what is trained how, and what it takes."""

    key: str  # library and algorithm; names the row in the file of measurements
    needs: tuple[str, ...]  # distributions; of RLlib, dm-tree tells it from Ray alone
    works: str
    autoreset: str
    shows: str  # observation and granularity
    num_envs: int
    start: Start
    chunk: int  # steps of one call of ``learn``

    def missing(self) -> list[str]:
        """Distributions that this environment does not have."""
        return [name for name in self.needs if _version(name) is None]


# -- how each of them is started ---------------------------------------------------------


def sb3(algorithm: str, policy: str = "MlpPolicy", num_envs: int = 0, **arguments: Any) -> Start:
    """Stable-Baselines3 or sb3-contrib; with ``num_envs`` on the native vector environment."""

    @contextlib.contextmanager
    def start() -> Iterator[Learn]:
        import sb3_contrib
        import stable_baselines3

        env: Any = BLOX
        if num_envs:
            from blox_env.adapters.sb3 import make_sb3

            env = make_sb3(BLOX, num_envs, granularity="operation")
        library = stable_baselines3 if hasattr(stable_baselines3, algorithm) else sb3_contrib
        model = getattr(library, algorithm)(policy, env, seed=0, device="cpu", **arguments)

        def learn(steps: int) -> int:
            before = model.num_timesteps
            model.learn(steps, reset_num_timesteps=False)
            return int(model.num_timesteps - before)

        yield learn

    return start


def rllib(make_config: Callable[[], Any]) -> Start:
    """RLlib, in this process, on the native vector environment."""

    @contextlib.contextmanager
    def start() -> Iterator[Learn]:
        import ray

        small: dict[str, Any] = {
            "num_cpus": 2,
            "include_dashboard": False,
            "object_store_memory": 100 * 2**20,
        }
        ray.init(address="local", log_to_driver=False, logging_level=logging.ERROR, **small)
        try:
            algorithm = make_config().build_algo()
            done = 0

            def learn(steps: int) -> int:
                nonlocal done
                before = done
                while done < before + steps:
                    results = algorithm.train()["env_runners"]
                    done = int(results["num_env_steps_sampled_lifetime"])
                return done - before

            yield learn
            algorithm.stop()
        finally:
            ray.shutdown()

    return start


def rllib_ppo() -> Any:
    """PPO without masks, on the default observation."""
    from ray.rllib.algorithms.ppo import PPOConfig

    return (
        PPOConfig()
        .environment(BLOX)
        .env_runners(num_env_runners=0, num_envs_per_env_runner=64, gym_env_vectorize_mode=NATIVE)
        .training(train_batch_size_per_learner=2304, minibatch_size=256, num_epochs=4)
    )


def rllib_dqn() -> Any:
    """DQN, with RLlib's defaults but for what makes iterations short."""
    from ray.rllib.algorithms.dqn import DQNConfig

    return (
        DQNConfig()
        .environment(BLOX)
        .env_runners(num_env_runners=0, num_envs_per_env_runner=16, gym_env_vectorize_mode=NATIVE)
        .training(train_batch_size_per_learner=32, num_steps_sampled_before_learning_starts=200)
        .reporting(min_sample_timesteps_per_iteration=500, min_time_s_per_iteration=0)
    )


def rllib_masked() -> Any:
    """PPO with our masked module, as the example has it."""
    return example("rllib_masked").make_config()


def wrapped(wrapper: str, **arguments: Any) -> Start:
    """A wrapper of MO-Gymnasium under random actions."""

    @contextlib.contextmanager
    def start() -> Iterator[Learn]:
        import mo_gymnasium
        import mo_gymnasium.wrappers

        env = getattr(mo_gymnasium.wrappers, wrapper)(mo_gymnasium.make(MO), **arguments)
        env.reset(seed=0)
        env.action_space.seed(0)

        def learn(steps: int) -> int:
            for _ in range(steps):
                _, _, terminated, truncated, _ = env.step(env.action_space.sample())
                if terminated or truncated:
                    env.reset()
            return steps

        yield learn

    return start


@contextlib.contextmanager
def envelope() -> Iterator[Learn]:
    """Envelope of MORL-Baselines, with smaller layers and batches than its defaults."""
    import mo_gymnasium
    from morl_baselines.multi_policy.envelope.envelope import Envelope

    agent = Envelope(
        mo_gymnasium.make(MO),
        log=False,  # it would log to wandb
        device="cpu",
        seed=0,
        net_arch=[64, 64],
        batch_size=64,
        learning_starts=50,
    )

    def learn(steps: int) -> int:
        before = agent.global_step
        agent.train(total_timesteps=steps, reset_num_timesteps=False)
        return int(agent.global_step - before)

    yield learn


@contextlib.contextmanager
def torchrl() -> Iterator[Learn]:
    """PPO of examples/torchrl_recipe.py."""
    updates = example("torchrl_recipe").train(10**9)
    done = 0

    def learn(steps: int) -> int:
        nonlocal done
        before = done
        while done < before + steps:
            done, _ = next(updates)
        return done - before

    yield learn


@contextlib.contextmanager
def cleanrl() -> Iterator[Learn]:
    """The loop of examples/cleanrl_style_ppo.py, which starts anew each time."""
    module = example("cleanrl_style_ppo")
    read = module.parser.parse_args

    def learn(steps: int) -> int:
        module.parser.parse_args = functools.partial(read, ["--steps", str(steps)])
        with contextlib.redirect_stdout(io.StringIO()):
            module.main()
        return steps

    yield learn


def example(name: str) -> ModuleType:
    """A file of examples/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SB3, CONTRIB = ("stable-baselines3", "torch"), ("sb3-contrib", "stable-baselines3", "torch")
RLLIB, MO_GYM = ("ray", "torch", "dm-tree"), ("mo-gymnasium",)
MORL, TORCHRL = ("morl-baselines", *MO_GYM, "torch"), ("torchrl", "tensordict", "torch")
BLOCKS, OPERATIONS, DICT = "`ops`, blocks", "`ops`, operations", "`dict`, operations"
OWN, SAME, NEXT, DISABLED = "resets by itself", "SAME_STEP", "NEXT_STEP", "DISABLED"
MAKE_SB3 = f'one line: `env = make_sb3("{BLOX}", num_envs=64)`'
ENTRY = f'unchanged, `gym_env_vectorize_mode="{NATIVE}"`'
MODULE = "one line: `.rl_module(rl_module_spec=RLModuleSpec(module_class=MaskedRLModule))`"
RECIPE = '`autoreset_mode="Disabled"`: [recipe](../examples/torchrl_recipe.py)'
LOOP = '`autoreset_mode="SameStep"`: [example](../examples/cleanrl_style_ppo.py)'

native_ppo = sb3("PPO", num_envs=64, n_steps=36, batch_size=256)
maskable = sb3("MaskablePPO", num_envs=64, n_steps=36, batch_size=256)
recurrent = sb3("RecurrentPPO", "MlpLstmPolicy", n_steps=256)
linear, record = wrapped("LinearReward"), wrapped("MORecordEpisodeStatistics")

# fmt: off
ROWS = (
    Row("Stable-Baselines3: PPO", SB3, "unchanged", OWN, BLOCKS, 1, sb3("PPO"), 2048),
    Row("Stable-Baselines3: A2C", SB3, "unchanged", OWN, BLOCKS, 1, sb3("A2C"), 1000),
    Row("Stable-Baselines3: DQN", SB3, "unchanged", OWN, BLOCKS, 1, sb3("DQN"), 1000),
    Row("Stable-Baselines3: PPO, native", SB3, MAKE_SB3, SAME, OPERATIONS, 64, native_ppo, 2304),
    Row("sb3-contrib: MaskablePPO", CONTRIB, MAKE_SB3, SAME, OPERATIONS, 64, maskable, 2304),
    Row("sb3-contrib: RecurrentPPO", CONTRIB, "unchanged", OWN, BLOCKS, 1, recurrent, 256),
    Row("RLlib: PPO", RLLIB, ENTRY, NEXT, BLOCKS, 64, rllib(rllib_ppo), 1000),
    Row("RLlib: PPO, masked", RLLIB, MODULE, NEXT, DICT, 64, rllib(rllib_masked), 1000),
    Row("RLlib: DQN", RLLIB, ENTRY, NEXT, BLOCKS, 16, rllib(rllib_dqn), 500),
    Row("MO-Gymnasium: LinearReward, random actions",
        MO_GYM, "unchanged", "reset by hand", BLOCKS, 1, linear, 5000),
    Row("MO-Gymnasium: MORecordEpisodeStatistics, random actions",
        MO_GYM, "unchanged", "reset by hand", BLOCKS, 1, record, 5000),
    Row("MORL-Baselines: Envelope", MORL, "unchanged", OWN, BLOCKS, 1, envelope, 200),
    Row("TorchRL: PPO, masked", TORCHRL, RECIPE, DISABLED, DICT, 64, torchrl, 1152),
    Row("CleanRL-style loop: PPO, masked",
        ("torch",), LOOP, SAME, "`onehot`, operations", 256, cleanrl, 20_000),
)
# fmt: on


# -- measuring, and the table ------------------------------------------------------------


def measure(row: Row, seconds: float) -> dict[str, Any]:
    """Steps by second of a row that can run here, and with what they were measured."""
    with row.start() as learn:
        learn(row.chunk)  # first use loads and compiles
        others, done, began = OthersClock(), 0, time.perf_counter()
        while (elapsed := time.perf_counter() - began) < seconds or not done:
            done += learn(row.chunk)
        busy = others()
    names = (*row.needs, "gymnasium", "numpy", "blox-env")
    return {
        "steps": done,
        "seconds": elapsed,
        "cores_used_by_others": busy,
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in names},
        **machine(),
    }


COLUMNS = (
    *("library", "algorithm", "works", "autoreset", "observation, actions", "environments"),
    *("steps by second", "versions", "measured"),
)


def render(measured: dict[str, dict[str, Any]], rows: Sequence[Row] = ROWS) -> str:
    """docs/trainers.md."""
    lines = [
        "# Trainers",
        "",
        "Written by `make trainers` from `docs/trainers.json`; do not edit. Steps by second are",
        "environment steps of all environments by wall time of a short training, learning",
        "included, on a machine that others may use, too (the last column says how many cores they",
        "used). They tell what to expect, not which library is faster: algorithms and settings",
        "differ.",
        "",
        f"| {' | '.join(COLUMNS)} |",
        "| --- | --- | --- | --- | --- | ---: | ---: | --- | --- |",
    ]
    machines: dict[str, None] = {}
    for row in rows:
        found = measured.get(row.key)
        cells = [*row.key.split(": ", 1), row.works, row.autoreset, row.shows]
        cells.append(str(row.num_envs))
        if found is None:
            cells += ["", "", "not yet"]
        else:
            rate = float(f"{found['steps'] / found['seconds']:.2g}")
            versions = found["versions"]
            named = [name for name in (*row.needs, "gymnasium") if name != "dm-tree"]
            used = ", ".join(f"{name} {versions[name]}" for name in named)
            busy = found["cores_used_by_others"]
            cells += [f"{rate:,.0f}", used, f"{found['date']}, others: {busy:.1f} cores"]
            where = f"{found['cpu']}, {found['cores']} cores, {found['system']}"
            machines[f"Python {found['python']}, one thread, on {where}."] = None
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *machines]).rstrip() + "\n"


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def main() -> None:
    """Measure what can be measured here, keep the rest."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="of each training")
    parser.add_argument("--rows", nargs="*", help="keys such as 'RLlib: PPO'; all if not given")
    arguments = parser.parse_args()
    if os.environ.get("OMP_NUM_THREADS") != "1":
        parser.error("set OMP_NUM_THREADS=1, which is what the table says")
    keys = [row.key for row in ROWS]
    for key in arguments.rows or ():
        if key not in keys:
            raise SystemExit(unknown_name("row", key, keys))
    for row in ROWS:
        if arguments.rows and row.key not in arguments.rows:
            continue
        if missing := row.missing():
            print(f"{row.key}: not here ({', '.join(missing)})")
            continue
        found = measure(row, arguments.seconds)
        print(f"{row.key}: {found['steps'] / found['seconds']:,.0f} steps by second")
        measured = json.loads(JSON.read_text()) if JSON.exists() else {}
        write_json(JSON, {**measured, row.key: found})  # each at once: others may be slow or fail
        write_atomic(MARKDOWN, render({**measured, row.key: found}, ROWS))


if __name__ == "__main__":
    main()
