"""A thousand searches at once: PPO and environment are one program, on a GPU where there is one.

Prints the regret of independent PPO searches as quantiles over the evaluations, and a sweep of two
hyper-parameters in the same program. Needs the extra ``jax``. A GPU takes 1,024 of them with 500
evaluations each in a few seconds, compilation included; a CPU core some minutes.

    python examples/thousand_seeds.py --searches 1024
"""

import argparse

import jax
import numpy as np

from blox_env.jax import Population, make
from blox_env.jax.ppo import PPO, Form, Hyper

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--searches", type=int, default=8 if jax.default_backend() == "cpu" else 1024)
parser.add_argument("--budget", type=int, default=100 if jax.default_backend() == "cpu" else 500)
parser.add_argument("--figure", help="file for the curves with bands, such as regret.png")
arguments = parser.parse_args()
n, budget = arguments.searches, arguments.budget

env, params = make("blox_env/Blox-v0", observation="onehot")
agent = PPO(env, Form(budget=budget, max_queries=20 * budget))
best = float(np.nanmax(params.known.reward))

# beside them a sweep: rates of learning and weights of the entropy, all in the same program
grid = [(rate, bonus) for rate in (1e-3, 2e-3, 4e-3) for bonus in (0.03, 0.06, 0.1)]
each = max(1, n // 16)
own = np.repeat([grid.index((2e-3, 0.06)), *range(len(grid))], [n] + [each] * len(grid))
hyper = Hyper(*np.array([grid[number] for number in own], dtype=np.float32).T)

population = Population(agent, params, jax.random.split(jax.random.key(0), len(own)), hyper)
found = population.run()
regret = best - found.best()

print(f"{len(own)} searches on {jax.devices()[0].device_kind}: compiled in")
print(f"{population.compiling_s:.1f} s, {found.steps / found.seconds:,.0f} steps a second")
print("evaluations   regret: 5 %     25 %      50 %      75 %      95 %  of the searches")
levels = (0.05, 0.25, 0.5, 0.75, 0.95)
bands = np.quantile(regret[:n], levels, axis=0)
for at in sorted({1, 10, budget // 2, budget}):
    print(f"{at:11d}        " + "  ".join(f"{value:8.5f}" for value in bands[:, at - 1]))
print(f"learning rate  entropy  mean regret at the end of {each} searches")
for number, (rate, bonus) in enumerate(grid):
    part = regret[n + number * each :][:each, -1]
    print(f"{rate:13g}  {bonus:7g}  {part.mean():.5f}")

if arguments.figure:  # needs matplotlib
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="evaluations", ylabel="regret", xscale="log")
    for low, high, shade in ((0, 4, 0.2), (1, 3, 0.4)):
        axes.fill_between(
            np.arange(1, budget + 1), bands[low], bands[high], alpha=shade, color="C0"
        )
    axes.plot(np.arange(1, budget + 1), bands[2], color="C0")
    figure.savefig(arguments.figure)
