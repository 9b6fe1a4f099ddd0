"""REINFORCE with a recurrent controller, in one program that JAX compiles.

The algorithm, :mod:`blox_env.jax.reinforce`, is that of :mod:`blox_env.agents.reinforce`, with the
same defaults.
"""

from __future__ import annotations

from blox_env.agent import Agent, Seed
from blox_env.agents._jax import run
from blox_env.ground.errors import check_positive_int
from blox_env.ground.extras import extra
from blox_env.problem import Problem


class ReinforceJax(Agent):
    """An LSTM that proposes ``batch`` architectures and learns from their rewards.

    Args:
        batch: architectures between updates.
        learning_rate: of Adam.
        entropy: weight of the entropy bonus.
        baseline: decay of the moving average of rewards.
        hidden: width of the LSTM and of the embeddings of choices.
    """

    requires = frozenset({"table"})

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
        with extra("jax", "the agent reinforce-jax"):
            from blox_env.jax.reinforce import Form, Hyper, Reinforce
        form = Form(self.batch, self.hidden, budget=1)  # the problem has the account
        hyper = Hyper(self.learning_rate, self.entropy, self.baseline)
        run(problem, seed, lambda env: Reinforce(env, form), hyper, observation="indices")
