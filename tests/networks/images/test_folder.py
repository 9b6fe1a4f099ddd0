import numpy as np
import pytest

pytest.importorskip("PIL")

from blox_env.networks.images import find_images
from tests.networks.images.made_up import png

RNG = np.random.default_rng(0)


def fill(folder, count, size=(40, 32), level=None):
    folder.mkdir(parents=True)
    for number in range(count):
        picture = RNG.integers(0, 256, (3, *size), dtype=np.uint8)
        if level is not None:
            picture[:] = level
        (folder / f"{number:03}.png").write_bytes(png(picture))
    return folder


def test_train_and_test_folders(tmp_path):
    for part, count in (("train", 5), ("test", 2)):
        for level, name in ((10, "cat"), (200, "dog")):
            fill(tmp_path / part / name, count, level=level)
    (tmp_path / "train" / "dog" / "notes.txt").write_text("no picture")
    (tmp_path / "train" / ".hidden").mkdir()
    found = find_images("folder", tmp_path)
    assert found.classes == ("cat", "dog")
    assert found.test.tolist() == [False] * 10 + [True] * 4
    assert found.images.shape == (14, 3, 32, 32)
    np.testing.assert_array_equal(found.images[:, 0, 0, 0] == 200, found.labels == 1)
    assert find_images("folder", tmp_path, side=16).images.shape == (14, 3, 16, 16)


def test_class_folders_alone_are_split_by_the_seed(tmp_path):
    fill(tmp_path / "a", 12)
    fill(tmp_path / "b", 6)
    found = find_images("folder", tmp_path, seed=1)
    assert found.test[found.labels == 0].sum() == 2
    assert found.test[found.labels == 1].sum() == 1
    again, other = (find_images("folder", tmp_path, seed=s, side=8) for s in (1, 2))
    np.testing.assert_array_equal(found.test, again.test)
    assert (found.test != other.test).any()
    assert found.checksum == other.checksum
    (tmp_path / "a" / "000.png").write_bytes(png(np.zeros((3, 8, 8), np.uint8)))
    assert find_images("folder", tmp_path, seed=3).checksum != found.checksum


def test_pictures_are_read_when_asked_for(tmp_path):
    fill(tmp_path / "a", 3)
    (fill(tmp_path / "b", 3) / "001.png").write_bytes(b"nonsense")
    found = find_images("folder", tmp_path)
    assert found.take(np.array([0, 3])).shape == (2, 3, 32, 32)
    with pytest.raises(ValueError, match=r"001\.png is not a picture"):
        _ = found.images


def test_wrong_folders_are_named(tmp_path):
    with pytest.raises(ValueError, match="one folder for each of at least two classes"):
        find_images("folder", tmp_path)
    fill(tmp_path / "train" / "a", 1)
    with pytest.raises(ValueError, match="has train/, but no test/"):
        find_images("folder", tmp_path)
    fill(tmp_path / "train" / "b", 1)
    fill(tmp_path / "test" / "b", 1)
    fill(tmp_path / "test" / "c", 1)
    with pytest.raises(ValueError, match=r"the same classes in train/ and test/, not \['a', 'c'\]"):
        find_images("folder", tmp_path)
    (tmp_path / "test" / "c").rename(tmp_path / "test" / "a")
    (tmp_path / "test" / "a" / "000.png").unlink()
    with pytest.raises(ValueError, match=r"test/a: expected pictures \(\.jpg"):
        find_images("folder", tmp_path)
