import pytest

pytest.importorskip("pyarrow")

import blox_env
from blox_env.experiment.runner import compare

blox_env.register_benchmark("toy", "tests.toys:ToyBenchmark")
blox_env.register_device("toy-device", "tests.toys:ToyDevice")
AGENTS = ["random-search", "regularized-evolution"]


TOY = {"benchmarks": ["toy"], "devices": ["toy-device"], "seeds": 2, "budget": 60}


def files(folder):
    return {p.name: p.read_bytes() for p in sorted(folder.glob("runs/*.parquet"))}


def test_an_experiment_may_grow_but_not_change(tmp_path):
    compare(AGENTS, **TOY, out=tmp_path, workers=0)
    plan = (tmp_path / "plan.json").read_bytes()
    compare(AGENTS, **TOY, out=tmp_path, workers=0)
    assert (tmp_path / "plan.json").read_bytes() == plan
    ended = compare(AGENTS, **{**TOY, "seeds": 3}, out=tmp_path, workers=0)
    assert [p.search.repeat for p in ended] == [2, 2]
    ended = compare([*AGENTS, "local-search"], **{**TOY, "seeds": 3}, out=tmp_path, workers=0)
    assert {p.search.agent for p in ended} == {"local-search"}
    before = files(tmp_path)
    for change, message in (
        ({"seed": 1}, "seed is 0, expected 1"),
        ({"budget": 70}, "budget is 60, expected 70"),
        ({"noise": "sampled"}, "noise is 'mean', expected 'sampled'"),
        ({"reward": "tunas"}, "reward is 'mnasnet', expected 'tunas'"),
        ({"simulated_workers": 4}, "simulated_workers is 1, expected 4"),
        ({"simulated_hours": 4}, "simulated_hours is None, expected 4"),
        ({"options": {AGENTS[0]: {"batch": 2}}}, "random-search.settings.batch is 1, expected 2"),
    ):
        arguments = {"agents": [*AGENTS, "local-search"], **TOY, "seeds": 3, **change}
        with pytest.raises(ValueError, match=rf"plan\.json is of another experiment: .*{message}"):
            compare(**arguments, out=tmp_path, workers=0)
    assert files(tmp_path) == before


def test_another_experiment_in_the_folder_is_an_error(tmp_path):
    compare(AGENTS, **TOY, out=tmp_path, workers=0)
    with pytest.raises(ValueError, match="of another experiment: budget is 60, expected 70"):
        compare(AGENTS, **{**TOY, "budget": 70}, out=tmp_path, workers=0)
