"""Files of facts are checked before anything is believed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from blox_env.benchmarks.facts import read_facts

FIELDS = {"schema": int, "epochs": int, "name": str}
RIGHT = {"schema": 2, "epochs": 3, "name": "mine", "more": [1]}


def test_right_facts_are_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    path.write_text(json.dumps(RIGHT))
    assert read_facts(path, FIELDS, 2) == RIGHT


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (json.dumps({**RIGHT, "schema": 3}), "expected schema 2, got 3"),
        (json.dumps({**RIGHT, "epochs": 0}), "epochs must be at least 1, got 0"),
        (json.dumps({**RIGHT, "name": 5}), "name must be str, got 5"),
        (json.dumps({"schema": 2, "epochs": 3}), "'name' is missing"),
        ("[]", "'schema' is missing"),
        ("{", "is damaged"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, content: str, word: str) -> None:
    path = tmp_path / "facts.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=word) as caught:
        read_facts(path, FIELDS, 2)
    assert str(path) in str(caught.value)


def test_a_folder_without_the_file_is_no_benchmark(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is not a benchmark: facts\.json is missing"):
        read_facts(tmp_path / "facts.json", FIELDS, 2)
