import numpy as np
import pytest

pytest.importorskip("sklearn")

from blox_env.networks.tasks import DigitsSettings, digits, load_task

SMALL = DigitsSettings(sources=(80, 40, 40), draws=(1, 1, 1))


def test_splits_share_no_source_image():
    task = load_task("digits")
    splits = [set(s.sources.tolist()) for s in (task.train, task.val, task.test)]
    assert not splits[0] & splits[1]
    assert not splits[0] & splits[2]
    assert not splits[1] & splits[2]
    assert sum(map(len, splits)) <= 1797


def test_task_is_fixed():
    assert digits().fingerprint() == load_task("digits").fingerprint()
    assert digits(SMALL).fingerprint() != load_task("digits").fingerprint()


def test_images_have_about_zero_mean_and_unit_scale():
    images = load_task("digits").train.images
    assert images.dtype == np.float32
    assert abs(images.mean()) < 0.2
    assert 0.7 < images.std() < 1.3


def test_unknown_task():
    with pytest.raises(ValueError, match="did you mean 'digits'"):
        load_task("digit")
