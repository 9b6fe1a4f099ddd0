"""Tree-structured Parzen estimator, by Optuna.

Bergstra et al., *Algorithms for Hyper-Parameter Optimization*, 2011; for several objectives Ozaki
et al., *Multiobjective Tree-Structured Parzen Estimator*, 2022. One density is fitted to the
options of good architectures and one to those of the others; of some candidates drawn from the
first one that with the largest ratio of both is evaluated.
Deviations: one that was evaluated before is drawn again ``redraws`` times and then mutated in one
slot, because a repeat teaches nothing; the densities never see repeats.
Defaults: those of Optuna 5 for one objective. Of 14 random draws on ``digits`` with latency, two
objectives (``perf/tune_agents.py --agent tpe --trials 14 --seeds 5 --finalists 4 --final-seeds
15``), the same without ``multivariate`` is a little better, but it takes three times as long.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from blox_env.agent import AskTellAgent
from blox_env.ground.errors import check_positive_int
from blox_env.ground.extras import extra
from blox_env.ground.typing import IntArray
from blox_env.problem import Problem
from blox_env.problem.history import Trials
from blox_env.spaces.base import SearchSpace

_MUTATIONS = 100

Architecture = tuple[int, ...]


class TPE(AskTellAgent):
    """Optuna's ``TPESampler`` on categorical variables, one a slot.

    Args:
        startup: random architectures before the densities are used (Optuna: 10).
        candidates: draws of which the best ratio is taken (Optuna: 24).
        multivariate: densities over whole architectures, not slot by slot (Falkner et al. 2018);
            Optuna 5: for one objective only.
        redraws: how often one that is known is drawn again.
        batch: proposals evaluated at once.
    """

    searches_for = "several"

    def __init__(
        self,
        startup: int = 10,
        candidates: int = 24,
        multivariate: bool = True,
        redraws: int = 2,
        batch: int = 1,
    ) -> None:
        self.startup = check_positive_int("startup", startup)
        self.candidates = check_positive_int("candidates", candidates)
        self.multivariate = bool(multivariate)
        self.redraws = check_positive_int("redraws", redraws, 0)
        self.batch = check_positive_int("batch", batch)

    def start(self, problem: Problem, rng: np.random.Generator) -> None:
        """An empty study; Optuna draws from a generator seeded by ``rng``."""
        with extra("bo", "the agent tpe"):
            import optuna
        self._problem = problem
        self._space: SearchSpace = problem.space
        self._rng = rng
        self._seen: set[Architecture] = set()
        self._running: dict[Architecture, Any] = {}  # trials that were asked for
        self._distributions: dict[str, optuna.distributions.BaseDistribution] = {
            f"x{slot}": optuna.distributions.CategoricalDistribution(range(count))
            for slot, count in enumerate(problem.space.options)
        }
        with _quiet():
            sampler = optuna.samplers.TPESampler(
                n_startup_trials=self.startup,
                n_ei_candidates=self.candidates,
                multivariate=self.multivariate,
                constant_liar=True,
                seed=int(rng.integers(2**31)),
            )
            self._study = optuna.create_study(
                sampler=sampler,
                directions=["maximize"] * len(problem.objectives),
                study_name="search",
            )

    def ask(self, n: int) -> IntArray:
        """Draws from the density of the good."""
        with _quiet():
            made = np.array([self._proposal() for _ in range(n)], dtype=np.int64)
        proposals = self._problem.propose(made, self._rng)
        for old, row in zip(map(tuple, made.tolist()), map(tuple, proposals.tolist()), strict=True):
            if old != row:  # another one is told of
                self._seen.add(row)
                self._give_up(old)
        return proposals

    def tell(self, x: IntArray, trials: Trials) -> None:
        """Add to the study."""
        values = self._problem.values(trials)
        with _quiet():
            for row, gains in zip(map(tuple, x.tolist()), values.tolist(), strict=True):
                trial = self._running.pop(row, None)
                if trial is None:
                    self._study.add_trial(self._trial(row, gains))
                else:
                    self._study.tell(trial, gains)

    def _give_up(self, row: Architecture) -> None:
        """A draw that is no candidate and never gets a value."""
        import optuna

        trial = self._running.pop(row, None)
        if trial is not None:
            with _quiet():
                self._study.tell(trial, state=optuna.trial.TrialState.FAIL)

    def _trial(self, row: Architecture, gains: list[float]) -> Any:
        """A finished trial that the sampler did not propose."""
        import optuna

        params = dict(zip(self._distributions, row, strict=True))
        return optuna.trial.create_trial(
            params=params, distributions=self._distributions, values=gains
        )

    def _proposal(self) -> Architecture:
        import optuna

        row: Architecture = ()
        for _ in range(1 + self.redraws):
            trial = self._study.ask(self._distributions)
            row = tuple(trial.params[name] for name in self._distributions)
            if row not in self._seen:
                self._running[row] = trial
                break
            self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
        for _ in range(_MUTATIONS):
            if row not in self._seen:
                break
            row = self._mutated(row)
        self._seen.add(row)
        return row

    def _mutated(self, row: Architecture) -> Architecture:
        """A random option in a random slot; the walk leads away from what is known."""
        slot = int(self._rng.integers(len(row)))
        return (*row[:slot], int(self._rng.integers(self._space.options[slot])), *row[slot + 1 :])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Optuna neither logs that it makes a study nor warns that an option is experimental."""
    import optuna

    verbosity = optuna.logging.get_verbosity()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        try:
            yield
        finally:
            optuna.logging.set_verbosity(verbosity)
