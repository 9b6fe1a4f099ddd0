"""Many searches in one program: seeds and hyper-parameters side by side."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from blox_env.ground.extras import extra
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.jax.account import over
from blox_env.jax.searcher import Searcher
from blox_env.jax.tables import Array, EnvParams

with extra("jax", "blox_env.jax"):
    import jax


@dataclass(frozen=True)
class Found:
    """Architectures that a population of searches evaluated.

    Attributes:
        trace: numbers of the architectures in order of evaluation, ``(searches, budget)``; -1 where
            a search ended before.
        reward: mean reward of each of them, NaN where there is none.
        queries: architectures that each search asked for, ``(searches,)``.
        steps: of the environment, of all searches together.
        seconds: that the program ran.
    """

    trace: IntArray
    reward: FloatArray
    queries: IntArray
    steps: int
    seconds: float

    def best(self) -> FloatArray:
        """The best reward after 1, 2, … evaluations, ``(searches, budget)``."""
        known = np.where(np.isnan(self.reward), -np.inf, self.reward)
        return np.asarray(np.maximum.accumulate(known, axis=1))


class Population:
    """Searches that differ in their key, and in their hyper-parameters if those are arrays.

    Args:
        agent: of all of them.
        params: of the environment.
        keys: one a search, ``(searches,)``.
        hyper: numbers, or arrays ``(searches,)``; those of the agent if not given.
        updates: of every search in one call of the program.

    Attributes:
        compiling_s: seconds that compiling took; 0 before.
        program: the compiled program; None before.
    """

    def __init__(
        self,
        agent: Searcher,
        params: EnvParams,
        keys: Array,
        hyper: Any = None,
        updates: int = 16,
    ) -> None:
        self.agent, self.params, self.keys = agent, params, keys
        self.hyper = agent.hyper if hyper is None else hyper
        self.updates = updates
        self.compiling_s = 0.0
        self.program: Any = None
        self._learners: Any = None

    def compile(self, options: dict[str, Any] | None = None) -> None:
        """Make the first weights, and compile the program.

        Args:
            options: of XLA.
        """
        # Orthogonal weights take a decomposition a matrix, which accelerators do one by one.
        host = _host()
        with jax.default_device(host):
            begin = jax.jit(jax.vmap(self.agent.init, (0, None)))
            learners = begin(*jax.device_put((self.keys, self.params), host))
        self._learners = jax.device_put(learners, jax.devices()[0])
        start = time.perf_counter()
        lowered = jax.jit(self._run, donate_argnums=0).lower(
            self._learners, self.params, self.hyper
        )
        self.program = lowered.compile(compiler_options=options)
        self.compiling_s = time.perf_counter() - start

    def run(self, seconds: float = np.inf) -> Found:
        """Search until everything is spent.

        Args:
            seconds: after which it ends, as far as it is; one call of the program is made always.
        """
        if self.program is None:
            self.compile()
        learners = self._learners
        assert learners is not None
        steps, start = 0, time.perf_counter()
        done = False
        while not (steps and (done or time.perf_counter() - start >= seconds)):
            learners, ended = self.program(learners, self.params, self.hyper)
            done = bool(np.asarray(ended).all())  # waits for the program
            steps += len(self.keys) * self.updates * self.agent.steps
        took = time.perf_counter() - start
        self._learners = learners  # the next run goes on from here
        trace = np.asarray(learners.account.trace).astype(np.int64)
        rewards = np.asarray(self.params.known.reward)[0]
        reward = np.where(trace >= 0, rewards[np.maximum(trace, 0)], np.nan)
        return Found(trace, reward, np.asarray(learners.account.queries), steps, took)

    def _run(self, learners: Any, params: EnvParams, hyper: Any) -> tuple[Any, Array]:
        """Some updates of all searches; and which of them are over."""
        axes = jax.tree.map(lambda value: 0 if np.ndim(value) else None, self.hyper)
        update = jax.vmap(self.agent.update, (0, None, axes))

        def one(carry: Any, _: None) -> tuple[Any, None]:
            return update(carry, params, hyper)[0], None

        learners, _ = jax.lax.scan(one, learners, None, length=self.updates)
        ended = jax.vmap(over, (0, None))(learners.account, self.agent.form.max_queries)
        return learners, ended


def _host() -> Any:
    """The processor, or the first device where JAX was told to use another kind alone."""
    try:
        return jax.devices("cpu")[0]
    except RuntimeError:
        return jax.devices()[0]
