import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

import blox_env
from blox_env import AskTellAgent
from blox_env.cli import app
from blox_env.experiment.facts import Facts
from blox_env.experiment.results import read_facts, sealed
from blox_env.experiment.runner import compare
from blox_env.experiment.validate import run_files, validate_run
from tests.toys import ToyBenchmark

blox_env.register_benchmark("toy", "tests.toys:ToyBenchmark")
blox_env.register_device("toy-device", "tests.toys:ToyDevice")

RUNNER = CliRunner()


@pytest.fixture
def folder(tmp_path):
    agents = ["random-search", "successive-halving", "regularized-evolution"]
    arguments = {"benchmarks": ["toy"], "devices": ["toy-device"], "seeds": 1, "budget": 20}
    compare(agents, **arguments, out=tmp_path, workers=0, simulated_workers=3)
    return tmp_path


def tamper(path, column=None, row=0, value=None, **facts):
    """Change one cell, or facts, and the digests with them, as somebody would who knows of them."""
    table = parquet.read_table(path)
    if column is not None:
        values = table[column].to_pylist()
        values[row] = value
        kind = table.schema.field(column).type
        place = table.column_names.index(column)
        table = table.set_column(place, column, pa.array(values, kind))
    write_sealed(table, path, **facts)


def write_sealed(table, path, **facts):
    said = Facts.from_json(json.loads(table.schema.metadata[b"blox_env"]), 3)
    columns = {name: table[name].to_numpy() for name in table.column_names}
    seal = sealed(replace(said, **facts), columns)
    parquet.write_table(table.replace_schema_metadata(seal), path)


def the_run(folder, agent="random-search"):
    return next(folder.glob(f"runs/{agent}__*.parquet"))


def test_what_compare_wrote_is_valid(folder):
    verdicts = [validate_run(path) for path in run_files([folder])]
    assert len(verdicts) == 3
    assert [v for v in verdicts if not v.valid or v.notes] == []
    assert all(v.trials >= 20 for v in verdicts)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("val_acc", 0.987),
        ("latency_ms", 1.25),
        ("reward", 0.5),
        ("source", "imported"),
        ("x1", 7),
        ("train_time_s", 1.0),
        ("query", 400),
        ("sim_end_s", 3.0),
        ("sim_worker", 0),
    ],
)
def test_a_changed_cell_is_found(folder, column, value):
    path = the_run(folder)
    tamper(path, column, 11, value)
    verdict = validate_run(path)
    assert not verdict.valid
    assert verdict.rows() == [11]
    found = {m.column: (m.expected, m.got) for m in verdict.mismatches}
    assert found[column][1] == value != found[column][0]


def test_trials_of_another_search_are_found_though_each_is_true(folder, tmp_path):
    path = the_run(folder)
    tamper(path, seed=read_facts(path).seed + 1)
    verdict = validate_run(path)
    assert verdict.rows()[:3] == [0, 1, 2]
    assert {m.column for m in verdict.mismatches if m.row == 0} >= {"x0", "x1", "x2"}


@pytest.mark.parametrize(
    ("name", "value"), [("best", 3), ("test_acc", 0.99), ("queries", 1), ("spent", 19.0)]
)
def test_a_changed_result_is_found(folder, name, value):
    path = the_run(folder, "regularized-evolution")
    tamper(path, **{name: value})
    (mismatch,) = validate_run(path).mismatches
    assert (mismatch.row, mismatch.column, mismatch.got) == (None, name, value)


def test_rows_that_were_left_out_are_found(folder):
    path = the_run(folder)
    table = parquet.read_table(path)
    write_sealed(table.slice(0, 15), path)
    (mismatch,) = [m for m in validate_run(path).mismatches if m.column == "trials"]
    assert (mismatch.row, mismatch.expected, mismatch.got) == (None, 20, 15)


def test_other_data_is_said(folder, monkeypatch):
    monkeypatch.setattr(ToyBenchmark, "checksum", lambda self: "new")
    (mismatch,) = validate_run(the_run(folder)).mismatches
    assert (mismatch.column, mismatch.expected) == ("checksums of benchmark", "new")
    assert mismatch.got == "tests.toys.ToyBenchmark"


def test_other_versions_and_code_are_said(folder):
    path = the_run(folder)
    versions = {"blox-env": "0.0.1", "numpy": "1.0"}
    tamper(path, versions=versions, agent_settings={"batch": 1, "code": "abc"})
    verdict = validate_run(path)
    assert verdict.valid
    assert verdict.notes[0].startswith("blox-env was 0.0.1, is ")
    assert verdict.notes[1].startswith("numpy was 1.0, is ")
    assert verdict.notes[2].startswith("the agent's code was 'abc', is ")


def test_code_of_others_is_not_run(folder):
    path = the_run(folder)
    tamper(path, agent="os:system")
    assert "agent 'os:system' is code and not a registered name" in validate_run(path).error


def test_damaged_files_are_invalid(folder):
    path = the_run(folder)
    path.write_bytes(path.read_bytes()[:500])
    assert "is not a run file" in validate_run(path).error
    tamper(the_run(folder, "successive-halving"), budget="many")
    assert validate_run(the_run(folder, "successive-halving")).error


def test_the_command_names_file_and_row(folder):
    done = RUNNER.invoke(app, ["validate", str(folder)])
    assert done.exit_code == 0, done.output
    assert "3 run files valid: every trial confirmed" in done.output
    path = the_run(folder, "successive-halving")
    tamper(path, "val_acc", 4, 0.75)
    done = RUNNER.invoke(app, ["validate", str(path), str(the_run(folder))])
    assert done.exit_code == 1
    assert "1 of 2 run files not valid" in done.output
    assert f"INVALID  {path}" in done.output.replace("\n", "")
    (line,) = [line.split() for line in done.output.splitlines() if "val_acc" in line.split()]
    assert line[:2] == ["4", "val_acc"]
    assert line[3] == "0.75"


def test_the_optimum_is_computed_again(folder):
    path = the_run(folder)
    tamper(path, optimum=read_facts(path).optimum - 0.01)
    (mismatch,) = validate_run(path).mismatches
    assert (mismatch.column, mismatch.got) == ("optimum", read_facts(path).optimum)
    tamper(path, optimum=None)
    assert [m.column for m in validate_run(path).mismatches] == ["optimum"]


def test_last_bits_of_what_is_computed_are_no_fault_and_are_said(folder):
    path = the_run(folder)
    reward = parquet.read_table(path)["reward"].to_pylist()[7]
    tamper(path, "reward", 7, float(np.nextafter(reward, 2)))
    verdict = validate_run(path)
    assert verdict.valid
    assert verdict.notes == (
        "reward: equal but for the last bits, as on another processor or with another numpy",
    )
    tamper(path, "reward", 7, reward * (1 + 1e-14))
    assert not validate_run(path).valid
    tamper(path, "reward", 7, reward)
    accuracy = parquet.read_table(path)["val_acc"].to_pylist()[7]
    tamper(path, "val_acc", 7, float(np.nextafter(accuracy, 2)))
    assert not validate_run(path).valid  # it is looked up, not computed


class Spender(AskTellAgent):
    """Trains more than its budget by changing the problem's account."""

    def start(self, problem, rng):
        self.problem, self.rng, self.rounds = problem, rng, 0

    def ask(self, n):
        self.rounds += 1
        if self.rounds < 40:
            self.problem.ledger.spent = 0.0
        return self.problem.space.sample(self.rng, 1)

    def tell(self, x, trials):
        pass


def test_a_search_that_spends_more_than_its_budget_is_found(tmp_path):
    blox_env.register_agent("spender", "tests.experiment.test_validate:Spender")
    arguments = {"benchmarks": ["toy"], "devices": ["toy-device"], "seeds": 1, "budget": 5}
    (ended,) = compare(["spender"], **arguments, out=tmp_path, workers=0)
    assert "the search trained 43 on a budget of 5" in ended.error
    assert not list(tmp_path.glob("runs/*.parquet"))
    compare(["random-search"], **{**arguments, "budget": 50}, out=tmp_path / "more", workers=0)
    path = the_run(tmp_path / "more")
    tamper(path, budget=5)  # as if nobody had looked
    (total,) = [m for m in validate_run(path).mismatches if m.column == "sum of costs"]
    assert (total.expected, total.got) == ("at most 5", 50.0)


@pytest.mark.parametrize("name", ["spent", "budget", "queries", "max_queries", "history"])
def test_the_account_of_a_problem_cannot_be_set(name):
    problem = blox_env.Problem("toy", "toy-device", budget=5)
    with pytest.raises(AttributeError):
        setattr(problem, name, 0)


def test_what_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="is not there"):
        run_files([tmp_path / "none"])
    with pytest.raises(FileNotFoundError, match="no run files"):
        run_files([tmp_path])
