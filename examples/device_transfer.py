"""Device transfer: train on some devices, be judged on one that was not seen.

    python examples/device_transfer.py                          made-up devices
    python examples/device_transfer.py leave-out-x86-torch-1t   registered ones

A linear policy trains by REINFORCE on the devices of training. It sees how long some probe
architectures take on the device at hand, so it can serve one that it never met. Beside it: random
choices, and an evolution that searches with what the training devices, and some measurements, say
of the unseen device.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import blox_env
from blox_env.transfer import Split, judge, load_split

Array = NDArray[Any]


class MadeUp(blox_env.Device):
    """Not a real device: each operation has a cost in milliseconds."""

    def __init__(self, name: str, costs: tuple[float, ...]) -> None:
        self.name, self.costs, self.space = name, np.array(costs), blox_env.BloxSpace()

    def latency_ms(self, x: ArrayLike) -> Array:
        operations = self.space.features(x, "depth")[:, -3:]  # how many conv, mbconv, bconv
        return np.asarray(1.0 + operations @ self.costs)

    def measured(self, x: ArrayLike) -> Array:
        return np.zeros(len(self.space.check(x)), bool)


class LinearPolicy:
    """Softmax over the blocks, linear in the observation, with weights of its own a stage."""

    def __init__(self, stages: int, seen: int, blocks: int, rng: np.random.Generator) -> None:
        self.weights, self.rng, self.stage = np.zeros((stages, seen + 1, blocks)), rng, 0

    def probabilities(self, stage: int, observations: Array) -> tuple[Array, Array]:
        inputs = np.hstack([observations, np.ones((len(observations), 1))])
        logits = inputs @ self.weights[stage]
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        return inputs, odds / odds.sum(axis=1, keepdims=True)

    def __call__(self, observations: Array, masks: Array | None = None) -> Array:
        _, p = self.probabilities(self.stage, observations)
        self.stage = (self.stage + 1) % len(self.weights)
        drawn = self.rng.random((len(p), 1))
        blocks = (p.cumsum(axis=1) < drawn).sum(axis=1)
        return np.asarray(np.minimum(blocks, p.shape[1] - 1))


def train(split: Split, rng: np.random.Generator, batches: int = 400, n: int = 256) -> LinearPolicy:
    """REINFORCE with a baseline for each device."""
    env = split.environment(n, reward="mnasnet", autoreset_mode="SameStep")
    observations, _ = env.reset(seed=0)
    policy = LinearPolicy(3, observations.shape[1], env.single_action_space.n, rng)
    for _ in range(batches):
        taken = []
        for stage in range(3):
            inputs, p = policy.probabilities(stage, observations)
            actions = policy(observations)
            taken.append((inputs, p, actions))
            observations, rewards, _, _, infos = env.step(actions)
        gain = np.zeros(n)
        for device in set(infos["final_info"]["device"]):
            own = infos["final_info"]["device"] == device
            gain[own] = (rewards[own] - rewards[own].mean()) / (rewards[own].std() + 1e-8)
        for stage, (inputs, p, actions) in enumerate(taken):
            toward = np.eye(p.shape[1])[actions] - p
            policy.weights[stage] += 0.5 * inputs.T @ (toward * gain[:, None]) / n
    return policy


def main(name: str | None = None) -> None:
    """Train, then judge everybody on the unseen device."""
    if name is None:
        costs = {
            "a": (0.3, 1.0, 0.6),
            "b": (0.9, 0.3, 0.6),
            "c": (0.5, 0.9, 0.2),
            "d": (0.2, 0.4, 1),
        }
        unseen = MadeUp("made-up-unseen", (1.0, 0.6, 0.2))
        split = Split("made-up", tuple(MadeUp(f"made-up-{k}", v) for k, v in costs.items()), unseen)
    else:
        split = load_split(name)
    print(f"{split.name}: {len(split.train)} devices to train on, {split.probes} probes")
    rng = np.random.default_rng(0)
    trained = train(split, rng)

    def at_random(observations: Array, masks: Array) -> Array:
        return rng.integers(45, size=len(observations))

    judged = {
        "random choices": judge(at_random, split),
        "policy of the other devices": judge(trained, split),
        "evolution, device guessed": judge("regularized-evolution", split),
        "evolution, 20 measurements": judge("regularized-evolution", split, measurements=20),
    }
    for who, scores in judged.items():
        print(
            f"{who:28} regret {scores.mean:.4f} (best of {len(scores.x)}: {scores.best:.4f}), "
            f"front lacks {scores.front().relative:.1%}"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
