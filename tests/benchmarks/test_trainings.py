import json

import numpy as np
import pytest

from blox_env.benchmarks.trainings import join, pack, read

HEADER = {"val_images": 100, "test_images": 50}


def results(folder, **changes):
    rows = [((1, 2, 3), 1), ((0, 2, 3), 0), ((1, 2, 3), 0)]
    for i, (row, seed) in enumerate(rows):
        result = {
            "schema": 1, "row": row, "seed": seed, "task": "ab", "recipe": {"epochs": 2},
            "val_correct": [10 + i, 90 + i], "test_correct": 40 + i, "train_time_s": 1.5 + i,
        }  # fmt: skip
        path = folder / f"{i}.json"
        path.write_text(json.dumps(result | (changes if i == 1 else {})))
        yield path


def test_packed_trainings_are_sorted_and_read_back(tmp_path):
    target = tmp_path / "trainings.csv"
    assert pack(results(tmp_path), target, HEADER) == 3
    raw = read(target)
    assert raw.x.tolist() == [[0, 2, 3], [1, 2, 3], [1, 2, 3]]
    assert raw.seed.tolist() == [0, 0, 1]
    np.testing.assert_array_equal(raw.val_acc, [[0.11, 0.91], [0.12, 0.92], [0.1, 0.9]])
    np.testing.assert_array_equal(raw.test_acc, np.array([41, 42, 40]) / 50)
    assert raw.header["recipe"] == {"epochs": 2}
    assert len(raw) == 3


@pytest.mark.parametrize(("field", "value"), [("task", "cd"), ("recipe", {"epochs": 3})])
def test_trainings_of_different_kinds_are_not_joined(tmp_path, field, value):
    with pytest.raises(ValueError, match=f"results differ in {field}"):
        pack(results(tmp_path, **{field: value}), tmp_path / "t.csv", HEADER)


def test_nothing_to_pack(tmp_path):
    with pytest.raises(ValueError, match="no results to pack"):
        pack([], tmp_path / "t.csv", HEADER)


def test_another_schema_is_named(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('# {"schema": 9}\n')
    with pytest.raises(ValueError, match="expected schema 2, got 9"):
        read(path)


def test_rounds_are_joined_without_loss(tmp_path):
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    files = list(results(tmp_path))
    pack(files[:2], one, HEADER)
    pack(files[1:], two, HEADER)  # one of them is in both
    assert join([one, two], tmp_path / "all.csv") == 3
    pack(files, tmp_path / "packed.csv", HEADER)
    assert (tmp_path / "all.csv").read_bytes() == (tmp_path / "packed.csv").read_bytes()
    assert join([one, two], one) == 3  # the target may be among them
    assert one.read_bytes() == (tmp_path / "all.csv").read_bytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": {"epochs": 3}}, "two.csv has another recipe than .*one.csv"),
        ({"task": "cd"}, "two.csv has another task_sha256"),
        ({"val_correct": [1, 2]}, "two.csv: training 0-2-3, 0, cpu differs"),
    ],
)
def test_files_that_contradict_each_other_are_not_joined(tmp_path, changes, message):
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    pack(list(results(tmp_path)), one, HEADER)
    pack(list(results(tmp_path, **changes))[1:2], two, HEADER)
    with pytest.raises(ValueError, match=message):
        join([one, two], tmp_path / "all.csv")
    assert not (tmp_path / "all.csv").exists()
