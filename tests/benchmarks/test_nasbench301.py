"""The benchmark of NAS-Bench-301's models."""

import json
import pickle

import numpy as np
import pytest

pytest.importorskip("lightgbm")

import blox_env
from blox_env.benchmarks.nasbench301 import NASBench301Benchmark, digest, normal
from blox_env.importers.importing import import_files
from blox_env.spaces.darts.configspace import COLUMNS
from blox_env.store.placing import MODEL_FACTS
from blox_env.testing import check_benchmark
from tests.importers.nb301_files import made_up_models


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    place = tmp_path_factory.mktemp("nasbench301")
    made_up_models(place / "lgb_v1.0")
    made_up_models(place / "lgb_runtime_v1.0", part="time", members=2)
    import_files([place / "lgb_v1.0", place / "lgb_runtime_v1.0"], place / "store", name="nb")
    return place / "store"


def test_contract(store):
    benchmark = blox_env.load_benchmark(str(store))
    check_benchmark(benchmark)
    again = pickle.loads(pickle.dumps(benchmark))
    rows = benchmark.space.sample(np.random.default_rng(0), 300)
    whole = benchmark.evaluate(rows)
    np.testing.assert_array_equal(again.evaluate(rows).val_acc, whole.val_acc)
    np.testing.assert_array_equal(benchmark.evaluate(rows[7:9]).val_acc, whole.val_acc[7:9])
    assert (whole.train_time_s > 1000).all()
    with pytest.raises(ValueError, match="no learning curves"):
        benchmark.evaluate(rows, epochs=40)


def test_seeds_are_trainings_as_far_apart_as_the_members(store):
    benchmark = NASBench301Benchmark(store)
    rows = benchmark.space.sample(np.random.default_rng(0), 4000)
    mean, one, two = (benchmark.evaluate(rows, seed=seed) for seed in (None, 0, 1))
    np.testing.assert_array_equal(one.val_acc, benchmark.evaluate(rows, seed=0).val_acc)
    np.testing.assert_array_equal(one.val_acc[:3], benchmark.evaluate(rows[:3], seed=0).val_acc)
    drawn = [(each.val_acc - mean.val_acc) / mean.val_std for each in (one, two)]
    for each in drawn:  # four standard errors
        assert abs(each.mean()) < 4 / np.sqrt(4000)
        assert abs(each.std() - 1) < 4 / np.sqrt(8000)
    assert abs(np.corrcoef(drawn)[0, 1]) < 4 / np.sqrt(4000)


def test_draws_are_normal():
    drawn = np.sort(normal(np.arange(20_000), 3))
    from statistics import NormalDist

    wanted = [NormalDist().inv_cdf(q) for q in (0.01, 0.1, 0.5, 0.9, 0.99)]
    got = np.quantile(drawn, (0.01, 0.1, 0.5, 0.9, 0.99))
    np.testing.assert_allclose(got, wanted, atol=0.1)


def test_the_array_has_minus_one_where_nothing_is_chosen(store):
    benchmark = NASBench301Benchmark(store)
    rows = benchmark.space.sample(np.random.default_rng(0), 20)
    for array, row in zip(benchmark.arrays(rows), rows, strict=True):
        active = benchmark.space.to_configuration(row)
        for value, name in zip(array, COLUMNS, strict=True):
            if ":edge_" in name or ":inputs_node" in name:
                assert (value >= 0) == (name in active)


@pytest.mark.faults
@pytest.mark.parametrize("file", ["accuracy-1.txt", "time-0.txt", MODEL_FACTS])
def test_any_cut_or_changed_file_is_named(store, tmp_path, file):
    for path in store.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    content = (store / file).read_bytes()
    place = content.index(b"sha256") + 20 if file == MODEL_FACTS else 500
    for data in (content[:200], content[:-20], content[:place] + b"~" + content[place + 1 :]):
        (tmp_path / file).write_bytes(data)
        with pytest.raises(ValueError, match=file):
            NASBench301Benchmark(tmp_path)
    (tmp_path / file).unlink()
    with pytest.raises(ValueError, match=file):
        NASBench301Benchmark(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 9}, "schema 1"),
        ({"members": {"accuracy": []}}, "lists of accuracy and time"),
        ({"members": {"accuracy": [], "time": []}}, "lists of accuracy and time"),
        ({"members": {"accuracy": ["x"], "time": []}}, "a member of accuracy"),
        (
            {"members": {"accuracy": [{"library": "lightgbm", "file": "../x.txt"}], "time": []}},
            "a member of accuracy",
        ),
        ({"model_sha256": "0"}, "not that of the members"),
        ({"name": 3}, "name must be str"),
    ],
)
def test_wrong_facts_are_named(store, tmp_path, change, message):
    facts = {**json.loads((store / MODEL_FACTS).read_text()), **change}
    (tmp_path / MODEL_FACTS).write_text(json.dumps(facts))
    with pytest.raises(ValueError, match=message):
        NASBench301Benchmark(tmp_path)


def test_members_that_changed_places_are_named(store, tmp_path):
    for path in store.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    one, two = tmp_path / "accuracy-0.txt", tmp_path / "accuracy-1.txt"
    content = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(content)
    with pytest.raises(ValueError, match=r"accuracy-0\.txt is damaged"):
        NASBench301Benchmark(tmp_path)
    facts = json.loads((tmp_path / MODEL_FACTS).read_text())
    assert facts["model_sha256"] == digest(facts["members"])
