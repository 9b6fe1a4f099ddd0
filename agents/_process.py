"""Gaussian processes for agents: of trials, and of what every architecture tells without one."""

from __future__ import annotations

import numpy as np

from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem import Problem

SAMPLED = 1000  # architectures by which sizes are standardised
_SIZES = (("params",), ("macs", "flops"))  # of each the first that is told
_EQUAL = 1e-6  # a deviation that is none


class Process:
    """A Gaussian process and what it says about candidates.

    With the Cholesky factor ``L`` of the trials' correlations ``R`` it keeps the columns
    ``V = L⁻¹ r`` of candidates: their means are ``μ + zᵀV`` with ``z = L⁻¹ (y - μ)``, their
    variances those of the prior less ``Σ V²``. A further trial, a candidate itself, appends a row
    to ``V`` and ``z``.

    Args:
        distances: of each slot between its options, ``(kinds, options, options)``.
        scale: weights of all slots together that the prior is centred on.
        spread: standard deviation of the prior of logarithms of slots' weights.
        trends: how many there are.
        trend_scale: standard deviation of a trend's slope that the prior is centred on.
    """

    def __init__(
        self,
        distances: list[FloatArray],
        scale: float,
        spread: float,
        trends: int,
        trend_scale: float,
    ) -> None:
        self.distances = distances
        slots, kinds = len(distances), len(distances[0])
        # logarithms of slots' weights, of the weights of kinds of distance, of the trends' slopes,
        # of the nugget
        counts = [slots, kinds, trends, 1]
        self.centre = np.repeat(
            [np.log(scale / slots), -np.log(kinds), np.log(trend_scale or 1.0), np.log(1e-3)],
            counts,
        )
        self.spread = np.repeat([spread, 1.0, 1.0, 2.0], counts)
        self.bounds = [(c - 6, c + 6) for c in self.centre[:-1]] + [(np.log(1e-6), 0.0)]
        self.theta: FloatArray = self.centre.copy()

    def fit(self, x: IntArray, trend: FloatArray, y: FloatArray) -> None:
        """Fit the weights to standardised values ``(n,)`` of architectures ``(n, slots)``."""
        from scipy import optimize

        n = len(x)
        one, other = np.tril_indices(n, -1)
        apart = np.concatenate([d[:, x[one, i], x[other, i]] for i, d in enumerate(self.distances)])
        starts = [self.theta, self.centre] if n < 40 else [self.theta]
        found = [
            optimize.minimize(
                self._loss,
                start,
                args=(apart, trend, y),
                jac=True,
                method="L-BFGS-B",
                bounds=self.bounds,
                options={"maxiter": 30},
            )
            for start in starts
        ]
        self.theta = np.asarray(min(found, key=lambda result: float(result.fun)).x)

    def _loss(
        self, theta: FloatArray, apart: FloatArray, trend: FloatArray, y: FloatArray
    ) -> tuple[float, FloatArray]:
        """Negative log posterior of the weights, and its gradient."""
        from scipy import linalg

        n = len(y)
        weights, slopes, nugget = self._weights(theta)
        alike = np.exp(-(weights.ravel() @ apart))  # of the pairs below the diagonal, row by row
        matrix = np.diag(np.full(n, 1 + nugget))
        below = np.tri(n, k=-1, dtype=bool)
        matrix[below] = alike
        matrix += (trend * slopes) @ trend.T  # only what is below the diagonal is read
        factor = linalg.cholesky(matrix, lower=True, check_finite=False)
        inverse = linalg.cho_solve((factor, True), np.eye(n), check_finite=False)
        ones = inverse.sum(axis=1)
        residual = y - ones @ y / ones.sum()
        alpha = inverse @ residual
        variance = residual @ alpha / n + 1e-9
        z = (theta - self.centre) / self.spread
        loss = n * np.log(variance) / 2 + np.log(np.diag(factor)).sum() + z @ z / 2
        slope = (inverse - np.outer(alpha, alpha) / variance) / 2  # of the loss by R
        by_weight = -2 * (apart @ (slope[below] * alike)).reshape(weights.shape) * weights
        by_trend = 2 * slopes * ((slope @ trend) * trend).sum(axis=0)
        gradient = np.concatenate(
            [by_weight.sum(axis=1), by_weight.sum(axis=0), by_trend, [nugget * np.trace(slope)]]
        )
        return float(loss), gradient + z / self.spread

    def _weights(self, theta: FloatArray) -> tuple[FloatArray, FloatArray, float]:
        """Weights ``(slots, kinds)``, variances of the trends' slopes, and the nugget."""
        slots, kinds = len(self.distances), len(self.distances[0])
        by_slot, by_kind, slopes, nugget = np.split(
            np.exp(theta), [slots, slots + kinds, len(theta) - 1]
        )
        return np.outer(by_slot, by_kind), slopes**2, float(nugget[0])

    def scale(self, values: FloatArray, lowest: float) -> None:
        """Set the scale to standardise ``values`` ``(n,)``, those below ``lowest`` clipped."""
        values = np.maximum(values, lowest)
        self.lowest, self.zero = lowest, float(values.mean())
        self.unit = float(values.std()) or 1.0

    def scaled(self, values: FloatArray) -> FloatArray:
        """Values in the scale of the process."""
        return np.asarray((np.maximum(values, self.lowest) - self.zero) / self.unit)

    def condition(
        self,
        x: IntArray,
        trend: FloatArray,
        values: FloatArray,
        candidates: IntArray,
        theirs: FloatArray,
        room: int,
    ) -> None:
        """Start anew from what is known.

        Args:
            x: trials ``(n, slots)``.
            trend: of them, ``(n, trends)``.
            values: of them, ``(n,)``.
            candidates: to be asked about, ``(m, slots)``.
            theirs: their trends, ``(m, trends)``.
            room: for so many more trials.
        """
        from scipy import linalg

        weights, slopes, self.nugget = self._weights(self.theta)
        self.apart = [np.tensordot(w, d, 1) for w, d in zip(weights, self.distances, strict=True)]
        self.candidates = candidates
        self.trend, self.sloped = theirs, theirs * slopes
        self.onehot = np.concatenate(
            [np.eye(len(a))[candidates[:, i]] for i, a in enumerate(self.apart)], axis=1
        ).T
        n = len(x)
        self.known = self.scaled(values)
        apart = np.sum([a[x[:, i, None], x[:, i]] for i, a in enumerate(self.apart)], axis=0)
        alike = np.exp(-apart) + (trend * slopes) @ trend.T
        factor = linalg.cholesky(alike + self.nugget * np.eye(n), lower=True, check_finite=False)
        columns = np.column_stack([np.ones(n), self.known])
        solved = linalg.solve_triangular(factor, columns, lower=True, check_finite=False)
        ones, y = solved[:, 0], solved[:, 1]
        centre = float(ones @ y) / float(ones @ ones)
        z = y - centre * ones
        self.variance = float(z @ z) / n + 1e-9
        self.V = np.empty((n + room, len(candidates)))
        alike = self._alike(x, trend)
        self.V[:n] = linalg.solve_triangular(factor, alike, lower=True, check_finite=False)
        self.rows = n
        self.mean: FloatArray = centre + z @ self.V[:n]
        prior = 1 + np.einsum("ij,ij->i", self.trend, self.sloped)
        self.rest: FloatArray = np.maximum(
            prior - np.einsum("ij,ij->j", self.V[:n], self.V[:n]), 1e-12
        )
        self.pending: list[tuple[int, FloatArray, float]] = []

    def add(self, j: int) -> None:
        """Candidate ``j`` becomes a trial, whose value is yet to come."""
        row, deviation = self.V[self.rows], float(np.sqrt(self.rest[j] + self.nugget))
        alike = self._alike(self.candidates[[j]], self.trend[[j]])[0]
        row[:] = (alike - self.V[: self.rows, j] @ self.V[: self.rows]) / deviation
        self.rest = np.maximum(self.rest - row**2, 1e-12)
        self.rows += 1
        self.pending.append((j, row, deviation))

    def learn(self, values: FloatArray) -> None:
        """The values of what was added, in order."""
        for (j, row, deviation), y in zip(self.pending, self.scaled(values), strict=True):
            self.mean = self.mean + (y - self.mean[j]) / deviation * row
        self.known = np.append(self.known, self.scaled(values))
        self.pending = []

    def deviation(self) -> FloatArray:
        """Standard deviations of the candidates' values, ``(candidates,)``."""
        return np.sqrt(self.variance * (self.rest + self.nugget))

    def _alike(self, x: IntArray, trend: FloatArray) -> FloatArray:
        """Covariances of architectures with the candidates, ``(n, candidates)``."""
        apart = np.concatenate([a[x[:, i]] for i, a in enumerate(self.apart)], axis=1)
        return np.asarray(np.exp(-(apart @ self.onehot)) + trend @ self.sloped.T)


class Trends:
    """Logarithms of the sizes that a problem tells of every architecture, standardised.

    Args:
        problem: tells parameters, and multiply-adds or operations, or neither.
        sampled: architectures ``(n, slots)`` by whose mean and deviation sizes are standardised;
            none for no trends.
    """

    def __init__(self, problem: Problem, sampled: IntArray) -> None:
        self._sizes = problem.objectives.size_of
        self._names: list[str] = []
        parts: list[FloatArray] = []
        for names in _SIZES if len(sampled) else ():
            for name in names:
                try:
                    sizes = np.log1p(self._sizes(name, sampled))
                except ValueError:  # nothing tells it
                    continue
                if sizes.std() > _EQUAL:
                    self._names.append(name)
                    parts.append(sizes)
                    break
        self._zero = np.array([part.mean() for part in parts])
        self._unit = np.array([part.std() for part in parts])

    def __len__(self) -> int:
        """Number of trends."""
        return len(self._names)

    def of(self, x: IntArray) -> FloatArray:
        """Trends ``(n, trends)`` of architectures ``(n, slots)``."""
        sizes = [np.log1p(self._sizes(name, x)) for name in self._names]
        columns: FloatArray = np.reshape(sizes, (len(self._names), len(x))).T
        return np.asarray((columns - self._zero) / self._unit)


class Size:
    """In place of a process for an objective that every architecture tells without a trial.

    Args:
        problem: tells it.
        name: of the objective.
    """

    def __init__(self, problem: Problem, name: str) -> None:
        self._problem, self._name = problem, name

    def scale(self, values: FloatArray, lowest: float) -> None:
        """Set the scale to standardise ``values`` ``(n,)``; none is clipped."""
        self._zero, self._unit = float(values.mean()), float(values.std()) or 1.0

    def scaled(self, values: FloatArray) -> FloatArray:
        """Values in the scale of the process."""
        return np.asarray((values - self._zero) / self._unit)

    def fit(self, x: IntArray, trend: FloatArray, y: FloatArray) -> None:
        """Nothing is to be learned."""

    def condition(
        self,
        x: IntArray,
        trend: FloatArray,
        values: FloatArray,
        candidates: IntArray,
        theirs: FloatArray,
        room: int,
    ) -> None:
        """Look the candidates up; see :meth:`Process.condition`."""
        self.known = self.scaled(values)
        self.mean = self.scaled(-self._problem.objectives.size_of(self._name, candidates))
        self.pending: list[int] = []

    def add(self, j: int) -> None:
        """Candidate ``j`` becomes a trial."""
        self.pending.append(j)

    def learn(self, values: FloatArray) -> None:
        """The values of what was added, in order."""
        self.known = np.append(self.known, self.scaled(values))
        self.pending = []

    def deviation(self) -> FloatArray:
        """Next to nothing, ``(candidates,)``: the formulas divide by it."""
        return np.full(len(self.mean), _EQUAL)
