"""NATS-Bench and HW-NAS-Bench, from made-up files in the layout of the official ones."""

import bz2
import pickle

import gymnasium as gym
import numpy as np
import pytest

import blox_env
from blox_env.benchmarks.imported import from_folder
from blox_env.ground.data_pickle import load_bz2
from blox_env.importers.importing import import_files
from blox_env.importers.made_up_nats import DEVICES, write_hw, write_nats
from blox_env.importers.nats import META
from blox_env.spaces import NatsTopologySpace
from blox_env.testing import check_benchmark, check_device

SPACE = NatsTopologySpace()
ROWS = SPACE.from_index(np.random.default_rng(1).permutation(SPACE.size)[:12])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("nats") / "NATS-tss-v1_0-3ffb9-simple"
    write_nats(place, ROWS, np.random.default_rng(2))
    return place


def path_of(folder, row):
    cells = load_bz2(folder / META)["meta_archs"]
    return folder / f"{cells.index(SPACE.describe(row)):06d}.pickle.pbz2"


def plain(folder, row):
    """What Python's own unpickler gives."""
    return pickle.loads(bz2.decompress(path_of(folder, row).read_bytes()))


def test_trainings_are_those_of_the_files(folder, tmp_path):
    report = import_files(folder, tmp_path / "store")
    benchmark = from_folder(tmp_path / "store")
    assert report.found == ["NATS-tss-v1_0-3ffb9-simple: 12 cells, cifar10, 200 epochs"]
    assert (benchmark.space, benchmark.epochs, benchmark.seeds) == (SPACE, 200, (777, 888))
    assert benchmark.provides == {"curves"}
    for row in ROWS[:3]:
        results = plain(folder, row)["200"]["all_results"]
        for seed in (777, 888):
            one = results["cifar10-valid", seed]["eval_acc1es"]
            curve = benchmark.curves("val_acc", row, seed=seed)[0]
            np.testing.assert_allclose(100 * curve, [one[f"x-valid@{e}"] for e in range(200)])
            tested = results["cifar10", seed]["eval_acc1es"]["ori-test@199"]
            value = benchmark.evaluate(row, seed=seed)
            np.testing.assert_allclose(100 * value.test_acc, tested)
            assert value.train_time_s == 2500
        size = results["cifar10", 777]
        assert benchmark.column("params", row) == np.rint(size["params"] * 1e6)
        assert benchmark.column("flops", row) == np.rint(size["flop"] * 1e6)
        latency = benchmark.latency_ms(row, "nats-gpu-b256")
        np.testing.assert_allclose(latency, 1e3 * size["latency"][0])
    assert benchmark.known(SPACE.all()).sum() == 12


@pytest.mark.parametrize(
    ("dataset", "epochs", "seeds"),
    [("cifar10:12", 12, (777,)), ("cifar100:12", 12, (777,)), ("ImageNet16-120", 1, (777, 888))],
)
def test_other_datasets_and_recipes(folder, tmp_path, dataset, epochs, seeds):
    report = import_files(folder, tmp_path / "store", dataset=dataset)
    benchmark = from_folder(tmp_path / "store")
    assert (benchmark.epochs, benchmark.seeds) == (epochs, seeds)
    name, _, recipe = dataset.partition(":")
    last = int(recipe or 200) - 1
    trained = {"cifar10": "cifar10-valid"}.get(name, name)
    one = plain(folder, ROWS[0])[recipe or "200"]["all_results"][trained, 777]["eval_acc1es"]
    np.testing.assert_allclose(
        100 * benchmark.evaluate(ROWS[0], seed=777).val_acc, one[f"x-valid@{last}"]
    )
    assert any("learning curves" in line for line in report.missing) == (epochs == 1)


def rewritten(folder, tmp_path, change):
    for path in (folder / META, path_of(folder, ROWS[0])):
        content = pickle.loads(bz2.decompress(path.read_bytes()))
        if path.name != META:
            change(content)
        (tmp_path / path.name).write_bytes(bz2.compress(pickle.dumps(content, protocol=4)))
    return tmp_path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("200"), "nothing of cifar10, 200 epochs: KeyError"),
        (lambda c: c["200"].update(arch_str="|none~0|"), "names another cell"),
        (lambda c: c["200"].update(all_results=[1]), "nothing of cifar10"),
        (lambda c: c["200"]["all_results"].update({("cifar10", 777): gym}), "pickle"),
    ],
)
def test_damaged_files_are_named(folder, tmp_path, change, message):
    if message == "pickle":

        def change(content):
            content["code"] = np.array([print])

    place = rewritten(folder, tmp_path, change)
    with pytest.raises(ValueError, match=message) as error:
        import_files(place, tmp_path / "store")
    assert path_of(folder, ROWS[0]).name in str(error.value)
    assert not (tmp_path / "store").exists()


def test_an_unknown_dataset_is_named(folder, tmp_path):
    with pytest.raises(ValueError, match="did you mean 'cifar100'"):
        import_files(folder, tmp_path / "store", dataset="cifar1000")


@pytest.fixture(scope="module")
def hw(tmp_path_factory):
    place = tmp_path_factory.mktemp("hw") / "HW-NAS-Bench-v1_0.pickle"
    return place, write_hw(place, ROWS, np.random.default_rng(3))


def test_latencies_are_those_of_the_file(hw, tmp_path):
    path, latency = hw
    report = import_files(path, tmp_path / "store")
    assert report.notes == [
        "not read: edgegpu_energy, eyeriss_arithmetic_intensity, eyeriss_energy, fpga_energy"
    ]
    device = blox_env.load_device(str(tmp_path / "store" / "devices" / "edgegpu"))
    np.testing.assert_array_equal(device.latency_ms(ROWS), latency)
    benchmark = from_folder(tmp_path / "store")
    assert benchmark.device_names == tuple(sorted(DEVICES))
    assert not benchmark.known(SPACE.all()).any()
    with pytest.raises(ValueError, match="did you mean 'cifar100'"):
        import_files(path, tmp_path / "other", dataset="cifar-100")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("nasbench201"), "unknown space 'nasbench201'"),
        (lambda d: d.update(nasbench201=[]), "expected a dict with the dataset 'cifar10'"),
        (lambda d: d["nasbench201"]["cifar10"]["edgegpu_latency"].pop(), r"expected 12 numbers"),
        (
            lambda d: d["nasbench201"]["cifar10"]["config"][4].update(arch_str="none"),
            "config 4: expected a cell such as",
        ),
    ],
)
def test_damaged_latencies_are_named(hw, tmp_path, change, message):
    content = pickle.loads(hw[0].read_bytes())
    change(content)
    path = tmp_path / "hw.pickle"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(ValueError, match=message) as error:
        import_files(path, tmp_path / "store")
    assert str(error.value).startswith(str(path))


def test_both_together_are_one_store(folder, hw, tmp_path):
    import_files([folder, hw[0]], tmp_path / "store")
    benchmark = blox_env.load_benchmark(str(tmp_path / "store"))
    assert benchmark.name == "nats-topology-cifar10"
    assert set(benchmark.device_names) == {*DEVICES, "nats-gpu-b256"}
    card = (tmp_path / "store" / "CARD.md").read_text()
    assert "HW-NAS-Bench-v1_0.pickle" in card
    assert "nats-gpu-b256" in card
    device = str(tmp_path / "store" / "devices" / "edgegpu")
    problem = blox_env.Problem(benchmark, device, budget=10)  # on the cells that are there
    history = blox_env.search(problem, "regularized-evolution", seed=0)
    numbers = SPACE.index(ROWS)
    assert len(history) == 10
    assert set(SPACE.index(history.x)) <= set(numbers)
    place = [int(np.flatnonzero(numbers == number)[0]) for number in SPACE.index(history.x)]
    np.testing.assert_array_equal(history.latency_ms, hw[1][place])


def test_a_search_over_all_cells_for_a_device_of_theirs(tmp_path):
    """Accuracies of all cells from a table, as 15,625 files would take their time."""
    x, rng = SPACE.all(), np.random.default_rng(4)
    accuracy = 0.5 + x.sum(axis=1) / 60
    rows = zip(SPACE.to_strings(x), accuracy.tolist(), strict=True)
    table, path = tmp_path / "cells.csv", tmp_path / "hw.pickle"
    table.write_text("arch_str,val_acc\n" + "".join(f"{cell},{acc}\n" for cell, acc in rows))
    latency = write_hw(path, x, rng, devices=("raspi4",), datasets=("cifar10",))
    store = tmp_path / "store"
    import_files([table, path], store)
    device = str(store / "devices" / "raspi4")
    check_benchmark(from_folder(store))
    check_device(blox_env.load_device(device))
    problem = blox_env.Problem(str(store), device, budget=60)
    history = blox_env.search(problem, "regularized-evolution", seed=0)
    numbers = SPACE.index(history.x)
    np.testing.assert_array_equal(history.latency_ms, latency[numbers])
    np.testing.assert_array_equal(history.val_acc, accuracy[numbers])
    env = gym.make("blox_env/NatsTopology-v0", benchmark=str(store), device=device)
    env.reset(seed=0)
    for action in (3, 0, 1, 4, 0, 2):
        *_, terminated, _, info = env.step(action)
    assert terminated
    assert info["latency_ms"] == latency[SPACE.index([[3, 0, 1, 4, 0, 2]])[0]]


def test_the_environment_asks_for_the_data():
    with pytest.raises(ValueError, match="blox-env import NATS-tss"):
        gym.make("blox_env/NatsTopology-v0")
