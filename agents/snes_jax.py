"""A separable natural evolution strategy, in one program that JAX compiles, by evosax.

The algorithm is :mod:`blox_env.jax.strategy`. Choices are made operation by operation where the
space has them, so that there is less to learn about each. Members are few, as budgets are hundreds
of architectures; nothing was tuned.
"""

from __future__ import annotations

from blox_env.agent import Agent, Seed
from blox_env.agents._jax import run
from blox_env.envs.episode.decisions import Granularity
from blox_env.ground.errors import check_positive_int
from blox_env.ground.extras import extra
from blox_env.problem import Problem


class SNESJax(Agent):
    """A distribution over choices that moves to where the better members are.

    Args:
        members: architectures between updates.
        granularity: ``"operation"`` or ``"block"``, see :class:`~blox_env.envs.env.BloxEnv`.
    """

    requires = frozenset({"table"})

    def __init__(self, members: int = 16, granularity: Granularity = "operation") -> None:
        self.members = check_positive_int("members", members)
        self.granularity = granularity

    def search(self, problem: Problem, *, seed: Seed) -> None:
        """Draw, evaluate and move until the problem is done."""
        with extra("evosax", "the agent snes-jax"):
            from blox_env.jax.strategy import Form, Strategy
        form = Form(self.members, budget=1)  # the problem has the account
        shown = {"observation": "indices", "granularity": self.granularity}
        run(problem, seed, lambda env: Strategy(env, form), (), **shown)
