import json
import time
from dataclasses import replace

import numpy as np
import pytest

import blox_env
from blox_env import AskTellAgent
from blox_env.experiment.results import read_run, read_runs, sidecar
from blox_env.experiment.runner import compare
from tests.toys import ToyBenchmark

AGENTS = ["random-search", "regularized-evolution"]


TOY = {"benchmarks": ["toy"], "devices": ["toy-device"], "seeds": 2, "budget": 60}


class Broken(AskTellAgent):
    """Fails after some evaluations."""

    first = 5

    def start(self, problem, rng):
        self.space, self.rng, self.left = problem.space, rng, self.first

    def ask(self, n):
        if not self.left:
            raise ArithmeticError("out of ideas")
        self.left -= 1
        return self.space.sample(self.rng, n)

    def tell(self, x, trials):
        pass


class Timeless(ToyBenchmark):
    """Does not know how long trainings take."""

    def evaluate(self, x, **arguments):
        value = super().evaluate(x, **arguments)
        return replace(value, train_time_s=np.full(len(value.val_acc), np.nan))


def files(folder):
    return {p.name: p.read_bytes() for p in sorted(folder.glob("runs/*.parquet"))}


pytest.importorskip("pyarrow")


blox_env.register_benchmark("toy", "tests.toys:ToyBenchmark")


blox_env.register_device("toy-device", "tests.toys:ToyDevice")


blox_env.register_agent("broken", "tests.experiment.test_runner:Broken")


def test_files_do_not_depend_on_the_number_of_workers(tmp_path):
    for name, workers in (("none", 0), ("one", 1), ("two", 2)):
        ended = compare(AGENTS, **TOY, out=tmp_path / name, workers=workers)
        assert len(ended) == 4
        assert not [p.error for p in ended if p.error]
    assert files(tmp_path / "none") == files(tmp_path / "one") == files(tmp_path / "two")
    assert len(files(tmp_path / "two")) == 4


def test_what_is_there_is_not_run_again(tmp_path):
    compare(AGENTS, **TOY, out=tmp_path, workers=0)
    before = files(tmp_path)
    victim = tmp_path / "runs" / sorted(before)[1]
    victim.unlink()
    ended = compare(AGENTS, **TOY, out=tmp_path, workers=0)
    assert [p.search.name for p in ended] == [victim.stem]
    assert files(tmp_path) == before


def test_simulated_workers_in_run_files(tmp_path):
    for name, workers in (("one", 1), ("many", 16)):
        compare(AGENTS, **TOY, out=tmp_path / name, workers=0, simulated_workers=workers)
    hours = {"simulated_workers": 16, "simulated_hours": 0.05}  # 180 s, a training takes 60
    compare(AGENTS, **TOY, out=tmp_path / "short", workers=0, **hours)
    for run in read_runs(tmp_path / "one"):
        assert run.columns["sim_end_s"].tolist() == np.cumsum([60.0] * 60).tolist()
        assert run.facts.simulated_workers == 1
    for run in read_runs(tmp_path / "many"):
        assert run.columns["sim_start_s"].tolist() == [60.0 * (n // 16) for n in range(60)]
        assert set(run.columns["sim_worker"].tolist()) == set(range(16))
        assert run.facts.simulated_workers == 16
    for run in read_runs(tmp_path / "short"):
        assert len(run) == 48
        assert run.columns["sim_end_s"].max() == 180
        assert run.facts.simulated_hours == 0.05
        wall = run.meta["trial_wall_s"]
        assert len(wall) == 48
        assert wall == sorted(wall)
        assert 0 < wall[-1] <= run.meta["wall_s"]


def test_too_little_simulated_time_is_said(tmp_path):
    ended = compare(["random-search"], **TOY, out=tmp_path, workers=0, simulated_hours=0.001)
    assert all("no full training ended within simulated_hours=0.001" in p.error for p in ended)


def test_simulated_time_needs_training_times(tmp_path):
    blox_env.register_benchmark("timeless", "tests.experiment.test_runner:Timeless")
    arguments = {**TOY, "benchmarks": ["timeless"], "out": tmp_path, "workers": 0}
    with pytest.raises(ValueError, match="does not know how long trainings take"):
        compare(["random-search"], **arguments, simulated_workers=2)
    compare(["random-search"], **arguments)
    assert np.isnan(read_runs(tmp_path)[0].columns["sim_end_s"]).all()


def test_provenance(tmp_path):
    compare(["random-search"], **TOY, out=tmp_path, workers=0)
    run = read_runs(tmp_path)[0]
    assert run.facts.versions == {
        "blox-env": blox_env.__version__,
        "numpy": np.__version__,
    }
    assert run.facts.checksums["benchmark"] == "tests.toys.ToyBenchmark"
    text = (tmp_path / "runs" / next(iter(files(tmp_path)))).read_bytes()
    git = run.meta["git"]
    if git is not None:  # in the sidecar, so that a commit makes no other files
        assert len(git["commit"]) == 40
        assert git["commit"].encode() not in text
    assert run.meta["host"].encode() not in text


def test_run_files_hold_history_facts_and_result(tmp_path):
    compare(["random-search"], **TOY, out=tmp_path, workers=0)
    run = read_runs(tmp_path)[0]
    assert len(run) == 60
    assert run.x.shape == (60, 3)
    facts = run.facts
    assert (facts.agent, facts.benchmark, facts.device) == (
        "random-search",
        "toy",
        "toy-device",
    )
    assert facts.best == int(np.argmax(run.columns["reward"]))
    problem = blox_env.Problem("toy", "toy-device")
    assert facts.test_acc == problem.test_acc(run.x[facts.best])[0]
    assert facts.optimum == problem.optimum()[1]
    assert run.meta["wall_s"] > 0
    path = next(tmp_path.glob("runs/*.parquet"))
    assert "wall_s" in json.loads(sidecar(path).read_text())


def test_a_failing_search_is_reported_and_stops_nothing(tmp_path):
    ended = compare(["broken", "random-search"], **TOY, out=tmp_path, workers=0)
    failed = [p for p in ended if p.error]
    assert {p.search.agent for p in failed} == {"broken"}
    assert all("out of ideas" in p.error for p in failed)
    assert len(files(tmp_path)) == 2
    left = sorted(tmp_path.glob("runs/*.failed.json"))
    assert [path.name.partition("__")[0] for path in left] == ["broken", "broken"]
    said = json.loads(left[0].read_text())
    assert said["tries"] == 3
    assert "out of ideas" in said["error"]


def test_agents_that_stall_or_leave_are_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(Broken, "ask", lambda self, n: self.space.sample(self.rng, 0))
    ended = compare(["broken"], **TOY, out=tmp_path / "nothing", workers=0)
    assert all("Broken proposes nothing" in p.error for p in ended)

    def leave(self, n):
        raise SystemExit(0)

    monkeypatch.setattr(Broken, "ask", leave)
    ended = compare(["broken", "random-search"], **TOY, out=tmp_path / "leaves", workers=0)
    assert len(ended) == 4
    assert all(r"Broken left by SystemExit(0)" in p.error for p in ended.failed)
    assert len(ended.failed) == 2

    def sleep(self, n):
        time.sleep(30)

    monkeypatch.setattr(Broken, "ask", sleep)
    began = time.monotonic()
    arguments = {**TOY, "seeds": 1, "workers": 0, "time_limit_s": 0.3}
    ended = compare(["broken"], **arguments, out=tmp_path / "stalls")
    assert "TimeoutError: the time limit of 0.3 s is over" in ended[0].error
    assert time.monotonic() - began < 15


def test_what_failed_is_run_again_by_the_next_call(tmp_path, monkeypatch):
    compare(["broken"], **TOY, out=tmp_path, workers=0)
    monkeypatch.setattr(Broken, "first", 1000)
    ended = compare(["broken"], **TOY, out=tmp_path, workers=0)
    assert [p.error for p in ended] == [None, None]
    assert not list(tmp_path.glob("runs/*.failed.json"))


def test_files_of_another_schema_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("blox_env.experiment.results.SCHEMA", 1)
    compare(["random-search"], **TOY, out=tmp_path, workers=0)
    monkeypatch.undo()
    message = "has schema 1, expected 3: it was written by another version of blox-env"
    with pytest.raises(ValueError, match=message):
        read_runs(tmp_path)
    with pytest.raises(ValueError, match=message):
        compare(["random-search"], **TOY, out=tmp_path, workers=0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"agents": ["random"]}, "unknown agent 'random'"),
        ({"benchmarks": ["toys"]}, "did you mean 'toy'"),
        ({"devices": ["toy-devise"]}, "did you mean 'toy-device'"),
        ({"seeds": 0}, "seeds must be at least 1"),
        ({"budget": 0}, "budget must be at least 1"),
        ({"options": {"ppo": {}}}, "options are given for 'ppo'"),
        ({"options": {"random-search": {"bach": 1}}}, "did you mean 'batch'"),
    ],
)
def test_bad_arguments_stop_it_before_anything_runs(tmp_path, change, message):
    arguments = {"agents": ["random-search"], **TOY, "out": tmp_path, **change}
    with pytest.raises(ValueError, match=message):
        compare(**arguments, workers=0)
    assert not list(tmp_path.iterdir())


def test_a_part_of_an_experiment_may_be_asked_for_again(tmp_path):
    compare(AGENTS, **TOY, out=tmp_path, workers=0)
    plan = (tmp_path / "plan.json").read_bytes()
    assert len(compare(AGENTS[:1], **{**TOY, "seeds": 1}, out=tmp_path, workers=0)) == 0
    assert (tmp_path / "plan.json").read_bytes() == plan  # it holds all that is there
    other = {**TOY, "devices": [None]}
    assert len(compare(AGENTS[:1], **other, out=tmp_path, workers=0)) == 2
    repeats = json.loads((tmp_path / "plan.json").read_text())["repeats"]
    assert repeats["toy, no device"] == {AGENTS[0]: 2}
    assert repeats["toy, toy-device"] == dict.fromkeys(AGENTS, 2)


def test_a_run_file_that_was_cut_off_is_made_again(tmp_path):
    compare(AGENTS, **TOY, out=tmp_path, workers=0)
    before = files(tmp_path)
    empty, cut = (tmp_path / "runs" / name for name in list(before)[:2])
    empty.write_bytes(b"")
    cut.write_bytes(cut.read_bytes()[:900])
    (tmp_path / "plan.json").write_bytes(b"")
    assert len(compare(AGENTS, **TOY, out=tmp_path, workers=0)) == 2
    assert files(tmp_path) == before


def test_damaged_run_file_is_named(tmp_path):
    path = tmp_path / "bad.parquet"
    path.write_bytes(b"PAR1 nonsense")
    with pytest.raises(ValueError, match=r"bad\.parquet is not a run file"):
        read_run(path)


def test_empty_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="no run files"):
        read_runs(tmp_path)
