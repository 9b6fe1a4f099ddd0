import json

import pytest

from blox_env.networks.blockwise import iterate, lesson_for
from blox_env.networks.recipe import recipe_for

pytestmark = pytest.mark.faults  # resumed and compared; too long for every run


def test_the_best_found_teaches_next_and_nothing_is_done_twice(tmp_path, monkeypatch):
    from blox_env.networks.blockwise import driver, iteration

    few = tuple((stage, block) for stage in range(3) for block in (0,))
    monkeypatch.setattr(
        iteration, "distil_all", lambda *a, **k: driver.distil_all(*a, places=few, **k)
    )
    monkeypatch.setattr(iteration, "best_sums", lambda signatures, n: [(0, 0, 0)][:n])
    small = recipe_for("digits", epochs=1, batch=700)
    options = {"rounds": 2, "tried": 1, "recipe": small, "workers": 0, "seed": 3}
    rounds = iterate("digits", tmp_path, lesson_for(small, checked=100), **options)
    assert rounds[1].teacher == rounds[0].found
    assert rounds[1].teacher_acc == rounds[0].found_acc
    for number, each in enumerate(rounds):
        assert each.found in each.tried
        assert each.seconds > 0
        saved = json.loads((tmp_path / f"round{number}" / "round.json").read_text())
        assert saved["found"] == list(each.found)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npz")}
    assert iterate("digits", tmp_path, lesson_for(small, checked=100), **options) == rounds
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npz")} == files
