import numpy as np
import pytest
import torch

from blox_env import BloxSpace
from blox_env.networks.recipe import Recipe, one_cycle
from blox_env.networks.tasks import DigitsSettings, digits
from blox_env.networks.training import train

SMALL = DigitsSettings(sources=(80, 40, 40), draws=(1, 1, 1))


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
