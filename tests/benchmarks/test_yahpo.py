import json
import pickle

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

import onnx
from onnx import TensorProto, helper, numpy_helper

import blox_env
from blox_env.benchmarks.yahpo import YahpoBenchmark, not_imported
from blox_env.importers.importing import import_files
from blox_env.store.placing import MODEL, MODEL_FACTS
from blox_env.testing import check_benchmark
from tests.spaces.darts.test_notation import DARTS_V2, made_up_settings


def made_up_model(inputs=("x_cat", "x_cont")):
    """A model in YAHPO's form: outputs between 0 and 1 that rise with the epoch."""
    rng = np.random.default_rng(0)
    weights = [
        numpy_helper.from_array(rng.normal(0, 0.05, (34, 4)).astype(np.float32), "w"),
        numpy_helper.from_array(np.full((1, 4), 0.01, dtype=np.float32), "v"),
    ]
    nodes = [
        helper.make_node("Cast", [inputs[0]], ["c"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["c", "w"], ["a"]),
        helper.make_node("MatMul", [inputs[1], "v"], ["b"]),
        helper.make_node("Add", ["a", "b"], ["s"]),
        helper.make_node("Sigmoid", ["s"], ["output"]),
    ]
    graph = helper.make_graph(
        nodes,
        "made up",
        [
            helper.make_tensor_value_info(inputs[0], TensorProto.INT32, ["n", 34]),
            helper.make_tensor_value_info(inputs[1], TensorProto.FLOAT, ["n", 1]),
        ],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["n", 4])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model.SerializeToString()


def made_up_folder(folder):
    """A folder in the form of YAHPO's ``nb301``."""
    folder.mkdir()
    (folder / "model_v2.onnx").write_bytes(made_up_model())
    (folder / "encoding_v2.json").write_text(json.dumps(made_up_settings()))
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    place = tmp_path_factory.mktemp("yahpo")
    import_files(made_up_folder(place / "nb301"), place / "store")
    return place / "store"


def test_contract(store):
    benchmark = blox_env.load_benchmark(str(store))
    check_benchmark(benchmark)
    again = pickle.loads(pickle.dumps(benchmark))
    rows = benchmark.space.sample(np.random.default_rng(0), 5000)  # more than go in at once
    np.testing.assert_array_equal(again.evaluate(rows).val_acc, benchmark.evaluate(rows).val_acc)
    assert again.checksum() == benchmark.checksum()


def test_values_do_not_depend_on_the_batch(store):
    benchmark = YahpoBenchmark(store)
    rows = benchmark.space.sample(np.random.default_rng(1), 70)
    whole = benchmark.evaluate(rows, epochs=9)
    one = [benchmark.evaluate(row, epochs=9).val_acc[0] for row in rows[:20]]
    np.testing.assert_array_equal(whole.val_acc[:20], one)
    assert (whole.source == "surrogate").all()
    assert (whole.val_std == 0).all()
    assert np.isnan(whole.test_acc).all()
    assert benchmark.evaluate(np.empty((0, 8), dtype=int)).val_acc.shape == (0,)


def test_curves(store):
    benchmark = YahpoBenchmark(store)
    rows = benchmark.space.sample(np.random.default_rng(2), 10)
    curve = np.stack([benchmark.evaluate(rows, epochs=e).val_acc for e in range(1, 99)])
    best = benchmark.evaluate(rows, epochs=40, best=True).val_acc
    np.testing.assert_array_equal(best, curve[:40].max(axis=0))
    np.testing.assert_array_equal(benchmark.column("val_acc", rows, epochs=7), curve[6])
    np.testing.assert_array_equal(
        benchmark.column("train_time_s", rows), benchmark.evaluate(rows).train_time_s
    )
    np.testing.assert_array_equal(benchmark.evaluate(rows, seed=3).val_acc, curve[-1])
    with pytest.raises(ValueError, match="seed"):
        benchmark.evaluate(rows, seed=-1)
    with pytest.raises(ValueError, match=r"val_los.*val_loss"):
        benchmark.column("val_los", rows)
    with pytest.raises(ValueError, match="epochs"):
        benchmark.evaluate(rows, epochs=99)


@pytest.mark.parametrize("file", [MODEL, MODEL_FACTS])
def test_any_cut_or_changed_file_is_named(store, tmp_path, file):
    content = (store / file).read_bytes()
    rng = np.random.default_rng(3)
    other = MODEL if file == MODEL_FACTS else MODEL_FACTS
    (tmp_path / other).write_bytes((store / other).read_bytes())
    for change in range(12):
        data = bytearray(content)
        if change < 4:
            data = data[: rng.integers(len(data))]
        elif file == MODEL_FACTS:  # a checksum or a code of its own, not the white space between
            at = data.index(b'"model_sha256": "') + 17 + int(rng.integers(64))
            data[at] = ord("0") if data[at] != ord("0") else ord("1")
        else:
            data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        (tmp_path / file).write_bytes(bytes(data))
        with pytest.raises(ValueError, match=str(tmp_path)):
            YahpoBenchmark(tmp_path)
    (tmp_path / file).unlink()
    with pytest.raises(ValueError, match=f"{file}|damaged"):
        YahpoBenchmark(tmp_path)


def test_environments_name_what_is_missing():
    import gymnasium as gym

    for name in ("Darts-v0", "DartsEdit-v0", "MODarts-v0"):
        with pytest.raises(ValueError, match="blox-env import nb301"):
            gym.make(f"blox_env/{name}")
    with pytest.raises(ValueError, match="nb301"):
        not_imported()
    with pytest.raises(ValueError, match="space 'darts'"):
        gym.make("blox_env/Darts-v0", benchmark="digits")


@pytest.mark.parametrize("granularity", ["block", "operation"])
@pytest.mark.parametrize("observation", ["ops", "onehot", "indices", "graph", "dict"])
def test_environment(store, granularity, observation):
    import gymnasium as gym

    arguments = {
        "benchmark": str(store),
        "granularity": granularity,
        "observation": observation,
    }
    env = gym.make("blox_env/Darts-v0", **arguments)
    vector = gym.make_vec(
        "blox_env/Darts-v0", 3, vectorization_mode="vector_entry_point", **arguments
    )
    vector.reset(seed=0)
    rng = np.random.default_rng(0)
    env.action_space.seed(0)
    _, info = env.reset(seed=0)
    benchmark, done, taken = blox_env.load_benchmark(str(store)), False, []
    while not done:
        action = rng.choice(np.flatnonzero(info["action_mask"]))
        taken.append(action)
        observed, reward, done, _, info = env.step(action)
        assert env.observation_space.contains(observed)
    assert len(taken) == (8 if granularity == "block" else 24)
    assert reward == benchmark.evaluate(info["arch"]).val_acc[0]
    for action in taken:
        _, rewards, _, _, infos = vector.step(np.full(3, action))
    np.testing.assert_array_equal(rewards, reward)
    np.testing.assert_array_equal(infos["arch"], [info["arch"]] * 3)


def test_the_real_model(reference, tmp_path):
    import onnxruntime

    source = reference / "yahpo-nb301"
    import_files(source, tmp_path / "store")
    benchmark = YahpoBenchmark(tmp_path / "store")
    assert benchmark._trimmed is not None
    space = benchmark.space
    rows = space.sample(np.random.default_rng(0), 10_000)
    settings = json.loads((source / "encoding_v2.json").read_text())
    names = [name.replace("_COLON_", ":") for name in settings]
    raw = np.zeros((len(rows), 34), dtype=np.int32)
    for number, row in enumerate(rows):
        made = space.to_configuration(row)
        raw[number] = [
            codes[made.get(name, "#na#")]
            for name, codes in zip(names, settings.values(), strict=True)
        ]
    np.testing.assert_array_equal(benchmark.settings(rows), raw)
    session = onnxruntime.InferenceSession(str(source / "model_v2.onnx"))
    for epoch in (1, 40, 98):
        inputs = {"x_cat": raw, "x_cont": np.full((len(raw), 1), epoch, np.float32)}
        wanted = session.run(None, inputs)[0]
        got = benchmark.evaluate(rows, epochs=epoch)
        np.testing.assert_array_equal(got.val_acc, wanted[:, 0])
        np.testing.assert_array_equal(got.train_time_s, wanted[:, 2])
    best = benchmark.evaluate(space.from_genotype(DARTS_V2)).val_acc[0]
    assert round(best, 4) == 0.9288
    assert round(float(np.median(benchmark.evaluate(rows[:4096]).val_acc)), 3) == 0.924
