"""NAS-Bench-301's models: taken over without running a pickle, and named where they are damaged."""

import json
import pickle
import re
import shutil

import numpy as np
import pytest

pytest.importorskip("lightgbm")

from blox_env.benchmarks.nasbench301 import NASBench301Benchmark
from blox_env.importers.importing import import_files
from tests.importers.nb301_files import arrays, fitted, made_up_models, pickled, write_member


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("official") / "lgb_v1.0"
    made_up_models(folder)
    return folder


@pytest.fixture
def copy(source, tmp_path):
    return shutil.copytree(source, tmp_path / "lgb_v1.0")


@pytest.mark.parametrize("library", ["lightgbm", "xgboost"])
def test_predictions_are_those_of_the_libraries(library, tmp_path):
    pytest.importorskip(library)
    place = tmp_path / "nb_models_1.0"
    boosters = made_up_models(place / "first_v1.0", library)
    times = made_up_models(place / "runtime_v1.0", library, "time", members=1, protocol=3)
    report = import_files([place / "first_v1.0", place / "runtime_v1.0"], tmp_path / "store")
    rows, x = arrays(300, seed=1)

    def ask(booster):
        if library == "lightgbm":
            return booster.predict(x, num_threads=1)
        import xgboost

        return booster.predict(xgboost.DMatrix(x)).astype(np.float64)

    said = np.stack([ask(booster) for booster in boosters]) / 100
    got = NASBench301Benchmark(tmp_path / "store").evaluate(rows)
    np.testing.assert_allclose(got.val_acc, said.mean(axis=0), rtol=1e-15)
    np.testing.assert_allclose(got.val_std, said.std(axis=0), rtol=1e-10)
    assert (got.val_std > 0).all()
    np.testing.assert_array_equal(got.train_time_s, ask(times[0]))
    assert [line.rsplit(", ")[-1] for line in report.found] == ["3 members", "1 members"]
    assert report.manifest["sources"][0]["file"] == "first_v1.0/0/surrogate_model.model"
    for path in (tmp_path / "store").iterdir():  # text alone
        assert path.suffix in (".json", ".txt")
        path.read_text(encoding="utf-8")


def test_what_a_stopped_booster_says_is_what_lightgbm_says_of_it(tmp_path):
    booster = fitted("lightgbm")
    booster.best_iteration = 4
    write_member(tmp_path / "lgb" / "0", pickle.dumps(booster), "lgb")
    import_files(tmp_path / "lgb", tmp_path / "store")
    rows, x = arrays(50, seed=1)
    got = NASBench301Benchmark(tmp_path / "store").evaluate(rows).val_acc * 100
    np.testing.assert_allclose(got, booster.predict(x, num_threads=1), rtol=1e-14)
    assert np.abs(got - booster.predict(x, num_iteration=15)).max() > 1e-3


class Evil:
    def __reduce__(self):
        return (exec, ("raise SystemExit('it ran')",))


HOSTILE = {
    "a call": lambda: pickle.dumps(Evil()),
    "a call of protocol 2": lambda: pickle.dumps(Evil(), 2),
    "a call in the state": lambda: pickled("lightgbm", {"_handle": "tree", "params": Evil()}),
    "a call in front": lambda: b"cos\nsystem\n(S'touch here'\ntR.",
    "a list": lambda: pickle.dumps([1, 2]),
    "another class": lambda: pickle.dumps(np.random.default_rng(0)),
    "nothing": lambda: b"",
    "a memory bomb": lambda: b"\x80\x04\x8e" + (2**60).to_bytes(8, "little"),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_pickle_runs_nothing_and_is_named(copy, tmp_path, content):
    victim = copy / "1" / "surrogate_model.model"
    victim.write_bytes(content())
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ValueError, match=re.escape(str(victim))):
        import_files(copy, tmp_path / "store")
    assert sorted(tmp_path.iterdir()) == before  # nothing is left


@pytest.mark.faults
def test_a_cut_or_changed_pickle_is_named(copy, tmp_path):
    victim = copy / "2" / "surrogate_model.model"
    content = victim.read_bytes()
    rng = np.random.default_rng(0)
    for end in (1, 40, *rng.integers(2, len(content), 8), len(content) - 1):
        victim.write_bytes(content[:end])
        with pytest.raises(ValueError, match=re.escape(str(victim))):
            import_files(copy, tmp_path / "store")


@pytest.mark.faults
@pytest.mark.parametrize(
    ("pattern", "by", "message"),
    [
        (r"left_child=\S+", "left_child=0", "several times one"),
        (r"left_child=\S+", "left_child=99", "no children"),
        (r"split_feature=\S+", "split_feature=56", "splits of numbers that there are"),
        (r"num_cat=0", "num_cat=1", "splits of numbers alone"),
        (r"decision_type=\S+", "decision_type=3", "splits of numbers"),
        (r"leaf_value=\S+", "leaf_value=nan", "values of leaves"),
        (r"leaf_value=\S+", "leaf_value=1e9", "predictions of the accuracy between 0 and 100"),
        (r"threshold=\S+ ", "threshold=", "splits"),
        (r"num_leaves=\d+", "num_leaves=2", "expected 2 values"),
        (r"objective=regression", "objective=binary", "objective=regression, got binary"),
        (r"max_feature_idx=55", "max_feature_idx=54", "expected a model of 56 features"),
        (r"\nend of trees", "", "no whole model"),
        (r"Tree=1\n", "Tree=3\n", "tree 1 of the model"),
    ],
)
def test_a_booster_that_is_damaged_within_a_sound_pickle_is_named(
    copy, tmp_path, pattern, by, message
):
    text = fitted("lightgbm").model_to_string()
    state = {"_handle": re.sub(pattern, by, text, count=1), "best_iteration": 0}
    assert state["_handle"] != text

    victim = copy / "0" / "surrogate_model.model"
    victim.write_bytes(pickled("lightgbm", state))
    with pytest.raises(ValueError, match=re.escape(str(victim)) + ".*" + message):
        import_files(copy, tmp_path / "store")


@pytest.mark.faults
@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("model_config.json", None, "model_config.json is missing"),
        ("data_config.json", None, "data_config.json is missing"),
        ("model_config.json", b"[" * 100_000, "model_config.json: "),
        ("model_config.json", b"[1]", "expected settings by name"),
        ("model_config.json", b'{"model": "gnn_gin"}', "xgb and xgb_time.*got 'gnn_gin'"),
        ("model_config.json", b'{"model": "xgb"}', "several models"),
        ("model_config.json", b'{"model": "lgb_time"}', "several models"),
        (
            "model_config.json",
            b'{"model": "lgb", "param:bananas_enc": true}',
            "got param:bananas_enc",
        ),
        ("data_config.json", b" " * (2**20 + 1), "at most 1048576 bytes"),
    ],
)
def test_other_files_are_named(copy, tmp_path, file, content, message):
    if content is None:
        (copy / "1" / file).unlink()
    else:
        (copy / "1" / file).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        import_files(copy, tmp_path / "store")


def test_swapped_models_are_named(copy, tmp_path):
    made_up_models(tmp_path / "time", part="time", members=1)
    victim = copy / "0" / "surrogate_model.model"
    shutil.copy(tmp_path / "time" / "0" / "surrogate_model.model", victim)
    with pytest.raises(ValueError, match=re.escape(str(victim)) + r".*between 0 and 100, got \d+"):
        import_files(copy, tmp_path / "store")
    with pytest.raises(ValueError, match="models of the accuracy beside them"):
        import_files(tmp_path / "time", tmp_path / "store")
    with pytest.raises(ValueError, match="a model of the time already"):
        import_files([tmp_path / "time", tmp_path / "time"], tmp_path / "store")
    shutil.rmtree(copy / "0")
    write_member(copy / "0", pickle.dumps(fitted("lightgbm", columns=50)), "lgb")
    with pytest.raises(ValueError, match="a model of 56 features"):
        import_files(copy, tmp_path / "store")
    for member in copy.iterdir():
        (member / "model_config.json").write_text(json.dumps({"model": "xgb"}))
    with pytest.raises(ValueError, match="expected a booster of xgboost, got one of lightgbm"):
        import_files(copy, tmp_path / "store")


@pytest.mark.faults
def test_what_is_there_can_be_replaced_and_nothing_else_goes_away(source, tmp_path):
    store = tmp_path / "store"
    import_files(source, store, name="one")
    import_files(source, store, name="two", replace=True)
    assert NASBench301Benchmark(store).name == "two"
    (store / "mine.txt").write_text("notes")
    with pytest.raises(ValueError, match=r"holds mine\.txt, which is not of the store"):
        import_files(source, store, replace=True)
