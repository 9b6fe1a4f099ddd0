"""BANANAS as it was published, beside the package's own :mod:`blox_env.agents.bananas`.

White et al., *BANANAS: Bayesian Optimization with Neural Architectures for Neural Architecture
Search*, AAAI 2021. After ten random architectures, again and again: five feed-forward networks
(ten layers of 20, ReLU) are trained anew by Adam on the path encodings of all that is known, and
their loss is the mean absolute percentage error above a lower bound of the objective; a hundred
mutants of the best are made, each gets a draw from the normal distribution of its five predictions
(independent Thompson sampling), and the ten with the best draws are evaluated. Epochs, batch size,
momenta and learning rate (150, 32, 0.9 and 0.99, 0.01) are those of the authors' code for
NAS-Bench-101 (whose loss there is the absolute error). Nothing is tuned.
Deviations: the path encoding is for one cell, these networks are stacks of blocks, and the whole
network's paths would be the product of its blocks'. So the encoding has, for every slot, which
paths lead from the block's input to its output (``path`` features): in Blox sequences of one or two
operations, 12 columns a slot; its 45 blocks have 36 different sets of paths. DARTS has those of
each cell of up to three operations, the topology space those of its cell. A space without such
graphs has one-hot options, a path of one operation for each slot. A mutant differs in one slot,
where the authors change an operation or an edge; that is up to both operations of a Blox block. The
lower bound, known to the authors, is taken to be as far above the best value known as the best is
above the median, and the error is in units of that distance. Random architectures fill up where
the best ``parents`` (10, up to 50 in the authors' code) have too few mutants that are new.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from blox_env.agent import Seed
from blox_env.agents._model_based import ModelBased
from blox_env.ground.errors import check_positive_int
from blox_env.ground.extras import extra
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem import Problem

_MOMENTA = (0.9, 0.99)  # of Adam


class BANANASPublished(ModelBased):
    """Deep narrow networks on paths, Thompson sampling, mutants of the best.

    Args:
        initial: random architectures at the start.
        batch: architectures between two trainings.
        ensemble: number of networks.
        layers: hidden layers of each.
        width: of the hidden layers.
        epochs: of each training.
        minibatch: architectures of one step.
        learning_rate: of Adam.
        parents: best architectures that are mutated, the best of them first.
        mutants: of each batch, to choose from.
    """

    name = "bananas-published"
    searches_for = "one"

    def __init__(
        self,
        initial: int = 10,
        batch: int = 10,
        ensemble: int = 5,
        layers: int = 10,
        width: int = 20,
        epochs: int = 150,
        minibatch: int = 32,
        learning_rate: float = 0.01,
        parents: int = 10,
        mutants: int = 100,
    ) -> None:
        self.initial = check_positive_int("initial", initial)
        self.batch = check_positive_int("batch", batch)
        self.ensemble = check_positive_int("ensemble", ensemble)
        self.layers = check_positive_int("layers", layers)
        self.width = check_positive_int("width", width)
        self.epochs = check_positive_int("epochs", epochs)
        self.minibatch = check_positive_int("minibatch", minibatch)
        if not learning_rate > 0:
            raise ValueError(f"learning_rate must be above 0, got {learning_rate!r}")
        self.learning_rate = float(learning_rate)
        self.parents = check_positive_int("parents", parents)
        self.mutants = check_positive_int("mutants", mutants)

    def search(self, problem: Problem, *, seed: Seed) -> None:
        """Search with a single thread of torch; afterwards it has as many as before."""
        with extra("torch", f"the agent {self.name}"):
            from blox_env.networks.training import one_thread
        with one_thread():
            super().search(problem, seed=seed)

    def start(self, problem: Problem, rng: np.random.Generator) -> None:
        """Forget everything."""
        with extra("torch", f"the agent {self.name}"):
            import torch  # noqa: F401 (networks are made when there is something to learn)
        super().start(problem, rng)
        self._kind = "path" if "path" in problem.space.feature_kinds() else "onehot"

    def _propose(self, n: int) -> IntArray:
        """Random architectures first, then the mutants with the best draws."""
        if len(self._rows) < self.initial:
            return self._random(min(n, self.initial - len(self._rows)))
        networks = self._trained()
        best = np.argsort(-self._values[:, 0], kind="stable")[: self.parents]
        many = self.mutants * len(best)
        mutants = self._mutants(self._seen()[best], many, 1)[: max(n, self.mutants)]
        predicted = networks(self._space.features(mutants, self._kind))
        drawn = self._rng.normal(predicted.mean(axis=0), predicted.std(axis=0))
        return mutants[np.argsort(drawn, kind="stable")[:n]]

    def _trained(self) -> _Ensemble:
        """Networks trained on all that is known."""
        given = self._space.features(self._seen(), self._kind)
        widths = [given.shape[1], *[self.width] * self.layers, 1]
        networks = _Ensemble(widths, self.ensemble, self._rng)
        errors = errors_above_bound(self._values[:, 0])
        networks.fit(given, errors, self.epochs, self.minibatch, self.learning_rate)
        return networks


def errors_above_bound(values: FloatArray) -> FloatArray:
    """Distances of values ``(n,)``, of which higher is better, from a bound above all of them.

    The best value has 1 and the median 2, where they differ.
    """
    best = float(values.max())
    unit = (best - float(np.median(values))) or float(values.std()) or 1.0
    return np.asarray(1 + (best - values) / unit)


class _Ensemble:
    """Feed-forward networks of equal widths, computed side by side.

    Args:
        widths: of the input, the hidden layers and the output.
        count: number of networks.
        rng: of first weights (uniform, Glorot and Bengio's) and of the order of training.
    """

    def __init__(self, widths: list[int], count: int, rng: np.random.Generator) -> None:
        import torch

        self._rng, self._count = rng, count
        self._layers: list[tuple[Any, Any]] = []
        for inputs, outputs in pairwise(widths):
            limit = np.sqrt(6 / (inputs + outputs))
            drawn = rng.uniform(-limit, limit, (count, inputs, outputs))
            weight = torch.tensor(drawn, dtype=torch.float32, requires_grad=True)
            self._layers.append((weight, torch.zeros(count, 1, outputs, requires_grad=True)))

    def __call__(self, x: FloatArray) -> FloatArray:
        """Predictions ``(networks, n)`` for features ``(n, inputs)``."""
        import torch

        given = torch.tensor(x, dtype=torch.float32).expand(self._count, -1, -1)
        with torch.no_grad():
            return np.asarray(self._run(given).numpy(), dtype=np.float64)

    def fit(self, x: FloatArray, y: FloatArray, epochs: int, batch: int, rate: float) -> None:
        """Train on the mean absolute percentage error, each network in an order of its own.

        Args:
            x: features ``(n, inputs)``.
            y: what is to be predicted ``(n,)``, above 0.
            epochs: passes over all.
            batch: rows of a step.
            rate: of learning.
        """
        import torch

        given, true = (torch.tensor(part, dtype=torch.float32) for part in (x, y))
        parameters = [part for layer in self._layers for part in layer]
        steps = torch.optim.Adam(parameters, lr=rate, betas=_MOMENTA)
        each = np.tile(np.arange(len(x)), (self._count, 1))
        for _ in range(epochs):
            order = torch.from_numpy(self._rng.permuted(each, axis=1))
            for rows in order.split(batch, dim=1):
                steps.zero_grad()
                share = self._run(given[rows]) / true[rows]
                (share - 1).abs().mean(dim=1).sum().backward()
                steps.step()

    def _run(self, values: Any) -> Any:
        import torch

        *hidden, (weight, shift) = self._layers
        for inner, bias in hidden:
            values = torch.relu(torch.baddbmm(bias, values, inner))
        return torch.baddbmm(shift, values, weight)[..., 0]
