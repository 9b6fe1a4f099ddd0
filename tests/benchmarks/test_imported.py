import copy
import csv
import json
import pickle

import gymnasium as gym
import numpy as np
import pytest

from blox_env import BloxEnv, Problem, load_benchmark, load_device
from blox_env.benchmarks.imported import ReleaseBenchmark, from_folder
from blox_env.importers.importing import import_files
from blox_env.importers.made_up import expected, make_files, write_release
from blox_env.spaces import BloxSpace, SearchSpace
from blox_env.spaces.numbering import Numbering

SPACE = BloxSpace()
PARTS = ("base", "ext", "info", "env", "bench")
SEEDS, DEVICES, EPOCHS = (0, 5), ("phone", "server"), 6
X = SPACE.from_index(np.random.default_rng(8).permutation(SPACE.size)[:40])
OTHER = SPACE.from_index(np.random.default_rng(8).permutation(SPACE.size)[40:60])
FILES = {
    (f.part, f.which): f
    for f in make_files(X, EPOCHS, SEEDS, DEVICES, PARTS, np.random.default_rng(0))
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("release")
    options = {"epochs": EPOCHS, "seeds": SEEDS, "devices": DEVICES, "formats": ("custom",)}
    write_release(folder / "files", X, **options)
    import_files(folder / "files", folder / "store")
    return folder / "store"


@pytest.fixture(scope="module")
def benchmark(store):
    return load_benchmark(str(store))


def truth(part, seed, name):
    """Fractions, losses or seconds, from what was written."""
    values = expected(FILES[part, seed], name)
    return values / 100 if "top" in name else values


def test_the_last_epoch_and_the_best(benchmark):
    for seed in SEEDS:
        curve = truth("base", seed, "val_top1")
        value = benchmark.evaluate(X, seed=seed)
        np.testing.assert_allclose(value.val_acc, curve[:, -1], rtol=0, atol=1e-15)
        np.testing.assert_allclose(value.test_acc, truth("base", seed, "test_top1"), atol=1e-15)
        np.testing.assert_array_equal(value.train_time_s, truth("base", seed, "train_time_s"))
        assert (value.val_std == 0).all()
        assert (value.source == "imported").all()
        best = benchmark.evaluate(X, seed=seed, best=True).val_acc
        np.testing.assert_allclose(best, curve.max(axis=1), atol=1e-15)
        for epochs in range(1, EPOCHS + 1):
            short = benchmark.evaluate(X, epochs=epochs, seed=seed)
            np.testing.assert_allclose(short.val_acc, curve[:, epochs - 1], atol=1e-15)
            np.testing.assert_allclose(
                short.train_time_s, truth("base", seed, "train_time_s") * epochs / EPOCHS
            )
            assert np.isnan(short.test_acc).all() == (epochs < EPOCHS)
            best = benchmark.evaluate(X, epochs=epochs, seed=seed, best=True).val_acc
            np.testing.assert_allclose(best, curve[:, :epochs].max(axis=1), atol=1e-15)


def test_without_a_seed_it_is_the_mean(benchmark):
    curves = np.stack([truth("base", seed, "val_top1") for seed in SEEDS])
    value = benchmark.evaluate(X)
    np.testing.assert_allclose(value.val_acc, curves[:, :, -1].mean(axis=0), atol=1e-15)
    error = curves[:, :, -1].std(axis=0, ddof=1) / np.sqrt(2)
    np.testing.assert_allclose(value.val_std, error, atol=1e-12)
    best = benchmark.evaluate(X, best=True).val_acc
    np.testing.assert_allclose(best, curves.max(axis=2).mean(axis=0), atol=1e-15)


def test_every_column(benchmark):
    assert set(benchmark.columns) == {
        *("val_acc", "test_acc", "train_acc", "val_top5", "test_top5", "train_top5"),
        *("val_loss", "test_loss", "train_loss", "train_time_s", "params", "flops"),
    }
    for name, key in (("train_acc", "train_top1"), ("val_loss", "val_loss")):
        curve = truth("ext", 5, key)
        # percentages are rounded to three decimals in a file; a store has the count
        atol = 6e-6 if name == "train_acc" else 0
        found = benchmark.column(name, X, epochs=3, seed=5)
        np.testing.assert_allclose(found, curve[:, 2], atol=atol, rtol=0)
        best = curve.min(axis=1) if "loss" in name else curve.max(axis=1)
        found = benchmark.column(name, X, best=True, seed=5)
        np.testing.assert_allclose(found, best, atol=atol, rtol=0)
        np.testing.assert_allclose(benchmark.curves(name, X, seed=5), curve, atol=atol, rtol=0)
    test_loss = benchmark.column("test_loss", X, seed=0)
    np.testing.assert_array_equal(test_loss, truth("ext", 0, "test_loss"))
    assert np.isnan(benchmark.column("test_loss", X, epochs=2)).all()
    for name in ("params", "flops"):
        np.testing.assert_array_equal(benchmark.column(name, X), truth("info", None, name))
    mean = np.mean([truth("base", seed, "val_top1") for seed in SEEDS], axis=0)
    np.testing.assert_allclose(benchmark.curves("val_acc", X), mean, atol=1e-15)
    texts = FILES["env", 5].columns["gpu"]
    assert [env["gpu"] for env in benchmark.environment(X, seed=5)] == texts


def test_what_is_not_there_is_nan(benchmark):
    mixed = np.concatenate([OTHER[:3], X[:3]])
    mask = np.array([False] * 3 + [True] * 3)
    assert not benchmark.complete
    assert benchmark.provides == {"curves"}
    np.testing.assert_array_equal(benchmark.known(mixed), mask)
    for best in (False, True):
        for seed in (None, *SEEDS):
            for epochs in (None, 2):
                value = benchmark.evaluate(mixed, best=best, seed=seed, epochs=epochs)
                for column in (value.val_acc, value.val_std, value.train_time_s):
                    np.testing.assert_array_equal(~np.isnan(column), mask)
    for name in benchmark.columns:
        np.testing.assert_array_equal(benchmark.known(mixed, name), mask)
    assert np.isnan(benchmark.curves("val_acc", mixed)[:3]).all()
    assert benchmark.environment(OTHER[:1], seed=0) == [{}]
    np.testing.assert_array_equal(~np.isnan(benchmark.latency_ms(mixed, "phone")), mask)


def test_a_release_of_one_file(tmp_path):
    write_release(tmp_path / "files", X, epochs=EPOCHS, parts=("bench",))
    import_files(tmp_path / "files", tmp_path / "store")
    benchmark = from_folder(tmp_path / "store")
    assert np.isnan(benchmark.evaluate(X).val_acc).all()
    assert benchmark.columns == ()
    assert benchmark.curves("val_acc", X).shape == (40, 1)
    with pytest.raises(ValueError, match=r"seed must be one of the release's \(none\)"):
        benchmark.evaluate(X, seed=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda b: b.evaluate(X, seed=1), r"one of the release's \(0, 5\) or None, got 1"),
        (lambda b: b.evaluate(X, seed=-1), "seed must be at least 0"),
        (lambda b: b.evaluate(X, epochs=7), "epochs must be in 1 … 6, got 7"),
        (lambda b: b.evaluate([[0, 0, 45]]), "expected an option in 0 … 44, got 45"),
        (lambda b: b.evaluate(np.array([[0, -1, 0]])), "expected an option in 0 … 44, got -1"),
        (lambda b: b.column("val_ac", X), "did you mean 'val_acc'"),
        (lambda b: b.curves("params", X), "unknown column 'params'"),
        (lambda b: b.curves("test_acc", X), "no learning curves"),
        (lambda b: b.device("phon"), "did you mean 'phone'"),
        (lambda b: b.latency_ms(X, "x"), "unknown device 'x'"),
    ],
)
def test_bad_calls(benchmark, call, message):
    with pytest.raises(ValueError, match=message):
        call(benchmark)


def test_seed_of_another_type(benchmark):
    for seed in ("0", 0.0, True):
        with pytest.raises(TypeError, match="seed must be a whole number"):
            benchmark.evaluate(X, seed=seed)
    assert benchmark.evaluate(X, seed=np.int64(5)).val_acc[0] > 0


def test_devices(store, benchmark):
    for name in DEVICES:
        device = load_device(str(store / "devices" / name))
        np.testing.assert_array_equal(
            device.latency_ms(X), expected(FILES["bench", name], "latency")
        )
        assert device.checksum() == benchmark.devices()[name].checksum()


def test_an_environment_and_a_problem_on_it(store, benchmark):
    device = str(store / "devices" / "phone")
    env = gym.make("blox_env/Blox-v0", benchmark=str(store), device=device)
    env.reset(seed=0)
    for action in X[0]:
        *_, info = env.step(action)
    assert info["val_acc"] == benchmark.evaluate(X[:1]).val_acc[0]
    assert info["latency_ms"] == benchmark.latency_ms(X[:1], "phone")[0]
    problem = Problem(benchmark, device, budget=5)
    assert np.isfinite(problem.evaluate(X[:5]).reward).all()
    assert isinstance(BloxEnv(str(store), None).problem.benchmark, ReleaseBenchmark)


def test_copies_open_the_store_again(benchmark):
    for other in (copy.deepcopy(benchmark), pickle.loads(pickle.dumps(benchmark))):
        np.testing.assert_array_equal(other.evaluate(X).val_acc, benchmark.evaluate(X).val_acc)
        assert other.checksum() == benchmark.checksum()
    assert len(pickle.dumps(benchmark)) < 1000


def test_a_store_that_was_replaced_is_loaded_anew(tmp_path):
    sums = set()
    for name in ("one", "two"):
        write_release(tmp_path / name, X[:5], epochs=2, parts=("base",), rng=len(sums))
        import_files(tmp_path / name, tmp_path / "store", replace=True)
        sums.add(load_benchmark(str(tmp_path / "store")).checksum())
    assert len(sums) == 2


def test_answers_may_be_changed(benchmark):
    value = benchmark.evaluate(X)
    value.val_acc[:] = 0
    assert (benchmark.evaluate(X).val_acc > 0).all()


def test_as_many_columns_are_kept_as_are_needed(benchmark):
    for epochs in range(1, EPOCHS + 1):
        for name in ("val_acc", "val_loss", "train_loss", "train_acc"):
            benchmark.column(name, X, epochs=epochs)
    assert len(benchmark._cache) == 16


@pytest.mark.parametrize("options", [(45, 45, 45), (3, 4, 5), (7,)])
def test_numbers_of_architectures(options):
    space = SearchSpace(options)
    number = Numbering(space)
    every = space.all()
    np.testing.assert_array_equal(number(every), np.arange(space.size))
    np.testing.assert_array_equal(number(every[:1]), [0])
    np.testing.assert_array_equal(number(every[-1]), [space.size - 1])
    np.testing.assert_array_equal(number(every[::2]), np.arange(0, space.size, 2))
    np.testing.assert_array_equal(number(every.astype(np.int32)), np.arange(space.size))
    assert number(every[:0]).shape == (0,)
    for bad in (np.full((1, len(options)), 45), np.full((3, len(options)), -1)):
        with pytest.raises(ValueError, match="expected an option"):
            number(bad)
    with pytest.raises(ValueError, match="shape"):
        number(np.zeros((2, len(options) + 1), dtype=np.int64))


def test_sample_of_the_release(reference, tmp_path):
    """Against a plain reading of the CSV files."""
    folder = reference / "blox-release-sample"
    import_files(folder, tmp_path / "store")
    benchmark = from_folder(tmp_path / "store")
    hashes = {h: i for i, h in enumerate(SPACE.model_hash(benchmark_rows(benchmark)))}
    x = benchmark_rows(benchmark)
    for seed in (0, 1):
        text = (folder / f"blox-base-{seed}.csv").read_text().split("---\n", 2)[2]
        rows = sorted(csv.reader(text.splitlines()), key=lambda row: hashes[row[0]])
        percent = np.array([json.loads(row[1]) for row in rows])
        np.testing.assert_allclose(100 * benchmark.curves("val_acc", x, seed=seed), percent)
        test = [float(row[2]) for row in rows]
        np.testing.assert_allclose(100 * benchmark.evaluate(x, seed=seed).test_acc, test)


def benchmark_rows(benchmark):
    return SPACE.from_index(benchmark.store.numbers)
