"""``blox-env surrogate``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

pytest.importorskip("sklearn")

from blox_env.benchmarks import trainings
from blox_env.benchmarks.base import load_benchmark
from blox_env.cli import app
from blox_env.spaces import BloxSpace

RUNNER = CliRunner()
TASK = {
    "task": "made-up", "task_sha256": "0", "description": "Made up.", "classes": 10,
    "val_images": 1000, "test_images": 1000, "recipe": {"epochs": 2},
}  # fmt: skip


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """Trainings of 60 architectures, a third of them twice."""
    space, rng = BloxSpace(), np.random.default_rng(0)
    x = np.unique(space.sample(rng, 70), axis=0)[:60]
    merit = -space.features(x, "depth")[:, -5]
    rows = []
    for number, row in enumerate(x.tolist()):
        for seed in range(2 if number % 3 == 0 else 1):
            right = int(600 + 8 * merit[number] + rng.normal(0, 5))
            rows.append(
                {"row": row, "seed": 100 * seed + number, "val_correct": [right - 100, right],
                 "test_correct": right}
            )  # fmt: skip
    trainings.write(rows, tmp_path / "trainings.csv", TASK)
    return tmp_path / "trainings.csv"


def test_families_are_compared_and_figures_written(packed: Path, tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    done = RUNNER.invoke(
        app,
        ["surrogate", "evaluate", "--trainings", str(packed), "--family", "trees", "--family",
         "ridge", "--folds", "3", "--sizes", "25", "--out", str(out)],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    for word in ("trees", "ridge", "mixture", "ceiling"):
        assert word in done.output
    found = json.loads(out.read_text())
    assert found["families"]["trees"]["uniform"]["architectures"] == 60
    assert found["samples"]["25"]["ridge"]["architectures"] == 35


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--sizes", "25,many"), "many"),
        (("--sizes", "0"), "at least 1"),
        (("--out", "figures.csv"), ".json"),
    ],
)
def test_wrong_arguments_are_named(packed: Path, arguments: tuple[str, str], word: str) -> None:
    done = RUNNER.invoke(app, ["surrogate", "evaluate", "--trainings", str(packed), *arguments])
    assert done.exit_code == 2
    assert word in done.output


def test_an_unknown_family_is_named_before_anything_is_fitted(packed: Path) -> None:
    done = RUNNER.invoke(
        app, ["surrogate", "evaluate", "--trainings", str(packed), "--family", "tres"]
    )
    assert isinstance(done.exception, ValueError)
    assert "trees" in str(done.exception)


def test_build_wants_something_to_do(tmp_path: Path) -> None:
    done = RUNNER.invoke(app, ["surrogate", "build", "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "--trainings" in done.output


def test_a_fitted_model_is_a_benchmark(packed: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    arguments = ["surrogate", "fit", "--trainings", str(packed), "--out", str(out)]
    done = RUNNER.invoke(app, [*arguments, "--folds", "2", "--name", "mine"])
    assert done.exit_code == 0, done.output
    assert '"architectures": 60' in done.output
    assert load_benchmark(str(out)).name == "mine"
    again = RUNNER.invoke(app, arguments)
    assert isinstance(again.exception, ValueError)
    assert "model" in str(again.exception)
