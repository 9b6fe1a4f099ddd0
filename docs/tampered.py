"""Tampered copies of an honest folder, each with its verdict: the table of docs/validation.md.

    python docs/tampered.py           # writes the table
    python docs/tampered.py --show    # prints it

Whoever changes a file here knows of the digests and computes them again, unless the row is about
the digests themselves.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

import blox_env
from blox_env.experiment.facts import Facts
from blox_env.experiment.plan import Search
from blox_env.experiment.planfile import DIGESTS, FILE, write_digests
from blox_env.experiment.results import SCHEMA, read_run, sealed, sidecar, write_run
from blox_env.experiment.runner import compare, run_search
from blox_env.experiment.validate import Verdict, validate_run
from blox_env.experiment.validate_folder import validate_folder
from blox_env.ground.seeds import spawn_seeds

PAGE = Path(__file__).with_name("validation.md")
BEGIN, END = "<!-- docs/tampered.py writes from here -->", "<!-- to here -->"
AGENTS = ("random-search", "regularized-evolution")
SETTINGS: dict[str, Any] = {
    "benchmarks": ["digits"],
    "devices": ["x86-ort-1t"],
    "seeds": 3,
    "budget": 12,
    "options": {"regularized-evolution": {"population": 4, "sample": 2}},
    "workers": 0,
}
LONGEST = 90  # characters of a verdict in the table
Tamper = Callable[[Path], None]
KINDS: dict[str, Tamper] = {}  # what was done -> the function that does it to a folder


@dataclass(frozen=True)
class Result:
    """The verdict on one tampered folder."""

    done: str
    valid: bool
    said: str


def kind(done: str) -> Callable[[Tamper], Tamper]:
    """Give the function that follows a place in the table."""

    def add(function: Tamper) -> Tamper:
        KINDS[done] = function
        return function

    return add


def make_honest(folder: Path) -> None:
    """The folder as ``compare`` writes it."""
    compare(AGENTS, **SETTINGS, out=folder)


def run_file(folder: Path, repeat: int = 1, agent: str = AGENTS[0]) -> Path:
    """A run file of a folder."""
    return folder / "runs" / f"{agent}__digits__x86-ort-1t__s{repeat:03d}.parquet"


def facts_of(path: Path) -> Facts:
    """The facts of a run file."""
    return Facts.from_json(json.loads(parquet.read_schema(path).metadata[b"blox_env"]), SCHEMA)


def seal(path: Path, table: pa.Table | None = None, **facts: Any) -> None:
    """Write a run file with other trials or facts, and all digests anew."""
    said = replace(facts_of(path), **facts)
    table = parquet.read_table(path) if table is None else table
    columns = {name: table[name].to_numpy() for name in table.column_names}
    parquet.write_table(table.replace_schema_metadata(sealed(said, columns)), path)
    write_digests(path.parents[1])


def cells(path: Path, column: str, values: Any) -> pa.Table:
    """The trials of a run file with another column."""
    table = parquet.read_table(path)
    place, of = table.column_names.index(column), table.schema.field(column).type
    return table.set_column(place, column, pa.array(values, of))


def one_cell(path: Path, column: str, change: Callable[[Any], Any], row: int = 5) -> None:
    """Change one cell of a run file."""
    values = parquet.read_table(path)[column].to_pylist()
    values[row] = change(values[row])
    seal(path, cells(path, column, values))


def chosen_seed(folder: Path, *, tries: int) -> int:
    """Run a search with many seeds, put the best into the folder, and give its seed."""
    path = run_file(folder)
    seeds = spawn_seeds(99, tries)
    item = Search.of(facts_of(path), path)
    best: tuple[float, int, bytes, dict[str, Any]] | None = None
    for seed in seeds:
        content, meta = run_search(replace(item, seed=seed))
        write_run(path, content, meta)
        reward = float(read_run(path).columns["reward"].max())
        if best is None or reward > best[0]:
            best = reward, seed, content, meta
    assert best is not None
    write_run(path, *best[2:])
    write_digests(folder)
    return best[1]


def edit_plan(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the plan of a folder."""
    plan = json.loads((folder / FILE).read_text())
    change(plan)
    (folder / FILE).write_text(json.dumps(plan))


# -- trials --------------------------------------------------------------------------------


@kind("an accuracy raised by 0.01")
def _(folder: Path) -> None:
    one_cell(run_file(folder), "val_acc", lambda value: value + 0.01)


@kind("an accuracy raised by one unit in the last place")
def _(folder: Path) -> None:
    one_cell(run_file(folder), "val_acc", lambda value: float(np.nextafter(value, 2)))


@kind("a latency lowered by a tenth")
def _(folder: Path) -> None:
    one_cell(run_file(folder), "latency_ms", lambda value: 0.9 * value)


@kind("a reward raised by 0.001")
def _(folder: Path) -> None:
    one_cell(run_file(folder), "reward", lambda value: value + 0.001)


@kind("every reward raised by one part in 10^12")
def _(folder: Path) -> None:
    path = run_file(folder)
    rewards = parquet.read_table(path)["reward"].to_numpy()
    seal(path, cells(path, "reward", rewards * (1 + 1e-12)))


@kind("a predicted accuracy called trained, or the other way round")
def _(folder: Path) -> None:
    other = {"trained": "surrogate", "surrogate": "trained"}
    one_cell(run_file(folder), "source", lambda value: other[value])


@kind("another architecture named for a result")
def _(folder: Path) -> None:
    one_cell(run_file(folder), "x1", lambda value: (value + 1) % 45)


@kind("the worst trial left out")
def _(folder: Path) -> None:
    path = run_file(folder)
    table = parquet.read_table(path)
    worst = int(np.argmin(table["reward"].to_numpy()))
    best = int(np.argmax(table["reward"].to_numpy()))
    rest = [row for row in range(len(table)) if row != worst]
    facts = {"best": rest.index(best), "spent": len(rest) * 1.0}
    seal(path, table.take(rest), **facts)


@kind("the last three trials left out")
def _(folder: Path) -> None:
    path = run_file(folder)
    table = parquet.read_table(path).slice(0, 9)
    best = int(np.argmax(table["reward"].to_numpy()))
    row = np.array([[table[f"x{i}"][best].as_py() for i in range(3)]])
    test = float(blox_env.load_benchmark("digits").evaluate(row).test_acc[0])
    seal(path, table, best=best, test_acc=test, spent=9.0, queries=9)


@kind("the best trial moved to the front")
def _(folder: Path) -> None:
    path = run_file(folder)
    table = parquet.read_table(path)
    best = int(np.argmax(table["reward"].to_numpy()))
    order = [best, *(row for row in range(len(table)) if row != best)]
    seal(path, table.take(order), best=0)


@kind("the best 12 of 60 random architectures as the trials, each of them true")
def _(folder: Path) -> None:
    path = run_file(folder)
    said = facts_of(path)
    problem = Search.of(said, path).problem()
    x = problem.space.sample(np.random.default_rng(0), 60)
    drawn = problem.peek(x)
    rows = np.argsort(drawn.reward)[-12:]
    table = parquet.read_table(path)
    names = ("val_acc", "latency_ms", "reward", "train_time_s", "source")
    columns = {f"x{i}": x[rows, i] for i in range(3)}
    columns |= {name: getattr(drawn, name)[rows].tolist() for name in names}
    for name, values in columns.items():
        place, of = table.column_names.index(name), table.schema.field(name).type
        table = table.set_column(place, name, pa.array(values, of))
    test = float(problem.test_acc(x[rows[-1:]])[0])
    seal(path, table, best=11, test_acc=test)


@kind("a search with twice the budget said to have the budget of the others")
def _(folder: Path) -> None:
    path = run_file(folder)
    said = facts_of(path)
    item = Search.of(said, path)
    longer = replace(item, settings=replace(item.settings, budget=24))
    write_run(path, *run_search(longer))
    seal(path, budget=12, max_queries=said.max_queries)


@kind("costs of trials halved, so that twice as many fit the budget")
def _(folder: Path) -> None:
    path = run_file(folder)
    said = facts_of(path)
    item = Search.of(said, path)
    write_run(path, *run_search(replace(item, settings=replace(item.settings, budget=24))))
    half = cells(path, "cost", parquet.read_table(path)["cost"].to_numpy() / 2)
    seal(path, half, budget=12, max_queries=said.max_queries, spent=12.0)


@kind("simulated times halved")
def _(folder: Path) -> None:
    path = run_file(folder)
    seal(path, cells(path, "sim_end_s", parquet.read_table(path)["sim_end_s"].to_numpy() / 2))


@kind("training times halved")
def _(folder: Path) -> None:
    path = run_file(folder)
    half = parquet.read_table(path)["train_time_s"].to_numpy() / 2
    seal(path, cells(path, "train_time_s", half))


# -- results -------------------------------------------------------------------------------


@kind("the optimum lowered, which lowers regret")
def _(folder: Path) -> None:
    seal(run_file(folder), optimum=(facts_of(run_file(folder)).optimum or 0.0) - 0.01)


@kind("the optimum left out")
def _(folder: Path) -> None:
    seal(run_file(folder), optimum=None)


@kind("the test accuracy raised")
def _(folder: Path) -> None:
    seal(run_file(folder), test_acc=facts_of(run_file(folder)).test_acc + 0.01)


@kind("another trial called the best")
def _(folder: Path) -> None:
    seal(run_file(folder), best=(facts_of(run_file(folder)).best + 1) % 12)


@kind("a predicted latency called measured, or the other way round")
def _(folder: Path) -> None:
    seal(run_file(folder), measured=not facts_of(run_file(folder)).measured)


@kind("fewer queries stated")
def _(folder: Path) -> None:
    seal(run_file(folder), queries=3)


@kind("less spent than was")
def _(folder: Path) -> None:
    seal(run_file(folder), spent=6.0)


# -- what determines a run -----------------------------------------------------------------


@kind("another latency target stated")
def _(folder: Path) -> None:
    said = facts_of(run_file(folder))
    seal(run_file(folder), latency_target_ms=2 * (said.latency_target_ms or 1.0))


@kind("an option of the agent that is not stated")
def _(folder: Path) -> None:
    path = run_file(folder, agent="regularized-evolution")
    item = Search.of(facts_of(path), path)
    write_run(path, *run_search(replace(item, options={"population": 3, "sample": 2})))
    usual = facts_of(run_file(folder, 2, "regularized-evolution"))
    seal(path, options=usual.options, agent_settings=usual.agent_settings)


@kind("an option of the agent for one repeat alone, stated in its file")
def _(folder: Path) -> None:
    path = run_file(folder, agent="regularized-evolution")
    item = Search.of(facts_of(path), path)
    write_run(path, *run_search(replace(item, options={"population": 3, "sample": 2})))
    write_digests(folder)


@kind("trials of one agent under the name of another")
def _(folder: Path) -> None:
    path, other = run_file(folder), run_file(folder, agent="regularized-evolution")
    shutil.copy(path, other)
    said = facts_of(run_file(folder, 2, "regularized-evolution"))
    names = ("agent", "options", "agent_settings", "versions")
    seal(other, **{name: getattr(said, name) for name in names})


@kind("other data of the benchmark (another checksum)")
def _(folder: Path) -> None:
    sums = {**facts_of(run_file(folder)).checksums, "benchmark": "0" * 64}
    seal(run_file(folder), checksums=sums)


@kind('an agent that is code ("module:Class") instead of a name')
def _(folder: Path) -> None:
    seal(run_file(folder), agent="tests.toys:Agent")


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
