"""The page on systems and Pythons holds what the suites printed."""

import json
import re

import pytest

from tests.test_pages import loaded

PRINTED = """
bringing up nodes...
....s..F [100%]
SKIPPED [2] tests/a.py:12: needs a GPU
SKIPPED [1] tests/b.py:3: needs a GPU
SKIPPED [1] tests/b.py: no browser: chromium
FAILED tests/c.py::test_c - assert 0
1 failed, 7041 passed, 4 skipped, 12 deselected, 1 error in 606.81s (0:10:06)
"""


@pytest.fixture(scope="module")
def platforms():
    return loaded("platforms")


def test_figures_of_a_suite(platforms):
    assert platforms.figures(PRINTED) == {
        "passed": 7041,
        "skipped": 4,
        "failed": 1,
        "error": 1,
        "names": ["tests/c.py::test_c"],
        "reasons": {"needs a GPU": 3, "no browser: chromium": 1},
    }
    coloured = PRINTED.replace("1 failed, 7041", "=== 7041").replace(" (0:10:06)", " ====")
    assert platforms.figures(coloured)["failed"] == 0
    with pytest.raises(ValueError, match="came to its end"):
        platforms.figures(PRINTED[:60])


def test_the_page_is_what_its_command_writes(platforms):
    found = platforms.BLOCK.search(platforms.PAGE.read_text(encoding="utf-8"))
    records = json.loads(platforms.FIGURES.read_bytes())
    assert found[0] == found[1] + platforms.tables(records) + found[2]


def test_every_record_stands_on_the_page(platforms):
    text = platforms.tables([{**platforms.record(PRINTED), "python": "3.99.1"}])
    assert "| 3.99.1 | " in text
    assert " | 7041 | 4 | 2 |  | " in text
    assert "- needs a GPU: 3 on 3.99.1" in text


def test_what_failed_and_passed_alone_is_told(platforms):
    found = platforms.record(
        PRINTED, ["F.\nFAILED a.py::b\n1 failed, 1 passed in 3.10s\n", ".\n1 passed in 3.10s\n"]
    )
    assert (found["failed"], found["error"], found["again"], found["names"]) == (1, 1, 2, [])
    assert " | 7041 | 4 | 2 | 2 | " in platforms.tables([found])


def test_the_package_claims_the_pythons_that_were_tested(platforms):
    text = (platforms.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    claimed = set(re.findall(r"Python :: (3\.\d+)", text))
    tested = {
        each["python"].rpartition(".")[0] for each in json.loads(platforms.FIGURES.read_bytes())
    }
    assert claimed == tested | {"3.11"}  # which `make check` runs with
