"""A graph convolutional network that predicts accuracies, with signatures on its nodes or without.

Two layers of 32, layer norm, and a node that every other is joined to, whose state is read out, as
in Blox's own predictor (after Dudziak et al., *BRP-NAS*, 2020). Messages go along edges both ways.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from blox_env.ground.typing import FloatArray, IntArray
from blox_env.networks.predictors import Predictor
from blox_env.networks.signatures import Signatures
from blox_env.networks.training import one_thread
from blox_env.spaces import BloxSpace, SearchSpace

_AT_ONCE = 4096


class _Graphs(nn.Module):
    """Mean of the neighbours, linear, layer norm, ReLU; twice; then the global node's state."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(inputs, hidden), nn.Linear(hidden, hidden)])
        self.norms = nn.ModuleList([nn.LayerNorm(hidden) for _ in range(2)])
        self.out = nn.Linear(hidden, 1)

    def forward(self, edges: Tensor, nodes: Tensor) -> Tensor:
        """``(n, nodes, nodes)`` and ``(n, nodes, inputs)`` to ``(n,)``.

        Args:
            edges: weights of the neighbours of every node.
            nodes: what is known of each.
        """
        for layer, norm in zip(self.layers, self.norms, strict=True):
            nodes = norm(layer(edges @ nodes)).relu()
        out: Tensor = self.out(nodes[:, -1])[:, 0]
        return out


class GraphPredictor(Predictor):
    """The network, trained anew by each ``fit``.

    Args:
        signatures: of all blocks, None for a graph alone.
        measure: which of them.
        seed: of the weights.
        hidden: width of both layers.
        steps: of Adam, each on all architectures.
        rate: learning rate.
        decay: weight decay.
        space: of the architectures.
    """

    def __init__(
        self,
        signatures: Signatures | None = None,
        measure: str = "nsr",
        *,
        seed: int = 0,
        hidden: int = 32,
        steps: int = 200,
        rate: float = 0.01,
        decay: float = 1e-3,
        space: SearchSpace | None = None,
    ) -> None:
        self.signatures, self.measure, self.seed = signatures, measure, seed
        self.hidden, self.steps, self.rate, self.decay = hidden, steps, rate, decay
        self._space = space or BloxSpace()

    def fit(self, x: IntArray, y: FloatArray) -> None:
        """Train from new weights.

        Args:
            x: the architectures.
            y: their accuracies.
        """
        if self.signatures is not None:
            drawn = self._space.sample(np.random.default_rng(0), 1000)
            known = self.signatures.of(drawn, self.measure)
            self._middle, self._spread = known.mean(axis=0), known.std(axis=0) + 1e-9
        self._shift, self._scale = float(y.mean()), float(y.std()) or 1.0
        target = torch.tensor((y - self._shift) / self._scale, dtype=torch.float32)
        edges, nodes = self._graphs(x)
        with one_thread(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self._network = _Graphs(nodes.shape[2], self.hidden)
            optimizer = torch.optim.AdamW(
                self._network.parameters(), lr=self.rate, weight_decay=self.decay
            )
            for _ in range(self.steps):
                loss = (self._network(edges, nodes) - target).square().mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()

    def predict(self, x: IntArray) -> FloatArray:
        """Accuracies ``(n,)``."""
        starts = range(0, len(x), _AT_ONCE)
        with one_thread(), torch.inference_mode():
            parts = [self._network(*self._graphs(x[s : s + _AT_ONCE])) for s in starts]
        return torch.cat(parts).double().numpy() * self._scale + self._shift

    def _graphs(self, x: IntArray) -> tuple[Tensor, Tensor]:
        """Edges and nodes of architectures, the global node last."""
        n, layout = len(x), self._space.graph()
        size = layout.nodes
        flat = np.asarray(self._space.features(x, "graph"), dtype=np.float32)
        edges = np.zeros((n, size + 1, size + 1), np.float32)
        edges[:, :size, :size] = flat[:, : size**2].reshape(n, size, size)
        labels = flat[:, size**2 :].astype(np.int64)
        present = labels > 0
        edges[:, -1, :size] = present
        edges = np.maximum(edges, edges.transpose(0, 2, 1))
        edges += np.eye(size + 1, dtype=np.float32)
        edges /= edges.sum(axis=2, keepdims=True)
        columns = [np.eye(len(layout.labels), dtype=np.float32)[labels]]
        if self.signatures is not None:
            values = (self.signatures.of(x, self.measure) - self._middle) / self._spread
            own = np.zeros((n, size), np.float32)
            own[:, 1:-1] = np.repeat(values, 3, axis=1)  # op1, op2 and reduction of every stage
            columns.append((own * present)[:, :, None])
        nodes = np.concatenate(columns, axis=2)
        nodes = np.concatenate([nodes, np.zeros((n, 1, nodes.shape[2]), np.float32)], axis=1)
        return torch.from_numpy(edges), torch.from_numpy(nodes)
