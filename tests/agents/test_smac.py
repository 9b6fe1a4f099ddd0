"""A Sobol sequence, then what promises most improvement over a random forest."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("smac")

from blox_env import Problem, SearchSpace, search
from blox_env.agents.smac import SMAC
from tests.toys import PartBenchmark, ToyBenchmark

pytestmark = pytest.mark.extra
ROOT = Path(__file__).parents[2]


def toy(budget):
    return Problem(ToyBenchmark(SearchSpace((6,) * 4)), budget=budget)


def test_proposals_after_the_start_are_better_than_those_of_the_sequence():
    reward = search(toy(60), SMAC(initial=20), seed=0).reward
    assert reward[20:].mean() > reward[:20].mean()
    assert reward[20:].max() > reward[:20].max()


def test_a_batch_is_of_different_architectures_and_pending_ones_are_left_out():
    problem = toy(60)
    agent = SMAC(initial=4)
    agent.start(problem, np.random.default_rng(0))
    x = agent.ask(4)
    agent.tell(x, problem.evaluate(x))
    first, second = agent.ask(10), agent.ask(5)  # ten are pending, and the forest is fitted anew
    rows = [tuple(row) for row in np.concatenate([x, first, second]).tolist()]
    assert len(set(rows)) == 19


def test_a_trial_that_it_did_not_propose_is_learned_too():
    problem = toy(20)
    agent = SMAC()
    agent.start(problem, np.random.default_rng(0))
    x = np.array([[3, 1, 2, 0], [5, 5, 5, 5]])
    agent.tell(x, problem.evaluate(x))
    told = agent._optimiser.runhistory
    assert [value.cost for value in told.values()] == (-problem.history.reward).tolist()
    assert [c.get_array().tolist() for c in told.get_configs()] == x.tolist()


def test_what_was_proposed_is_told_of_as_the_trial_it_was():
    problem = toy(12)
    agent = SMAC(initial=4)
    agent.search(problem, seed=0)
    told = agent._optimiser.runhistory
    assert (told.submitted, told.finished) == (12, 12)
    assert not agent._running


def test_it_works_on_spaces_of_one_architecture_and_of_one_option_in_a_slot():
    for options in ((1,), (1, 1), (2, 1, 1), (1, 3)):
        space = SearchSpace(options)
        history = search(Problem(ToyBenchmark(space), budget=10), SMAC(), seed=0)
        assert len(history) == space.size


def test_of_a_space_that_is_known_in_part_only_the_known_is_proposed():
    space = SearchSpace((6,) * 4)
    rows = space.sample(np.random.default_rng(0), 30)
    known = len(np.unique(rows, axis=0))
    problem = Problem(PartBenchmark(space, rows), budget=known)
    history = search(problem, SMAC(), seed=0)
    assert len(history) == known
    assert problem.candidates.contains(history.x).all()


SCRIPT = """
import logging, os, random, sys, threading, warnings
import numpy as np
import scipy.stats, sklearn.ensemble
from blox_env import Problem, search
from tests.toys import ToyBenchmark

def state():
    loggers = logging.root.manager.loggerDict
    return {
        "plain numbers": random.getstate(),
        "arrays": str(np.random.get_state()),
        "threads": threading.enumerate(),
        "warnings": list(warnings.filters),
        "logging": [
            (name, each.level, each.handlers, each.propagate, each.disabled)
            for name, each in [("", logging.root), *sorted(loggers.items())]
            if isinstance(each, logging.Logger)
            if each.level or each.handlers or not each.propagate or each.disabled
        ],
        "files": os.listdir(),
        "temporary": os.listdir(os.environ["TMPDIR"]),
    }

before = state()
history = search(Problem(ToyBenchmark(), budget=24), "smac", seed=7)
after = state()
print([name for name in before if before[name] != after[name]], history.x.tolist())
"""


def test_process_and_folder_are_left_alone_and_hashes_change_nothing(tmp_path):
    (tmp_path / "temporary").mkdir()
    said = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=tmp_path,
            env=os.environ
            | {
                "PYTHONHASHSEED": seed,
                "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
                "TMPDIR": str(tmp_path / "temporary"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("[] [[")
        said.add(done.stdout)
    assert len(said) == 1
