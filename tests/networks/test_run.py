"""Trainings as sequences of equal steps."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from blox_env.networks.natural import ImageSettings, image_task
from blox_env.networks.recipe import Recipe
from blox_env.networks.run import DeviceTask, Plan, Run, train_on_cpu
from blox_env.networks.training import train

RECIPE = Recipe(epochs=2, batch=16, peak_lr=0.05, flip=1, shift=2)


def made_up(n=256, val=64, side=16):
    """Pictures whose brightness tells their class."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, n + val + 20)
    images = rng.integers(0, 60, (len(labels), 3, side, side)) + 120 * labels[:, None, None, None]
    test = np.arange(len(labels)) >= n + val
    settings = ImageSettings(side=side, width=8, train=n, val=val)
    return image_task("made-up", images.astype(np.uint8), labels.astype(np.int64), test, settings)


TASK = made_up()


def data(border=2):
    return DeviceTask.load(TASK, border, torch.device("cpu"))


def test_a_training_learns_and_is_the_same_again():
    first, again = (train((0, 1, 2), TASK, RECIPE, seed=3) for _ in range(2))
    assert first.val_acc.tolist() == again.val_acc.tolist()
    assert first.val_acc[-1] > 0.9
    assert train((0, 1, 2), TASK, RECIPE, seed=4).val_acc.shape == (2,)


def test_the_border_of_the_pictures_on_the_device_changes_nothing():
    narrow, wide = (train_on_cpu((2, 2, 2), 0, data(b), RECIPE) for b in (2, 4))
    assert narrow.val_acc.tolist() == wide.val_acc.tolist()


def test_what_a_step_cuts_out_is_a_shifted_or_mirrored_picture():
    plan = Plan.draw(TASK, RECIPE, 2, torch.Generator().manual_seed(0))
    assert plan.start.shape == (32, 16)
    assert set(plan.sign.unique().tolist()) == {-1, 1}
    run = Run((0, 0, 0), 0, data(), RECIPE)
    where = (
        run._grid + run._start[0].view(-1, 1, 1, 1) + run._sign[0].view(-1, 1, 1, 1) * run._across
    )
    cut = run.data.padded.take(where)  # (batch, h, w, c)
    label = run._labels[0]
    inner = cut[:, 4:-4, 4:-4].mean((1, 2, 3))
    assert (inner[label == 1].min() > inner[label == 0].max()).item()


def test_without_shift_and_mirroring_pictures_are_as_they_were():
    plain = Recipe(epochs=1, batch=16)
    run = Run((0, 0, 0), 0, data(0), plain)
    where = (
        run._grid + run._start[0].view(-1, 1, 1, 1) + run._across * run._sign[0].view(-1, 1, 1, 1)
    )
    cut = run.data.padded.take(where).permute(0, 3, 1, 2)
    originals = (torch.from_numpy(TASK.train.images).float() - 118.0) / 62.0
    distance = (cut[:, None] - originals[None]).abs().amax((2, 3, 4))
    assert (distance.amin(1) < 1e-5).all()


def test_going_back_takes_a_step_back():
    run = Run((10, 20, 30), 1, data(), RECIPE)
    before = run.state()
    run.step()
    assert not torch.equal(before[0], run.state()[0])
    run.restore(before)
    assert all(torch.equal(a, b) for a, b in zip(before, run.state(), strict=True))


def test_both_optimisers_lower_the_loss():
    for changes in ({}, {"optimizer": "adamw", "peak_lr": 3e-3, "weight_decay": 0.05}):
        result = train_on_cpu(
            (1, 1, 1), 0, data(), Recipe(epochs=2, batch=16, **{"peak_lr": 0.05} | changes)
        )
        assert result.val_acc[-1] > 0.9
