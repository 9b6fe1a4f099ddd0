import numpy as np
import pytest

from blox_env.networks.natural import ImageSettings, image_task
from tests.networks.images.made_up import pixels

IMAGES = pixels(np.random.default_rng(0), 30)
LABELS = np.arange(30) % 3
TEST = np.arange(30) >= 24


def cut(**settings):
    return image_task("made-up", IMAGES, LABELS, TEST, ImageSettings(side=8, width=4, **settings))


def test_splits_share_no_picture():
    task = cut(train=14, val=10)
    parts = [split.sources for split in (task.train, task.val, task.test)]
    assert [len(part) for part in parts] == [14, 10, 6]
    assert sorted(np.concatenate(parts)) == list(range(30))
    np.testing.assert_array_equal(parts[2], np.flatnonzero(TEST))
    assert (task.classes, task.width, task.image_size) == (3, 4, 8)
    assert task.train.images.dtype == np.uint8


def test_the_seed_chooses_them():
    first, again, other = (cut(train=14, val=10, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.val.sources, again.val.sources)
    assert (first.val.sources != other.val.sources).any()


def test_too_many_are_an_error():
    with pytest.raises(
        ValueError, match=r"at most the 24 training images of made-up, got 15 \+ 10"
    ):
        cut(train=15, val=10)
