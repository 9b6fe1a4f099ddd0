import base64
import hashlib
import itertools
import re

import numpy as np
import pytest

from blox_env.analysis.fronts import found_front
from blox_env.analysis.statistics import by_agent
from blox_env.experiment.results import read_runs
from blox_env.report.content import again
from blox_env.report.front_figure import values_of
from blox_env.spaces.blox import BloxSpace
from tests.experiment.made_up import DEVICES, BloxToy, make_run
from tests.report.parsed import Page

pytest.importorskip("pyarrow")
pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")


@pytest.fixture(scope="module")
def source(folder):
    return (folder / "report.html").read_text()


@pytest.fixture(scope="module")
def page(source):
    return Page(source)


def test_the_page_is_whole_and_needs_nothing_else(page, source):
    assert page.open == []
    for tag, attributes in page.tags:
        assert tag not in {"iframe", "object", "embed", "base"}
        for name in ("src", "srcset", "href", "xlink:href", "action", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:", "#")), value
    assert "@import" not in source
    assert set(re.findall(r"url\((.)", source)) <= {"#"}
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|import)\(", source)


def test_only_its_own_script_runs(page, source):
    (policy,) = [m["content"] for m in page.all("meta") if "http-equiv" in m]
    (script,) = re.findall(r"<script>(.*?)</script>", source, flags=re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy
    assert not [a for _, attributes in page.tags for a in attributes if a.startswith("on")]


def test_landmarks_and_headings(page):
    for tag in ("header", "nav", "main", "h1"):
        assert len(page.all(tag)) == 1, tag
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels))
    assert page.all("html")[0]["lang"] == "en"
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for attributes in page.all("section"):
        assert attributes["aria-labelledby"] in ids
    for attributes in page.all("a"):
        assert attributes["href"].removeprefix("#") in ids
    assert page.all("a")[0]["class"] == "skip"


def test_tables_can_be_read_aloud(page):
    assert len(page.all("caption")) == len(page.all("table")) >= 5
    assert {attributes["scope"] for attributes in page.all("th")} == {"col", "row"}


def test_everything_that_shows_or_does_something_has_a_name(page):
    for attributes in page.all("svg"):
        assert attributes["role"] in {"img", "group"}
        assert attributes["aria-label"]
    for _, attributes in page.tags:
        if attributes.get("role") in {"button", "group"}:
            assert attributes["aria-label"]
        if "tabindex" in attributes:
            assert "role" in attributes or attributes == {"tabindex": "0"}


def test_points_of_the_fronts(folder, page):
    points = [a for tag, a in page.tags if a.get("class") == "point"]
    assert [a["tabindex"] for a in points] == ["0", *["-1"] * (len(points) - 1)]
    templates = {attributes["id"] for attributes in page.all("template")}
    assert {a["data-shows"] for a in points} == templates
    for agent, runs in by_agent(read_runs(folder)).items():
        expected = [values_of(p) for p in found_front(runs, DEVICES["blox-board"])]
        found = [a["data-values"] for a in points if f"by {agent}, seed" in a["data-found"]]
        assert found == expected
        assert all(("(trained)" in text) or ("(surrogate)" in text) for text in found)
        assert all(("(measured)" in text) or ("(predicted)" in text) for text in found)
    assert any("Front of the whole table" in a["aria-label"] for a in points)


def test_the_page_tells_what_came_out(page):
    assert "3 agents (random-search, second, third-agent), 6 runs each" in page.text
    assert re.search(r"(second|third-agent) (is better|and random-search cannot)", page.text)
    assert "95 % interval" in page.text


def test_the_page_says_what_its_numbers_are(page):
    assert "Accuracies <made up> for a test." in page.text  # escaped and read back
    assert "Device blox-board No description." in page.text
    assert re.search(
        r"Accuracies of all \d+ evaluations of all runs: \d+ (trained|surr)", page.text
    )
    assert re.search(r"Their latencies: \d+ predicted, \d+ measured", page.text)
    assert "blox-toy: " + BloxToy().checksum() in page.text
    assert "3.12.1" in page.text
    assert "agents=['random-search', 'second', 'third-agent']" in page.text
    assert "do not follow from the default" in page.text


def test_evaluations_simulated_hours_and_wall_time_have_pictures_of_their_own(page):
    names = [a["aria-label"] for a in page.all("svg") if "figure" in a.get("class", "")]
    regrets = [name.split(".")[0] for name in names if name.startswith("Simple regret over")]
    assert regrets == [
        "Simple regret over evaluations",
        "Simple regret over simulated GPU-hours",
        "Simple regret over wall time",
    ]


def test_versions_and_commit_of_the_code_are_told():
    run = make_run([0.5], checksums={}, version="0.2", versions={"scikit-learn": "1.9"})
    run.meta.update(python="3.12.1", git={"commit": "0123456789abcdef", "dirty": True})
    (text,) = again([run, run]).versions
    assert text == (
        "blox-env 0.2, python 3.12.1, scikit-learn 1.9; commit 0123456789ab, changed"
    )  # fmt: skip
    bare = make_run([0.5], checksums={}, version="0.2")
    assert again([bare]).versions == ["blox-env 0.2"]


def test_the_best_architecture_is_that_of_the_best_run(folder, page):
    runs = [run for run in read_runs(folder) if run.facts.agent == "second"]
    best = max(runs, key=lambda run: run.columns["reward"].max())
    row = np.asarray(best.x[best.facts.best])
    for stage in BloxSpace().describe(row).split(" | "):
        assert stage in page.text
    assert str(row.tolist()) in page.text
