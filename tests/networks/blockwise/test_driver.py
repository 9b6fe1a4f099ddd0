import json

import numpy as np
import pytest

from blox_env.networks.blockwise import (
    NetworkLesson,
    Teacher,
    distil_all,
    lesson_for,
    random_teacher,
    read_signatures,
    train_all,
)
from blox_env.networks.recipe import recipe_for
from tests.networks.images.made_up import pixels, png

PLACES = [(0, 0), (1, 0), (2, 2), (2, 0)]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.npz")}


@pytest.fixture(scope="module")
def blocks(teacher_file, small_recipe, tmp_path_factory):
    folder = tmp_path_factory.mktemp("blocks")
    ended = distil_all(teacher_file, folder, lesson_for(small_recipe), places=PLACES, workers=0)
    assert (ended["done"], ended["failed"], ended["before"]) == (4, [], 0)
    return folder


def test_what_is_there_is_not_distilled_again(blocks, teacher_file, small_recipe):
    before, lesson = contents(blocks), lesson_for(small_recipe)
    (blocks / "stage1-block00.npz").unlink()
    told = []
    again = distil_all(
        teacher_file, blocks, lesson, places=PLACES, workers=0, tell=lambda *a: told.append(a)
    )
    assert (again["done"], again["before"]) == (1, 3)
    assert told == [(3, 4, ""), (4, 4, "")]
    assert contents(blocks) == before


def test_blocks_of_others_are_refused(blocks, teacher_file, small_recipe, tmp_path):
    with pytest.raises(ValueError, match=r"stage0-block00\.npz is of another loss"):
        distil_all(teacher_file, blocks, lesson_for(small_recipe, "mse"), workers=0)
    with pytest.raises(ValueError, match="another seed: expected 1, got 0"):
        distil_all(teacher_file, blocks, lesson_for(small_recipe), seed=1, workers=0)
    random_teacher((0, 0, 0), "digits", seed=0).save(tmp_path / "t.npz")
    with pytest.raises(ValueError, match="another teacher"):
        distil_all(tmp_path / "t.npz", blocks, lesson_for(small_recipe), workers=0)


def test_signatures_of_what_is_there(blocks):
    found = read_signatures(blocks)
    known = np.zeros((3, 45), bool)
    known[tuple(zip(*PLACES, strict=True))] = True
    for table in (found.nsr, found.mse, found.swap_acc, found.seconds):
        np.testing.assert_array_equal(~np.isnan(table), known)
    rows = np.array([[0, 0, 2], [0, 0, 0]])
    np.testing.assert_allclose(found.of(rows)[:, 2], np.log(found.nsr[2, [2, 0]]))
    assert (found.of(rows, "swap_acc")[:, 0] == found.swap_acc[0, 0]).all()


def test_networks_of_all_kinds(blocks, teacher_file, tmp_path):
    rows = [(0, 0, 2), (0, 0, 0)]
    lessons = [NetworkLesson("fine-tuned", row, 1) for row in rows]
    lessons += [NetworkLesson(kind, rows[1], 1, 3) for kind in ("distilled", "scratch")]
    options = {"teacher": teacher_file, "blocks": blocks, "workers": 0}
    ended = train_all(lessons, tmp_path, **options)
    assert (ended["done"], ended["failed"]) == (4, [])
    files = sorted(path.name for path in tmp_path.glob("*.json"))
    assert files == sorted(lesson.file for lesson in lessons)
    for lesson in lessons:
        result = json.loads((tmp_path / lesson.file).read_text())
        assert len(result["val_correct"]) == lesson.epochs + 1
        assert all(0 <= count <= 1100 for count in result["val_correct"])
    assert train_all(lessons, tmp_path, **options)["before"] == 4
    with pytest.raises(ValueError, match="did you mean 'distilled'"):
        NetworkLesson("distiled", (0, 0, 0), 1)
    with pytest.raises(ValueError, match="epochs must be at least 1"):
        NetworkLesson("scratch", (0, 0, 0), 0)


def test_a_missing_block_fails_alone(blocks, teacher_file, tmp_path):
    lessons = [NetworkLesson("fine-tuned", row, 1) for row in ((9, 0, 0), (0, 0, 0))]
    ended = train_all(lessons, tmp_path, teacher=teacher_file, blocks=blocks, workers=0)
    assert ended["done"] == 1
    assert "stage0-block09" in ended["failed"][0][1]


def test_a_folder_of_ones_own_at_full_size(tmp_path, monkeypatch):
    """32 × 32 pixels and width 32, the size of the Blox paper: two blocks, one epoch."""
    pytest.importorskip("PIL")
    monkeypatch.setenv("BLOX_ENV_DATA", str(tmp_path / "pictures"))
    for label in ("cats", "dogs"):
        (tmp_path / "pictures" / label).mkdir(parents=True)
        for number, picture in enumerate(pixels(np.random.default_rng(0), 12)):
            (tmp_path / "pictures" / label / f"{number}.png").write_bytes(png(picture))
    task = "folder(side=32, width=32)"
    random_teacher((0, 0, 0), task, seed=0).save(tmp_path / "teacher.npz")
    assert Teacher.load(tmp_path / "teacher.npz").weights["0.0.weight"].shape == (32, 3, 3, 3)
    lesson = lesson_for(recipe_for(task, epochs=1, batch=8))
    places = [(0, 0), (2, 2)]
    ended = distil_all(
        tmp_path / "teacher.npz", tmp_path / "blocks", lesson, places=places, workers=0
    )
    assert (ended["done"], ended["failed"]) == (2, [])
    found = read_signatures(tmp_path / "blocks")
    assert np.isfinite(found.nsr[[0, 2], [0, 2]]).all()
