"""REINFORCE with a recurrent controller.

Zoph & Le, *Neural Architecture Search with Reinforcement Learning*, ICLR 2017. An LSTM writes an
architecture slot by slot, each choice read back as the next input; the policy gradient of its
log-probability is weighted by the reward above a moving average.
Deviations: one layer of 64 instead of two of 35, a bonus for entropy (as Pham et al. 2018 have it),
advantages divided by a moving deviation so that the learning rate suits any reward, and larger
steps: budgets here are hundreds of architectures, theirs were thousands. Batch, learning rate and
entropy were chosen out of seven combinations on ``digits`` without latency (seed 0).
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from blox_env.agent import Agent, Seed
from blox_env.agents._sb3 import own_random_state
from blox_env.ground.errors import check_positive_int
from blox_env.ground.extras import extra
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem import Problem


class Reinforce(Agent):
    """An LSTM that proposes ``batch`` architectures and learns from their rewards.

    Args:
        batch: architectures between updates.
        learning_rate: of Adam.
        entropy: weight of the entropy bonus.
        baseline: decay of the moving average of rewards.
        hidden: width of the LSTM and of the embeddings of choices.
    """

    searches_for: Literal["reward", "one"] = "one"

    def __init__(
        self,
        batch: int = 4,
        learning_rate: float = 0.005,
        entropy: float = 0.2,
        baseline: float = 0.9,
        hidden: int = 64,
    ) -> None:
        self.batch = check_positive_int("batch", batch)
        self.learning_rate = float(learning_rate)
        self.entropy = float(entropy)
        self.baseline = float(baseline)
        self.hidden = check_positive_int("hidden", hidden)

    def search(self, problem: Problem, *, seed: Seed) -> None:
        """Propose, evaluate and learn until the problem is done."""
        with extra("torch", "the agent reinforce"):
            import torch
        rng = np.random.default_rng(seed)
        with own_random_state():
            generator: Any = torch.random
            generator.default_generator.manual_seed(int(rng.integers(2**31)))
            controller = _controller(problem.space.options, self.hidden)
            optimiser = torch.optim.Adam(controller.parameters(), lr=self.learning_rate)
            mean, deviation = None, 0.0
            while not problem.done:
                rows, log_probability, entropy = controller(self.batch)
                trials = problem.evaluate(problem.propose(rows, rng))
                if not trials.evaluated.any():
                    continue  # asked for nothing that can be paid; queries go on counting
                values = problem.values(trials)[:, 0]
                mean, deviation = self._follow(mean, deviation, values[trials.evaluated])
                advantage = np.where(trials.evaluated, (values - mean) / (deviation + 1e-8), 0.0)
                weights = torch.as_tensor(np.nan_to_num(advantage), dtype=torch.float32)
                loss = -(weights * log_probability).mean() - self.entropy * entropy.mean()
                optimiser.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(controller.parameters(), 1.0)
                optimiser.step()

    def _follow(
        self, mean: float | None, deviation: float, values: FloatArray
    ) -> tuple[float, float]:
        """Moving average and deviation of the values so far."""
        new = float(values.mean())
        if mean is None:
            return new, float(values.std())
        mean = self.baseline * mean + (1 - self.baseline) * new
        spread = float(np.sqrt(((values - mean) ** 2).mean()))
        return mean, self.baseline * deviation + (1 - self.baseline) * spread


def _controller(options: tuple[int, ...], hidden: int) -> Any:
    import torch
    from torch import nn

    class Controller(nn.Module):
        """Samples ``n`` architectures with log-probabilities and entropies, ``(n,)`` each."""

        def __init__(self) -> None:
            super().__init__()
            self.start = nn.Parameter(torch.zeros(hidden))
            self.cell = nn.LSTMCell(hidden, hidden)
            self.read = nn.ModuleList(nn.Embedding(count, hidden) for count in options)
            self.choose = nn.ModuleList(nn.Linear(hidden, count) for count in options)

        def forward(self, n: int) -> tuple[IntArray, Any, Any]:
            state = (torch.zeros(n, hidden), torch.zeros(n, hidden))
            seen = self.start.expand(n, hidden)
            chosen, log_probability, entropy = [], torch.zeros(n), torch.zeros(n)
            for read, choose in zip(self.read, self.choose, strict=True):
                state = self.cell(seen, state)
                policy = torch.distributions.Categorical(logits=choose(state[0]))
                choice = policy.sample()
                log_probability = log_probability + policy.log_prob(choice)
                entropy = entropy + policy.entropy()
                chosen.append(choice)
                seen = read(choice)
            return torch.stack(chosen, dim=1).numpy(), log_probability, entropy

    return Controller()
