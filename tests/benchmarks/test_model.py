"""A benchmark that is a model, fitted, kept in a folder and asked."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

pytest.importorskip("lightgbm")

import blox_env
from blox_env.benchmarks import trainings
from blox_env.benchmarks.collect import SPACES
from blox_env.benchmarks.fit import fit_model
from blox_env.benchmarks.model import FACTS, ModelBenchmark
from blox_env.benchmarks.predictors.registry import list_predictors
from blox_env.spaces import BloxXLSpace
from blox_env.testing import check_benchmark

SPACE = BloxXLSpace()
TASK = {
    "task": "made-up", "task_sha256": "0", "description": "Made up.", "classes": 10,
    "val_images": 1000, "test_images": 1000, "recipe": {"epochs": 2},
}  # fmt: skip


def write_trainings(target: Path, n: int = 90, space: str = "bloxxl") -> Path:
    """Trainings of a space of 45^12 or 45^3, a third of them twice."""
    rng = np.random.default_rng(0)
    where = SPACES[space]()
    x = where.sample(rng, n)
    merit = where.features(x, "ops")[:, 0::10].sum(axis=1)
    merit = 25 * (merit - merit.mean()) / merit.std()
    rows = []
    for number, row in enumerate(x.tolist()):
        for seed in range(2 if number % 3 == 0 else 1):
            right = int(600 + merit[number] + rng.normal(0, 6))
            rows.append(
                {"row": row, "seed": 1000 * seed + number, "val_correct": [right - 100, right],
                 "test_correct": right}
            )  # fmt: skip
    trainings.write(rows, target, TASK)
    return target


@pytest.fixture(scope="module", params=list_predictors())
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fitted model of each family that can be kept."""
    base = tmp_path_factory.mktemp("model")
    packed = write_trainings(base / "trainings.csv")
    fit_model([packed], base / "xl", "bloxxl", name="xl", family=request.param, folds=3)
    return base / "xl"


def test_what_it_predicts_follows_the_trainings(folder: Path) -> None:
    benchmark = ModelBenchmark(folder)
    raw = trainings.read(folder / "trainings.csv")
    said = benchmark.evaluate(raw.x)
    assert np.corrcoef(said.val_acc, raw.val_acc[:, -1])[0, 1] > 0.9
    assert (said.source == "surrogate").all()
    assert (said.val_std > 0).all()
    early = benchmark.evaluate(raw.x, epochs=1)
    assert (early.val_acc < said.val_acc).all()
    assert np.isnan(early.test_acc).all()
    held_out = benchmark.card["held_out"]["uniform"]["val_acc"]
    assert held_out["architectures"] == 90
    assert held_out["r2"] < 1
    assert f"| R² | {held_out['r2']:.4f} |" in (folder / "CARD.md").read_text()


def test_it_keeps_the_contract_of_a_benchmark(folder: Path) -> None:
    check_benchmark(blox_env.load_benchmark(str(folder)))


def test_seeds_are_trainings_that_repeat(folder: Path) -> None:
    benchmark = ModelBenchmark(folder)
    x = SPACE.sample(np.random.default_rng(1), 40)
    mean = benchmark.evaluate(x).val_acc
    one, two = (benchmark.evaluate(x, seed=seed).val_acc for seed in (1, 2))
    assert (one != mean).any()
    assert (one != two).any()
    np.testing.assert_array_equal(one, benchmark.evaluate(x, seed=1).val_acc)
    np.testing.assert_array_equal(one[5:9], benchmark.evaluate(x[5:9], seed=1).val_acc)


def test_copies_and_refits_are_equal(folder: Path, tmp_path: Path) -> None:
    x = SPACE.sample(np.random.default_rng(2), 10)
    benchmark = ModelBenchmark(folder)
    again = pickle.loads(pickle.dumps(benchmark))
    np.testing.assert_array_equal(again.evaluate(x).val_acc, benchmark.evaluate(x).val_acc)
    family = benchmark.card["family"]
    again_at = tmp_path / "again"
    fit_model([folder / "trainings.csv"], again_at, "bloxxl", name="xl", family=family, folds=3)
    assert ModelBenchmark(again_at).checksum() == benchmark.checksum()


def test_searches_and_environments_run_on_a_space_that_no_table_can_hold(folder: Path) -> None:
    problem = blox_env.Problem(str(folder), None, "accuracy", budget=30)
    history = blox_env.search(problem, "regularized-evolution", seed=0)
    assert len(history.reward) == 30
    assert history.x.shape == (30, 12)
    env = gym.make("blox_env/Blox-v0", benchmark=str(folder), device=None, reward="accuracy")
    env.reset(seed=0)
    steps = 0
    done = False
    while not done:
        _, reward, done, _, _ = env.step(env.action_space.sample())
        steps += 1
    assert steps == 12
    assert 0 < float(reward) < 1


def test_a_changed_or_missing_file_is_named(folder: Path, tmp_path: Path) -> None:
    for name in ModelBenchmark(folder).card["sha256"]:
        copy = tmp_path / name
        shutil.copytree(folder, copy)
        content = bytearray((copy / name).read_bytes())
        content[-20] ^= 1
        (copy / name).write_bytes(content)
        with pytest.raises(ValueError, match=name.replace(".", r"\.")):
            ModelBenchmark(copy)
        (copy / name).unlink()
        with pytest.raises(ValueError, match=name.replace(".", r"\.")):
            ModelBenchmark(copy)


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [
        ("schema", 9, "schema"),
        ("space", "bloxx", "bloxxl"),
        ("epochs", 0, "epochs"),
        ("components", {"mean": [1.0]}, "components"),
        ("kinds", "ops", "kinds"),
        ("kinds", ["onehot"], "540 columns"),
        ("family", "mpl", "mlp"),
    ],
)
def test_wrong_facts_are_named(
    folder: Path, tmp_path: Path, field: str, value: object, word: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    facts = json.loads((copy / FACTS).read_text())
    (copy / FACTS).write_text(json.dumps({**facts, field: value}))
    with pytest.raises(ValueError, match=word):
        ModelBenchmark(copy)


def test_wrong_trainings_leave_nothing_behind(tmp_path: Path) -> None:
    few = write_trainings(tmp_path / "few.csv", n=8)
    with pytest.raises(ValueError, match="at least 20 different"):
        fit_model([few], tmp_path / "out", "bloxxl", name="xl")
    with pytest.raises(ValueError, match="blox"):
        fit_model([few], tmp_path / "out", "blocks", name="xl")
    with pytest.raises(ValueError, match="expected one of lightgbm, mlp"):
        fit_model([few], tmp_path / "out", "bloxxl", name="xl", family="trees")
    with pytest.raises(ValueError, match=r"slots|columns|shape"):
        fit_model([few], tmp_path / "out", "blox", name="xl")
    assert not (tmp_path / "out").exists()
