"""Common parts of the agents that JAX compiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from blox_env.agent import Seed
from blox_env.ground.extras import extra
from blox_env.problem import Problem


def run(
    problem: Problem,
    seed: Seed,
    make: Callable[[Any], Any],
    hyper: Any,
    **arguments: Any,
) -> None:
    """Run a compiled search until the problem is done.

    The program looks architectures up by itself; each that it asks for is then asked of the
    problem, in the same order, which books it.

    Args:
        problem: what is searched.
        seed: of everything.
        make: makes the :class:`~blox_env.jax.searcher.Searcher` of an environment.
        hyper: its hyper-parameters.
        arguments: of the environment.

    Raises:
        ImportError: without the extra ``jax``.
        ValueError: for a space that cannot be listed.
    """
    with extra("jax", "this agent"):
        import jax

        from blox_env.jax.environment import of_problem
        from blox_env.jax.searcher import init, update
    env = of_problem(problem, **arguments)
    searcher, params = make(env), env.default_params
    state = init(searcher, jax.random.key(int(np.random.default_rng(seed).integers(2**31))), params)
    while not problem.done:
        state, asked = update(searcher, state, params, hyper)
        for numbers, complete in zip(*map(np.asarray, asked), strict=True):
            if complete.any() and not problem.done:
                problem.evaluate(problem.space.from_index(numbers[complete]))
