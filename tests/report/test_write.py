import csv
from dataclasses import replace

import numpy as np
import pytest

from blox_env.analysis.background import load_background
from blox_env.experiment.results import read_runs
from blox_env.report import vector, write_report
from tests.experiment.made_up import Board, write_runs
from tests.report.parsed import Page

pytest.importorskip("pyarrow")
pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")

PICTURES = {
    "regret", "regret-gpu-hours", "regret-wall-time", "hypervolume", "improvement", "profile",
    "front",
}  # fmt: skip
TABLES = {"estimates", "medians", "runs", "improvement", "fronts"}


@pytest.fixture
def no_drawing(monkeypatch):
    monkeypatch.setattr(vector, "encoded", lambda figure, kind, dpi=1: b'<svg viewBox="0 0 1 1">')


def files(folder):
    return {p.relative_to(folder).as_posix() for p in folder.glob("**/*") if "runs/" not in str(p)}


def test_files(folder):
    assert {path.name for path in folder.iterdir()} == {"runs", "figures", "tables", "report.html"}
    pictures = {f"{name}.{kind}" for name in PICTURES for kind in ("svg", "pdf", "png")}
    assert {path.name for path in (folder / "figures").iterdir()} == pictures
    tables = {f"{name}.{kind}" for name in TABLES for kind in ("csv", "tex")}
    assert {path.name for path in (folder / "tables").iterdir()} == tables
    starts = {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG"}
    for path in (folder / "figures").iterdir():
        assert path.read_bytes().startswith(starts[path.suffix[1:]])


def test_equal_runs_give_equal_reports(two_problems, tmp_path, names):
    write_runs(tmp_path)
    write_runs(tmp_path, device=None)
    write_report(tmp_path)
    assert files(tmp_path) == files(two_problems)
    for name in files(tmp_path):
        if (tmp_path / name).is_file():
            assert (tmp_path / name).read_bytes() == (two_problems / name).read_bytes(), name


def read(folder, name):
    with (folder / "tables" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_tables_hold_the_numbers_of_the_runs(folder):
    runs = [run for run in read_runs(folder) if run.facts.agent == "second"]
    best = [run.columns["val_acc"][run.facts.best] for run in runs]
    row = next(row for row in read(folder, "medians") if row["agent"] == "second")
    assert (row["benchmark"], row["device"]) == ("blox-toy", "blox-board")
    assert float(row["val_acc_median"]) == np.median(best)
    assert float(row["wall_s_q75"]) == 1.5
    row = next(row for row in read(folder, "estimates") if row["agent"] == "second")
    assert float(row["regret_low"]) <= float(row["regret_iqm"]) <= float(row["regret_high"])
    assert {(row["agent"], row["other"]) for row in read(folder, "improvement")} >= {
        ("second", "random-search"), ("random-search", "second")
    }  # fmt: skip
    assert len(read(folder, "runs")) == 18


def test_several_problems(two_problems):
    names = {path.stem for path in (two_problems / "figures").glob("*.svg")}
    assert {"regret-toy-no-device", "regret-toy-board", "front-toy-board"} <= names
    assert {"improvement-together", "profile-together"} <= names
    assert "front-toy-no-device" not in names
    assert "hypervolume-toy-no-device" not in names
    assert [row["device"] for row in read(two_problems, "medians")] == [
        "none", "none", "board", "board"
    ]  # fmt: skip
    rows = read(two_problems, "estimates")
    assert rows[0]["hypervolume_iqm"] == ""
    assert rows[2]["hypervolume_iqm"] != ""
    page = Page((two_problems / "report.html").read_text())
    assert "All problems together" in page.text
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_other_data_than_the_runs_used_is_not_shown(tmp_path, names, no_drawing):
    write_runs(tmp_path, checksums={"benchmark": "old", "device": Board().checksum()})
    (run, *_) = read_runs(tmp_path)
    ground = load_background(run)
    assert ground.benchmark is None
    assert ground.whole is None
    write_report(tmp_path)
    page = Page((tmp_path / "report.html").read_text())
    assert "benchmark toy holds other data here" in page.text
    assert "made up" not in page.text
    assert "Not drawn: the search space is not known here" in (tmp_path / "report.html").read_text()


def test_names_that_nobody_knows_here(tmp_path, no_drawing):
    """Somebody else's results are shown all the same, without what their data would add."""
    foreign = {"benchmark": "theirs", "device": "their-phone", "optimum": None}
    write_runs(tmp_path, ("random-search", "x"), seeds=5, said=foreign)
    paths = write_report(tmp_path)
    text = Page(paths[-1].read_text()).text
    assert "The benchmark theirs could not be loaded" in text
    assert "The device their-phone could not be loaded" in text
    assert "simple regret" in text
    assert "hypervolume" in {path.stem for path in paths}


def test_simulated_workers_have_a_picture_of_their_own(tmp_path, names, no_drawing, monkeypatch):
    from blox_env.report import write

    def with_workers(folder):
        runs = read_runs(folder)
        for run in runs:
            run.columns["sim_end_s"] = np.cumsum(run.columns["train_time_s"]) / 2
        return [replace(run, facts=replace(run.facts, simulated_workers=2)) for run in runs]

    write_runs(tmp_path)
    monkeypatch.setattr(write, "read_runs", with_workers)
    paths = write_report(tmp_path)
    assert "regret-simulated-hours" in {path.stem for path in paths}
    text = Page(paths[-1].read_text()).text
    assert "Simulated workers a search: 2." in text
    assert "simulated_workers=2" in text


def test_a_folder_without_runs(tmp_path):
    with pytest.raises(FileNotFoundError, match="no run files"):
        write_report(tmp_path)
    assert list(tmp_path.iterdir()) == []
