import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blox_env.report.grid import Cell, Grid, Heading, stacked, to_csv, to_latex

HEADINGS = (Heading("agent", "", ("agent",)), Heading("regret", "%", ("iqm", "low", "high")))


def make(*names):
    rows = [[Cell.word(name), Cell("0.5", (0.5, 0.25, 0.75), "0.25 – 0.75")] for name in names]
    return Grid("A title", "How it is read & why.", HEADINGS, rows)


def test_csv_has_every_value():
    (row,) = csv.DictReader(io.StringIO(to_csv(make("a, b"))))
    assert row == {"agent": "a, b", "iqm": "0.5", "low": "0.25", "high": "0.75"}


def test_a_row_of_another_length_is_refused():
    with pytest.raises(ValueError, match="row 0 must have a value for each of"):
        Grid("", "", HEADINGS, [[Cell.word("a"), Cell.word("b")]])


def test_latex_is_a_booktabs_tabular():
    lines = to_latex(make("first_agent", "50% & more")).splitlines()
    assert [line for line in lines if line.startswith("\\")] == [
        r"\begin{tabular}{@{}lr@{}}", r"\toprule", r"\midrule", r"\bottomrule", r"\end{tabular}",
    ]  # fmt: skip
    assert r"agent & regret (\%) \\" in lines
    assert r"first\_agent & 0.5 {\small 0.25 -- 0.75} \\" in lines
    assert r"50\% \& more & 0.5 {\small 0.25 -- 0.75} \\" in lines
    assert all(line.startswith("%") for line in lines[: lines.index(r"\begin{tabular}{@{}lr@{}}")])


@given(st.text(alphabet=r"ab\{}&%$#_~^[]|<>- 1e", min_size=1, max_size=12))
def test_latex_is_escaped_whatever_a_name_is(name):
    (line,) = [x for x in to_latex(make(name)).splitlines() if x.endswith(r"0.75} \\")]
    assert len(re.findall(r"(?<!\\)&", line)) == 1
    assert not re.search(r"(?<!\\)[%#_]", line)
    plain = re.sub(r"\\[{}]", "", line)
    assert plain.count("{") == plain.count("}")


def test_small_numbers_in_latex():
    grid = Grid("", "", [Heading("x", "", ("x",))], [[Cell("2.5e-05", (2.5e-5,))]])
    assert r"$2.5\cdot10^{-5}$ \\" in to_latex(grid)


def test_tables_below_each_other():
    front = [Heading("on", "", ("problem",))]
    grid = stacked(
        [([Cell.word("p")], make("a", "b")), ([Cell.word("q")], make("a"))], front
    )  # fmt: skip
    assert [row[0].text for row in grid.rows] == ["p", "p", "q"]
    assert to_latex(grid).count(r"\addlinespace") == 1
    assert to_csv(grid).startswith("problem,agent,iqm,low,high\n")
