"""The figures of the house, counted in a small made-up checkout."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = {
    "blox_env/__init__.py": '"""The front."""\n',
    "blox_env/a.py": '"""What a is."""\nfrom blox_env import b\n\ndef f(x, y):\n    """Do."""\n',
    "blox_env/b.py": '"""B."""\n\ndef g(x, y):\n    """Do.\n\n    Args:\n        x: 1.\n    """\n'
    "    from blox_env.a import f  # noqa: PLC0415\n    return f(x, y)\n",
    "blox_env/c.py": '"""C."""\nTARGET = "blox_env.d:D"\n\nclass Base:\n    """B."""\n\n'
    '    def h(self, x, y):\n        """Do."""\n',
    "blox_env/d.py": '"""D."""\nfrom blox_env.c import Base\n\nclass D(Base):\n    """D."""\n\n'
    '    def h(self, x, y):\n        """Do."""\n\ndef bare():\n    pass\n',
    "agents/one.py": '"""One."""\n',
    "wrappers/two.py": '"""Two."""\n',
    "tests/test_a.py": "",
    "tests/agents/test_one.py": "",
}


@pytest.fixture(scope="module")
def house():
    spec = importlib.util.spec_from_file_location("house", ROOT / "perf" / "house.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["house"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["house"]


def test_figures(house, tmp_path):
    for name, text in SOURCES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = house.figures(house.House(tmp_path))
    assert {name: text for name, (text, _) in found.items()} == {
        "root": "5",
        "circles": "1 (2 modules)",
        "circles+strings": "2 (4 modules)",
        "noqa": "1",
        "dict[str, Any]": "0",
        "facts[": "0",
        "card[": "0",
        "asking": "1",
        "args": "33% of 3",  # of f, g and Base.h; D.h overrides it
        "docstrings": "93% of 14",
        "tests": "2 of 6",
        "longest": "11",
    }
    assert found["circles"][1] == ["a, b"]
    assert found["docstrings"][1] == ["blox_env/d.py:10"]


def test_this_checkout(house):
    found = house.figures(house.House(ROOT))
    assert int(found["root"][0]) <= 8
    assert found["circles"][0] == found["circles+strings"][0] == "0 (0 modules)"
    assert int(found["noqa"][0]) <= 40
    assert found["docstrings"][1] == found["asking"][1] == []
    have, every = map(int, found["tests"][0].split(" of "))
    assert have >= 0.9 * every
