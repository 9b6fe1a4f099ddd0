"""BRP-NAS as it was published, beside the package's own :mod:`blox_env.agents.brp_nas`.

Dudziak et al., *BRP-NAS: Prediction-based NAS using GCNs*, NeurIPS 2020. A graph network (four
convolutions of 600, layer norm, ReLU, dropout 0.2, read out at a node that every other leads to)
embeds both architectures of a pair, and a linear layer with softmax says how likely the first is
better. It learns from the pairs of known architectures by AdamW (rate 0.00035 falling along a
cosine, decay 0.0005), against the softmax of both accuracies, which are scaled to 0 … 1. In five
iterations of 20 trials it is trained on, for 50, 100, … 250 epochs, and asked for the next: half
(alpha) from the top of its ranking, half at random among its best 1/2, 1/4, 1/8, 1/16. After 100
trials it goes down its ranking. All of this follows the code that the authors published, with its
settings for NAS-Bench-201. Nothing is tuned.
Deviations: an epoch is not every pair once in batches of up to 64 pairs (38,750 steps for the last
training alone, by estimate more than an hour a search on one core), but every architecture once in
groups of up to ``group`` (16, so up to 240 ordered pairs), all pairs of a group in one step: 3,750
steps a search. Layers, width, epochs and rate are not reduced. No training is stopped early, and
numbers have single precision. Candidates are compared with each other without sorting: the log odds
of one over another are a sum of a term of each, so a ranking by the mean log odds over all others,
in both orders, needs each embedding once. A space of more than 10,000 architectures, such as Blox,
is not ranked as a whole, but ``candidates`` random ones of it, drawn anew for every iteration, with
the neighbours of the top 20 of these, and once more. Graphs are the space's ``graph`` features;
where a space has none of its own, these are a chain of its slots.
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
from blox_env.spaces.base import SearchSpace

_AT_ONCE = 512  # graphs embedded at once
_CLIMBS, _CLIMBERS = 2, 20  # neighbours of so many are ranked, too, so often, in a large space
Graphs = tuple[Any, Any]  # edges (n, nodes, nodes) and labels (n, nodes, labels), in torch


class BRPNASPublished(ModelBased):
    """A graph network that compares pairs; trials from the top of its ranking and at random.

    Args:
        training: trials from which the predictor learns.
        iterations: trainings; between two of them are ``training / iterations`` trials.
        alpha: share of an iteration's trials that are the best of the ranking.
        layers: graph convolutions.
        hidden: their width.
        dropout: after each of them.
        epochs: of the last training; earlier ones have as much less as they have trials.
        learning_rate: of AdamW.
        decay: of its weights.
        group: architectures whose pairs are compared in a step.
        candidates: how many are ranked where the space cannot be listed.
    """

    name = "brp-nas-published"
    searches_for = "one"

    def __init__(
        self,
        training: int = 100,
        iterations: int = 5,
        alpha: float = 0.5,
        layers: int = 4,
        hidden: int = 600,
        dropout: float = 0.2,
        epochs: int = 250,
        learning_rate: float = 3.5e-4,
        decay: float = 5e-4,
        group: int = 16,
        candidates: int = 4000,
    ) -> None:
        self.training = check_positive_int("training", training, 2)
        self.iterations = check_positive_int("iterations", iterations)
        if 2 * self.iterations > self.training:
            raise ValueError(
                f"iterations must be at most half of training, {self.training}, got {iterations!r}"
            )
        self.batch = self.training // self.iterations
        for name, share in (("alpha", alpha), ("dropout", dropout)):
            if not 0 <= share <= 1 or (name == "dropout" and share == 1):
                raise ValueError(f"{name} must be in 0 … 1, got {share!r}")
        self.alpha, self.dropout = float(alpha), float(dropout)
        self.layers = check_positive_int("layers", layers)
        self.hidden = check_positive_int("hidden", hidden)
        self.epochs = check_positive_int("epochs", epochs)
        if not learning_rate > 0:
            raise ValueError(f"learning_rate must be above 0, got {learning_rate!r}")
        self.learning_rate, self.decay = float(learning_rate), float(decay)
        self.group = check_positive_int("group", group, 2)
        self.candidates = check_positive_int("candidates", candidates)

    def search(self, problem: Problem, *, seed: Seed) -> None:
        """Search with a single thread of torch; afterwards it has as many as before."""
        with extra("torch", f"the agent {self.name}"):
            from blox_env.networks.training import one_thread
        with one_thread():
            super().search(problem, seed=seed)

    def start(self, problem: Problem, rng: np.random.Generator) -> None:
        """Forget everything and draw a new network."""
        super().start(problem, rng)
        with extra("torch", f"the agent {self.name}"):
            self._network = _Comparer(
                len(self._space.graph().labels) + 1, self.hidden, self.layers, self.dropout, rng
            )
        self._trained = 0  # trainings so far
        self._ranking: IntArray = np.empty((0, self._space.slots), dtype=np.int64)

    def _propose(self, n: int) -> IntArray:
        """Random architectures first, then by the ranking."""
        count = len(self._rows) + len(self._pending)
        due = min(count // self.batch, self.iterations)
        if due == 0 or len(self._rows) < 2:
            return self._random(min(n, self.batch))
        if due > self._trained:
            self._train(due)
        elif due == self.iterations:
            left = self._unseen(map(tuple, self._ranking.tolist()))
            if len(left):  # the last ranking holds to its end
                return left[:n]
        ranked = self._ranking = self._rank()
        if len(ranked) <= n or due == self.iterations:
            return ranked[:n] if len(ranked) else self._random(n)
        top = round(self.alpha * n)
        others = max(n, len(ranked) // 2**due)  # random ones are among so many of the best
        drawn = top + self._rng.permutation(others - top)[: n - top]
        return np.concatenate([ranked[:top], ranked[drawn]])

    def _train(self, due: int) -> None:
        """Train on with all that is known, for the ``due``-th time."""
        self._trained = due
        self._network.fit(
            graphs(self._space, self._seen()),
            self._values[:, 0],
            epochs=-(-self.epochs * due // self.iterations),
            group=self.group,
            rate=self.learning_rate,
            decay=self.decay,
        )

    def _rank(self) -> IntArray:
        """Architectures neither known nor pending, the best first."""
        whole, slots = self._every, self._space.slots
        x = self._allowed.sample(self._rng, self.candidates) if whole is None else whole
        ranked, scores = np.empty((0, slots), dtype=np.int64), np.empty(0)
        for _ in range(1 + _CLIMBS if whole is None else 1):
            every = self._unseen(map(tuple, np.concatenate([ranked, x]).tolist()))
            scores = np.concatenate([scores, self._strength(every[len(ranked) :])])
            order = np.argsort(-scores, kind="stable")
            ranked, scores = every[order], scores[order]
            x = self._space.neighbors(ranked[:_CLIMBERS]).reshape(-1, slots)
            x = x[self._rng.permutation(len(x))[: self.candidates]]
        return ranked

    def _strength(self, x: IntArray) -> FloatArray:
        """The scores ``(n,)`` by which architectures ``(n, slots)`` are ranked."""
        parts = [x[i : i + _AT_ONCE] for i in range(0, len(x), _AT_ONCE)]
        scores = [self._network.strength(graphs(self._space, part)) for part in parts]
        return np.concatenate([np.empty(0), *scores])


def graphs(space: SearchSpace, x: IntArray) -> Graphs:
    """Edges and labels of architectures ``(n, slots)``, with a node in front that reads all others.

    Args:
        space: of the architectures.
        x: the architectures.
    """
    import torch

    size, kinds = space.graph().nodes, len(space.graph().labels)
    flat = space.features(x, "graph")
    known = flat[:, size**2 :].astype(np.int64)
    edges = np.zeros((len(x), size + 1, size + 1), np.float32)
    edges[:, 1:, 1:] = flat[:, : size**2].reshape(len(x), size, size)
    edges[:, 0, 1:] = known > 0
    edges[:, np.arange(size + 1), np.arange(size + 1)] = 1
    labels = np.zeros((len(x), size + 1, kinds + 1), np.float32)
    labels[:, 1:, :kinds] = np.eye(kinds, dtype=np.float32)[known]
    labels[:, 0, kinds] = 1
    return torch.from_numpy(edges), torch.from_numpy(labels)


class _Comparer:
    """The predictor of which of two architectures is better.

    Args:
        labels: number of labels of nodes, that of the reading node among them.
        hidden: width.
        layers: graph convolutions.
        dropout: after each of them.
        rng: of all that is random.
    """

    def __init__(
        self, labels: int, hidden: int, layers: int, dropout: float, rng: np.random.Generator
    ) -> None:
        import torch

        self._rng, self._dropout = rng, dropout
        self._noise = torch.Generator().manual_seed(int(rng.integers(2**31)))

        def uniform(limit: float, *shape: int) -> Any:
            drawn = rng.uniform(-limit, limit, shape)
            return torch.tensor(drawn, dtype=torch.float32, requires_grad=True)

        limit = hidden**-0.5
        self._layers = [
            (uniform(limit, inputs, outputs), uniform(limit, outputs))
            for inputs, outputs in pairwise([labels, *[hidden] * layers])
        ]
        self._norms = [
            (torch.ones(hidden, requires_grad=True), torch.zeros(hidden, requires_grad=True))
            for _ in range(layers)
        ]
        limit = (2 * hidden) ** -0.5
        self._last = (uniform(limit, 2, hidden, 2), uniform(limit, 2))  # (place in pair, , says)

    def strength(self, given: Graphs) -> FloatArray:
        """Mean log odds over any fixed set of others, up to a constant: ``(n,)``."""
        import torch

        with torch.no_grad():
            first, second, _ = self._terms(self._embed(given))
            return np.asarray((first - second).numpy(), dtype=np.float64)

    def fit(
        self,
        given: Graphs,
        values: FloatArray,
        *,
        epochs: int,
        group: int,
        rate: float,
        decay: float,
    ) -> None:
        """Train on.

        Args:
            given: graphs of ``n`` architectures.
            values: of them ``(n,)``.
            epochs: passes over all.
            group: most architectures whose pairs are compared in a step.
            rate: of learning, at first.
            decay: of weights.
        """
        import torch
        from torch.nn.functional import binary_cross_entropy_with_logits

        scaled = (values - values.min()) / (float(np.ptp(values)) or 1.0)
        level = torch.tensor(scaled, dtype=torch.float32)
        pairs = [*self._layers, *self._norms, self._last]
        parameters = [part for pair in pairs for part in pair]
        steps = torch.optim.AdamW(parameters, lr=rate, weight_decay=decay, fused=True)
        plan = torch.optim.lr_scheduler.CosineAnnealingLR(steps, epochs)
        for _ in range(epochs):
            order = self._rng.permutation(len(values))
            for rows in np.array_split(order, -(-len(order) // group)):
                steps.zero_grad()
                part = given[0][rows], given[1][rows]
                first, second, shift = self._terms(self._embed(part, training=True))
                said = first[:, None] + second + shift
                wanted = torch.sigmoid(level[rows][:, None] - level[rows])  # softmax of a pair
                apart = ~torch.eye(len(rows), dtype=torch.bool)
                loss = binary_cross_entropy_with_logits(said, wanted, reduction="none")
                loss[apart].sum().backward()
                steps.step()
            plan.step()

    def _terms(self, embedded: Any) -> tuple[Any, Any, Any]:
        """Log odds that ``i`` is better than ``j`` are ``first[i] + second[j] + shift``."""
        weight, shift = self._last
        odds = embedded @ (weight[..., 0] - weight[..., 1]).T
        return odds[:, 0], odds[:, 1], shift[0] - shift[1]

    def _embed(self, given: Graphs, training: bool = False) -> Any:
        """The reading node's state in the end, ``(n, hidden)``."""
        import torch
        from torch.nn.functional import layer_norm

        edges, values = given
        last = len(self._layers) - 1
        for number, ((weight, bias), norm) in enumerate(
            zip(self._layers, self._norms, strict=True)
        ):
            reading = edges[:, :1] if number == last else edges  # nothing else is read in the end
            values = (reading @ values) @ weight + bias
            values = torch.relu(layer_norm(values, values.shape[-1:], *norm))
            if training and self._dropout:
                drawn = torch.rand(values.shape, generator=self._noise)
                values = values * (drawn >= self._dropout) / (1 - self._dropout)
        return values[:, 0]
