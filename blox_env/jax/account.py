"""The account of a compiled search: what :class:`~blox_env.problem.ledger.Ledger` counts."""

from __future__ import annotations

from typing import NamedTuple

from blox_env.ground.extras import extra
from blox_env.jax.tables import Array

with extra("jax", "blox_env.jax"):
    import jax.numpy as jnp


class Account(NamedTuple):
    """Spendings of a search, and the architectures that it evaluated.

    Attributes:
        known: which architectures were evaluated, ``(size,)``.
        trace: their numbers in order of evaluation, ``(budget,)``; -1 where there is none yet.
        spent: how many were.
        queries: how many were asked for.
    """

    known: Array
    trace: Array
    spent: Array
    queries: Array


def opened(size: int, budget: int) -> Account:
    """The account of a search that has not begun.

    Args:
        size: of the space.
        budget: number of distinct architectures.
    """
    zero = jnp.zeros((), dtype=jnp.int32)
    trace = jnp.full(budget, -1, dtype=jnp.int32)
    return Account(jnp.zeros(size, dtype=bool), trace, zero, zero)


def booked(account: Account, index: Array, asked: Array, max_queries: int) -> Account:
    """The account after a batch, one architecture after the other.

    What was evaluated before is free; what the budget no longer pays is left out.

    Args:
        account: before.
        index: numbers of the architectures ``(n,)``.
        asked: which of them are asked for ``(n,)``.
        max_queries: how many may be asked for in all.
    """
    n, budget = len(index), len(account.trace)
    order = account.queries + jnp.cumsum(asked)  # with its own
    within = asked & (order <= max_queries)
    earlier = (index[:, None] == index[None]) & within[None] & jnp.tri(n, k=-1, dtype=bool)
    new = within & ~account.known[index] & ~earlier.any(axis=1)
    number = account.spent + jnp.cumsum(new) - 1
    new &= number < budget
    trace = account.trace.at[jnp.where(new, number, budget)].set(index, mode="drop")
    known = account.known.at[jnp.where(new, index, len(account.known))].set(True, mode="drop")
    queries = jnp.minimum(order[-1], max_queries)
    return Account(known, trace, account.spent + new.sum(), queries)


def over(account: Account, max_queries: int) -> Array:
    """True where budget or queries are spent.

    Args:
        account: of the search.
        max_queries: how many may be asked for.
    """
    spent = account.spent >= min(len(account.trace), len(account.known))
    return spent | (account.queries >= max_queries)
