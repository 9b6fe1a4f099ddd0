import numpy as np
import pytest

pytest.importorskip("PIL")

from blox_env.networks.images import reduce
from blox_env.networks.tasks import list_tasks, load_task, task_settings
from tests.networks.images.made_up import NAMES10, pixels, png, write_pack

N = 40
IMAGES = pixels(np.random.default_rng(0), N)
LABELS = np.arange(N) % 10
TEST = np.arange(N) < 8


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("BLOX_ENV_DATA", str(tmp_path))
    write_pack(tmp_path / "cifar10-jpeg.npz", IMAGES, LABELS, TEST, NAMES10, {})
    return tmp_path


def test_settings_stand_in_the_name(data):
    task = load_task("cifar10(train=20, val=10, side=8, width=4, seed=3)")
    assert task.name == "cifar10(seed=3, side=8, train=20, val=10, width=4)"
    assert (task.image_size, task.width, task.classes, task.in_channels) == (8, 4, 10, 3)
    assert [len(split) for split in (task.train, task.val, task.test)] == [20, 10, 8]
    parts = [split.sources for split in (task.train, task.val, task.test)]
    assert len(np.unique(np.concatenate(parts))) == 38
    for split in (task.train, task.val, task.test):
        np.testing.assert_array_equal(split.images, reduce(IMAGES[split.sources], 8))
        np.testing.assert_array_equal(split.labels, LABELS[split.sources])
    assert TEST[task.test.sources].all()
    assert load_task(task.name) is task  # made once a process


def test_every_setting_changes_the_fingerprint(data):
    base = "train=16, val=10, side=8, width=4"
    names = [base, f"{base}, seed=1", *(
        base.replace(old, new)
        for old, new in (("16", "15"), ("10", "11"), ("side=8", "side=16"), ("width=4", "width=8"))
    )]  # fmt: skip
    assert len({load_task(f"cifar10({name})").fingerprint() for name in names}) == len(names)


def test_a_smaller_training_set_leaves_the_validation_images(data):
    small, large = (load_task(f"cifar10(train={n}, val=8, side=8)") for n in (10, 24))
    np.testing.assert_array_equal(small.val.sources, large.val.sources)


def test_folders_need_no_numbers(tmp_path, monkeypatch):
    monkeypatch.setenv("BLOX_ENV_DATA", str(tmp_path))
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for number, picture in enumerate(IMAGES[:12]):
            (tmp_path / label / f"{number}.png").write_bytes(png(picture))
    task = load_task("folder(side=16)")
    assert [len(split) for split in (task.train, task.val, task.test)] == [15, 5, 4]
    assert (task.image_size, task.classes, task.name) == (16, 2, "folder(side=16)")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cifar", r"unknown task 'cifar', .* did you mean 'cifar10'"),
        ("cifar10(widths=4)", r"unknown setting of task cifar10 'widths', .* did you mean 'width'"),
        ("cifar10(width=4.5)", "width of task cifar10 must be of type int, got 4.5"),
        ("digits(draws=3)", "draws of task digits must be of type tuple, got 3"),
        ("cifar10(train=30000)", "at most the 32 training images"),
        ("cifar10(side=12, train=4, val=4)", "side must divide the 32 pixels"),
        ("cifar10(", "task must be NAME"),
    ],
)
def test_wrong_names_and_settings(data, name, message):
    with pytest.raises(ValueError, match=message):
        load_task(name)


def test_settings_of_digits_stand_in_the_name():
    pytest.importorskip("sklearn")
    task = load_task("digits(noise=0.3)")
    assert task.name == "digits(noise=0.3)"
    assert task.fingerprint() != load_task("digits").fingerprint()


def test_all_tasks_have_settings():
    assert list_tasks() == ["cifar10", "cifar100", "digits", "folder"]
    for name in list_tasks():
        assert hash(task_settings(name))


def test_other_pictures_are_another_task(data, tmp_path, monkeypatch):
    name = "cifar10(train=16, val=10, side=8)"
    first = load_task(name)
    (tmp_path / "other").mkdir()
    monkeypatch.setenv("BLOX_ENV_DATA", str(tmp_path / "other"))
    write_pack(tmp_path / "other" / "cifar10.npz", 255 - IMAGES, LABELS, TEST, NAMES10, {})
    assert load_task(name).fingerprint() != first.fingerprint()
