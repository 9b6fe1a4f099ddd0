import io

import pytest
from rich.console import Console

from blox_env.cli.views import progress
from blox_env.cli.views.progress import duration, progress_bar, shown, tracked


@pytest.mark.parametrize(
    ("seconds", "text"), [(-3, "0:00"), (7.4, "0:07"), (754, "12:34"), (3723, "1:02:03")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.fixture
def console(monkeypatch):
    made = Console(file=io.StringIO(), force_terminal=True, width=120)
    monkeypatch.setattr(progress, "Console", lambda **_: made)
    return made


def test_a_bar_with_count_and_note(console):
    with shown("training") as tell:
        tell(3, 8, "1 failed")
    text = console.file.getvalue()
    assert "training" in text
    assert "3/8" in text
    assert "1 failed" in text


def test_walks_leave_no_step_out(console):
    with tracked() as track:
        assert list(track("export", range(2, 6))) == [2, 3, 4, 5]
        assert list(track("measure", range(2))) == [0, 1]
    text = console.file.getvalue()
    assert "4/4" in text
    assert "2/2" in text


def test_quiet_is_quiet():
    silent = Console(file=io.StringIO(), force_terminal=True)
    with progress_bar(silent, quiet=True) as bar:
        bar.add_task("x", total=2, note="")
    assert silent.file.getvalue() == ""
