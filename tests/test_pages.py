"""Generated pages hold what their commands give, so that none of their figures is typed in."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

DOCS = Path(__file__).parents[1] / "docs"


def loaded(name: str) -> ModuleType:
    """A script of docs/ as a module."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("script", "page", "text"),
    [
        ("surrogates", "surrogates", "tables"),
        ("local_search", "local_search", "tables"),
        ("live_searches", "surrogates", "text"),
    ],
)
def test_a_page_is_what_its_command_writes(script: str, page: str, text: str) -> None:
    pytest.importorskip("scipy")
    module = loaded(script)
    whole = (DOCS / f"{page}.md").read_text()
    found = module.BLOCK.search(whole)
    assert found
    assert found[0] == found[1] + getattr(module, text)() + found[2]


def test_chances_and_regrets_are_what_they_say() -> None:
    module = loaded("local_search")
    assert module._chance(np.array([1.0, 2.0]), np.array([2.0, 3.0])) == 3.5 / 4
    found = {
        "best": 0.9, "median": 0.7, "agents": {"a": [[0.8, 0.9]], "b": [[0.7, 0.6]], "c": []}
    }  # fmt: skip
    regrets = module.regrets(found)
    np.testing.assert_allclose(regrets["a"], [[0.5, 0.0]])
    np.testing.assert_allclose(regrets["b"], [[1.0, 1.5]])
    assert "c" not in regrets


def test_agents_that_rank_alike_correlate() -> None:
    pytest.importorskip("scipy")
    module = loaded("live_searches")
    agents = ["a", "b", "c"]
    found = {
        "live": {a: {"answers": [[k, k, k]]} for k, a in enumerate(agents)},
        "table": {a: {"answers": [10 + k] * 5} for k, a in enumerate(agents)},
    }
    assert module.spearman(found, agents) == (1.0, 1.0, 1.0)
