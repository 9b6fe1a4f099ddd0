"""The form of a compiled search: pure functions of a key, its state, and parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from blox_env.ground.extras import extra
from blox_env.jax.environment import JaxEnv
from blox_env.jax.tables import Array, EnvParams

with extra("jax", "blox_env.jax"):
    import jax

Asked = tuple[Array, Array]  # numbers of architectures (rounds, n), and which are asked for


class Searcher(ABC):
    """A search as functions that ``jax.jit`` and ``jax.vmap`` take; all are of one search.

    Its state is a tree of arrays with an ``account``. Searchers whose programs are the same are
    equal, so that JAX compiles them once.

    Args:
        env: what is searched.
        form: what decides the program beside the environment; with ``budget`` and ``max_queries``.

    Raises:
        ValueError: for an environment whose reward or actions it cannot use.

    Attributes:
        env: what is searched.
        form: of the program.
        goals: whether episodes may have goals.
        steered: whether the environment has to be built decision by decision.
        hyper: hyper-parameters that may differ from search to search, as numbers.
    """

    hyper: Any = ()
    goals = False
    steered = True

    def __init__(self, env: JaxEnv, form: Any) -> None:
        name = type(self).__name__
        if env.worth.objectives:
            raise ValueError(f"{name} needs one number as reward, got {env.worth.objectives}")
        if env.worth.goal and not self.goals:
            raise ValueError(f"{name} searches for one reward, got goal={env.worth.goal!r}")
        if self.steered and (env.moves.whole or env.moves.edits):
            raise ValueError(f"{name} needs architectures built by decisions, got {env.name}")
        if env.worth.model is not None:
            raise ValueError(f"{name} needs a space that can be listed, got {env.space!r}")
        self.env, self.form = env, form

    def __eq__(self, other: object) -> bool:
        """Tell whether the programs are the same."""
        return isinstance(other, Searcher) and self._program == other._program

    def __hash__(self) -> int:
        """By the program."""
        return hash(self._program)

    @property
    def _program(self) -> tuple[Any, ...]:
        return type(self), self.env.key, self.form

    @abstractmethod
    def init(self, key: Array, params: EnvParams) -> Any:
        """A search that has not begun.

        Args:
            key: of everything random in it.
            params: of the environment.
        """

    @abstractmethod
    def update(self, state: Any, params: EnvParams, hyper: Any) -> tuple[Any, Asked]:
        """Ask for some architectures and learn from them.

        Args:
            state: before.
            params: of the environment.
            hyper: of this search.

        Returns:
            The state after it, and what was asked for, in order.
        """

    @property
    @abstractmethod
    def steps(self) -> int:
        """Actions in one update."""


def _init(searcher: Searcher, key: Array, params: EnvParams) -> Any:
    return searcher.init(key, params)


def _update(searcher: Searcher, state: Any, params: EnvParams, hyper: Any) -> tuple[Any, Asked]:
    return searcher.update(state, params, hyper)


init = jax.jit(_init, static_argnums=0)
update = jax.jit(_update, static_argnums=0)
