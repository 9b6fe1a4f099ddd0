"""Deprecations: a warning at the user's line, and no name outlives its removal."""

import ast
import re
import warnings
from pathlib import Path

import pytest

from blox_env.ground import deprecation
from blox_env.ground.deprecation import _numbers, deprecated
from blox_env.version import __version__
from tests.test_structure import PACKAGE, ROOT, dotted, tree

FUTURE = f"{int(__version__.split('.')[0]) + 1}.0.0"


def old():
    deprecated("old()", since=__version__, removal=FUTURE, instead="call new()")


def test_the_warning_is_at_the_users_line():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        old()  # the line
    (warning,) = caught
    assert warning.category is DeprecationWarning
    assert str(warning.message) == (
        f"old() is deprecated since {__version__} and will be removed in {FUTURE}: call new()"
    )
    assert Path(warning.filename) == Path(__file__)
    line = Path(__file__).read_text(encoding="utf-8").splitlines()[warning.lineno - 1]
    assert line.strip() == "old()  # the line"


@pytest.mark.parametrize(
    ("since", "removal", "match"),
    [
        ("1.2.0", "1.2.0", "removal must come after since='1.2.0'"),
        ("1.10.0", "1.9.0", "got '1.9.0'"),
        ("0.0.1", __version__, "was to be removed"),
    ],
)
def test_removals_come_later(since, removal, match):
    with pytest.raises(ValueError, match=re.escape(match)):
        deprecated("old()", since=since, removal=removal, instead="")


def test_a_release_makes_removals_due(monkeypatch):
    monkeypatch.setattr(deprecation, "__version__", FUTURE)
    with pytest.raises(ValueError, match="was to be removed"):
        old()


def test_versions_compare_as_numbers():
    assert _numbers("0.10.1") > _numbers("0.9.9")
    assert _numbers("1.2.0rc1") == _numbers("1.2.0+cpu") == (1, 2, 0)


def calls():
    """Every call of the helper in the package, with its keywords."""
    for path in PACKAGE:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and dotted(node.func).endswith("deprecated"):
                yield path, {each.arg: ast.literal_eval(each.value) for each in node.keywords}


def test_nothing_outlives_its_removal():
    due = [path for path, said in calls() if _numbers(said["removal"]) <= _numbers(__version__)]
    assert due == [], "remove what is due"


def test_every_deprecation_stands_in_the_changelog():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "### Deprecated" in changelog or not list(calls())
