"""The environment by hand, a search in one call, and the network that was found."""

from __future__ import annotations

import gymnasium as gym

import blox_env


def main() -> None:
    """Ten lines of Blox."""
    env = gym.make(
        "blox_env/Blox-v0", benchmark="cifar10", device="x86-ort-int8-1t", reward="mnasnet"
    )
    env.reset(seed=0)
    for stage in range(3):
        _, reward, _, _, info = env.step(30 + stage)  # one of 45 blocks a stage
    print(f"by hand: {info['val_acc']:.3f}, {info['latency_ms']:.2f} ms, reward {reward:.3f}")

    problem = blox_env.Problem(benchmark="cifar10", device="x86-ort-int8-1t", budget=200)
    history = blox_env.search(problem, agent="regularized-evolution", seed=0)
    best = history.x[history.best.row]
    print(f"found: {problem.space.describe(best)}, reward {history.reward.max():.3f}")

    network = blox_env.build_network(best)  # a torch module of full size
    print(f"network: {sum(p.numel() for p in network.parameters()):,} parameters")


if __name__ == "__main__":
    main()
