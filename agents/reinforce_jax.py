"""REINFORCE with a recurrent controller, in one program that JAX compiles.

The algorithm, :mod:`blox_env.jax.reinforce`, is that of :mod:`blox_env.agents.reinforce`, with the
same defaults.
"""

from __future__ import annotations

from blox_env.agent import Seed
from blox_env.agents._jax import run
from blox_env.agents.reinforce import Reinforce
from blox_env.ground.extras import extra
from blox_env.problem import Problem


class ReinforceJax(Reinforce):
    """The same, with the same arguments, in one program."""

    requires = frozenset({"table"})
    searches_for = "reward"  # the program looks rewards up

    def search(self, problem: Problem, *, seed: Seed) -> None:
        """Propose, evaluate and learn until the problem is done."""
        with extra("jax", "the agent reinforce-jax"):
            from blox_env.jax.reinforce import Form, Hyper
            from blox_env.jax.reinforce import Reinforce as Compiled
        form = Form(self.batch, self.hidden, budget=1)  # the problem has the account
        hyper = Hyper(self.learning_rate, self.entropy, self.baseline)
        run(problem, seed, lambda env: Compiled(env, form), hyper, observation="indices")
