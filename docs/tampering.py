"""Ways to tamper with a folder of runs: trials, results, and what determines a run.

Those of the folder itself are in ``tampered.py``, which shows what comes of all of them.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

import blox_env
from blox_env.experiment.facts import Facts
from blox_env.experiment.plan import Search
from blox_env.experiment.planfile import FILE, write_digests
from blox_env.experiment.results import SCHEMA, read_run, sealed, write_run
from blox_env.experiment.runner import compare, run_search
from blox_env.ground.seeds import spawn_seeds

AGENTS = ("random-search", "regularized-evolution")
SETTINGS: dict[str, Any] = {
    "benchmarks": ["digits"],
    "devices": ["x86-ort-1t"],
    "seeds": 3,
    "budget": 12,
    "options": {"regularized-evolution": {"population": 4, "sample": 2}},
    "workers": 0,
}
Tamper = Callable[[Path], None]
KINDS: dict[str, Tamper] = {}  # what was done -> the function that does it to a folder


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
