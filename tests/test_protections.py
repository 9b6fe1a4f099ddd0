"""The list of protections is that of the code as it stands; perf/protections.py removes them."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("protections", ROOT / "perf" / "protections.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["protections"] = module
    spec.loader.exec_module(module)
    return module


def test_each_protection_stands_where_the_list_says(script):
    listed = script.protections()
    assert len({p.name for p in listed}) == len(listed) >= 40
    for protection in listed:
        source = (ROOT / protection.file).read_text()
        assert script.removed(source, protection) != source
        for test in protection.tests:
            file, _, name = test.partition("::")
            assert f"def {name}" in (ROOT / file).read_text(), test


def test_what_is_not_there_is_named(script):
    protection = script.Protection("bombs", "a.py", "if size > 3:", "if False:", ())
    with pytest.raises(ValueError, match=r"'bombs': its text is 0 times in a\.py"):
        script.removed("if size > 4:", protection)
    with pytest.raises(ValueError, match="is 2 times"):
        script.removed("if size > 3:\nif size > 3:", protection)


def test_a_missing_protection_is_noticed_by_a_test_that_fails(script, tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\n")
    (tmp_path / "code.txt").write_text("if size > 3:")
    for name, text in (("good", "size"), ("bad", "nothing")):
        check = f"def test_it():\n    assert {text!r} in open('code.txt').read() + 'nothing'\n"
        (tmp_path / f"test_{name}.py").write_text(check)
    for name, seen in (("good", "by a test"), ("bad", "")):
        tests = (f"test_{name}.py",)
        protection = script.Protection("bombs", "code.txt", "if size > 3:", "if False:", tests)
        assert script.noticed(tmp_path, protection) == seen
        assert (tmp_path / "code.txt").read_text() == "if size > 3:"
