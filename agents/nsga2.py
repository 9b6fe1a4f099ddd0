"""NSGA-II, by pymoo: a population sorted by non-domination and by crowding.

Deb et al., *A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II*, 2002. Binary tournaments
choose the parents, crossover and mutation make the offspring, and of both together the first fronts
survive, the last of them thinned by crowding distance. With one objective it is an elitist genetic
algorithm.
Deviations, for options that have no order: uniform crossover (each slot from either parent) instead
of simulated binary crossover, and mutation to a different option of a slot instead of polynomial
mutation; offspring that were evaluated before are made again; the first front survives as a whole,
even if it is larger than the population. Defaults: ``population``, ``offspring``, ``crossover`` and
``mutations`` from 30 random draws on ``digits`` with latency, two objectives
(``perf/tune_agents.py --agent nsga2 --trials 30 --finalists 6 --final-seeds 40``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from blox_env.agent import AskTellAgent
from blox_env.ground.errors import check_positive_int
from blox_env.ground.extras import extra
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem import Problem
from blox_env.problem.history import Trials
from blox_env.problem.pareto import front

_REDRAWS = 100

Architecture = tuple[int, ...]


class NSGA2(AskTellAgent):
    """Evolution of a Pareto front.

    Args:
        population: architectures that survive, at least (Deb et al.: 100).
        offspring: architectures made between two selections, None for as many as survive.
        crossover: probability that two parents are mixed, not copied (Deb et al.: 0.9).
        mutations: slots of an offspring that change, on average (Deb et al.: 1).
        batch: proposals evaluated at once.
    """

    searches_for = "several"

    def __init__(
        self,
        population: int = 8,
        offspring: int | None = None,
        crossover: float = 0.9,
        mutations: float = 0.5,
        batch: int = 1,
    ) -> None:
        self.population = check_positive_int("population", population, 2)
        self.offspring = (
            self.population if offspring is None else check_positive_int("offspring", offspring)
        )
        self.crossover, self.mutations = float(crossover), float(mutations)
        if not 0 <= self.crossover <= 1:
            raise ValueError(f"crossover must be a probability, got {crossover!r}")
        if self.mutations < 0:
            raise ValueError(f"mutations must be at least 0, got {mutations!r}")
        self.batch = check_positive_int("batch", batch)

    def start(self, problem: Problem, rng: np.random.Generator) -> None:
        """Empty population; pymoo draws from a generator seeded by ``rng``."""
        self._problem = problem
        self._rng = rng
        self._made: set[Architecture] = set()  # all that was ever proposed or waits to be
        self._waiting: list[Architecture] = []
        self._told: list[tuple[Architecture, FloatArray]] = []  # since the last selection
        self._first = True  # before the first selection
        self._algorithm = _algorithm(self, problem, self._made, int(rng.integers(2**31)))

    def ask(self, n: int) -> IntArray:
        """Random architectures for the first population, then offspring."""
        while len(self._waiting) < n:
            offspring = [] if self._first else _rows(self._algorithm.ask())
            self._algorithm.termination.force_termination = False  # where mating found nothing new
            self._waiting += offspring or [self._fresh()]
            self._made.update(self._waiting)
        proposals, self._waiting = self._waiting[:n], self._waiting[n:]
        return self._problem.propose(np.array(proposals, dtype=np.int64), self._rng)

    def tell(self, x: IntArray, trials: Trials) -> None:
        """Select once there are enough offspring."""
        values = self._problem.values(trials)
        self._told += zip(map(tuple, x.tolist()), values, strict=True)
        if len(self._told) >= (self.population if self._first else self.offspring):
            rows, gains = zip(*self._told, strict=True)
            self._told, self._first = [], False
            self._algorithm.tell(infills=_evaluated(np.array(rows), np.array(gains)))

    def _fresh(self) -> Architecture:
        """A random architecture, one that is new if such a one is found."""
        row: Architecture = ()
        for _ in range(_REDRAWS):
            row = tuple(self._problem.candidates.sample(self._rng, 1)[0].tolist())
            if row not in self._made:
                break
        return row


def _rows(population: Any) -> list[Architecture]:
    """Architectures of pymoo's population; None, where mating found nothing new, has none."""
    return [] if population is None else list(map(tuple, population.get("X").tolist()))


def _evaluated(x: IntArray, values: FloatArray) -> Any:
    """Architectures with values, to be maximised, as pymoo's population, which minimises."""
    from pymoo.core.population import Population

    return Population.new("X", x, "F", -values)


def _algorithm(agent: NSGA2, problem: Problem, made: set[Architecture], seed: int) -> Any:
    """The NSGA-II of pymoo with operators for options without order."""
    with extra("moo", "the agent nsga2"):
        from pymoo.algorithms.moo.nsga2 import NSGA2 as PymooNSGA  # noqa: N811
        from pymoo.core.duplicate import DuplicateElimination
        from pymoo.core.mutation import Mutation
        from pymoo.core.problem import Problem as PymooProblem
        from pymoo.core.termination import NoTermination
        from pymoo.operators.crossover.ux import UniformCrossover
        from pymoo.operators.survival.rank_and_crowding import RankAndCrowding
    options = np.asarray(problem.space.options)
    rate = min(1.0, agent.mutations / max(1, int((options > 1).sum())))

    class OtherOption(Mutation):  # type: ignore[misc]
        """Each slot with probability ``rate`` to one of its other options, equally likely."""

        def _do(self, _: Any, X: IntArray, random_state: Any, **kwargs: Any) -> IntArray:
            changed = (random_state.random(X.shape) < rate) & (options > 1)
            shift = random_state.integers(1, np.maximum(options, 2), size=X.shape)
            return np.where(changed, (X + shift) % options, X)

    class NeverMade(DuplicateElimination):  # type: ignore[misc]
        """Keeps what was not made before, the first of equal ones."""

        def do(self, population: Any, *others: Any, **kwargs: Any) -> Any:
            known = made.union(*map(_rows, others))
            kept = []
            for i, row in enumerate(_rows(population)):
                if row not in known:
                    known.add(row)
                    kept.append(i)
            return population[kept]

    class WholeFront(RankAndCrowding):  # type: ignore[misc]
        """Lets at least the first front survive, however large."""

        def _do(self, _: Any, population: Any, *args: Any, n_survive: int, **kwargs: Any) -> Any:
            first = int(front(population.get("F")).sum())
            return super()._do(_, population, *args, n_survive=max(n_survive, first), **kwargs)

    algorithm = PymooNSGA(
        pop_size=agent.population,
        n_offsprings=agent.offspring,
        crossover=UniformCrossover(prob=agent.crossover),
        mutation=OtherOption(),
        survival=WholeFront(),
        eliminate_duplicates=NeverMade(),
    )
    return algorithm.setup(
        PymooProblem(
            n_var=len(options), n_obj=len(problem.objectives), xl=0, xu=options - 1, vtype=int
        ),
        termination=NoTermination(),
        seed=seed,
    )
