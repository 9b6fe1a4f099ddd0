import io

from rich.console import Console

from blox_env.cli.views.imports import progress_after, show_report
from blox_env.importers.importing import Report


def console():
    return Console(file=io.StringIO(), force_terminal=True, width=100)


def test_a_bar_only_for_what_takes_its_time():
    quick, slow = console(), console()
    with progress_after(quick, 60) as tell:
        tell("blox-base-0.csv", 0.5)
    assert quick.file.getvalue() == ""
    with progress_after(slow, 0) as tell:
        tell("blox-[red]base-0.csv", 0.5)
        tell("blox-[red]base-0.csv", 1.0)
    assert "blox-[red]base-0.csv" in slow.file.getvalue()
    assert "100%" in slow.file.getvalue()


def test_the_report_says_what_is_missing(tmp_path):
    shown = console()
    report = Report(tmp_path, found=["a [file]"], manifest={"devices": {}})
    show_report(report, shown)
    text = shown.file.getvalue()
    assert "a [file]" in text
    assert "nothing" in text
