"""A masked policy that learns from a model of the reward, and asks only for what is new.

Angermueller et al., *Model-Based Reinforcement Learning for Biological Sequence Design*, ICLR 2020
(DyNA-PPO); Schulman et al., *Proximal Policy Optimization Algorithms*, 2017; Huang & Ontañón, *A
Closer Look at Invalid Action Masking in Policy Gradient Algorithms*, 2022. Evaluations are dear and
the model's answers are free: after every ``batch`` evaluations an ensemble is fitted to all that is
known, and the policy plays ``rounds`` × ``episodes`` episodes against it, updated by PPO. Then it
writes ``samples`` architectures; those that are known are left out, and of the others the ``batch``
with the highest optimistic prediction are evaluated. An episode is the sequence of choices
(operations first where the space has them); what leads to no architecture is masked, and an episode
that ends in a known architecture teaches nothing.
Deviations from DyNA-PPO: the policy is an autoregressive softmax, linear in the choices before,
instead of a recurrent network; the model is an ensemble of small networks with random weights of
the trials, not the best of several regressors; it is trusted from the start, with ``optimism``
times its spread added, instead of checked by its R²; novelty is enforced instead of rewarded.
Defaults were set by hand on ``digits`` with the latency of ethos-u55-256; docs/agents.md has what
tuning finds.
"""

from __future__ import annotations

import numpy as np

from blox_env.agents._choices import Choices
from blox_env.agents._model_based import ModelBased, model_features
from blox_env.agents._nets import Nets
from blox_env.ground.errors import check_positive_int
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem import Problem

_HIDDEN, _DECAY, _STEPS = 16, 0.01, 40  # of the model, as in bananas


class DynaPPO(ModelBased):
    """PPO against an ensemble, in numpy.

    Args:
        initial: random architectures at the start.
        batch: architectures between two fits of the model.
        ensemble: number of networks in the model.
        optimism: how many standard deviations of the ensemble are added to its mean.
        rounds: updates of the policy after each fit.
        episodes: of the policy in each of them.
        epochs: passes over the episodes of an update.
        learning_rate: of Adam.
        entropy: weight of the entropy bonus.
        clip: clipping range of the probability ratio.
        samples: architectures that the policy writes for a batch.
    """

    name = "dyna-ppo"
    searches_for = "one"

    def __init__(
        self,
        initial: int = 10,
        batch: int = 5,
        ensemble: int = 5,
        optimism: float = 1.0,
        rounds: int = 10,
        episodes: int = 64,
        epochs: int = 4,
        learning_rate: float = 0.1,
        entropy: float = 0.2,
        clip: float = 0.2,
        samples: int = 200,
    ) -> None:
        self.initial = check_positive_int("initial", initial)
        self.batch = check_positive_int("batch", batch)
        self.ensemble = check_positive_int("ensemble", ensemble)
        self.optimism = float(optimism)
        self.rounds = check_positive_int("rounds", rounds)
        self.episodes = check_positive_int("episodes", episodes)
        self.epochs = check_positive_int("epochs", epochs)
        self.learning_rate = float(learning_rate)
        self.entropy = float(entropy)
        self.clip = float(clip)
        self.samples = check_positive_int("samples", samples)

    def start(self, problem: Problem, rng: np.random.Generator) -> None:
        """Forget everything: a new model, and a policy that prefers nothing."""
        super().start(problem, rng)
        inputs = model_features(self._space, self._space.sample(rng, 1)).shape[1]
        self._nets = Nets(inputs, _HIDDEN, self.ensemble, _DECAY, rng)
        self._policy = Policy(Choices(self._space), self.learning_rate)

    def _propose(self, n: int) -> IntArray:
        """Random architectures first, then the most promising of what the policy writes."""
        if len(self._rows) < self.initial:
            return self._random(min(n, self.initial - len(self._rows)))
        weights = self._rng.exponential(size=(self.ensemble, len(self._values)))
        features = model_features(self._space, self._seen())
        self._nets.fit_values(features, self._values[:, 0], weights, _STEPS)
        for _ in range(self.rounds):
            self._update()
        choices = self._policy.write(max(n, self.samples), self._rng)
        rows = self._unseen(map(tuple, self._policy.choices.rows(choices).tolist()))
        best = rows[np.argsort(-self._promise(rows), kind="stable")[:n]]
        if len(best) == n:
            return best
        taken = set(map(tuple, best.tolist()))
        others = [row for row in self._random(n).tolist() if tuple(row) not in taken]
        return np.concatenate([best, np.array(others, dtype=np.int64).reshape(-1, best.shape[1])])[
            :n
        ]

    def _update(self) -> None:
        """Play episodes against the model and follow the gradient."""
        choices = self._policy.write(self.episodes, self._rng)
        rows = self._policy.choices.rows(choices)
        promise = self._promise(rows)
        advantage = (promise - promise.mean()) / (promise.std() + 1e-8)
        new = [row not in self._rows for row in map(tuple, rows.tolist())]
        self._policy.learn(choices, advantage * new, self.epochs, self.clip, self.entropy)

    def _promise(self, rows: IntArray) -> FloatArray:
        """Optimistic predictions ``(n,)``."""
        predicted = self._nets(model_features(self._space, rows))
        return np.asarray(predicted.mean(axis=0) + self.optimism * predicted.std(axis=0))


class Policy:
    """An autoregressive softmax over choices: logits are linear in those made before.

    Args:
        choices: the decisions.
        learning_rate: of Adam.
    """

    def __init__(self, choices: Choices, learning_rate: float) -> None:
        self.choices, self.rate = choices, learning_rate
        ends = np.cumsum(choices.counts)
        self._blocks = [
            slice(int(end) - count, int(end))
            for end, count in zip(ends, choices.counts, strict=True)
        ]
        size = int(ends[-1])
        owner = np.repeat(np.arange(len(choices)), choices.counts)
        self._before = owner[:, None] < owner  # what a logit may depend on
        self.weights: FloatArray = np.zeros((size + 1, size))  # the last row is the bias
        self._mean, self._square = np.zeros_like(self.weights), np.zeros_like(self.weights)
        self._steps = 0

    def write(self, n: int, rng: np.random.Generator) -> IntArray:
        """Draw ``n`` sequences of choices ``(n, decisions)``."""
        made = np.zeros((n, len(self.choices)), dtype=np.int64)
        logits = np.repeat(self.weights[-1:], n, axis=0)
        for number, block in enumerate(self._blocks):
            here = np.where(self.choices.allowed(number, made), logits[:, block], -np.inf)
            made[:, number] = (here + rng.gumbel(size=here.shape)).argmax(axis=1)
            logits += self.weights[block.start + made[:, number]]
        return made

    def log_probabilities(self, made: IntArray) -> FloatArray:
        """Logarithms of the probabilities of all options, ``(n, options)``; -inf where masked."""
        logits = self._seen(made) @ self.weights
        for number, block in enumerate(self._blocks):
            here = np.where(self.choices.allowed(number, made), logits[:, block], -np.inf)
            here -= here.max(axis=1, keepdims=True)
            logits[:, block] = here - np.log(np.exp(here).sum(axis=1, keepdims=True))
        return logits

    def learn(
        self, made: IntArray, advantage: FloatArray, epochs: int, clip: float, entropy: float
    ) -> None:
        """Follow the gradient of PPO's clipped objective, a ratio an episode.

        Args:
            made: sequences ``(n, decisions)``.
            advantage: of each of them ``(n,)``.
            epochs: number of steps.
            clip: range of the ratio of probabilities.
            entropy: weight of the entropy bonus.
        """
        seen = self._seen(made)
        chosen = seen[:, :-1] > 0
        before = None
        for _ in range(epochs):
            logs = self.log_probabilities(made)
            total = np.where(chosen, logs, 0.0).sum(axis=1)
            before = total if before is None else before
            ratio = np.exp(np.clip(total - before, -20, 20))
            inside = np.where(advantage > 0, ratio < 1 + clip, ratio > 1 - clip)
            probability = np.exp(logs)
            slope = (advantage * ratio * inside)[:, None] * (chosen - probability)
            finite = np.where(np.isfinite(logs), logs, 0.0)
            surprise = probability * finite
            for block in self._blocks:
                mean = surprise[:, block].sum(axis=1, keepdims=True)
                slope[:, block] -= entropy * probability[:, block] * (finite[:, block] - mean)
            self._step(seen.T @ slope / len(made))

    def _seen(self, made: IntArray) -> FloatArray:
        """One-hot choices and a 1 ``(n, options + 1)``."""
        seen = np.zeros((len(made), len(self.weights)))
        for number, block in enumerate(self._blocks):
            seen[np.arange(len(made)), block.start + made[:, number]] = 1.0
        seen[:, -1] = 1.0
        return seen

    def _step(self, gradient: FloatArray) -> None:
        """One step of Adam upwards."""
        gradient[:-1] *= self._before
        self._steps += 1
        self._mean += 0.1 * (gradient - self._mean)
        self._square += 0.001 * (gradient**2 - self._square)
        mean = self._mean / (1 - 0.9**self._steps)
        square = self._square / (1 - 0.999**self._steps)
        self.weights += self.rate * mean / (np.sqrt(square) + 1e-8)
