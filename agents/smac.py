"""Sequential model-based algorithm configuration, by SMAC3.

Hutter, Hoos & Leyton-Brown, *Sequential Model-Based Optimization for General Algorithm
Configuration*, LION 2011 (SMAC); Lindauer et al., *SMAC3: A Versatile Bayesian Optimization
Package for Hyperparameter Optimization*, JMLR 2022. A random forest is fitted to the logarithms of
costs; its trees' mean and spread give the expected improvement, which local searches from the best
known architectures and from the best of many random ones maximise. Every fifth proposal is random.
Deviations: an architecture is evaluated once, so nothing is raced; ``initial`` is a number of
architectures and not a share of the budget, so a shorter search is the beginning of a longer one;
local searches start in a fixed order, which in SMAC3 2.4 is that of a set and differs from process
to process; where SMAC3 has nothing new to propose, or only what is known, random architectures are
proposed. The forest is the one that SMAC3 has had since 2.4, scikit-learn's, which takes a slot's
options for numbers in their order; that of the papers splits them as sets.
Defaults: those of SMAC3's ``HyperparameterOptimizationFacade`` but for ``initial``; not tuned.
"""

from __future__ import annotations

import contextlib
import logging
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from blox_env.agent import Seed
from blox_env.agents._model_based import ModelBased
from blox_env.ground.errors import check_positive_int
from blox_env.ground.extras import extra_module
from blox_env.ground.typing import IntArray
from blox_env.problem import Problem
from blox_env.problem.history import Trials

_TRIALS = 2**31 - 1  # the budget is the problem's business
_ASKED = 20  # proposals that are known, until a random one is made

Architecture = tuple[int, ...]


class SMAC(ModelBased):
    """SMAC3's random forest and expected improvement on categorical variables, one a slot.

    Args:
        initial: architectures of a Sobol sequence at the start (SMAC3: 10 a slot, but at most a
            quarter of the budget).
        trees: of the forest.
        challengers: random architectures whose expected improvement is computed for a fit.
        retrain: proposals between two fits.
        explore: share of proposals that are random.
        batch: proposals evaluated at once.
    """

    name = "smac"
    searches_for = "one"

    def __init__(
        self,
        initial: int = 10,
        trees: int = 10,
        challengers: int = 10_000,
        retrain: int = 8,
        explore: float = 0.2,
        batch: int = 1,
    ) -> None:
        self.initial = check_positive_int("initial", initial)
        self.trees = check_positive_int("trees", trees)
        self.challengers = check_positive_int("challengers", challengers)
        self.retrain = check_positive_int("retrain", retrain)
        self.explore = float(explore)
        if not 0 <= self.explore <= 1:
            raise ValueError(f"explore must be from 0 to 1, got {explore!r}")
        self.batch = check_positive_int("batch", batch)

    def search(self, problem: Problem, *, seed: Seed) -> None:
        """Search with a single thread of BLAS; without SMAC3 the error names its extra."""
        _import()
        super().search(problem, seed=seed)

    def start(self, problem: Problem, rng: np.random.Generator) -> None:
        """A new optimiser, which draws from generators seeded by ``rng``."""
        _import()
        super().start(problem, rng)
        self._trial_seed = 0  # SMAC3 proposes nothing where told ones have another
        self._running: dict[Architecture, Any] = {}  # trials that were asked for
        with _quiet():
            self._optimiser = self._facade(int(rng.integers(2**31 - 1)))

    def tell(self, x: IntArray, trials: Trials) -> None:
        """Add what is new to the forest's data."""
        from smac.runhistory.dataclasses import TrialValue

        known = len(self._rows)
        super().tell(x, trials)
        with _quiet():
            for row, place in list(self._rows.items())[known:]:
                trial = self._running.pop(row, None) or self._trial(row)
                cost = -float(self._values[place, 0])
                self._optimiser.tell(trial, TrialValue(cost=cost), save=False)

    def _propose(self, n: int) -> IntArray:
        """Proposals of SMAC3, moved to candidates; random architectures where these are known."""
        made: dict[Architecture, None] = {}
        with _quiet():
            for _ in range(n * _ASKED):
                if len(made) == n or (trial := self._asked()) is None:
                    break
                self._trial_seed = trial.seed
                row = tuple(trial.config.get_array().astype(int).tolist())
                own = np.array([row], dtype=np.int64)
                moved = tuple(self._problem.propose(own, self._rng)[0].tolist())
                if moved == row:
                    self._running[row] = trial  # others stay pending in SMAC3 and get no value
                if moved not in self._rows and moved not in self._pending:
                    made[moved] = None
        if len(made) < n:
            left = self._random(n).tolist()
            made |= dict.fromkeys(
                [row for row in map(tuple, left) if row not in made][: n - len(made)]
            )
        if not made:  # all are known
            return self._allowed.sample(self._rng, n)
        return np.array(list(made), dtype=np.int64)

    def _asked(self) -> Any:
        """The next trial of SMAC3; None where it has found nothing new, and from then on."""
        from smac.main.exceptions import ConfigurationSpaceExhaustedException

        try:
            return self._optimiser.ask()
        except (StopIteration, ConfigurationSpaceExhaustedException):
            return None

    def _trial(self, row: Architecture) -> Any:
        """A trial that SMAC3 did not ask for."""
        from ConfigSpace import Configuration
        from smac.runhistory.dataclasses import TrialInfo

        vector = np.array(row, dtype=np.float64)
        return TrialInfo(Configuration(self._variables, vector=vector), seed=self._trial_seed)

    def _facade(self, seed: int) -> Any:
        """SMAC3's optimiser; the files that it writes at its start are removed."""
        from ConfigSpace import CategoricalHyperparameter, ConfigurationSpace
        from smac import HyperparameterOptimizationFacade as Facade
        from smac import Scenario
        from smac.model.random_forest.random_forest import RandomForest

        variables = ConfigurationSpace(seed=seed)
        variables.add(
            [
                CategoricalHyperparameter(f"x{slot}", range(count))
                for slot, count in enumerate(self._space.options)
            ]
        )
        self._variables = variables
        with tempfile.TemporaryDirectory() as folder:
            scenario = Scenario(
                variables,
                deterministic=True,
                n_trials=_TRIALS,
                seed=seed,
                output_directory=Path(folder),
            )
            model = RandomForest(
                variables,
                n_trees=self.trees,
                ratio_features=1.0,
                min_samples_split=2,
                min_samples_leaf=1,
                max_leaf_nodes=None,  # 2^20 of them, for which a tree would reserve its memory
                log_y=True,
                n_jobs=1,
                seed=seed,
            )
            maximizer = Facade.get_acquisition_maximizer(scenario, challengers=self.challengers)
            _in_order(maximizer._local_search)
            return Facade(
                scenario,
                model=model,
                acquisition_maximizer=maximizer,
                initial_design=Facade.get_initial_design(
                    scenario, n_configs=self.initial, max_ratio=1.0
                ),
                random_design=Facade.get_random_design(scenario, probability=self.explore),
                intensifier=Facade.get_intensifier(scenario, max_config_calls=1),
                config_selector=Facade.get_config_selector(scenario, retrain_after=self.retrain),
                logging_level=False,
                overwrite=True,
            )


def _in_order(local_search: Any) -> None:
    """Let searches start in an order that does not depend on hashes, which differ by process."""
    given = local_search._get_init_points_from_previous_configs

    def ordered(*arguments: Any) -> list[Any]:
        return sorted(given(*arguments), key=lambda config: config.get_array().tolist())

    local_search._get_init_points_from_previous_configs = ordered


def _import() -> None:
    """Import SMAC3, without what this does: Dask draws from Python's generator and sets up logs."""
    config = extra_module("dask.config", "smac", "the agent smac")
    state = random.getstate()
    try:
        with config.set({"distributed.logging": {"version": 1, "incremental": True}}):
            extra_module("smac", "smac", "the agent smac")
    finally:
        random.setstate(state)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """SMAC3 does not log that it has found too few architectures."""
    logger = logging.getLogger("smac")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
