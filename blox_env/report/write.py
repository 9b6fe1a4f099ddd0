"""From a folder of runs to the files of a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from blox_env.analysis.background import load_background, with_measured
from blox_env.analysis.scores import REGRET, Yardstick, on_one, pool, yardstick
from blox_env.analysis.statistics import Summary, by_problem, summary
from blox_env.experiment.results import Run, read_runs
from blox_env.ground.files import write_atomic
from blox_env.report import content, tables
from blox_env.report.grid import Cell, Grid, stacked, to_csv, to_latex
from blox_env.report.page import render
from blox_env.report.pictures import Picture


def written(paths: Sequence[Path]) -> str:
    """Lines for a person about the files that :func:`write_report` wrote."""
    page = paths[-1]
    lines = [f"report: {page}"]
    for name in ("figures", "tables"):
        count = len({path.stem for path in paths if path.parent.name == name})
        lines.append(f"{count} {name} in {page.parent / name}")
    return "\n".join(lines)


def write_report(folder: str | Path, runs: Sequence[Run] | None = None) -> list[Path]:
    r"""Write ``report.html`` of the runs below ``folder``, and its pictures and tables as files.

    Below ``figures/`` every picture is an SVG, a PDF and a PNG; below ``tables/`` every table is a
    CSV and, for ``\input`` in a document with booktabs, a TEX file. Where there are several
    benchmarks or devices, names of pictures end with them, as in ``front-digits-x86-ort-1t.svg``,
    and tables begin with them.

    Args:
        folder: of the runs.
        runs: what :func:`~blox_env.experiment.results.read_runs` gave; read if not given.

    Returns:
        The files, the page last.

    Raises:
        FileNotFoundError: when there are no runs.
        ValueError: when runs on the same benchmark and device cannot be compared.
        ImportError: without the extra ``experiment``.
    """
    folder = Path(folder)
    problems = by_problem(read_runs(folder) if runs is None else runs)
    written: list[Path] = []
    sections: list[content.Section] = []
    measured: list[tuple[list[Run], Yardstick]] = []
    parts: dict[str, list[tuple[list[Cell], Grid]]] = {}
    agents: dict[str, None] = {}
    cards: dict[str, str] = {}
    missing: dict[str, None] = {}
    for group in problems.values():
        background = load_background(group[0])
        own = [with_measured(run, background.device) for run in group]
        rows = summary(own)
        to = yardstick(
            own,
            whole=background.whole,
            whole_test=background.whole_test,
            corner=background.corner,
        )
        found = content.section(own, rows, background, to, suffix(rows[0], len(problems)))
        written += _pictures(folder, found.every_picture())
        sections.append(found)
        measured.append((own, to))
        front = tables.problem_cells(rows[0])
        grids = {
            "estimates": found.estimates,
            "medians": found.descriptive,
            "runs": found.runs,
            "improvement": tables.pairs(on_one(own, REGRET, to)),
            "fronts": found.fronts,
        }
        for name, grid in grids.items():
            if grid is not None and grid.rows:
                parts.setdefault(name, []).append((front, grid))
        agents |= dict.fromkeys(row.agent for row in rows)
        cards |= dict(background.cards)
        missing |= dict.fromkeys(background.missing)
    whole = None
    if len(measured) > 1:
        pooled = pool(measured)
        whole = content.together(pooled)
        if whole is not None:
            written += _pictures(folder, whole.pictures)
            parts["improvement-together"] = [([], tables.pairs(pooled))]
    written += _tables(folder, parts)
    text = render(
        sections,
        whole,
        agents=list(agents),
        cards=cards,
        missing=list(missing),
        how=content.again([run for group in problems.values() for run in group]),
    )
    written.append(folder / "report.html")
    write_atomic(written[-1], text)
    return written


def suffix(row: Summary, problems: int) -> str:
    """Suffix of the files of one problem among several; empty where there is one.

    Args:
        row: of the problem's summary.
        problems: their number.
    """
    if problems == 1:
        return ""
    text = f"-{row.benchmark}-{row.device or 'no-device'}"
    return "".join(c if c.isalnum() or c in "-_." else "." for c in text)


def _pictures(folder: Path, pictures: Sequence[Picture]) -> list[Path]:
    written = []
    for picture in pictures:
        drawn = picture.files
        kinds: dict[str, str | bytes] = {"svg": drawn.svg, "pdf": drawn.pdf, "png": drawn.png}
        for kind, data in kinds.items():
            written.append(folder / "figures" / f"{picture.name}.{kind}")
            write_atomic(written[-1], data)
    return written


def _tables(folder: Path, parts: dict[str, list[tuple[list[Cell], Grid]]]) -> list[Path]:
    """Tables of all problems below each other."""
    written = []
    for name, grids in parts.items():
        grid = _merged(grids)
        for kind, data in (("csv", to_csv(grid)), ("tex", to_latex(grid))):
            written.append(folder / "tables" / f"{name}.{kind}")
            write_atomic(written[-1], data)
    return written


def _merged(grids: list[tuple[list[Cell], Grid]]) -> Grid:
    """Columns that only some of the tables have are left empty in the others."""
    first = tables.PROBLEM if grids[0][0] else ()
    headings = {h.names: h for _, grid in grids for h in grid.headings}
    filled = [
        (
            cells,
            Grid(
                grid.title,
                grid.note,
                list(headings.values()),
                [
                    [
                        dict(zip([h.names for h in grid.headings], row, strict=True)).get(
                            names, Cell("–", (None,) * len(names))
                        )
                        for names in headings
                    ]
                    for row in grid.rows
                ],
            ),
        )
        for cells, grid in grids
    ]
    return stacked(filled, first)
