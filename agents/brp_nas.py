"""Search with a predictor of which of two architectures is better, in the manner of BRP-NAS.

Dudziak et al., *BRP-NAS: Prediction-based NAS using GCNs*, NeurIPS 2020. A predictor learns from
all pairs of known architectures which one is better, and ranks the others. While there are fewer
than ``training`` trials, it asks for more of them in turns: half from the top of its ranking, half
at random; then it goes down its ranking.
Deviations: a score each architecture, whose difference is the log odds of a pair (the pair's two
orders then never contradict each other), instead of a graph convolution over both; on ``ops``
features where the space has them, else one-hot ones. The predictor is trained anew after every
``batch`` to the end, not until ``training`` only. Where the space cannot be listed, it ranks
neighbours of the best and random architectures. ``training`` (40, 60, 100), ``share`` (0.25, 0.5)
and ``decay`` (0.01, 0.1) were compared on ``digits``, as it is and with its blocks split in slots
of 3, 3 and 2 options, over 6 and 10 seeds; differences in regret at 100 were within noise.
"""

from __future__ import annotations

import numpy as np

from blox_env.agents._model_based import ModelBased, model_features
from blox_env.agents._nets import Nets
from blox_env.ground.errors import check_positive_int
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem import Problem


class BRPNAS(ModelBased):
    """Ranking learned from pairs; trials from the top of it and at random.

    Args:
        initial: random architectures at the start.
        training: trials until which random ones are drawn (Dudziak et al.: 100).
        batch: architectures between two trainings.
        share: of random ones in a batch (Dudziak et al.: 0.5).
        hidden: width of the network's hidden layer.
        decay: weight of its squared weights.
        steps: iterations of L-BFGS in each training.
        candidates: how many are ranked where the space cannot be listed.
    """

    name = "brp-nas"
    searches_for = "one"

    def __init__(
        self,
        initial: int = 20,
        training: int = 60,
        batch: int = 10,
        share: float = 0.5,
        hidden: int = 16,
        decay: float = 0.01,
        steps: int = 40,
        candidates: int = 4000,
    ) -> None:
        self.initial = check_positive_int("initial", initial)
        self.training = check_positive_int("training", training, 0)
        self.batch = check_positive_int("batch", batch)
        if not 0 <= share <= 1:
            raise ValueError(f"share must be in 0 … 1, got {share!r}")
        self.share = float(share)
        self.hidden = check_positive_int("hidden", hidden)
        self.decay = float(decay)
        self.steps = check_positive_int("steps", steps)
        self.candidates = check_positive_int("candidates", candidates)

    def start(self, problem: Problem, rng: np.random.Generator) -> None:
        """Forget everything and draw a new network."""
        super().start(problem, rng)
        inputs = model_features(self._space, self._space.sample(rng, 1)).shape[1]
        self._net = Nets(inputs, self.hidden, 1, self.decay, rng)

    def _propose(self, n: int) -> IntArray:
        """Random architectures first, then the top of the ranking and random ones."""
        if len(self._rows) < self.initial:
            return self._random(min(n, self.initial - len(self._rows)))
        self._train()
        pool = self._pool(self.candidates)
        if len(pool) <= n:
            return pool if len(pool) else self._random(n)
        score = self._net(model_features(self._space, pool))[0]
        ranked = pool[np.argsort(-score, kind="stable")]
        learning = len(self._rows) < self.training
        top = n - int(self._rng.binomial(n, self.share)) if learning else n
        others = top + self._rng.permutation(len(pool) - top)[: n - top]
        return np.concatenate([ranked[:top], ranked[others]])

    def _train(self) -> None:
        """Log loss of the better one of every pair, ``-log σ(score - score')``."""
        value = self._values[:, 0]
        better = (value[:, None] > value).astype(float)
        better *= 2 / len(value)  # the loss grows as the number of trials, not of pairs

        def loss(output: FloatArray) -> tuple[float, FloatArray]:
            margin = output[0][:, None] - output[0]
            slope = -better / (1 + np.exp(np.minimum(margin, 500.0)))
            total = float((better * np.logaddexp(0, -margin)).sum())
            return total, (slope.sum(axis=1) - slope.sum(axis=0))[None]

        self._net.fit(model_features(self._space, self._seen()), loss, self.steps)
