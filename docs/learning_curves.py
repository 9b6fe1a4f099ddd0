"""Learning curves of PPO and masked PPO on each environment: docs/learning_curves.json, pictures.

    python docs/learning_curves.py --train              # the environments whose data are embedded
    python docs/learning_curves.py --train --only BloxXL,Darts --store Darts=stores/nb301
    python docs/learning_curves.py                      # draws docs/environments/*-curves.png

PPO is Stable-Baselines3's, masked PPO sb3-contrib's, on ``blox_env.adapters.sb3``, ten seeds each,
with one setting where networks are built and one where they are edited (the better of three with
one seed). Each training is kept as soon as it is done, so the same command goes on where one was
stopped, and trains again what ran on other data or settings. Where no mask forbids anything the two
are one algorithm, trained once. Data that are other people's need ``--store NAME=FOLDER``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from blox_env.ground.files import write_atomic
from blox_env.wrappers import ScalarRewardVector

HERE = Path(__file__).resolve().parent
FIGURES = HERE / "learning_curves.json"
FOLDER = HERE / "environments"
SEEDS = 10
POINTS = 30  # of a curve: means of the episodes that ended between two of them
RANDOM_EPISODES = 4096
ENVS = 32
SETTINGS: dict[str, Any] = {
    "n_steps": 24,
    "batch_size": 192,
    "n_epochs": 4,
    "learning_rate": 2e-3,
    "ent_coef": 0.02,
    "gamma": 1.0,
    "gae_lambda": 0.95,
}
EDITING = {"gamma": 0.9, "gae_lambda": 0.5, "ent_coef": 0.0}  # every step has a reward there
ALGORITHMS = ("PPO", "MaskablePPO")


class Task(NamedTuple):
    """One panel of a picture.

    Attributes:
        name: of the environment, without ``blox_env/`` and ``-v0``.
        steps: of each training.
        granularity: of the environment.
        store: what ``--store`` has to name for it; "" where its data are embedded.
    """

    name: str
    steps: int
    granularity: str = "block"
    store: str = ""


BY_BLOCK, BY_OPERATION = "block by block", "operation by operation"
TASKS = {
    "Blox": {
        BY_BLOCK: Task("Blox", 15_000),
        BY_OPERATION: Task("Blox", 30_000, "operation"),
    },
    "BloxEdit": {
        BY_BLOCK: Task("BloxEdit", 20_000),
        BY_OPERATION: Task("BloxEdit", 20_000, "operation"),
    },
    "MOBlox": {BY_BLOCK: Task("MOBlox", 15_000)},
    "BloxXL": {BY_BLOCK: Task("BloxXL", 48_000)},
    "BloxXLEdit": {BY_BLOCK: Task("BloxXLEdit", 12_000)},
    "MOBloxXL": {BY_BLOCK: Task("MOBloxXL", 30_000)},
    "Darts": {"choice by choice": Task("Darts", 15_000, store="Darts")},
    "DartsEdit": {"change by change": Task("DartsEdit", 6_000, store="Darts")},
    "MODarts": {"choice by choice": Task("MODarts", 9_000, store="Darts")},
    "MacroBench": {"layer by layer": Task("MacroBench", 20_000, store="MacroBench")},
}


def settings_of(task: Task) -> dict[str, Any]:
    """Hyper-parameters of a training: one setting for building, one for editing."""
    return SETTINGS | (EDITING if "Edit" in task.name else {})


def arguments_of(task: Task, stores: dict[str, str]) -> dict[str, Any]:
    """Arguments of the environment, with what it runs on.

    Args:
        task: what is trained.
        stores: folder of each imported benchmark.
    """
    given: dict[str, Any] = {"granularity": task.granularity}
    if task.store:
        given |= {"benchmark": stores[task.store], "device": None}
    if task.name == "MODarts":
        given["objectives"] = ("val_acc", "params")
    return given


def made(task: Task, stores: dict[str, str], n: int) -> Any:
    """The vector environment of a task, its reward a number.

    A vector becomes the mean of its objectives, each on a scale from the worst to the best of 2,000
    random networks.

    Args:
        task: what is trained.
        stores: folder of each imported benchmark.
        n: how many environments.
    """
    env = gym.make_vec(
        f"blox_env/{task.name}-v0",
        num_envs=n,
        vectorization_mode="vector_entry_point",
        autoreset_mode="SameStep",
        observation="onehot",
        **arguments_of(task, stores),
    )
    if not task.name.startswith("MO"):
        return env
    any_env: Any = env.unwrapped
    problem = any_env.problem
    rows = problem.space.sample(np.random.default_rng(0), 2000)
    means = problem.task.means(rows)
    rewards = any_env.rewards_of(rows, means.val_acc, means.latency_ms)
    low, high = rewards.min(axis=0).tolist(), rewards.max(axis=0).tolist()
    return ScalarRewardVector(env, [0.5, 0.5], low=low, high=high)


def facts(task: Task, stores: dict[str, str]) -> dict[str, Any]:
    """Mean return of random allowed actions, whether masks forbid any, and the best return.

    The best is known where an episode's return is the reward of a network, and these can be listed.

    Args:
        task: what is trained.
        stores: folder of each imported benchmark.
    """
    n = 256
    env, rng = made(task, stores, n), np.random.default_rng(0)
    env.reset(seed=0)
    returns: list[float] = []
    now, forbids = np.zeros(n), False
    while len(returns) * n < RANDOM_EPISODES:
        masks = np.asarray(env.unwrapped.action_masks())
        forbids = forbids or not masks.all()
        actions = (rng.random(masks.shape) * masks).argmax(axis=1)
        _, rewards, terminated, truncated, _ = env.step(actions)
        now += rewards
        if (terminated | truncated).all():  # all episodes are as long
            returns.append(float(now.mean()))
            now = np.zeros(n)
    problem, known = env.unwrapped.problem, "Edit" not in task.name and task.name[:2] != "MO"
    best = float(problem.optimum()[1]) if known and problem.space.listable else None
    return {"random": float(np.mean(returns)), "masks": forbids, "best": best}


def trained(task: Task, stores: dict[str, str], algorithm: str, seed: int) -> NDArray[Any]:
    """Mean return of the episodes that ended up to each point, ``(POINTS,)``; NaN for none.

    Args:
        task: what is trained.
        stores: folder of each imported benchmark.
        algorithm: ``"PPO"`` or ``"MaskablePPO"``.
        seed: of everything.
    """
    import torch
    from sb3_contrib import MaskablePPO
    from stable_baselines3 import PPO
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.vec_env import VecMonitor

    from blox_env.adapters.sb3 import SB3VecEnv

    class Returns(BaseCallback):
        """Adds up returns by the time at which episodes ended."""

        def _on_step(self) -> bool:
            at = min(POINTS - 1, (self.num_timesteps - 1) * POINTS // task.steps)
            for info in self.locals["infos"]:
                if "episode" in info:
                    total[at] += info["episode"]["r"]
                    count[at] += 1
            return True

    total, count = np.zeros(POINTS), np.zeros(POINTS)
    torch.set_num_threads(1)
    kind: Any = {"PPO": PPO, "MaskablePPO": MaskablePPO}[algorithm]
    env = VecMonitor(SB3VecEnv(made(task, stores, ENVS)))
    model = kind("MlpPolicy", env, seed=seed, device="cpu", **settings_of(task))
    model.learn(task.steps, callback=Returns())
    found: NDArray[Any] = np.divide(total, count, out=np.full(POINTS, np.nan), where=count > 0)
    return found


def identity(task: Task, stores: dict[str, str]) -> dict[str, Any]:
    """What curves depend on: another one, and they are trained again.

    Args:
        task: what is trained.
        stores: folder of each imported benchmark.
    """
    problem = made(task, stores, 1).unwrapped.problem
    device = problem.device
    return {
        "steps": task.steps,
        "settings": {"envs": ENVS, **settings_of(task)},
        "benchmark": [problem.benchmark.name, problem.benchmark.checksum()],
        "device": None if device is None else [device.name, device.checksum()],
        "reward": problem.reward_name,
    }


def train(only: list[str], stores: dict[str, str], seeds: int) -> None:
    """Train what is not there, and keep each training.

    Args:
        only: names of environments.
        stores: folder of each imported benchmark.
        seeds: of each curve.
    """
    import sb3_contrib
    import stable_baselines3

    now = kept()
    now["stable_baselines3"] = stable_baselines3.__version__
    now["sb3_contrib"] = sb3_contrib.__version__
    for name in only:
        for panel, task in TASKS[name].items():
            if task.store and task.store not in stores:
                say(f"{name}: needs --store {task.store}=FOLDER")
                continue
            own, data = now["curves"].setdefault(name, {}), identity(task, stores)
            if own.get(panel, {}).get("data") != json.loads(json.dumps(data)):
                own[panel] = {"data": data, "runs": {}, **facts(task, stores)}
            entry = own[panel]
            for seed in range(seeds):
                for algorithm in ALGORITHMS if entry["masks"] else ALGORITHMS[:1]:
                    runs = entry["runs"].setdefault(algorithm, [])
                    if len(runs) > seed:
                        continue
                    curve = trained(task, stores, algorithm, seed)
                    runs.append([None if np.isnan(v) else float(f"{v:.4g}") for v in curve])
                    write_atomic(FIGURES, compact(now))
                    say(f"{name}, {panel}, {algorithm}, seed {seed}: ends at {runs[-1][-1]}")


def compact(kept: dict[str, Any]) -> str:
    """JSON with a line a training."""
    text = json.dumps(kept, indent=1)
    lines: list[str] = []
    for line in text.splitlines():
        deep = len(line) - len(line.lstrip())
        if deep > 6 and lines:
            lines[-1] += (" " if lines[-1].endswith(",") else "") + line.strip()
        elif deep == 6 and line.strip() in ("]", "],") and lines:
            lines[-1] += line.strip()
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"


def kept() -> dict[str, Any]:
    """What the file holds; nothing where there is none."""
    text = FIGURES.read_text(encoding="utf-8") if FIGURES.exists() else '{"curves": {}}'
    found: dict[str, Any] = json.loads(text)
    return found


def curves(entry: dict[str, Any]) -> dict[str, Any]:
    """Interquartile means and 95 % intervals of a panel by algorithm.

    Args:
        entry: of the file.
    """
    from blox_env.analysis.curves import Curve
    from blox_env.analysis.intervals import iqm_band

    middle = (np.arange(POINTS) + 0.5) * entry["data"]["steps"] / POINTS
    found = {}
    for algorithm, runs in entry["runs"].items():
        values = np.array(runs, dtype=float).T  # (points, seeds)
        ended = ~np.isnan(values).any(axis=1)  # episodes of all trainings
        value, low, high = iqm_band([values[ended]])
        found[named(algorithm, entry)] = Curve(middle[ended], value, low, high, len(runs))
    return found


def complete(name: str, found: dict[str, Any]) -> dict[str, Any]:
    """The panels of an environment that have all of their trainings; others are not shown."""
    panels = found["curves"].get(name, {}).items()
    return {k: v for k, v in panels if v["runs"] and min(map(len, v["runs"].values())) >= SEEDS}


def named(algorithm: str, entry: dict[str, Any]) -> str:
    """What a curve is called: where masks forbid nothing it is both algorithms'."""
    names = {"PPO": "PPO", "MaskablePPO": "masked PPO"}
    return names[algorithm] if entry["masks"] else "PPO, masked or not"


def draw(name: str, found: dict[str, Any]) -> None:
    """Draw the picture of an environment, where something was trained.

    Args:
        name: of the environment.
        found: what the file holds.
    """
    from blox_env.report.figures import draw_curves, legend, new_panels
    from blox_env.report.themes import LIGHT
    from blox_env.report.vector import to_png

    panels = complete(name, found)
    if not panels:
        return
    figure, axes = new_panels(len(panels), (5.4, 3.9))
    for at, (panel, entry) in zip(axes, panels.items(), strict=True):
        draw_curves(at, curves(entry), logarithmic=False)
        dashed: dict[str, Any] = {"color": LIGHT.ink, "linewidth": 1.1}
        at.axhline(entry["random"], linestyle=(0, (2, 3)), label="random allowed actions", **dashed)
        if entry.get("best") is not None:
            at.axhline(entry["best"], linestyle=(0, (6, 2)), label="exact optimum", **dashed)
        both = "" if entry["masks"] else " (masks forbid nothing)"
        at.set_title(panel + both, fontsize=10, color=LIGHT.ink, loc="left")
        at.set_xlabel("steps of the environment")
        at.set_ylabel("return of an episode")
    legend(axes[-1], figure)
    write_atomic(FOLDER / f"{name}-curves.png", to_png(figure))


def words(name: str, found: dict[str, Any]) -> list[str]:
    """The section of an environment's page, as lines; empty without a training.

    Args:
        name: of the environment.
        found: what the file holds.
    """
    panels = complete(name, found)
    if not panels:
        return []
    what = "Return of an episode"
    if name.startswith("MO"):
        what = (
            "Mean of the two objectives, each on a scale from the worst to the best of 2,000 random"
            " networks"
        )
    lines = [
        "",
        "## Learning curves",
        "",
        f"![Learning curves of PPO on {name}-v0]({name}-curves.png)",
        "",
        f"{what}: interquartile mean over the trainings and its 95 % interval. PPO is",
        "Stable-Baselines3's, masked PPO sb3-contrib's, the same where masks forbid nothing. There",
        "is one setting for building, one for editing (`docs/learning_curves.py --train`).",
        "",
        "| | trainings | steps | random actions | at the end, median | best |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for panel, entry in panels.items():
        top = "" if entry.get("best") is None else f"{entry['best']:.4f}"
        for algorithm, runs in entry["runs"].items():
            last = [np.mean([v for v in run if v is not None][-3:]) for run in runs]
            who = named(algorithm, entry)
            lines.append(
                f"| {panel}, {who} | {len(runs)} | {entry['data']['steps']:,} | "
                f"{entry['random']:.4f} | {np.median(last):.4f} | {top} |"
            )
    return lines


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")


def main() -> None:
    """Train where asked, then draw."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--train", action="store_true", help="train what is not there")
    parser.add_argument("--only", default=",".join(TASKS), help="names of environments")
    parser.add_argument("--store", action="append", default=[], help="NAME=FOLDER of a benchmark")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="trainings of each curve")
    given = parser.parse_args()
    only = [name for name in given.only.split(",") if name]
    if unknown := set(only) - set(TASKS):
        sys.exit(f"--only: expected names of {', '.join(TASKS)}, got {', '.join(sorted(unknown))}")
    if given.train:
        train(only, dict(pair.split("=", 1) for pair in given.store), given.seeds)
    for name in only:
        draw(name, kept())


if __name__ == "__main__":
    main()
