import pytest

import blox_env
from blox_env.experiment.plan import Search, make_plan
from blox_env.experiment.runner import compare
from blox_env.experiment.settings import ExperimentSettings, SearchSettings

blox_env.register_benchmark("toy", "tests.toys:ToyBenchmark")
blox_env.register_device("toy-device", "tests.toys:ToyDevice")
AGENTS = ["random-search", "regularized-evolution"]


def test_names_that_file_names_cannot_keep_apart_have_files_of_their_own():
    names = ["a:b", "a.b", "a/b", "A.b", "a.B", "x" * 300, "x" * 299 + "y"]
    made = [
        Search(
            agent=name, benchmark="toy", device=None, settings=SearchSettings(), repeat=0, seed=0
        ).name
        for name in names
    ]
    assert len({name.lower() for name in made}) == len(names)
    assert max(map(len, made)) < 150
    assert made[1] == "a.b__toy__no-device__s000"


def test_plan_runs_some_of_everything_first(tmp_path):
    devices = ["toy-device", None]
    settings = ExperimentSettings(
        agents=AGENTS, benchmarks=["toy"], devices=devices, seeds=3, budget=5
    )
    plan = make_plan(settings, tmp_path)
    assert [item.repeat for item in plan] == sorted(item.repeat for item in plan)
    assert len({item.name for item in plan}) == len(plan) == 12


def test_a_resume_takes_no_run_files_of_another_experiment(tmp_path):
    """They are looked at themselves, whatever the plan beside them says."""
    pytest.importorskip("pyarrow")
    arguments = {"benchmarks": ["toy"], "devices": ["toy-device"], "seeds": 1, "workers": 0}
    compare(["random-search"], **arguments, budget=5, out=tmp_path)
    (tmp_path / "plan.json").unlink()
    there = {path: path.read_bytes() for path in tmp_path.glob("runs/*")}
    with pytest.raises(ValueError, match=r"s000\.parquet is of another experiment: budget is 5"):
        compare(["random-search"], **arguments, budget=6, out=tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.glob("runs/*")} == there
