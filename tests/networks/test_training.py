import numpy as np
import pytest
import torch

from blox_env import BloxSpace
from blox_env.networks.recipe import Recipe
from blox_env.networks.tasks import DigitsSettings, digits, load_task
from blox_env.networks.training import one_cycle, train

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


def test_training_repeats_to_the_bit_and_touches_no_global_state():
    task, recipe = digits(SMALL), Recipe(epochs=2, batch=40)
    before = torch.get_rng_state()
    numpy_before = np.random.get_state()[1].copy()
    first = train([0, 20, 44], task, recipe, seed=3)
    second = train([0, 20, 44], task, recipe, seed=3)
    other = train([0, 20, 44], task, recipe, seed=4)
    np.testing.assert_array_equal(first.val_acc, second.val_acc)
    assert first.test_acc == second.test_acc
    assert first.val_acc.shape == (2,)
    assert first.val_acc.tolist() != other.val_acc.tolist()
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_before)
    assert first.train_time_s > 0


def test_training_learns():
    task = digits(DigitsSettings(sources=(300, 100, 100), draws=(1, 1, 1), noise=0.05))
    mbconv = BloxSpace().from_arch_vec([[[0], [1, 0, 1, 0]]] * 3)
    result = train(mbconv, task, Recipe(epochs=12, batch=20), seed=0)
    assert result.val_acc[-1] > 0.5


def test_learning_rate_schedule():
    assert one_cycle(0.25, 0.25) == 1.0
    assert one_cycle(0.0, 0.25) < 0.1
    assert one_cycle(1.0, 0.25) == pytest.approx(0.0)
