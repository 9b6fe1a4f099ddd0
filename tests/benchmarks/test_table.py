import json
import shutil

import numpy as np
import pytest

from blox_env import load_benchmark
from blox_env.benchmarks.digits import FOLDER
from blox_env.benchmarks.noise import Noise, mix
from blox_env.benchmarks.table import FILES, TableBenchmark
from blox_env.testing import check_benchmark

DIGITS = load_benchmark("digits")
SPACE = DIGITS.space


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


def test_drawn_noise_is_as_large_as_measured():
    x = SPACE.sample(np.random.default_rng(1), 4000)
    mean = DIGITS.evaluate(x)
    drawn = DIGITS.evaluate(x, seed=11)
    table = np.load(FOLDER / "noise.npy")
    deviation = drawn.val_acc - mean.val_acc
    assert abs(deviation.mean()) < 4 * deviation.std() / np.sqrt(4000)
    # the architectures drawn here are better on average than those repeated, so only roughly
    assert 0.5 < deviation.std() / table[:, DIGITS.epochs].std() < 2
    # a good draw on validation is, as in real trainings, a good one on test
    assert np.corrcoef(deviation, drawn.test_acc - mean.test_acc)[0, 1] > 0.3


def test_noise_depends_on_architecture_and_seed_only():
    x = SPACE.sample(np.random.default_rng(2), 300)
    together = DIGITS.evaluate(x, seed=5).val_acc
    alone = np.concatenate([DIGITS.evaluate(row, seed=5).val_acc for row in x])
    np.testing.assert_array_equal(together, alone)
    assert (DIGITS.evaluate(x, seed=6).val_acc != together).mean() > 0.9


def test_bits_are_mixed():
    bits = mix(np.arange(20_000), 0)
    assert len(np.unique(bits)) == 20_000
    share = np.array([((bits >> np.uint64(b)) & np.uint64(1)).mean() for b in range(64)])
    assert np.abs(share - 0.5).max() < 0.02


def test_no_noise_without_repeats():
    drawn = Noise(np.empty((0, 4), np.float32)).draw(np.arange(3), np.ones(3), 0)
    np.testing.assert_array_equal(drawn, np.zeros((3, 3)))


@pytest.mark.parametrize("seed", [-1, 1.5, "a"])
def test_bad_seed(seed):
    with pytest.raises((ValueError, TypeError), match="seed must be"):
        DIGITS.evaluate([[0, 0, 0]], seed=seed)


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "copy")
    return tmp_path / "copy"


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


def test_column_of_the_wrong_shape_is_named(copy):
    np.save(copy / "test_acc.npy", np.zeros(7, np.uint16))
    with pytest.raises(
        ValueError, match=r"test_acc\.npy: expected uint16 of shape \(91125,\), got"
    ):
        TableBenchmark(copy, SPACE)


def test_pickles_are_never_loaded(copy):
    np.save(copy / "test_acc.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match=r"test_acc\.npy is damaged"):
        TableBenchmark(copy, SPACE)


def test_flipped_bit_is_found_by_verify(copy):
    path = copy / "val_acc.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ValueError, match=r"val_acc\.npy is damaged"):
        TableBenchmark(copy, SPACE).verify()


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


def test_card_is_what_its_figures_give():
    from blox_env.benchmarks.card import render_card

    assert (FOLDER / "CARD.md").read_text() == render_card(DIGITS.card)
