import io
from dataclasses import replace

import pytest
from rich.console import Console

from blox_env.cli.views.summary import summary_table
from blox_env.experiment.results import read_runs
from tests.experiment.made_up import write_runs

pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("experiment")
    write_runs(folder)
    return folder


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
        replace(run, facts=replace(run.facts, agent="a-rather-long-name-[bold]"))
        for run in read_runs(folder)
    ]
    assert "name-[bold]" in shown(runs, 100).replace("\n", "")
