"""One policy for all preferences: told the weights of accuracy and latency, it traces the front.

The policy builds networks on the native vector environment with weights drawn for every episode
(``RandomWeightsVector``). It learns in hindsight: an architecture that was built for some weights
is as good an example for all others, so that each update draws new weights and imitates what the
history has best for them. NSGA-II searches beside it, with as many evaluations.

    python examples/preference_conditioned.py                         # quick, one seed
    python examples/preference_conditioned.py --budget 1000 --seeds 10

Needs the extras torch and moo. Accuracies are validation accuracies on the digits task.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from torch import nn

import blox_env
from blox_env.wrappers import Archive, NondominatedArchiveVector, RandomWeightsVector

OBJECTIVES = ("val_acc", "latency_ms")
ENVS = 8  # episodes between two updates
WARM_UP = 32  # random architectures at first; they count, too
UPDATES, BATCH = 4, 64  # gradient steps between episodes, and weights in each
BEST = 4  # of the history, of which one is imitated
RANDOM = 0.15  # of the choices
SETTLE = 500  # gradient steps when the budget is spent, on the best alone


def make_problem(budget: int) -> blox_env.Problem:
    """Digits on the embedded device, two objectives."""
    return blox_env.Problem("digits", "x86-ort-1t", budget=budget, objectives=OBJECTIVES)


class Policy(nn.Module):
    """Logits of the next block, from the blocks so far and the weights."""

    def __init__(self, inputs: int, choices: int, hidden: int = 128) -> None:
        super().__init__()
        layers = (nn.Linear(inputs, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh())
        self.net = nn.Sequential(*layers, nn.Linear(hidden, choices))

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """``(n, inputs)`` -> ``(n, choices)``."""
        return self.net(seen)  # type: ignore[no-any-return]


class PreferenceConditioned:
    """Policy, environment and optimiser of one search."""

    def __init__(self, problem: blox_env.Problem, seed: int) -> None:
        self.problem, self.rng = problem, np.random.default_rng(seed)
        self.generator = torch.Generator().manual_seed(seed)
        first = problem.evaluate(problem.space.sample(self.rng, WARM_UP))
        self.archive = Archive()
        self.archive.add(first.x, problem.values(first))
        env = blox_env.MOBloxVectorEnv(
            ENVS,
            problem=problem,
            objectives=OBJECTIVES,
            observation="onehot",
            autoreset_mode="SameStep",
        )
        self.env = RandomWeightsVector(NondominatedArchiveVector(env, archive=self.archive))
        self.inputs = int(np.prod(self.env.single_observation_space.shape or ()))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.policy = Policy(self.inputs, problem.space.options[0])
        self.optimiser = torch.optim.Adam(self.policy.parameters(), lr=2e-3)

    def search(self) -> None:
        """Build and learn until the budget is spent."""
        observations, _ = self.env.reset(seed=int(self.rng.integers(2**31)))
        while not self.problem.done:
            for _ in self.problem.space.options:
                observations, *_ = self.env.step(self.choose(observations))
            for _ in range(UPDATES):
                self.update(BEST)
        for _ in range(SETTLE):
            self.update(1)

    def choose(self, observations: np.ndarray, greedy: bool = False) -> np.ndarray:
        """The next block for each episode."""
        with torch.no_grad():
            logits = self.policy(torch.as_tensor(observations))
        if greedy:
            return np.asarray(logits.argmax(dim=1))
        drawn = torch.multinomial(logits.softmax(dim=1), 1, generator=self.generator)
        chosen = np.asarray(drawn[:, 0])
        other = self.rng.integers(logits.shape[1], size=len(chosen))
        return np.where(self.rng.random(len(chosen)) < RANDOM, other, chosen)

    def update(self, count: int) -> None:
        """Imitate, for weights drawn anew, one of the ``count`` best architectures so far."""
        history = self.problem.history
        assert history is not None
        values = np.column_stack([history.val_acc, -history.latency_ms])
        top, bottom = self.archive.values.max(axis=0), self.archive.values.min(axis=0)
        far = (top - values) / np.maximum(top - bottom, 1e-9)  # 0 … 1 along the front found so far
        weights = self.rng.dirichlet(np.ones(len(OBJECTIVES)), size=BATCH)
        distance = (weights[:, None] * far).max(axis=2) + 0.01 * (weights[:, None] * far).sum(
            axis=2
        )
        best = np.argsort(distance, axis=1)[:, :count]
        rows = history.x[best[np.arange(BATCH), self.rng.integers(best.shape[1], size=BATCH)]]
        loss = torch.zeros(())
        seen = torch.zeros(BATCH, self.inputs)
        seen[:, -len(OBJECTIVES) :] = torch.as_tensor(weights, dtype=torch.float32)
        start = 0
        for slot, options in enumerate(self.problem.space.options):
            target = torch.as_tensor(rows[:, slot])
            loss = loss + nn.functional.cross_entropy(self.policy(seen), target)
            seen = seen.clone()
            seen[torch.arange(BATCH), start + target] = 1.0
            start += options
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()

    def trace(self, points: int = 101) -> np.ndarray:
        """What the policy builds, without chance, for weights from one end to the other: rows."""
        share = np.linspace(0, 1, points)
        env = RandomWeightsVector(
            blox_env.MOBloxVectorEnv(points, observation="onehot", autoreset_mode="SameStep")
        )
        observations, _ = env.reset(options={"weights": np.column_stack([share, 1 - share])})
        for _ in self.problem.space.options:
            observations, *_, infos = env.step(self.choose(observations, greedy=True))
        return np.unique(infos["final_info"]["arch"], axis=0)


def main() -> None:
    """Both searches with every seed, and what share of the exact front's hypervolume they reach."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    truth = make_problem(1)

    def share(rows: np.ndarray) -> float:
        return 1.0 - truth.front_regret(x=rows).relative

    print(f"share of the exact front's hypervolume, {arguments.budget} evaluations each")
    print("seed  policy's search  policy's trace  (networks)  nsga2")
    found = []
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
        learner = PreferenceConditioned(make_problem(arguments.budget), seed)
        learner.search()
        assert learner.problem.history is not None
        trace = learner.trace()
        other = blox_env.search(make_problem(arguments.budget), "nsga2", seed=seed)
        found.append((share(learner.problem.history.x), share(trace), share(other.x)))
        a, b, c = found[-1]
        print(f"{seed:4}  {a:15.5f}  {b:14.5f}  {len(trace):10}  {c:.5f}")
    a, b, c = np.median(found, axis=0)
    print(f"median {a:14.5f}  {b:14.5f}  {'':10}  {c:.5f}")


if __name__ == "__main__":
    main()
