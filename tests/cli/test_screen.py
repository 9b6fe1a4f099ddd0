import io
import json

import pytest
from rich.table import Table
from rich.text import Text

from blox_env.cli.screen import (
    WIDE,
    Listing,
    Screen,
    check_file,
    check_folder,
    print_json,
    print_table,
)

LONG = "a-device-with-a-rather-long-name-[bold]"
LISTING = Listing(("device", "median"), [(LONG, "3.20 ms")], [{"device": LONG, "median": 3.2}])


def printed(listing, **arguments):
    screen = Screen(file=io.StringIO(), **arguments)
    listing.show(screen)
    return screen.file.getvalue()


def test_names_are_never_cut():
    wide = printed(LISTING, force_terminal=True, width=100)
    assert "┃" in wide
    narrow = printed(LISTING, force_terminal=True, width=30)
    assert f"device: {LONG}\nmedian: 3.20 ms\n" in narrow
    for text in (wide, narrow, printed(LISTING)):
        assert LONG in text
        assert "…" not in text


def test_a_pipe_gets_plain_lines():
    text = printed(Listing(("device", "words"), [("a", "x" * 300), ("[b]", "y\nz")], title="all"))
    assert text == f"all\ndevice\twords\na\t{'x' * 300}\n[b]\ty z\n"


def test_tables_in_pipes_are_plain_whatever_they_are_made_of():
    screen, inner, grid = Screen(file=io.StringIO()), Table("evalu-\nations"), Table.grid()
    inner.add_row(Text("local-\nsearch [x]"))
    inner.title, inner.caption = "[bold]title", Text("[caption]")
    grid.add_row(inner)
    grid.add_row(Text("note"))
    print_table(screen, grid)
    expected = "title\nevaluations\nlocal-search [x]\n[caption]\nnote\n"
    assert screen.file.getvalue() == expected


def test_a_pipe_is_wide():
    screen = Screen(file=io.StringIO())
    assert screen.width == WIDE
    screen.say("x" * 500 + " [bold]")
    assert screen.file.getvalue() == "x" * 500 + " [bold]\n"


def test_json_has_no_numbers_that_it_does_not_know():
    screen = Screen(file=io.StringIO())
    print_json(screen, [{"a": float("nan"), "b": [1.5, float("inf")], "c": "text"}])
    assert json.loads(screen.file.getvalue()) == [{"a": None, "b": [1.5, None], "c": "text"}]


def test_what_can_be_written(tmp_path):
    (tmp_path / "file").touch()
    assert check_file(tmp_path / "new" / "h.csv", "--out") == tmp_path / "new" / "h.csv"
    assert check_folder(tmp_path / "new" / "er", "--out") == tmp_path / "new" / "er"
    assert not (tmp_path / "new").exists()
    with pytest.raises(ValueError, match="--out must be a file, got the folder"):
        check_file(tmp_path, "--out")
    for check in (check_file, check_folder):
        with pytest.raises(ValueError, match="file is not a folder"):
            check(tmp_path / "file" / "h.csv", "--out")
