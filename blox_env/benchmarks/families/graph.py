"""A graph network: nodes are operations, and every layer mixes what is before and after a node."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from blox_env.benchmarks.families.base import Family, Model, relative_noise
from blox_env.benchmarks.families.components import Components
from blox_env.ground.extras import extra
from blox_env.ground.typing import FloatArray

HIDDEN = 32
LAYERS = 3
STEPS = 150
RATE = 0.01
DECAY = 0.1
CHUNK = 2048  # graphs predicted at once


class GraphNetwork(Family):
    """Graph convolutions over the ``graph`` features, in torch.

    A node's new value is a linear function of its own, of the mean of those before it and of the
    mean of those after it; a directed form of Kipf and Welling's (ICLR 2017), as in BRP-NAS
    (Dudziak et al., NeurIPS 2020). Mean and maximum over the nodes lead to the components of a
    learning curve.
    """

    name = "graph-network"
    encodings = ("graph",)

    def fit(
        self, features: FloatArray, y: FloatArray, noise_var: FloatArray, *, chosen: Any, seed: int
    ) -> Model:
        """Fit all components at once, in full batches; see :meth:`Family.fit`."""
        components = Components(y)
        weight = 1 / relative_noise(noise_var)
        return _Fitted(components, _Layers(features, components.forth(y), weight, seed))


class _Fitted:
    def __init__(self, components: Components, layers: _Layers) -> None:
        self.components, self._layers = components, layers

    def predict(self, features: FloatArray) -> FloatArray:
        parts = [features[i : i + CHUNK] for i in range(0, max(1, len(features)), CHUNK)]
        return self.components.back(np.concatenate([self._layers(part) for part in parts]))


class _Layers:
    """The network, trained on graphs ``(n, columns)`` and targets ``(n, targets)``."""

    def __init__(self, features: FloatArray, y: FloatArray, weight: FloatArray, seed: int) -> None:
        with extra("torch", "fitting graph networks"):
            import torch
        # columns are the nodes' adjacency matrix, then their labels
        self._nodes = round((np.sqrt(1 + 4 * features.shape[1]) - 1) / 2)
        self._labels = int(features[:, -self._nodes :].max()) + 1
        rng = np.random.default_rng(seed)
        widths = [self._labels] + [HIDDEN] * LAYERS
        shapes = [(3 * a, b) for a, b in pairwise(widths)]
        shapes += [(2 * HIDDEN, HIDDEN), (HIDDEN, y.shape[1])]
        self._weights: list[Any] = []
        for rows, columns in shapes:
            drawn = rng.normal(0, np.sqrt(2 / rows), (rows, columns))
            drawn = np.vstack([drawn, np.zeros((1, columns))])  # the last row is added to all
            self._weights.append(torch.tensor(drawn, dtype=torch.float32, requires_grad=True))
        given = self._tensors(features)
        target = torch.tensor(y, dtype=torch.float32)
        share = torch.tensor(weight / weight.mean(), dtype=torch.float32)[:, None]
        steps = torch.optim.AdamW(self._weights, lr=RATE, weight_decay=DECAY)
        plan = torch.optim.lr_scheduler.CosineAnnealingLR(steps, STEPS)
        for _ in range(STEPS):
            steps.zero_grad()
            (share * (self._run(*given) - target) ** 2).mean().backward()
            steps.step()
            plan.step()

    def __call__(self, features: FloatArray) -> FloatArray:
        import torch

        with torch.no_grad():
            said = self._run(*self._tensors(features))
        return np.asarray(said.numpy(), dtype=np.float64)

    def _tensors(self, features: FloatArray) -> tuple[Any, Any, Any]:
        """Labels one-hot, and the means over what is before and after a node as matrices."""
        import torch

        n, nodes = len(features), self._nodes
        labels = features[:, -nodes:].astype(np.int64)
        labels[labels >= self._labels] = 0  # never seen: as if the node were not there
        after = features[:, : nodes**2].reshape(n, nodes, nodes)
        here = (labels > 0).astype(float)
        after = after * here[:, :, None] * here[:, None, :]
        before = after.transpose(0, 2, 1)
        means = [part / np.maximum(part.sum(axis=2, keepdims=True), 1) for part in (before, after)]
        onehot = np.eye(self._labels)[labels] * here[:, :, None]
        one, two, three = (torch.tensor(part, dtype=torch.float32) for part in (onehot, *means))
        return one, two, three

    def _run(self, values: Any, before: Any, after: Any) -> Any:
        import torch

        here = values.amax(dim=2, keepdim=True)
        for weight in self._weights[:LAYERS]:
            both = torch.cat([values, before @ values, after @ values], dim=2)
            values = torch.relu(both @ weight[:-1] + weight[-1]) * here
        pooled = torch.cat([values.sum(dim=1) / here.sum(dim=1), values.amax(dim=1)], dim=1)
        first, last = self._weights[LAYERS:]
        return torch.relu(pooled @ first[:-1] + first[-1]) @ last[:-1] + last[-1]
