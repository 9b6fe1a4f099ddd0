"""Agents on a space of 45^12 with the package's own benchmark and device."""

from __future__ import annotations

import numpy as np
import pytest

import blox_env
from blox_env.agent import make_agent
from tests.agents.test_contract import AGENTS


@pytest.mark.parametrize("name", AGENTS)
def test_it_searches_a_space_that_no_table_can_hold(name: str) -> None:
    problem = blox_env.Problem("bloxxl-digits", budget=16)
    if missing := make_agent(name).requires - problem.provides:
        with pytest.raises(ValueError, match=f"requires {min(missing)}"):
            blox_env.search(problem, name, seed=0)
        return
    history = blox_env.search(problem, name, seed=0)
    assert history.x.shape[1] == 12
    assert history.column("cost").sum() <= 16 + 1e-9
    assert np.isfinite(history.reward).all()
    assert len(np.unique(history.x, axis=0)) > 4
