import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from rich.console import Console

from blox_env.benchmarks.base import Benchmark, Evaluation
from blox_env.devices.base import Device
from blox_env.experiment import figures, report
from blox_env.experiment.report import load_ground, write_report
from blox_env.experiment.results import encode_run, read_runs, write_run
from blox_env.experiment.statistics import regret_curves
from blox_env.experiment.tables import summary_table
from blox_env.problem import Problem
from blox_env.spaces.base import SearchSpace

pytest.importorskip("pyarrow")
pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")

SPACE = SearchSpace((5, 8), name="toy")


class Toy(Benchmark):
    name = "toy"
    space = SPACE
    provides = frozenset({"table"})
    description = "Accuracies <made up> for a test."

    def evaluate(self, x, *, epochs=None, best=False, seed=None):
        i = SPACE.index(x)
        acc = 0.8 + 0.1 * np.sin(i) ** 2
        source = np.where(i % 2 == 0, "trained", "surrogate")
        return Evaluation(acc, acc - 0.01, np.zeros(len(i)), np.full(len(i), 36.0), source)


class Board(Device):
    name = "board"
    space = SPACE

    def latency_ms(self, x):
        return 1.0 + SPACE.index(x) % 7

    def measured(self, x):
        return SPACE.index(x) % 3 == 0


def write_runs(folder, agents=("first", "second"), device="board", seeds=3, **facts):
    for agent in agents:
        for seed in range(seeds):
            problem = Problem(Toy(), None if device is None else Board(), budget=10)
            problem.evaluate(SPACE.sample(np.random.default_rng([len(agent), seed]), 8))
            assert problem.history is not None
            best = problem.history.best()
            values = {
                "agent": agent,
                "options": {},
                "benchmark": "toy",
                "device": device,
                "space": "toy",
                "reward": problem.reward_name,
                "latency_target_ms": None if device is None else problem.latency_target_ms,
                "budget": 10,
                "noise": "mean",
                "seed": seed,
                "random": seed + 77,
                "version": "0.1.0",
                "checksums": {
                    "benchmark": problem.benchmark.checksum(),
                    "device": None if problem.device is None else problem.device.checksum(),
                },
                "best": best,
                "test_acc": float(problem.test_acc(problem.history.x[best])[0]),
                "queries": problem.queries,
                "optimum": problem.optimum()[1],
                **facts,
            }
            path = folder / "runs" / f"{agent}-{device}-{seed}.parquet"
            write_run(
                path, encode_run(problem.history, values), {"wall_s": 1.5, "python": "3.12.1"}
            )


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.open = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "img", "source"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def names():
    """The toys by name, for this module only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "load_benchmark", lambda name: {"toy": Toy()}[name])
        patch.setattr(report, "load_device", lambda name: {"board": Board()}[name])
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory, names):
    folder = tmp_path_factory.mktemp("experiment")
    write_runs(folder)
    write_report(folder)
    return folder


@pytest.fixture(scope="module")
def page(folder):
    return Page((folder / "report.html").read_text())


@pytest.fixture
def no_drawing(monkeypatch):
    monkeypatch.setattr(figures, "to_png", lambda figure: b"png")
    monkeypatch.setattr(figures, "to_svg", lambda figure: "<svg/>")


def test_files(folder):
    names = {path.name for path in folder.iterdir()}
    assert names == {"runs", "regret.png", "front.png", "summary.csv", "report.html"}
    for name in ("regret.png", "front.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


def test_the_page_is_whole_and_needs_nothing_else(page):
    assert page.open == []
    for tag, attributes in page.tags:
        assert tag not in {"script", "link", "iframe", "object"}
        for name in ("src", "srcset", "href", "action", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:image/svg+xml;base64,", "#")), value
    style = page.text[: page.text.index("Comparison")]
    assert "url(" not in style
    assert "@import" not in style


def test_both_pictures_are_in_the_page_for_light_and_dark(page):
    images = page.all("img")
    assert len(images) == len(page.all("source")) == 2
    assert all("dark" in source["media"] for source in page.all("source"))
    assert "regret" in images[0]["alt"]
    assert "second" in images[0]["alt"]
    assert "Validation accuracy against latency on board" in images[1]["alt"]
    assert len({image["src"] for image in images}) == 2


def test_tables_can_be_read_aloud(page):
    assert len(page.all("caption")) == len(page.all("table"))
    assert {attributes["scope"] for attributes in page.all("th")} == {"col", "row"}


def test_the_page_says_what_its_numbers_are(page):
    assert "Accuracies <made up> for a test." in page.text  # escaped and read back
    assert "Device board No description." in page.text
    assert re.search(
        r"Accuracies of all \d+ evaluations of all runs: \d+ (trained|surr)", page.text
    )
    assert re.search(r"Their latencies: \d+ predicted, \d+ measured", page.text)
    assert "toy: " + Toy().checksum() in page.text
    assert "3.12.1" in page.text
    assert "agents=['first', 'second']" in page.text
    assert "do not follow from the default" in page.text


def test_the_best_architecture_is_that_of_the_best_run(folder, page):
    runs = [run for run in read_runs(folder) if run.facts["agent"] == "first"]
    best = max(runs, key=lambda run: run.columns["reward"].max())
    assert SPACE.describe(best.x[best.facts["best"]]) in page.text


def test_equal_runs_give_equal_reports(folder, tmp_path):
    write_runs(tmp_path)
    write_report(tmp_path)
    for name in ("report.html", "summary.csv", "regret.png", "front.png"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_csv(folder):
    with (folder / "summary.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["agent"] for row in rows] == ["first", "second"]
    runs = [run for run in read_runs(folder) if run.facts["agent"] == "first"]
    best = [run.columns["val_acc"][run.facts["best"]] for run in runs]
    assert float(rows[0]["val_acc_median"]) == np.median(best)
    assert float(rows[0]["wall_s_q75"]) == 1.5
    assert "measured" in rows[0]["latency_sources"] or "predicted" in rows[0]["latency_sources"]


def test_several_problems_have_pictures_each(tmp_path, names, no_drawing):
    write_runs(tmp_path)
    write_runs(tmp_path, device=None)
    written = {path.name for path in write_report(tmp_path)}
    assert written == {
        "regret-toy-no-device.png", "regret-toy-board.png", "front-toy-board.png", "summary.csv",
        "report.html",
    }  # fmt: skip
    page = Page((tmp_path / "report.html").read_text())
    assert len(page.all("h2")) == 4
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_other_data_than_the_runs_used_is_not_shown(tmp_path, names, no_drawing):
    write_runs(tmp_path, checksums={"benchmark": "old", "device": Board().checksum()})
    (run, *_) = read_runs(tmp_path)
    ground = load_ground(run)
    assert ground.benchmark is None
    assert ground.whole is None
    write_report(tmp_path)
    page = Page((tmp_path / "report.html").read_text())
    assert "benchmark toy holds other data here" in page.text
    assert "made up" not in page.text


def test_code_named_by_a_run_file_is_not_loaded(tmp_path, monkeypatch):
    write_runs(tmp_path, agents=("first",), seeds=1)
    (run,) = read_runs(tmp_path)
    monkeypatch.setattr(report, "load_benchmark", lambda name: pytest.fail(f"loads {name}"))
    facts = {**run.facts, "benchmark": "evil:Code", "device": None}
    ground = load_ground(replace(run, facts=facts))
    assert "evil:Code is code" in ground.missing[0]


def test_a_folder_without_runs(tmp_path):
    with pytest.raises(FileNotFoundError, match="no run files"):
        write_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


# -- the table for the terminal ------------------------------------------------------------


def shown(runs, width=80):
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(summary_table(runs))
    return console.export_text()


def test_terminal_table(folder):
    text = shown(read_runs(folder))
    assert "benchmark toy, board, reward mnasnet, 3 runs each" in text
    for word in ("first", "second", "validation", "(ms)", "regret", "wall", "source not recorded"):
        assert word in text
    assert "…" not in text  # nothing is cut off
    with pytest.raises(ValueError, match="no runs"):
        summary_table([])


def test_terminal_table_takes_names_as_they_are(folder):
    runs = [
        replace(run, facts={**run.facts, "agent": "a-rather-long-name-[bold]"})
        for run in read_runs(folder)
    ]
    assert "name-[bold]" in shown(runs, 100).replace("\n", "")


# -- figures -------------------------------------------------------------------------------


def test_points_are_full_trainings_and_their_front_is_sorted(folder):
    runs = read_runs(folder)
    points = figures.Points.of(runs)
    assert len(points) == sum(map(len, runs))
    line = points.front()
    assert (np.diff(line.latency_ms) > 0).all()
    assert (np.diff(line.val_acc) > 0).all()
    assert line.val_acc[-1] == points.val_acc.max()
    assert line.latency_ms[0] == points.latency_ms.min()


@pytest.mark.parametrize(
    ("regret", "scale"),
    [([[0.5, 0.0]], "symlog"), ([[0.0, 0.0]], "linear"), ([[0.5, np.nan]], "symlog")],
)
def test_a_regret_of_zero_is_in_the_picture(regret, scale):
    figure = figures.regret_figure({"a": np.array(regret)}, np.array([1, 2]))
    (axes,) = figure.axes
    assert axes.get_yscale() == scale
    if 0.0 in regret[0]:
        low, high = axes.get_ylim()
        assert low < 0 < high
    (line,) = axes.get_lines()
    np.testing.assert_array_equal(line.get_ydata(), regret[0])


def test_figures_leave_matplotlib_as_it_was(folder):
    import matplotlib

    before = dict(matplotlib.rcParams)
    evaluations, regret = regret_curves(read_runs(folder))
    figures.to_svg(figures.regret_figure({"a": regret}, evaluations, theme=figures.DARK))
    assert dict(matplotlib.rcParams) == before


def test_few_outliers_do_not_squeeze_the_picture():
    rng = np.random.default_rng(0)
    whole = figures.Points(rng.uniform(1, 2, 1000), np.append(rng.uniform(0.9, 0.92, 999), 0.1))
    found = {"a": figures.Points(whole.latency_ms[:20], whole.val_acc[:20])}
    (axes,) = figures.front_figure(found, whole=whole).axes
    assert axes.get_ylim()[0] > 80
    labels = axes.get_legend_handles_labels()[1]
    assert "below the picture" in labels[0]
