"""Learning curves: what is trained, kept, and shown on the pages of the environments."""

import json

import numpy as np
import pytest

pytest.importorskip("stable_baselines3")
pytest.importorskip("sb3_contrib")
pytest.importorskip("matplotlib")

import blox_env
from tests.test_pages import loaded


@pytest.fixture
def script(monkeypatch, tmp_path):
    module = loaded("learning_curves")
    monkeypatch.setattr(module, "FIGURES", tmp_path / "curves.json")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    return module


def short(script, monkeypatch):
    panels = {"a": script.Task("Blox", 1536), "b": script.Task("Blox", 1536, "operation")}
    monkeypatch.setattr(script, "TASKS", {"Blox": panels})


def counted(script, monkeypatch):
    calls = []

    def trained(task, stores, algorithm, seed):
        calls.append((task.granularity, algorithm, seed))
        return np.array([*np.linspace(0, 0.123456, script.POINTS - 1), np.nan])

    monkeypatch.setattr(script, "trained", trained)
    return calls


def test_masked_ppo_is_ppo_where_masks_forbid_nothing(script, monkeypatch):
    monkeypatch.setattr(script, "ENVS", 8)
    monkeypatch.setattr(script, "RANDOM_EPISODES", 256)
    task = script.Task("Blox", 576)  # three updates
    found = script.facts(task, {})
    assert not found["masks"]
    assert found["random"] < found["best"] == pytest.approx(blox_env.Problem().optimum()[1])
    one, other = (script.trained(task, {}, each, 3) for each in script.ALGORITHMS)
    np.testing.assert_array_equal(one, other)
    assert np.nanmax(one) > 0


def test_what_is_there_is_not_trained_again(script, monkeypatch):
    short(script, monkeypatch)
    calls = counted(script, monkeypatch)
    script.train(["Blox"], {}, 2)
    assert len(calls) == 2 + 4  # masks forbid nothing of blocks, so that one algorithm is enough
    script.train(["Blox"], {}, 2)
    assert len(calls) == 6
    script.train(["Blox"], {}, 3)
    assert calls[6:] == [
        ("block", "PPO", 2),
        ("operation", "PPO", 2),
        ("operation", "MaskablePPO", 2),
    ]
    kept = script.kept()
    assert kept["curves"]["Blox"]["a"]["runs"]["PPO"][0][-2:] == [0.1235, None]
    kept["curves"]["Blox"]["a"]["data"]["benchmark"][1] = "another table"
    script.FIGURES.write_text(json.dumps(kept), encoding="utf-8")
    script.train(["Blox"], {}, 3)
    assert calls[9:] == [("block", "PPO", seed) for seed in range(3)]


def test_a_line_a_training(script):
    value = {"curves": {"Blox": {"a": {"data": {"x": [1, 2]}, "runs": {"PPO": [[1, 2], [3, 4]]}}}}}
    text = script.compact(value)
    assert json.loads(text) == value
    assert "      [1, 2],\n      [3, 4]\n" in text


def test_pictures_and_words(script, monkeypatch):
    monkeypatch.setattr(script, "TASKS", {"Blox": {"a": script.Task("Blox", 1536)}})
    counted(script, monkeypatch)
    monkeypatch.setattr(script, "SEEDS", 5)
    script.train(["Blox"], {}, 4)
    assert script.words("Blox", script.kept()) == []  # not yet complete
    script.train(["Blox"], {}, 5)
    script.draw("Blox", script.kept())
    assert (script.FOLDER / "Blox-curves.png").stat().st_size > 5000
    words = "\n".join(script.words("Blox", script.kept()))
    assert "| a, PPO, masked or not | 5 | 1,536 |" in words
    assert script.words("Darts", script.kept()) == []
    script.draw("Darts", script.kept())


def test_what_is_shown_has_a_picture():
    script = loaded("learning_curves")
    kept = script.kept()
    shown = {name for name in script.TASKS if script.complete(name, kept)}
    assert {"Blox", "BloxEdit", "MOBlox", "BloxXL", "BloxXLEdit", "MOBloxXL"} <= shown
    assert script.SEEDS == 10
    pictures = {path.name for path in script.FOLDER.glob("*-curves.png")}
    assert pictures == {f"{name}-curves.png" for name in shown}
