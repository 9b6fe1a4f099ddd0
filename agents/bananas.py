"""Search with an ensemble of neural predictors, in the manner of BANANAS.

White et al., *BANANAS: Bayesian Optimization with Neural Architectures for Neural Architecture
Search*, AAAI 2021. After some random architectures, again and again: five networks are trained to
predict accuracies, the best architectures are mutated, for every mutant a value is drawn from the
normal distribution of the five predictions (independent Thompson sampling), and the ``batch`` with
the highest draws are evaluated.
Deviations: the path encoding is for cells; here the networks see ``ops`` features where the space
has them, else one-hot ones. They have one hidden layer and a linear path beside it instead of ten
layers of 20, are trained by L-BFGS on squared errors, going on from the weights before, instead of
by Adam on absolute errors, and differ by their start and by random weights of the trials, too
(the Bayesian bootstrap). Bad accuracies are clipped, and a batch is 5, not 10.
``batch`` (5, 10) and ``decay`` (0.01, 0.1) were chosen on ``digits``, as it is and with its blocks
split in slots of 3, 3 and 2 options, by mean regret at 50 and 100 over 6 and 10 seeds.
"""

from __future__ import annotations

import numpy as np

from blox_env.agents._model_based import ModelBased, model_features
from blox_env.agents._nets import Nets
from blox_env.ground.errors import check_positive_int
from blox_env.ground.typing import IntArray
from blox_env.problem import Problem


class BANANAS(ModelBased):
    """Ensemble of networks, Thompson sampling, mutation of the best.

    Args:
        initial: random architectures at the start (White et al.: 10).
        batch: architectures between two trainings (White et al.: 10).
        ensemble: number of networks (White et al.: 5).
        hidden: width of their hidden layer.
        decay: weight of their squared weights.
        steps: iterations of L-BFGS in each training.
        parents: best architectures that are mutated.
        mutants: of each batch, to choose from (White et al.: 100).
        slots: mutants differ from their parent in one to so many slots.
    """

    name = "bananas"
    searches_for = "one"

    def __init__(
        self,
        initial: int = 10,
        batch: int = 5,
        ensemble: int = 5,
        hidden: int = 16,
        decay: float = 0.01,
        steps: int = 40,
        parents: int = 5,
        mutants: int = 200,
        slots: int = 2,
    ) -> None:
        self.initial = check_positive_int("initial", initial)
        self.batch = check_positive_int("batch", batch)
        self.ensemble = check_positive_int("ensemble", ensemble)
        self.hidden = check_positive_int("hidden", hidden)
        self.decay = float(decay)
        self.steps = check_positive_int("steps", steps)
        self.parents = check_positive_int("parents", parents)
        self.mutants = check_positive_int("mutants", mutants)
        self.slots = check_positive_int("slots", slots)

    def start(self, problem: Problem, rng: np.random.Generator) -> None:
        """Forget everything and draw new networks."""
        super().start(problem, rng)
        inputs = model_features(self._space, self._space.sample(rng, 1)).shape[1]
        self._nets = Nets(inputs, self.hidden, self.ensemble, self.decay, rng)

    def _propose(self, n: int) -> IntArray:
        """Random architectures first, then the mutants with the highest draws."""
        if len(self._rows) < self.initial:
            return self._random(min(n, self.initial - len(self._rows)))
        self._train()
        best = np.argsort(-self._values[:, 0], kind="stable")[: self.parents]
        mutants = self._mutants(self._seen()[best], max(n, self.mutants), self.slots)
        predicted = self._nets(model_features(self._space, mutants))
        drawn = self._rng.normal(predicted.mean(axis=0), predicted.std(axis=0))
        return mutants[np.argsort(-drawn, kind="stable")[:n]]

    def _train(self) -> None:
        """Squared errors, with weights of the trials that differ between the networks."""
        weights = self._rng.exponential(size=(self.ensemble, len(self._values)))
        features = model_features(self._space, self._seen())
        self._nets.fit_values(features, self._values[:, 0], weights, self.steps)
