"""docs/trainers.md is what docs/trainers.json renders to."""

import contextlib
import dataclasses
import importlib.util
import json
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def trainers():
    spec = importlib.util.spec_from_file_location("trainers", ROOT / "perf" / "trainers.py")
    module = sys.modules.setdefault("trainers", importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    return module


def test_the_table_is_that_of_the_measurements(trainers):
    measured = json.loads(trainers.JSON.read_text())
    assert trainers.render(measured) == trainers.MARKDOWN.read_text(), "run `make trainers`"
    assert {row.key for row in trainers.ROWS} == set(measured)


def test_rows(trainers):
    row = trainers.ROWS[0]
    found = {
        "steps": 1000,
        "seconds": 0.3,
        "cores_used_by_others": 0.25,
        "date": "2000-01-01",
        "python": "3.0",
        "cpu": "an abacus",
        "cores": "1",
        "system": "sand",
        "versions": dict.fromkeys((*row.needs, "gymnasium"), "1.0"),
    }
    text = trainers.render({row.key: found}, trainers.ROWS[:2])
    versions = "stable-baselines3 1.0, torch 1.0, gymnasium 1.0"
    assert f"| 3,300 | {versions} | 2000-01-01, others: 0.2 cores |" in text
    assert "Python 3.0, one thread, on an abacus, 1 cores, sand." in text
    assert text.count("not yet") == 1


def test_links_of_the_table_point_at_something(trainers):
    links = re.findall(r"\]\(([^)#]+)\)", trainers.render({}))
    assert links
    assert all((ROOT / "docs" / link).resolve().exists() for link in links)


def test_measuring(trainers, monkeypatch, tmp_path):
    @contextlib.contextmanager
    def start():
        yield lambda steps: steps

    quick = dataclasses.replace(trainers.ROWS[0], key="a: b", needs=("numpy",), start=start)
    absent = dataclasses.replace(quick, key="c: d", needs=("no-such-distribution",))
    monkeypatch.setattr(trainers, "ROWS", (quick, absent))
    monkeypatch.setattr(trainers, "JSON", tmp_path / "t.json")
    monkeypatch.setattr(trainers, "MARKDOWN", tmp_path / "t.md")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(sys, "argv", ["trainers.py", "--seconds", "0"])
    earlier = {**trainers.measure(quick, 0), "date": "2000-01-01"}
    earlier["versions"]["no-such-distribution"] = "0.1"
    (tmp_path / "t.json").write_text(json.dumps({"c: d": earlier}))
    trainers.main()
    assert json.loads((tmp_path / "t.json").read_text())["c: d"] == earlier
    lines = (tmp_path / "t.md").read_text().splitlines()
    (kept,) = (line for line in lines if line.startswith("| c | d |"))
    assert "no-such-distribution 0.1" in kept
    assert "2000-01-01" in kept
