"""A space of 45^12 networks, which no table can hold: environment, search under a limit, network.

    python examples/large_space.py

Four Blox blocks a stage instead of one. Accuracies are predicted by a model of real trainings,
latencies are sums over the blocks, fitted to measured networks; neither lists the space.
"""

import gymnasium as gym
import numpy as np

import blox_env

rng = np.random.default_rng(0)
env = gym.make("blox_env/BloxXL-v0")
_, info = env.reset(seed=0)
done = False
while not done:
    action = rng.choice(np.flatnonzero(info["action_mask"]))
    _, reward, done, _, info = env.step(action)
print(f"a network at random: reward {float(reward):.3f}, {info['latency_ms']:.2f} ms")

problem = blox_env.Problem(
    "bloxxl-digits", reward="accuracy", constraints={"latency_ms": 6.0}, budget=300
)
history = blox_env.search(problem, "regularized-evolution", seed=0)
best = history.best
print(f"the best of 300 within 6 ms: {best.val_acc:.3f}, {best.latency_ms:.2f} ms")
row = history.x[int(np.argmax(history.reward))]
print(problem.space.describe(row))
print(f"{problem.space.size:.1e} networks to choose from")
