"""Generated pages hold what their commands give, so that none of their figures is typed in."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
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


@pytest.mark.parametrize("name", ["agents", "proxies", "supernet"])
def test_a_page_is_written_whole(name: str) -> None:
    pytest.importorskip("scipy")
    pytest.importorskip("torch")
    module = loaded(name)
    assert module.PAGE.read_text() == module.page(json.loads(module.FIGURES.read_text()))


def test_the_best_is_bold_and_what_its_interval_reaches_is_marked() -> None:
    pytest.importorskip("scipy")
    module = loaded("agents")
    near, far = {"regret": {"50": [0.011, 0.013] * 5}}, {"regret": {"50": [0.5, 0.6] * 3}}
    column = module.cells({"a": {"regret": {"50": [0.01, 0.014] * 5}}, "b": near, "c": far}, "50")
    assert column["a"].value == pytest.approx(12)
    cells = {agent: module.shown(column, agent, 10) for agent in ("a", "b", "c", "d")}
    assert cells["b"].startswith("**12.00 [")
    assert cells["a"].startswith("**12.00 [")  # equally good
    assert "≈" not in cells["c"]
    assert cells["c"].endswith("(6)")
    assert cells["d"] == ""
    column["a"] = replace(column["a"], value=12.5)
    assert module.shown(column, "a", 10).endswith(" ≈")


def test_problems_of_the_tuned_benchmark_are_not_put_together_with_the_others() -> None:
    pytest.importorskip("scipy")
    module = loaded("agents")
    one = {"random": 0.1, "agents": {"a": {"regret": {"50": [0.01, 0.02, 0.03]}}}}
    two = {"random": 0.2, "agents": {"a": {"regret": {"50": [0.02]}}, "b": {"regret": {}}}}
    kept = {
        "tuned_on": {"benchmark": "digits"},
        "tuning": {"a": {}, "b": {}},
        "problems": {"digits, x86-ort-1t": one, "cifar10": one, "macro": two},
    }
    found = module.normalised(kept, "50")
    assert list(found) == ["a"]
    assert [values.tolist() for values in found["a"]] == [[pytest.approx(0.1)]] * 2


def test_correlations_of_proxies_have_intervals() -> None:
    pytest.importorskip("scipy")
    pytest.importorskip("torch")
    module = loaded("proxies")
    rng = np.random.default_rng(0)
    truth = rng.normal(size=200)
    value, low, high = module.correlation(truth + rng.normal(size=200), truth)
    assert 0 < low < value < high < 1
    value, low, high = module.correlation(rng.normal(size=200), truth)
    assert low < 0 < high
