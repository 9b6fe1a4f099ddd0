import json
import shutil

import numpy as np
import pytest

from blox_env import load_benchmark
from blox_env.benchmarks.embedded import FOLDER
from blox_env.benchmarks.table import FILES, TableBenchmark
from blox_env.ground.files import file_hash
from blox_env.testing import check_benchmark

DIGITS = load_benchmark("digits")


SPACE = DIGITS.space


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(FOLDER / "digits", tmp_path / "copy")
    return tmp_path / "copy"


def test_embedded_benchmark_keeps_the_contract():
    check_benchmark(DIGITS)
    assert DIGITS.name == "digits"


def test_evaluating_the_whole_space():
    value = DIGITS.evaluate(SPACE.all())
    assert value.val_acc.shape == (SPACE.size,)
    assert set(value.source) == {"trained", "surrogate"}
    facts = DIGITS.card["trainings"]
    assert (value.source == "trained").sum() == facts["architectures"] >= 700
    assert facts["trainings"] >= 1200
    assert facts["repeated_architectures"] >= 100


def test_no_ceiling_and_no_floor():
    single = DIGITS.card["trainings"]["test_acc"]
    assert single["max"] < 0.97
    assert single["q10"] > 0.4


def test_best_is_the_maximum_of_the_curve():
    x = SPACE.sample(np.random.default_rng(0), 50)
    curve = np.stack(
        [DIGITS.evaluate(x, epochs=e).val_acc for e in range(1, DIGITS.epochs + 1)], axis=1
    )
    np.testing.assert_array_equal(DIGITS.evaluate(x, best=True).val_acc, curve.max(axis=1))
    np.testing.assert_array_equal(DIGITS.evaluate(x).val_acc, curve[:, -1])
    noisy = np.stack(
        [DIGITS.evaluate(x, epochs=e, seed=3).val_acc for e in range(1, DIGITS.epochs + 1)], axis=1
    )
    np.testing.assert_array_equal(DIGITS.evaluate(x, best=True, seed=3).val_acc, noisy.max(axis=1))


def test_test_accuracy_is_unknown_below_full_epochs():
    assert np.isnan(DIGITS.evaluate([[0, 0, 0]], epochs=1).test_acc).all()
    assert np.isfinite(DIGITS.evaluate([[0, 0, 0]], epochs=DIGITS.epochs).test_acc).all()


@pytest.mark.parametrize("seed", [-1, 1.5, "a"])
def test_bad_seed(seed):
    with pytest.raises((ValueError, TypeError), match="seed must be"):
        DIGITS.evaluate([[0, 0, 0]], seed=seed)


@pytest.mark.parametrize("column", FILES)
def test_missing_column_is_named(copy, column):
    (copy / f"{column}.npy").unlink()
    with pytest.raises(ValueError, match=rf"{column}\.npy is missing"):
        TableBenchmark(copy, SPACE)


@pytest.mark.parametrize("column", FILES)
def test_cut_column_is_named(copy, column):
    path = copy / f"{column}.npy"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match=rf"{column}\.npy is damaged"):
        TableBenchmark(copy, SPACE)


def sign(folder, column):
    """Write the checksum that a file has, as somebody who forges a table would."""
    card = json.loads((folder / "card.json").read_text())
    card["sha256"][column] = file_hash(folder / f"{column}.npy")
    (folder / "card.json").write_text(json.dumps(card))


def test_column_of_the_wrong_shape_is_named(copy):
    np.save(copy / "test_acc.npy", np.zeros(7, np.uint16))
    sign(copy, "test_acc")
    with pytest.raises(
        ValueError, match=r"test_acc\.npy: expected uint16 of shape \(91125,\), got"
    ):
        TableBenchmark(copy, SPACE)


def test_times_that_cannot_be(copy):
    times = np.load(copy / "train_time_s.npy")
    times[5] = np.inf
    np.save(copy / "train_time_s.npy", times)
    sign(copy, "train_time_s")
    with pytest.raises(ValueError, match=r"train_time_s\.npy: expected finite times"):
        TableBenchmark(copy, SPACE)


def test_pickles_are_never_loaded(copy):
    np.save(copy / "test_acc.npy", np.array([{}]), allow_pickle=True)
    sign(copy, "test_acc")
    with pytest.raises(ValueError, match=r"test_acc\.npy: .* numpy cannot read"):
        TableBenchmark(copy, SPACE)


def test_flipped_bit_is_found_on_loading(copy):
    path = copy / "val_acc.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ValueError, match=r"val_acc\.npy is damaged"):
        TableBenchmark(copy, SPACE)


def test_what_happens_to_files_later_changes_nothing_but_verify(copy):
    table = TableBenchmark(copy, SPACE)
    before = table.evaluate([[0, 1, 2]], epochs=3).val_acc
    with (copy / "val_acc.npy").open("r+b") as file:
        file.truncate(500)
    assert table.evaluate([[0, 1, 2]], epochs=3).val_acc == before
    with pytest.raises(ValueError, match=r"val_acc\.npy is damaged"):
        table.verify()


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda c: c.pop("epochs"), "'epochs' is missing"),
        (lambda c: c.update(schema=99), "expected schema 1, got 99"),
    ],
)
def test_wrong_card(copy, edit, message):
    card = json.loads((copy / "card.json").read_text())
    edit(card)
    (copy / "card.json").write_text(json.dumps(card))
    with pytest.raises(ValueError, match=message):
        TableBenchmark(copy, SPACE)


def test_unreadable_card(copy):
    (copy / "card.json").write_text("{")
    with pytest.raises(ValueError, match=r"card\.json is damaged"):
        TableBenchmark(copy, SPACE)


def test_folder_that_is_none(tmp_path):
    with pytest.raises(ValueError, match=r"card\.json is missing"):
        TableBenchmark(tmp_path, SPACE)
