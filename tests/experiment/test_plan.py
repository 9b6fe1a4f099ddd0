import blox_env
from blox_env.experiment.plan import Search, make_plan
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
