import dataclasses
import sys

import numpy as np
import pytest
import torch

from blox_env.networks import full
from blox_env.networks.augment import cut_out
from blox_env.networks.full import augmented, normalised, train_augmented
from blox_env.networks.recipe import Recipe
from blox_env.networks.tasks import Split, Task
from blox_env.networks.training import train

ROW = (3, 0, 7)
QUICK = Recipe(epochs=2, batch=16, flip=1, shift=2, cutout=4)


def made_up_task(n=64, side=16):
    """Pictures of two classes, bright and dark."""
    rng = np.random.default_rng(0)

    def split(count):
        labels = rng.integers(0, 2, count)
        images = rng.integers(0, 120, (count, 3, side, side)) + 100 * labels[:, None, None, None]
        return Split(images.astype(np.uint8), labels.astype(np.int64), np.arange(count))

    return Task("made-up", "", split(n), split(32), split(32), classes=2, width=4)


def test_the_full_recipe_is_upstreams():
    recipe = Recipe.blox()
    assert (recipe.epochs, recipe.batch, recipe.peak_lr) == (200, 256, 0.01)
    assert (recipe.momentum, recipe.weight_decay) == (0.9, 5e-4)
    assert (recipe.shift, recipe.flip, recipe.cutout) == (4, 1, 16)
    assert (recipe.augment, recipe.augment_strength) == (2, 14)
    assert Recipe(**recipe.to_dict()) == recipe
    assert Recipe().to_dict().keys() < recipe.to_dict().keys()


def test_it_learns_and_is_repeatable():
    task = made_up_task()
    before = torch.random.get_rng_state()
    recipe = dataclasses.replace(QUICK, epochs=6, peak_lr=0.02)
    first = train_augmented(ROW, task, recipe, seed=1)
    again = train(ROW, task, recipe, seed=1)
    np.testing.assert_array_equal(first.val_acc, again.val_acc)
    assert first.test_acc == again.test_acc
    assert first.val_acc.max() > 0.8
    assert torch.equal(torch.random.get_rng_state(), before)
    assert (train_augmented(ROW, task, recipe, seed=2).val_acc != first.val_acc).any()


@pytest.mark.parametrize(("keep_best", "tested"), [(1, 1), (0, 2)])
def test_the_weights_that_are_tested(monkeypatch, keep_best, tested):
    seen = []

    def made_up_accuracy(network, images, labels, batch):
        seen.append(next(iter(network.state_dict().values())).clone())
        return [0.5, 0.9, 0.7, 0.0][len(seen) - 1]

    monkeypatch.setattr(full, "accuracy", made_up_accuracy)
    recipe = dataclasses.replace(QUICK, epochs=3, keep_best=keep_best)
    train_augmented(ROW, made_up_task(), recipe, seed=0)
    assert [torch.equal(seen[3], seen[epoch]) for epoch in range(3)] == [
        epoch == tested for epoch in range(3)
    ]


def test_batches_are_changed_as_the_recipe_says():
    pictures = torch.from_numpy(made_up_task().train.images)
    still = augmented(pictures, Recipe(), torch.Generator().manual_seed(0))
    assert torch.equal(still, normalised(pictures))
    assert abs(float(still.mean())) < 1
    changed = augmented(pictures, Recipe(cutout=4), torch.Generator().manual_seed(3))
    expected = cut_out(normalised(pictures), 4, torch.Generator().manual_seed(3))
    assert torch.equal(changed, expected)


def test_what_it_cannot_train_is_an_error(monkeypatch):
    task = made_up_task()
    floats = dataclasses.replace(task.train, images=task.train.images.astype(np.float32))
    with pytest.raises(ValueError, match=r"a task of pictures \(uint8\), got 'made-up' with float"):
        train_augmented(ROW, dataclasses.replace(task, train=floats), QUICK, seed=0)
    monkeypatch.setitem(sys.modules, "torchvision.transforms.v2", None)
    with pytest.raises(ImportError, match=r"blox-env\[augment\]"):
        train(ROW, task, dataclasses.replace(Recipe.blox(), epochs=1, batch=16), seed=0)


def test_the_whole_recipe_trains():
    pytest.importorskip("torchvision.transforms.v2")
    recipe = dataclasses.replace(Recipe.blox(), epochs=2, batch=16)
    result = train(ROW, made_up_task(side=32), recipe, seed=0)
    assert result.val_acc.shape == (2,)
    assert result.test_acc > 0.3
