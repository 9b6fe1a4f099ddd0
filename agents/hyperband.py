"""Hyperband: successive halving with brackets of several shapes.

Li et al., *Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization*, JMLR 2018.
How short the shortest trainings may be is not known beforehand, so brackets go from many
architectures that start short to few that are trained in full at once, and again from the first.
Deviations: lengths are whole numbers of epochs, and where the shortest lies closer to
``min_epochs`` than to ``eta`` times as much, it counts as one (of 7 epochs with η = 3: 1, 2, 7); no
architecture is drawn twice; the end of the budget is spent as in successive halving.
Defaults: the published ``eta``, which was better than 14 other draws on ``digits`` with latency
(``perf/tune_agents.py --agent hyperband --trials 20 --seeds 6 --final-seeds 20``).
"""

from __future__ import annotations

import math

import numpy as np

from blox_env.agent import Agent, Seed
from blox_env.agents.successive_halving import Architecture, Trainings, check_eta, epoch_levels
from blox_env.ground.errors import check_positive_int
from blox_env.problem import Problem


class Hyperband(Agent):
    """Rounds of brackets on the first objective.

    Args:
        eta: of so many architectures one goes on, for so many times the epochs (Li et al.: 3).
        min_epochs: length of the shortest trainings.
    """

    requires = frozenset({"curves"})
    searches_for = "one"

    def __init__(self, eta: float = 3.0, min_epochs: int = 1) -> None:
        self.eta = check_eta(eta)
        self.min_epochs = check_positive_int("min_epochs", min_epochs)

    def search(self, problem: Problem, *, seed: Seed) -> None:
        """All brackets, the one with the shortest trainings first, until the problem is done."""
        trainings = Trainings(problem, np.random.default_rng(seed))
        levels = epoch_levels(problem.benchmark.epochs, self.eta, self.min_epochs)
        while not problem.done:
            for halvings in reversed(range(len(levels))):
                count = math.ceil(len(levels) / (halvings + 1) * self.eta**halvings - 1e-9)
                used = levels[-halvings - 1 :]
                trainings.halve(lambda: self.propose(trainings), count, used, self.eta)

    def propose(self, trainings: Trainings) -> Architecture | None:
        """The next architecture to begin with; None if there is none."""
        return trainings.fresh()
