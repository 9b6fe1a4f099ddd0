import numpy as np
import pytest

pytest.importorskip("PIL")

from blox_env.networks.images import find_images
from tests.networks.images.made_up import NAMES10, pixels, write_pack

IMAGES = pixels(np.random.default_rng(0), 6)
LABELS, TEST = [0, 1, 2, 3, 9, 9], [True, False, False, False, True, False]


@pytest.fixture
def pack(tmp_path):
    def write(**changes):
        return write_pack(tmp_path / "cifar10-jpeg.npz", IMAGES, LABELS, TEST, NAMES10, changes)

    return write


def test_a_pack_is_read_by_file_and_by_folder(pack):
    path = pack()
    found = find_images("cifar10", path)
    np.testing.assert_array_equal(found.images, IMAGES)
    assert (found.labels.tolist(), found.test.tolist()) == (LABELS, TEST)
    assert found.classes == tuple(NAMES10)
    assert find_images("cifar10", path.parent) is found
    assert len(find_images("folder", path)) == 6


def test_damage_is_named(pack):
    whole = pack().read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 30):
        path = pack()
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"cifar10-jpeg\.npz is not a pack of images"):
            find_images("cifar10", path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"size": np.array([1, 2, 3, 4, 5, 6])}, r"the bytes that size adds up to \(21\)"),
        ({"label": np.zeros(5, np.uint8)}, "as many values in size, label and test, got 6, 5"),
        ({"label": np.full(6, 10, np.uint8)}, "expected labels in 0 … 9"),
        ({"test": np.zeros(6)}, "the array 'test' has type float64"),
        ({"classes": np.array(["a", "b"])}, "labels in 0 … 1"),
        ({"classes": np.array([f"c{k}" for k in range(11)])}, "the 10 classes of cifar10, got 11"),
        ({"classes": np.array(["a", None])}, "pack of images, or damaged: .*allow_pickle=False"),
    ],
)
def test_wrong_contents_are_named(pack, changes, message):
    with pytest.raises(ValueError, match=rf"cifar10-jpeg\.npz.*{message}"):
        find_images("cifar10", pack(**changes))


def test_a_broken_picture_is_named_when_it_is_asked_for(pack):
    path = pack()
    with np.load(path) as file:
        data, size = file["data"].copy(), file["size"]
    start = int(size[:4].sum())
    data[start + 30 : start + size[4]] = 0
    found = find_images("cifar10", pack(data=data))
    np.testing.assert_array_equal(found.take(np.array([3])), IMAGES[3:4])
    with pytest.raises(ValueError, match=r"cifar10-jpeg\.npz, image 4 is not a picture"):
        found.take(np.array([4]))
