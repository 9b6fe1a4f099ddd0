import sys

import pytest

import blox_env
from blox_env.experiment import provenance


@pytest.fixture
def agent(tmp_path, monkeypatch):
    """A package with an agent, a helper of its own and one that it does not use."""
    package = tmp_path / "somebody"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "agent.py").write_text("import yaml\nfrom somebody import helper\n")
    (package / "helper.py").write_text("x = 1\n")
    (package / "unused.py").write_text("x = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [n for n in sys.modules if n.startswith("somebody")]:
        monkeypatch.delitem(sys.modules, name)
    provenance._sources.cache_clear()
    yield package
    provenance._sources.cache_clear()


def hashed():
    provenance._sources.cache_clear()
    return provenance.code("somebody.agent")


def test_the_hash_follows_the_agent_and_what_it_imports(agent):
    before = hashed()
    (agent / "unused.py").write_text("x = 2\n")
    assert hashed() == before
    (agent / "helper.py").write_text("x = 2\n")
    assert hashed() != before


def test_versions_of_what_the_agent_imports(agent):
    found = provenance.versions("somebody.agent")
    assert list(found) == ["blox-env", "numpy", "PyYAML"]
    assert found["blox-env"] == blox_env.__version__


def test_other_rooms_do_not_change_an_agents_hash():
    sources, _ = provenance._sources("blox_env.agents.random_search")
    assert list(sources) == ["blox_env.agents.random_search"]
