"""Noisy expected hypervolume improvement, by BoTorch.

Daulton, Balandat & Bakshy, *Parallel Bayesian Optimization of Multiple Noisy Objectives with
Expected Hypervolume Improvement*, NeurIPS 2021 (qNEHVI), in its logarithmic form (Ament et al.,
*Unexpected Improvements to Expected Improvement for Bayesian Optimization*, NeurIPS 2023), which
BoTorch recommends. Every objective has a Gaussian process; of the candidates those are evaluated
that promise the largest gain of hypervolume over the front that the processes believe in, so one
noisy value does not hide a region. With one objective it is the noisy expected improvement.
Deviations: candidates are the architectures themselves, up to ``candidates`` of them, half of these
neighbours of the front, where the paper follows gradients in a continuous space; the processes see
``ops`` features where the space has them, else one-hot ones; their parameters are fitted whenever
the number of trials has grown by a tenth, in between the processes are only conditioned on.
Defaults: processes, priors and the inferred reference point are BoTorch's; ``samples`` and
``candidates`` were not tuned.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any
from unittest import mock

import numpy as np

from blox_env.agents._model_based import ModelBased, model_features
from blox_env.ground.errors import check_positive_int
from blox_env.ground.extras import extra
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem import Problem

_GROWTH = 1.1  # of the number of trials between two fits
_ITERATIONS = 100  # of a fit


class QNEHVI(ModelBased):
    """Bayesian optimisation of several objectives by expected hypervolume.

    Args:
        initial: random architectures at the start.
        batch: proposals evaluated at once, chosen one after the other (the q of the name).
        candidates: how many the gain is computed for.
        samples: of the processes, over which the gain is averaged (BoTorch: 512; the paper: 128).
    """

    name = "qnehvi"
    searches_for = "several"

    def __init__(
        self, initial: int = 10, batch: int = 1, candidates: int = 500, samples: int = 64
    ) -> None:
        self.initial = check_positive_int("initial", initial, 2)
        self.batch = check_positive_int("batch", batch)
        self.candidates = check_positive_int("candidates", candidates)
        self.samples = check_positive_int("samples", samples)

    def start(self, problem: Problem, rng: np.random.Generator) -> None:
        """Forget everything."""
        with extra("botorch", "the agent qnehvi"):
            import botorch  # noqa: F401 (an extra)
        super().start(problem, rng)
        self._fitted = 0  # trials at the last fit
        self._states: list[dict[str, Any]] = []  # parameters of the processes

    def _propose(self, n: int) -> IntArray:
        """Random architectures first, then what promises most."""
        if len(self._rows) < self.initial:
            return self._random(min(n, max(1, self.initial - len(self._rows))))
        pool = self._pool(self.candidates)
        if len(pool) > self.candidates:
            pool = pool[self._rng.permutation(len(pool))[: self.candidates]]
        if not len(pool):
            return self._allowed.sample(self._rng, n)  # all are known
        with _quiet(int(self._rng.integers(2**31))):
            return pool[self._chosen(pool, min(n, len(pool)))]

    def _chosen(self, pool: IntArray, n: int) -> IntArray:
        """Places in the pool of what promises most together, ``(n,)``."""
        import torch
        from botorch.optim import optimize_acqf_discrete

        choices = torch.from_numpy(self._features(pool))
        found, _ = optimize_acqf_discrete(self._promise(), q=n, choices=choices)
        same = (found[:, None] == choices[None]).all(dim=2).numpy()
        places: list[int] = []
        for row in same:  # different architectures may have equal features
            places.append(next(int(k) for k in np.flatnonzero(row) if int(k) not in places))
        return np.array(places)

    def _promise(self) -> Any:
        """The acquisition function, of all trials and of what is pending."""
        import torch
        from botorch.acquisition.logei import qLogNoisyExpectedImprovement
        from botorch.acquisition.multi_objective.logei import (
            qLogNoisyExpectedHypervolumeImprovement,
        )
        from botorch.sampling import SobolQMCNormalSampler
        from botorch.utils.multi_objective.hypervolume import infer_reference_point
        from botorch.utils.multi_objective.pareto import is_non_dominated

        x = torch.from_numpy(self._features(self._seen()))
        y = torch.from_numpy(_standardised(self._values))
        pending = np.array(list(self._pending), dtype=np.int64).reshape(-1, self._space.slots)
        shared = {
            "model": self._model(x, y),
            "X_baseline": x,
            "sampler": SobolQMCNormalSampler(
                torch.Size([self.samples]), seed=int(self._rng.integers(2**31))
            ),
            "prune_baseline": True,
            "X_pending": torch.from_numpy(self._features(pending)) if len(pending) else None,
        }
        if y.shape[1] == 1:
            return qLogNoisyExpectedImprovement(**shared)
        corner = infer_reference_point(y[is_non_dominated(y)])
        return qLogNoisyExpectedHypervolumeImprovement(ref_point=corner, **shared)

    def _model(self, x: Any, y: Any) -> Any:
        """A process an objective, fitted when it is time, else with the parameters of before."""
        from botorch.fit import fit_gpytorch_mll
        from botorch.models import ModelListGP, SingleTaskGP
        from gpytorch.mlls import SumMarginalLogLikelihood

        processes = [
            SingleTaskGP(x, y[:, k, None], outcome_transform=None) for k in range(y.shape[1])
        ]
        model = ModelListGP(*processes)
        if len(x) >= _GROWTH * self._fitted:
            mll = SumMarginalLogLikelihood(model.likelihood, model)
            fit_gpytorch_mll(mll, optimizer_kwargs={"options": {"maxiter": _ITERATIONS}})
            self._fitted = len(x)
            self._states = [process.state_dict() for process in processes]
        else:
            for process, state in zip(processes, self._states, strict=True):
                process.load_state_dict(state)
        return model.eval()

    def _features(self, x: IntArray) -> FloatArray:
        """Features that the processes see, ``(n, features)``, between 0 and 1."""
        return np.ascontiguousarray(model_features(self._space, x), dtype=np.float64)


def _standardised(values: FloatArray) -> FloatArray:
    """Values ``(n, objectives)`` with mean 0 and deviation 1."""
    spread = values.std(axis=0)
    return np.asarray((values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


@contextlib.contextmanager
def _quiet(seed: int) -> Iterator[None]:
    """One thread, torch's random numbers from a seed, no warnings; afterwards all is as before.

    Nor does BoTorch call a C++ compiler, as 0.18 does where it finds one: trials would depend on
    whether it does.
    """
    import torch
    from botorch.acquisition.multi_objective import logei

    threads = torch.get_num_threads()
    uncompiled = mock.patch.object(logei, "_load_attempted", True, create=True)
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings(), uncompiled:
        warnings.simplefilter("ignore")  # of fits that did not get to the end
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
