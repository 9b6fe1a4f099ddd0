"""Train with Stable-Baselines3, save, load, read out architectures and build the network.

One policy serves many latency targets: the target is drawn at every reset and part of the
observation. The trained policy, asked for several targets, gives a front of accuracy and latency,
which is shown beside that of the whole table.

    python examples/train_sb3.py --steps 300000     # longer, and closer to the front

Needs the extras sb3 and torch. Accuracies are validation accuracies on the digits task.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.base_class import BaseAlgorithm

import blox_env
from blox_env.adapters.sb3 import make_sb3
from blox_env.envs.mo_env import MOBloxEnv
from blox_env.problem.pareto import front

DEVICE = "x86-ort-1t"
LOW_MS, HIGH_MS = 2.6, 6.6  # latency targets
TASK: dict[str, Any] = {
    "benchmark": "digits",
    "device": DEVICE,
    "reward": "tunas",  # accuracy, less for missing the target in either direction
    "goal": "latency_target",
    "goals": (LOW_MS, HIGH_MS),
    "observation": "onehot",
}


def train(steps: int, seed: int) -> BaseAlgorithm:
    """PPO on 256 episodes side by side; the reward comes at the end, so nothing is discounted."""
    model = PPO(
        "MlpPolicy",
        make_sb3("blox_env/Blox-v0", num_envs=256, **TASK),
        n_steps=6,  # two episodes of three blocks
        batch_size=512,
        n_epochs=8,
        learning_rate=2e-3,
        ent_coef=0.003,
        gamma=1.0,
        gae_lambda=1.0,
        seed=seed,
        device="cpu",
    )
    return model.learn(steps)


def read_out(model: BaseAlgorithm, targets_ms: np.ndarray) -> list[dict[str, Any]]:
    """What the policy builds for each target, without chance: the infos of the episodes' ends."""
    env = make_sb3("blox_env/Blox-v0", num_envs=len(targets_ms), monitor=False, **TASK)
    env.set_options([{"latency_target_ms": target} for target in targets_ms])
    observations, over = env.reset(), np.zeros(len(targets_ms), dtype=bool)
    while not over.all():  # all episodes have the same length
        actions, _ = model.predict(observations, deterministic=True)  # type: ignore[arg-type]
        observations, _, over, infos = env.step(actions)
    return infos


def main() -> None:
    """Train, save, load, read out, build."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=30_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # networks this small are slower on several
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "policy.zip")
        train(arguments.steps, arguments.seed).save(file)
        model = PPO.load(file, device="cpu")
    print(f"trained for {arguments.steps:,} steps, seed {arguments.seed}, saved and loaded")

    found = read_out(model, np.linspace(LOW_MS, HIGH_MS, 11))
    points = np.array([(info["val_acc"], info["latency_ms"]) for info in found])
    kept = np.flatnonzero(front(points, maximise=(True, False)))
    _, first = np.unique(points[kept], axis=0, return_index=True)  # targets may share one
    table = np.array(MOBloxEnv(benchmark="digits", device=DEVICE).pareto_front(1.0)) * (1, -1)
    print(f"front of the policy, {len(first)} architectures of 11 targets, beside the table's:")
    for number in kept[first]:
        accuracy, latency = points[number]
        best = table[table[:, 1] <= latency + 1e-4, 0].max()  # rewards are float32
        print(
            f"  {latency:.2f} ms on {DEVICE}: accuracy {accuracy:.4f} "
            f"({found[number]['source']}), best of the table at this latency {best:.4f}"
        )

    (chosen,) = read_out(model, np.array([4.0]))
    space = blox_env.BloxSpace()
    print(f"for a target of 4 ms: {space.describe(chosen['arch'])}")
    looked_up = blox_env.load_benchmark("digits").evaluate(chosen["arch"])
    print(
        f"  accuracy {chosen['val_acc']:.4f}, in the test {looked_up.test_acc[0]:.4f} "
        f"({chosen['source']}), {chosen['latency_ms']:.2f} ms"
    )
    network = blox_env.build_network(chosen["arch"])
    print(f"  its network: {sum(p.numel() for p in network.parameters()):,} parameters")


if __name__ == "__main__":
    main()
