"""Regularized evolution in one program that JAX compiles.

The algorithm, :mod:`blox_env.jax.evolution`, is that of
:mod:`blox_env.agents.regularized_evolution`, with the same defaults. A single search is quicker
there; this one is for many at once (:mod:`blox_env.jax.population`), and to be compared with them.
"""

from __future__ import annotations

from blox_env.agent import Agent, Seed
from blox_env.agents._jax import run
from blox_env.ground.errors import check_positive_int
from blox_env.ground.extras import extra
from blox_env.problem import Problem


class EvolutionJax(Agent):
    """Mutation of tournament winners in a population that forgets its oldest.

    Args:
        population: members of the queue.
        sample: members of a tournament.
    """

    requires = frozenset({"table"})

    def __init__(self, population: int = 50, sample: int = 10) -> None:
        self.population = check_positive_int("population", population)
        self.sample = check_positive_int("sample", sample)
        if self.sample > self.population:
            raise ValueError(f"sample must be at most population {population}, got {sample}")

    def search(self, problem: Problem, *, seed: Seed) -> None:
        """Evaluate children until the problem is done."""
        with extra("jax", "the agent regularized-evolution-jax"):
            from blox_env.jax.evolution import Evolution, Form
        form = Form(self.population, self.sample, budget=1)  # the problem has the account
        run(problem, seed, lambda env: Evolution(env, form), (), observation="indices")
