import json

import numpy as np
import pytest

pytest.importorskip("pyarrow")

import blox_env
from blox_env import AskTellAgent
from blox_env.experiment.plan import make_plan
from blox_env.experiment.results import read_run, read_runs, sidecar
from blox_env.experiment.runner import compare

blox_env.register_benchmark("toy", "tests.toys:ToyBenchmark")
blox_env.register_device("toy-device", "tests.toys:ToyDevice")
blox_env.register_agent("broken", "tests.experiment.test_runner:Broken")

AGENTS = ["random-search", "regularized-evolution"]
TOY = {"benchmarks": ["toy"], "devices": ["toy-device"], "seeds": 2, "budget": 60}


class Broken(AskTellAgent):
    """Fails after some evaluations."""

    def start(self, problem, rng):
        self.space, self.rng, self.left = problem.space, rng, 5

    def ask(self, n):
        if not self.left:
            raise ArithmeticError("out of ideas")
        self.left -= 1
        return self.space.sample(self.rng, n)

    def tell(self, x, trials):
        pass


def files(folder):
    return {p.name: p.read_bytes() for p in sorted(folder.glob("runs/*.parquet"))}


def test_files_do_not_depend_on_the_number_of_workers(tmp_path):
    for name, workers in (("none", 0), ("two", 2)):
        ended = compare(AGENTS, **TOY, out=tmp_path / name, workers=workers)
        assert len(ended) == 4
        assert not [p.error for p in ended if p.error]
    assert files(tmp_path / "none") == files(tmp_path / "two")
    assert len(files(tmp_path / "two")) == 4


def test_what_is_there_is_not_run_again(tmp_path):
    compare(AGENTS, **TOY, out=tmp_path, workers=0)
    before = files(tmp_path)
    victim = tmp_path / "runs" / sorted(before)[1]
    victim.unlink()
    ended = compare(AGENTS, **TOY, out=tmp_path, workers=0)
    assert [p.search.name for p in ended] == [victim.stem]
    assert files(tmp_path) == before


def test_another_experiment_in_the_folder_is_an_error(tmp_path):
    compare(AGENTS, **TOY, out=tmp_path, workers=0)
    with pytest.raises(ValueError, match="of another experiment: budget is 60, expected 70"):
        compare(AGENTS, **{**TOY, "budget": 70}, out=tmp_path, workers=0)


def test_run_files_hold_history_facts_and_result(tmp_path):
    compare(["random-search"], **TOY, out=tmp_path, workers=0)
    run = read_runs(tmp_path)[0]
    assert len(run) == 60
    assert run.x.shape == (60, 3)
    facts = run.facts
    assert (facts["agent"], facts["benchmark"], facts["device"]) == (
        "random-search",
        "toy",
        "toy-device",
    )
    assert facts["best"] == int(np.argmax(run.columns["reward"]))
    problem = blox_env.Problem("toy", "toy-device")
    assert facts["test_acc"] == problem.test_acc(run.x[facts["best"]])[0]
    assert facts["optimum"] == problem.optimum()[1]
    assert run.meta["wall_s"] > 0
    path = next(tmp_path.glob("runs/*.parquet"))
    assert "wall_s" in json.loads(sidecar(path).read_text())


def test_a_failing_search_is_reported_and_stops_nothing(tmp_path):
    ended = compare(["broken", "random-search"], **TOY, out=tmp_path, workers=0)
    failed = [p for p in ended if p.error]
    assert {p.search.agent for p in failed} == {"broken"}
    assert all("out of ideas" in p.error for p in failed)
    assert len(files(tmp_path)) == 2


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


def test_plan_runs_some_of_everything_first(tmp_path):
    common = {"reward": None, "latency_target_ms": None, "noise": "mean", "max_queries": None}
    devices = ["toy-device", None]
    plan = make_plan(AGENTS, ["toy"], devices, seeds=3, budget=5, out=tmp_path, **common)
    assert [item.seed for item in plan] == sorted(item.seed for item in plan)
    assert len({item.name for item in plan}) == len(plan) == 12


def test_damaged_run_file_is_named(tmp_path):
    path = tmp_path / "bad.parquet"
    path.write_bytes(b"PAR1 nonsense")
    with pytest.raises(ValueError, match=r"bad\.parquet is not a run file"):
        read_run(path)


def test_empty_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="no run files"):
        read_runs(tmp_path)
