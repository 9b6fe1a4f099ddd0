"""The made-up files are files of NATS-Bench: its authors' interface gives what the import gives."""

import numpy as np
import pytest

import blox_env
from blox_env.importers.importing import import_files
from blox_env.importers.made_up_nats import write_nats

pytestmark = pytest.mark.clients
api_topology = pytest.importorskip("nats_bench.api_topology")

SPACE = blox_env.NatsTopologySpace()


@pytest.mark.parametrize("recipe", ["12", "200"])
@pytest.mark.parametrize("dataset", ["cifar10", "cifar100", "ImageNet16-120"])
def test_the_same_files_give_the_same_numbers(tmp_path, dataset, recipe):
    rng = np.random.default_rng(0)
    x = SPACE.from_index(rng.permutation(SPACE.size)[:5])
    folder = tmp_path / "NATS-tss-v1_0-3ffb9-simple"
    write_nats(folder, x, rng)
    import_files(folder, tmp_path / "store", dataset=f"{dataset}:{recipe}")
    ours = blox_env.load_benchmark(str(tmp_path / "store"))
    theirs = api_topology.NATStopology(str(folder), fast_mode=True, verbose=False)
    trained = "cifar10-valid" if dataset == "cifar10" else dataset
    for row in x:
        index = theirs.query_index_by_arch(SPACE.describe(row))
        valid, test = (
            theirs.get_more_info(index, name, hp=recipe, is_random=False)
            for name in (trained, dataset)
        )
        value, cost = ours.evaluate(row), theirs.get_cost_info(index, dataset, hp=recipe)
        np.testing.assert_allclose(100 * value.val_acc, valid["valid-accuracy"])
        np.testing.assert_allclose(100 * value.test_acc, test["test-accuracy"])
        np.testing.assert_allclose(value.train_time_s, valid["train-all-time"])
        for name in ("params", "flops"):
            np.testing.assert_allclose(ours.column(name, row), 1e6 * cost[name], atol=0.5)
        latency = ours.latency_ms(row, "nats-gpu-b256")
        np.testing.assert_allclose(latency, 1e3 * cost["latency"])
