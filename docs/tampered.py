"""Tampered copies of an honest folder, each with its verdict: the table of docs/validation.md.

    python -m docs.tampered           # writes the table
    python -m docs.tampered --show    # prints it

Whoever changes a file here knows of the digests and computes them again, unless the row is about
the digests themselves. Here is what is done to the folder; ``tampering.py`` changes trials.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from pyarrow import parquet

from blox_env.experiment.plan import Search
from blox_env.experiment.planfile import DIGESTS, FILE, write_digests
from blox_env.experiment.results import sidecar, write_run
from blox_env.experiment.runner import run_search
from blox_env.experiment.validate import Verdict, validate_run
from blox_env.experiment.validate_folder import validate_folder
from docs.tampering import (
    AGENTS,
    KINDS,
    chosen_seed,
    edit_plan,
    facts_of,
    kind,
    make_honest,
    run_file,
    seal,
)

PAGE = Path(__file__).with_name("validation.md")
BEGIN, END = "<!-- docs/tampered.py writes from here -->", "<!-- to here -->"
LONGEST = 90  # characters of a verdict in the table


@dataclass(frozen=True)
class Result:
    """The verdict on one tampered folder."""

    done: str
    valid: bool
    said: str


# -- the folder ----------------------------------------------------------------------------


@kind("a run left out")
def _(folder: Path) -> None:
    run_file(folder).unlink()
    write_digests(folder)


@kind("a run left out, and its repeats renumbered")
def _(folder: Path) -> None:
    shutil.move(run_file(folder, 2), run_file(folder, 1))
    seal(run_file(folder, 1), repeat=1, noise_seed=1)
    for agent in AGENTS:
        run_file(folder, 2, agent).unlink(missing_ok=True)
    edit_plan(folder, lambda plan: plan["seeds"].pop("2"))
    edit_plan(folder, lambda plan: plan["repeats"][next(iter(plan["repeats"]))].update(_two()))
    write_digests(folder)


def _two() -> dict[str, int]:
    return dict.fromkeys(AGENTS, 2)


@kind("a run added that the plan does not have")
def _(folder: Path) -> None:
    item = replace(Search.of(facts_of(run_file(folder, 2)), ""), repeat=3)
    path = run_file(folder, 3)
    write_run(path, *run_search(replace(item, path=str(path))))
    write_digests(folder)


@kind("one run under the names of two")
def _(folder: Path) -> None:
    shutil.copy(run_file(folder, 0), run_file(folder, 1))
    write_digests(folder)


@kind("one run under the names and numbers of two")
def _(folder: Path) -> None:
    shutil.copy(run_file(folder, 0), run_file(folder, 1))
    seal(run_file(folder, 1), repeat=1, noise_seed=1)


@kind("one run under the names, numbers and seeds of two")
def _(folder: Path) -> None:
    seed = facts_of(run_file(folder, 1)).seed
    shutil.copy(run_file(folder, 0), run_file(folder, 1))
    seal(run_file(folder, 1), repeat=1, noise_seed=1, seed=seed)


@kind("a run renamed")
def _(folder: Path) -> None:
    shutil.move(run_file(folder), folder / "runs" / "the-best.parquet")
    write_digests(folder)


@kind("the best of 8 seeds, really run")
def _(folder: Path) -> None:
    chosen_seed(folder, tries=8)


@kind("the best of 8 seeds, really run, and written into the plan")
def _(folder: Path) -> None:
    seed = chosen_seed(folder, tries=8)
    edit_plan(folder, lambda plan: plan["seeds"].update({"1": seed}))


@kind("another seed of the experiment in the plan")
def _(folder: Path) -> None:
    edit_plan(folder, lambda plan: plan.update(seed=1))


@kind("another budget in the plan")
def _(folder: Path) -> None:
    edit_plan(folder, lambda plan: plan.update(budget=13))


@kind("no plan")
def _(folder: Path) -> None:
    (folder / FILE).unlink()


@kind("an empty plan")
def _(folder: Path) -> None:
    (folder / FILE).write_text("")


@kind("a garbled plan")
def _(folder: Path) -> None:
    text = (folder / FILE).read_text()
    (folder / FILE).write_text(text[: len(text) // 2])


@kind("a plan whose numbers of repeats are words")
def _(folder: Path) -> None:
    edit_plan(folder, lambda plan: plan["repeats"].update({next(iter(plan["repeats"])): "three"}))


# -- damage, and digests -------------------------------------------------------------------


@kind("one bit of a run file flipped")
def _(folder: Path) -> None:
    content = bytearray(run_file(folder).read_bytes())
    content[len(content) // 4] ^= 1
    run_file(folder).write_bytes(bytes(content))


@kind("a run file cut off")
def _(folder: Path) -> None:
    content = run_file(folder).read_bytes()
    run_file(folder).write_bytes(content[: len(content) // 2])


@kind("an empty run file")
def _(folder: Path) -> None:
    run_file(folder).write_bytes(b"")


@kind("a fact changed in the file's footer, its digest left as it was")
def _(folder: Path) -> None:
    table = parquet.read_table(run_file(folder))
    said = table.schema.metadata[b"blox_env"].replace(b'"budget": 12', b'"budget": 11')
    metadata = {**table.schema.metadata, b"blox_env": said}
    parquet.write_table(table.replace_schema_metadata(metadata), run_file(folder))


@kind("a run file changed and sealed again, digests.json left as it was")
def _(folder: Path) -> None:
    before = (folder / DIGESTS).read_text()
    seal(run_file(folder), versions={})
    (folder / DIGESTS).write_text(before)


@kind("a run file that calls itself one of the old schema, which has no digest")
def _(folder: Path) -> None:
    table = parquet.read_table(run_file(folder))
    said = {**json.loads(table.schema.metadata[b"blox_env"]), "schema": 2}
    old = {"repeat": "seed", "seed": "random", "agent_settings": "settings"}
    text = json.dumps({old.get(name, name): value for name, value in said.items()})
    parquet.write_table(table.replace_schema_metadata({b"blox_env": text}), run_file(folder))
    write_digests(folder)


@kind("no digests.json")
def _(folder: Path) -> None:
    (folder / DIGESTS).unlink()


@kind("a garbled digests.json")
def _(folder: Path) -> None:
    (folder / DIGESTS).write_text("[1, 2")


@kind("a digest over the folder that is not that of its runs")
def _(folder: Path) -> None:
    said = json.loads((folder / DIGESTS).read_text())
    (folder / DIGESTS).write_text(json.dumps({**said, "sha256": "0" * 64}))


@kind("facts nested 100,000 deep")
def _(folder: Path) -> None:
    table = parquet.read_table(run_file(folder))
    deep = b"[" * 100_000 + b"]" * 100_000
    parquet.write_table(table.replace_schema_metadata({b"blox_env": deep}), run_file(folder))


@kind("a garbled sidecar")
def _(folder: Path) -> None:
    sidecar(run_file(folder)).write_text("{")


@kind("shorter real times in a sidecar")
def _(folder: Path) -> None:
    beside = sidecar(run_file(folder))
    beside.write_text(json.dumps({**json.loads(beside.read_text()), "wall_s": 0.001}))


# What nothing can tell, which the page says.
BEYOND = ("shorter real times in a sidecar",)
# -- verdicts ------------------------------------------------------------------------------


def verdict(folder: Path, honest: Path) -> tuple[bool, str]:
    """Whether a folder is valid and what is said of it; files that are as in ``honest`` are."""
    there = {path.name: path.read_bytes() for path in honest.glob("runs/*")}
    changed = [
        path
        for path in sorted(folder.glob("runs/*.parquet"))
        if path.read_bytes() != there.get(path.name)
        or sidecar(path).read_bytes() != there[sidecar(path).name]
    ]
    verdicts = [*map(validate_run, changed), validate_folder(folder)]
    wrong = [each for each in verdicts if not each.valid]
    said = [text for each in wrong for text in _words(each, folder)]
    return not wrong, said[0] if said else ""


def _words(found: Verdict, folder: Path) -> Iterator[str]:
    if found.error is not None:
        yield found.error.replace(f"{folder}/", "")
    for each in found.mismatches:
        row = "" if each.row is None else f"row {each.row}, "
        yield f"{row}{each.column}: expected {each.expected}, got {each.got}"


def results(place: Path) -> Iterator[Result]:
    """Every kind with its verdict, the honest folder first.

    Args:
        place: an empty folder to work in.
    """
    honest = place / "honest"
    make_honest(honest)
    empty = place / "empty"
    (empty / "runs").mkdir(parents=True)
    yield Result("nothing", *verdict(honest, empty))
    for number, (done, tamper) in enumerate(KINDS.items()):
        folder = place / f"copy-{number}"
        shutil.copytree(honest, folder)
        tamper(folder)
        yield Result(done, *verdict(folder, honest))


def table(found: list[Result]) -> str:
    """The table of the page."""
    lines = [
        "| What was done to a copy | Verdict | The first thing said of it |",
        "| --- | --- | --- |",
    ]
    for each in found:
        short = each.said if len(each.said) <= LONGEST else f"{each.said[:LONGEST]} …"
        said = short.replace("|", "\\|").replace("\n", " ")
        lines.append(f"| {each.done} | {'valid' if each.valid else 'not valid'} | {said} |")
    return "\n".join(lines)


def main() -> None:
    """Write the table into the page, or print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--show", action="store_true", help="print it and write nothing")
    show = parser.parse_args().show
    with tempfile.TemporaryDirectory() as folder:
        text = table(list(results(Path(folder))))
    if show:
        print(text)  # noqa: T201
        return
    before, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()
