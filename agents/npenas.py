"""Evolution guided by a neural predictor, in the manner of NPENAS.

Wei et al., *NPENAS: Neural Predictor Guided Evolution for Neural Architecture Search*, IEEE TNNLS
2022 (its NPENAS-NP). After some random architectures, again and again: a network is trained to
predict accuracies, parents are drawn by tournaments among all that are known, each has several
mutants, and the ``batch`` of them that are predicted best are evaluated.
Deviations: the predictor is the small network of :mod:`blox_env.agents.bananas`, a single one, on
``ops`` features where the space has them, instead of a graph isomorphism network of cells; a
mutant differs in one to ``slots`` slots; bad accuracies are clipped; nothing known is a mutant.
Defaults are those of ``bananas`` where it has the option, else the paper's or set by hand, untuned;
docs/agents.md has what tuning finds.
"""

from __future__ import annotations

import numpy as np

from blox_env.agents._model_based import ModelBased, model_features
from blox_env.agents._nets import Nets
from blox_env.ground.errors import check_positive_int
from blox_env.ground.typing import IntArray
from blox_env.problem import Problem


class NPENAS(ModelBased):
    """One network, tournaments, the mutants that it likes best.

    Args:
        initial: random architectures at the start (Wei et al.: 20).
        batch: architectures between two trainings (Wei et al.: 10).
        parents: of each batch (Wei et al.: 10).
        tournament: known architectures of which a parent is the best.
        mutants: of each batch, to choose from (Wei et al.: 100).
        slots: mutants differ from their parent in one to so many slots.
        hidden: width of the network's hidden layer.
        decay: weight of its squared weights.
        steps: iterations of L-BFGS in each training.
    """

    name = "npenas"
    searches_for = "one"

    def __init__(
        self,
        initial: int = 10,
        batch: int = 5,
        parents: int = 10,
        tournament: int = 20,
        mutants: int = 100,
        slots: int = 2,
        hidden: int = 16,
        decay: float = 0.01,
        steps: int = 40,
    ) -> None:
        self.initial = check_positive_int("initial", initial)
        self.batch = check_positive_int("batch", batch)
        self.parents = check_positive_int("parents", parents)
        self.tournament = check_positive_int("tournament", tournament)
        self.mutants = check_positive_int("mutants", mutants)
        self.slots = check_positive_int("slots", slots)
        self.hidden = check_positive_int("hidden", hidden)
        self.decay = float(decay)
        self.steps = check_positive_int("steps", steps)

    def start(self, problem: Problem, rng: np.random.Generator) -> None:
        """Forget everything and draw a new network."""
        super().start(problem, rng)
        inputs = model_features(self._space, self._space.sample(rng, 1)).shape[1]
        self._nets = Nets(inputs, self.hidden, 1, self.decay, rng)

    def _propose(self, n: int) -> IntArray:
        """Random architectures first, then the mutants that are predicted best."""
        if len(self._rows) < self.initial:
            return self._random(min(n, self.initial - len(self._rows)))
        seen, values = self._seen(), self._values[:, 0]
        self._nets.fit_values(
            model_features(self._space, seen), values, np.ones((1, len(seen))), self.steps
        )
        size = min(self.tournament, len(seen))
        drawn = self._rng.random((self.parents, len(seen))).argsort(axis=1)[:, :size]
        parents = seen[np.take_along_axis(drawn, values[drawn].argmax(axis=1)[:, None], 1)[:, 0]]
        mutants = self._mutants(parents, max(n, self.mutants), self.slots)
        predicted = self._nets(model_features(self._space, mutants))[0]
        return mutants[np.argsort(-predicted, kind="stable")[:n]]
