import json

import gymnasium as gym
import numpy as np
import pytest

from blox_env import BloxEnv, Problem, load_benchmark, search
from blox_env.benchmarks.imported import from_folder
from blox_env.importers.importing import import_files
from blox_env.spaces import MacroBenchSpace
from blox_env.testing import check_benchmark

SPACE = MacroBenchSpace()


def entries(n=50, seed=0):
    """Made-up networks."""
    rng = np.random.default_rng(seed)
    keys = SPACE.to_keys(SPACE.from_index(rng.permutation(SPACE.size)[:n]))
    found = {}
    for key in keys:
        acc = [float(np.float32(v)) for v in rng.integers(4500, 9300, 3) / 100]
        mean, std = float(np.mean(acc)), float(np.std(acc))
        sizes = {"params": int(rng.integers(10**6)), "flops": int(rng.integers(10**8))}
        found[key] = {"test_acc": acc, "mean_acc": mean, "std": std, **sizes}
    return found


def store_of(found, folder):
    (folder / "macro.json").write_text(json.dumps(found))
    import_files(folder / "macro.json", folder / "store")
    return from_folder(folder / "store")


def test_made_up_networks(tmp_path):
    found = entries(SPACE.size)
    benchmark = store_of(found, tmp_path)
    check_benchmark(benchmark)
    assert benchmark.provides == {"table"}
    assert benchmark.space == SPACE
    x = SPACE.from_keys(list(found))
    acc = np.array([entry["test_acc"] for entry in found.values()])
    value = benchmark.evaluate(x)
    np.testing.assert_allclose(value.val_acc, acc.mean(axis=1) / 100, atol=1e-7)
    np.testing.assert_array_equal(value.test_acc, value.val_acc)
    np.testing.assert_allclose(value.val_std, acc.std(axis=1, ddof=1) / np.sqrt(3) / 100, atol=1e-7)
    assert np.isnan(value.train_time_s).all()
    for seed in range(3):
        one = benchmark.evaluate(x, seed=seed)
        np.testing.assert_allclose(one.val_acc, acc[:, seed] / 100, atol=1e-7)
        assert (one.val_std == 0).all()
    with pytest.raises(ValueError, match=r"\(0, 1, 2\) or None, got 3"):
        benchmark.evaluate(x, seed=3)
    params = [entry["params"] for entry in found.values()]
    np.testing.assert_array_equal(benchmark.column("params", x), params)
    with pytest.raises(ValueError, match="no learning curves"):
        benchmark.evaluate(x, epochs=2) if benchmark.epochs > 1 else benchmark.curves("val_acc", x)
    card = (tmp_path / "store" / "CARD.md").read_text()
    assert "publishes no validation split" in card
    assert "both the mean of the three" in card


def test_the_environment_runs_on_it(tmp_path):
    benchmark = store_of(entries(SPACE.size), tmp_path)
    for observation in ("ops", "onehot", "indices", "graph", "dict"):
        for granularity, steps in (("block", 8), ("operation", 8), ("whole", 1)):
            options = {"observation": observation, "granularity": granularity}
            env = BloxEnv(str(tmp_path / "store"), None, **options)
            env.reset(seed=0)
            env.action_space.seed(0)
            for _ in range(steps):
                *_, reward, terminated, truncated, info = env.step(env.action_space.sample())
            assert terminated
            assert not truncated
            assert reward == benchmark.evaluate(info["arch"]).val_acc[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e.update(std=1.0), "std: expected"),
        (lambda e: e.update(mean_acc=90.0), "mean_acc: expected"),
        (lambda e: e.pop("flops"), "expected an object with"),
        (lambda e: e.update(params=-1), "row 3: expected a whole number"),
        (lambda e: e.update(params=True), "expected finite numbers"),
        (lambda e: e.update(flops=10**400), "row 3"),
        (lambda e: e.update(test_acc=[1.0, 2.0]), "expected a list of 3"),
        (lambda e: e.update(test_acc=[1.0, 2.0, float("nan")]), "expected finite numbers"),
        (lambda e: e.update(test_acc=[1e308] * 3), "expected percentages"),
        (lambda e: e.update(test_acc=[50.005] * 3, mean_acc=50.005, std=0.0), "a count out of"),
    ],
)
def test_damaged_networks_are_named(tmp_path, change, message):
    found = entries(5)
    change(found[list(found)[2]])
    with pytest.raises(ValueError, match=message) as error:
        store_of(found, tmp_path)
    assert "macro.json, row 3" in str(error.value)
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected JSON"),
        ("[]", "expected an object"),
        ("{}", "expected an object"),
        ('{"00000003": {}}', "key 0: expected 8 digits"),
        ('{"00000000": 1, "00000000": 2}', "'00000000' is there twice"),
        ("[" * 100_000, "nested too deeply|expected JSON"),
        ("9" * 10_000, "expected JSON"),
        ("\xff", "expected"),
    ],
)
def test_damaged_files(tmp_path, text, message):
    (tmp_path / "macro.json").write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match=message) as error:
        import_files(tmp_path / "macro.json", tmp_path / "store")
    assert "macro.json" in str(error.value)


def test_not_together_with_other_files(tmp_path):
    (tmp_path / "macro.json").write_text("{}")
    with pytest.raises(ValueError, match="together with other files"):
        import_files([tmp_path / "macro.json", tmp_path], tmp_path / "store")


def test_without_data_the_message_says_what_to_do():
    with pytest.raises(ValueError, match="blox-env import"):
        load_benchmark("blox_env.benchmarks.imported:macro_not_imported")


def test_registered_environments_ask_for_the_data():
    with pytest.raises(ValueError, match="blox-env import"):
        gym.make("blox_env/MacroBench-v0")
    with pytest.raises(ValueError, match="blox-env import"):
        gym.make_vec("blox_env/MacroBench-v0", vectorization_mode="vector_entry_point")


def test_registered_environments_run_on_an_imported_store(tmp_path):
    store_of(entries(SPACE.size), tmp_path)
    store = str(tmp_path / "store")
    env = gym.make("blox_env/MacroBench-v0", benchmark=store)
    many = gym.make_vec(
        "blox_env/MacroBench-v0",
        num_envs=2,
        vectorization_mode="vector_entry_point",
        autoreset_mode="SameStep",
        benchmark=store,
    )
    env.reset(seed=0)
    many.reset(seed=0)
    for action in (0, 1, 2, 2, 1, 0, 0, 1):
        _, reward, over, _, info = env.step(action)
        _, rewards, ended, _, infos = many.step([action] * 2)
    assert over
    assert ended.all()
    assert reward == info["val_acc"] == rewards[0] == infos["final_info"]["val_acc"][1]
    assert info["arch"].tolist() == [0, 1, 2, 2, 1, 0, 0, 1]


@pytest.fixture(scope="module")
def real(reference, tmp_path_factory):
    store = tmp_path_factory.mktemp("macro") / "store"
    import_files(reference / "nas-bench-macro_cifar10.json", store)
    return from_folder(store)


def test_the_real_file(real, reference):
    check_benchmark(real)
    value = real.evaluate(SPACE.all())
    assert len(value.val_acc) == 6561
    assert round(100 * value.val_acc.max(), 3) == 93.127
    assert round(100 * value.val_acc.min(), 3) == 45.363
    data = json.loads((reference / "nas-bench-macro_cifar10.json").read_text())
    x = SPACE.from_keys(list(data))
    mean = [entry["mean_acc"] for entry in data.values()]
    np.testing.assert_allclose(100 * real.evaluate(x).val_acc, mean, atol=1e-5)
    for name in ("params", "flops"):
        np.testing.assert_array_equal(real.column(name, x), [e[name] for e in data.values()])


def evaluations_to_optimum(real, agent, seeds, budget, **options):
    """Evaluations until the optimum is found, and regret in percent after 100 of them."""
    best = real.evaluate(SPACE.all()).val_acc.max()
    taken, regret = [], []
    for seed in range(seeds):
        problem = Problem(real, None, budget=budget)
        history = search(problem, agent, seed=seed, options=options)
        so_far = np.maximum.accumulate(history.val_acc)
        taken.append(np.argmax(so_far >= best) + 1 if so_far[-1] >= best else budget + 1)
        regret.append(100 * (best - so_far[99]))
    return np.median(taken), np.median(regret)


def test_regularized_evolution_finds_the_optimum(real):
    """perf/macro_bench.py does the same with 200 seeds."""
    options = {"population": 50, "sample": 10}
    taken, regret = evaluations_to_optimum(real, "regularized-evolution", 20, 250, **options)
    assert taken <= 200
    assert regret < 0.2  # reference: 0.047


def test_random_search_is_worse(real):
    _, regret = evaluations_to_optimum(real, "random-search", 20, 100)
    assert 0.05 < regret < 0.6  # reference: 0.24
