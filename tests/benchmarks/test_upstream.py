import math

import numpy as np
import pytest

from blox_env.benchmarks.imported import from_folder
from blox_env.importers.importing import import_files
from blox_env.importers.made_up import expected, make_files, write_release
from blox_env.spaces import BloxSpace

SPACE = BloxSpace()
PARTS = ("base", "ext", "info", "env", "bench")
X = SPACE.from_index(np.random.default_rng(3).permutation(SPACE.size)[:12])
FILES = {
    (f.part, f.which): f
    for f in make_files(X, 9, (0, 1), ("phone", "server"), PARTS, np.random.default_rng(0))
}


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    folder = tmp_path_factory.mktemp("upstream")
    options = {"epochs": 9, "seeds": (0, 1), "devices": ("phone", "server")}
    write_release(folder / "files", X, **options)
    import_files(folder / "files", folder / "store")
    return from_folder(folder / "store").upstream()


def percent(part, seed, name):
    return expected(FILES[part, seed], name)


def test_accuracies_are_exactly_those_of_the_files(calls):
    for i, row in enumerate(X):
        vec = SPACE.to_arch_vec(row)
        for seed in (0, 1):
            curve = percent("base", seed, "val_top1")[i]
            assert calls.val_acc(vec, seed=seed) == curve.max()
            assert calls.val_acc(vec, best=False, seed=seed) == curve[-1]
            assert calls.val_acc(vec, 4, True, seed) == curve[:4].max()
            assert calls.val_acc(vec, 4, False, seed) == curve[3]
            assert calls.test_acc(vec, seed) == percent("base", seed, "test_top1")[i]
            seconds = percent("base", seed, "train_time_s")[i]
            assert calls.train_time(vec, seed=seed) == seconds
            assert calls.train_time(vec, 3, seed) == pytest.approx(seconds / 3)


def test_without_a_seed_it_is_the_mean(calls):
    vec = SPACE.to_arch_vec(X[0])
    best = [percent("base", seed, "val_top1")[0].max() for seed in (0, 1)]
    assert calls.val_acc(vec) == pytest.approx(np.mean(best), abs=1e-12)


def test_sizes_and_latencies(calls):
    for i, row in enumerate(X):
        vec = SPACE.to_arch_vec(row)
        assert calls.params(vec) == SPACE.params(row)[0]
        assert calls.flops(vec) == SPACE.macs(row)[0]
        phone, server = (percent("bench", name, "latency")[i] for name in ("phone", "server"))
        assert calls.latency(vec, "phone") == phone
        assert calls.latency(vec) == {"phone": phone, "server": server}
        assert calls.latency(vec, ["server"]) == {"server": server}


def test_everything_about_one(calls):
    vec = SPACE.to_arch_vec(X[5])
    info = calls.full_info(vec)
    assert info["model_hash"] == SPACE.model_hash(X[5])[0]
    assert info["arch_vec"] == vec
    for seed in (0, 1):
        training = info["seeds"][seed]
        assert training["val_acc"] == percent("base", seed, "val_top1")[5].tolist()
        assert training["train_acc"] == percent("ext", seed, "train_top1")[5].tolist()
        assert training["val_loss"] == percent("ext", seed, "val_loss")[5].tolist()
        assert training["test_top5"] == percent("ext", seed, "test_top5")[5]
        assert training["env"]["gpu"] == FILES["env", seed].columns["gpu"][5]
    assert list(calls.full_info(vec, seed=1)["seeds"]) == [1]


def test_aliases_of_an_architecture_are_the_same(calls):
    row = X[2].copy()
    single = [[2], [1, 0, 1, 0]]  # op1 reaches nothing, whatever it is
    vec = [single, *SPACE.to_arch_vec(row)[1:]]
    other = [[[0], [1, 0, 1, 0]], *vec[1:]]
    assert calls.params(vec) is not None
    assert str(calls.val_acc(vec)) == str(calls.val_acc(other))


def test_what_is_missing_is_nan(calls):
    there = {tuple(row) for row in X.tolist()}
    row = next(r for r in SPACE.all().tolist() if tuple(r) not in there)
    vec = SPACE.to_arch_vec(row)
    values = [calls.val_acc(vec), calls.test_acc(vec, 0), calls.train_time(vec), calls.flops(vec)]
    assert all(math.isnan(value) for value in [*values, *calls.latency(vec).values()])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c, v: c.val_acc(v[:2]), "3 stages"),
        (lambda c, v: c.val_acc([[[0], [0, 0, 0, 0]], *v[1:]]), "no operation reaches"),
        (lambda c, v: c.val_acc(v, 10), "epochs must be in 1 … 9"),
        (lambda c, v: c.val_acc(v, seed=4), "seed must be one of"),
        (lambda c, v: c.full_info(v, seed=4), "seed must be one of"),
        (lambda c, v: c.latency(v, "fone"), "did you mean 'phone'"),
    ],
)
def test_bad_calls(calls, call, message):
    with pytest.raises(ValueError, match=message):
        call(calls, SPACE.to_arch_vec(X[0]))


def test_sample_of_the_release(reference, tmp_path):
    folder = reference / "blox-release-sample"
    import_files(folder, tmp_path / "store")
    calls = from_folder(tmp_path / "store").upstream()
    text = (folder / "blox-info.csv").read_text().split("---\n", 2)[2]
    assert text.startswith("93c0303ff8de59b0711e2ea2c31a252c,3232563,143607222")
    vec = [[[2], [2, 1, 0, 0]], [[0], [0, 1, 0, 1]], [[0], [1, 1, 0, 0]]]
    assert (calls.params(vec), calls.flops(vec)) == (3232563, 143607222)
    assert calls.latency(vec) == {"desktop-gpu": 8.455035, "mobile-cpu": 10.947695}
    assert calls.val_acc(vec, 1, False, 0) == 5.22
    assert calls.val_acc(vec, 1, False, 1) == 5.46
    assert calls.test_acc(vec, 0) == 72.0
    assert calls.train_time(vec, seed=0) == 8201


def test_only_for_blox(tmp_path):
    import json

    one = {"test_acc": [50.0] * 3, "mean_acc": 50.0, "std": 0.0, "params": 1, "flops": 1}
    (tmp_path / "macro.json").write_text(json.dumps({"00000000": one}))
    import_files(tmp_path / "macro.json", tmp_path / "store")
    with pytest.raises(ValueError, match="for the space 'blox', got 'macrobench'"):
        from_folder(tmp_path / "store").upstream()
