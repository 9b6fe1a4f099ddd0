"""Monte Carlo tree search over the sequence of choices, with shared statistics of moves.

Kocsis & Szepesvári, *Bandit Based Monte-Carlo Planning*, ECML 2006 (UCT); Gelly & Silver,
*Monte-Carlo Tree Search and Rapid Action Value Estimation in Computer Go*, 2011 (RAVE); Cazenave,
*Generalized Rapid Action Value Estimation*, IJCAI 2015 (GRAVE). Wang et al., *AlphaX*, AAAI 2020,
search architectures with it. An architecture is written choice by choice (operations first where
the space has them). At each, an option is worth the mean over known architectures that begin alike
and take it, mixed with the mean over those that take it below the closest ancestor with
``reference`` architectures, however they go on from there; taken is the option with the largest
worth plus ``explore`` times what UCB1 adds for few visits. What is known is not asked for again.
Deviations: beyond the tree the choices follow the shared statistics instead of chance, or of
AlphaX' network; bad values are clipped, all are standardised; a proposal that is pending counts as
a visit with the mean. Nothing is kept of the tree but the architectures.
Defaults were set by hand on ``digits`` with the latency of ethos-u55-256; docs/agents.md has what
tuning finds.
"""

from __future__ import annotations

import numpy as np

from blox_env.agent import AskTellAgent
from blox_env.agents._choices import Choices
from blox_env.agents._model_based import clip_level
from blox_env.ground.errors import check_positive_int
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem import Problem
from blox_env.problem.history import Trials

_REDRAWS = 100  # random architectures before one that is known is proposed

Architecture = tuple[int, ...]


class MCTS(AskTellAgent):
    """UCT over choices, with the statistics of GRAVE.

    Args:
        initial: random architectures at the start.
        explore: weight of the bonus for few visits, in standard deviations of the values.
        reference: architectures below an ancestor whose shared statistics are used.
        bias: of the shared statistics, squared: the larger, the sooner they lose their weight.
        tries: descents, until one ends in something new.
        batch: proposals asked for at once.
    """

    searches_for = "one"

    def __init__(
        self,
        initial: int = 10,
        explore: float = 0.3,
        reference: int = 30,
        bias: float = 0.01,
        tries: int = 20,
        batch: int = 1,
    ) -> None:
        self.initial = check_positive_int("initial", initial)
        self.explore, self.bias = float(explore), float(bias)
        if not (self.explore >= 0 and self.bias >= 0):
            raise ValueError(f"explore and bias must not be below 0, got {explore!r}, {bias!r}")
        self.reference = check_positive_int("reference", reference)
        self.tries = check_positive_int("tries", tries)
        self.batch = check_positive_int("batch", batch)

    def start(self, problem: Problem, rng: np.random.Generator) -> None:
        """Know nothing."""
        self._problem, self._rng = problem, rng
        self._choices = Choices(problem.space)
        self._known: dict[Architecture, float] = {}
        self._pending: dict[Architecture, None] = {}

    def ask(self, n: int) -> IntArray:
        """Random architectures first, then one descent after the other."""
        found = []
        for _ in range(n):
            row = self._random() if len(self._known) < self.initial else self._search()
            self._pending[row] = None
            found.append(row)
        return np.array(found, dtype=np.int64)

    def tell(self, x: IntArray, trials: Trials) -> None:
        """Remember the values."""
        values = self._problem.values(trials)[:, 0]
        for row, value in zip(map(tuple, x.tolist()), values.tolist(), strict=True):
            self._known[row] = value
            self._pending.pop(row, None)

    def _search(self) -> Architecture:
        """Descend until something new is found."""
        rows = np.array([*self._known, *self._pending], dtype=np.int64)
        values = np.array(list(self._known.values()))
        values = np.maximum(values, clip_level(values))
        values = (values - values.mean()) / (values.std() or 1.0)
        values = np.append(values, np.zeros(len(self._pending)))
        known = self._choices.choices(rows)
        more = self.explore
        for _ in range(self.tries):
            made = self._choices.rows(self._descend(known, values, more)[None])
            row: Architecture = tuple(self._problem.propose(made, self._rng)[0].tolist())
            if row not in self._known and row not in self._pending:
                return row
            more = 1.5 * more + 0.1  # the best place is known: look further from it
        return self._random()

    def _descend(self, known: IntArray, values: FloatArray, explore: float) -> IntArray:
        """Choices ``(decisions,)``, one after the other.

        Args:
            known: choices of the architectures that are known ``(n, decisions)``.
            values: of them ``(n,)``, standardised.
            explore: weight of the bonus.
        """
        taken: IntArray = np.zeros((1, len(self._choices)), dtype=np.int64)
        inside = np.arange(len(known))  # those that begin as this one does
        shared = inside  # those below the ancestor
        for number, count in enumerate(self._choices.counts):
            if len(inside) >= self.reference:
                shared = inside
            visits, worth = _means(known[inside, number], values[inside], count)
            others, guess = _means(known[shared, number], values[shared], count)
            weight = others / np.maximum(visits + others + 4 * self.bias * visits * others, 1)
            bonus = np.sqrt(np.log(len(inside) + 1) / (visits + 1))
            wide = np.sqrt(np.log(len(shared) + 1) / (others + 1))
            score = (1 - weight) * worth + weight * guess + explore * (bonus + wide)
            score = score + 1e-6 * self._rng.random(count)  # equal ones in any order
            score[~self._choices.allowed(number, taken)[0]] = -np.inf
            taken[0, number] = option = int(np.argmax(score))
            inside = inside[known[inside, number] == option]
        return np.array(taken[0])

    def _random(self) -> Architecture:
        """A random architecture, a new one unless hardly any are left."""
        for _ in range(_REDRAWS):
            drawn = self._problem.candidates.sample(self._rng, 1)
            row: Architecture = tuple(drawn[0].tolist())
            if row not in self._known and row not in self._pending:
                return row
        drawn = self._problem.propose(drawn, self._rng)
        return tuple(drawn[0].tolist())


def _means(options: IntArray, values: FloatArray, count: int) -> tuple[IntArray, FloatArray]:
    """Number of visits of each option ``(count,)``, and their mean value, 0 for none."""
    visits = np.bincount(options, minlength=count)
    totals = np.bincount(options, values, minlength=count)
    return visits, totals / np.maximum(visits, 1)
