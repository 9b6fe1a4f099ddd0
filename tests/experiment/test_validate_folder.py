import json
import shutil

import pytest

pytest.importorskip("pyarrow")

from typer.testing import CliRunner

import blox_env
from blox_env.cli import app
from blox_env.experiment.planfile import write_digests
from blox_env.experiment.runner import compare
from blox_env.experiment.validate_folder import validate_folder
from tests.experiment.test_validate import tamper

blox_env.register_benchmark("toy", "tests.toys:ToyBenchmark")
blox_env.register_device("toy-device", "tests.toys:ToyDevice")

AGENTS = ["random-search", "regularized-evolution"]
TOY = {"benchmarks": ["toy"], "devices": ["toy-device"], "seeds": 3, "budget": 10, "workers": 0}


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("honest")
    compare(AGENTS, **TOY, out=folder)
    return folder


@pytest.fixture
def folder(honest, tmp_path):
    return shutil.copytree(honest, tmp_path / "copy")


def run(folder, repeat=0, agent="random-search"):
    return folder / "runs" / f"{agent}__toy__toy-device__s{repeat:03d}.parquet"


def faults(folder):
    verdict = validate_folder(folder)
    return (
        [verdict.error] if verdict.error else [f"{m.column}: {m.got}" for m in verdict.mismatches]
    )


def test_what_compare_wrote_keeps_its_plan(folder):
    verdict = validate_folder(folder)
    assert verdict.valid, verdict
    assert verdict.notes == ()
    compare(["random-search"], **{**TOY, "seeds": 5}, out=folder)  # one agent goes on
    assert faults(folder) == []
    done = CliRunner().invoke(app, ["validate", str(folder)])
    assert done.exit_code == 0, done.output
    assert "plan.json (run set, seeds and digests)" in done.output.replace("\n", "")


def test_another_seed_is_said(tmp_path):
    compare(["random-search"], **{**TOY, "seeds": 1}, seed=60, out=tmp_path)
    verdict = validate_folder(tmp_path)
    assert verdict.valid
    assert verdict.notes[0].startswith("the experiment's seed is 60, not the default 0")


def test_a_missing_run_is_found(folder):
    run(folder, 1).unlink()
    write_digests(folder)
    assert faults(folder) == ["run files: none"]
    (mismatch,) = validate_folder(folder).mismatches
    assert mismatch.expected == "one of random-search, toy, toy-device, repeat 1"
    done = CliRunner().invoke(app, ["validate", str(folder)])
    assert done.exit_code == 1
    assert "1 of 1 plans not kept" in done.output


def test_one_run_under_several_names_is_found(folder):
    for repeat in (1, 2):
        shutil.copy(run(folder, 0), run(folder, repeat))
    write_digests(folder)
    found = faults(folder)
    assert any(each.startswith("run files: random-search__toy__toy-device__s000") for each in found)
    assert f"name of a run file: {run(folder, 2).name}" in found


def test_one_run_under_the_numbers_of_others_is_found(folder):
    for repeat in (1, 2):
        shutil.copy(run(folder, 0), run(folder, repeat))
        tamper(run(folder, repeat), repeat=repeat, noise_seed=repeat)
    write_digests(folder)
    assert [each.partition(":")[0] for each in faults(folder)] == [
        run(folder, 1).name,
        run(folder, 2).name,
    ]


def test_runs_of_chosen_seeds_are_found(folder):
    plan = json.loads((folder / "plan.json").read_text())
    plan["seeds"]["2"] = 17
    (folder / "plan.json").write_text(json.dumps(plan))
    tamper(run(folder, 2), seed=17)
    write_digests(folder)
    assert "seeds.2: 17" in faults(folder)


def test_a_run_that_is_not_of_the_plan_is_found(folder):
    shutil.copy(run(folder, 2), run(folder, 3))
    tamper(run(folder, 3), repeat=3)
    write_digests(folder)
    assert f"run files: {run(folder, 3).name}" in faults(folder)


def test_a_changed_file_has_another_digest(folder):
    tamper(run(folder, 1), test_acc=0.99)
    assert f"digest of {run(folder, 1).name}" in faults(folder)[0]
    (folder / "digests.json").unlink()
    assert faults(folder) == ["digests.json: not there"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "is not there: nothing says what was to be run"),
        ("", "is not there"),
        ("{", "is damaged"),
        ("[]", "has schema None, expected 2"),
        ('{"schema": 2}', "is damaged: it lacks agents"),
    ],
)
def test_a_plan_that_cannot_be_read_is_no_plan(folder, text, message):
    (folder / "plan.json").unlink()
    if text is not None:
        (folder / "plan.json").write_text(text)
    assert message in validate_folder(folder).error


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 1}, "has schema 1, expected 2"),
        ({"seed": "0"}, "seeds and repeats must be whole numbers"),
        ({"seed": -1}, "seeds and repeats must be whole numbers"),
        ({"seeds": {"0": True}}, "seeds and repeats must be whole numbers"),
        ({"seeds": {"first": 0}}, "seeds must be by number of the repeat"),
        ({"seeds": []}, "seeds must be an object"),
        ({"agents": {"random-search": 3}}, "agents.random-search must be an object"),
    ],
)
def test_a_plan_that_says_what_cannot_be(folder, change, message):
    plan = json.loads((folder / "plan.json").read_text())
    (folder / "plan.json").write_text(json.dumps(plan | change))
    assert message in validate_folder(folder).error
