import numpy as np
import pytest
import torch

from blox_env.networks.blockwise.distil import (
    BlockLesson,
    Stage,
    block_seed,
    distil_block,
    lesson_for,
)
from blox_env.networks.blockwise.lessons import Pictures, task_data
from blox_env.networks.recipe import recipe_for


def test_a_block_learns_its_stage_and_only_its_seed_matters(teacher):
    lesson = lesson_for(recipe_for("digits", epochs=3, batch=140))
    one, same = (distil_block(teacher, 1, 0, lesson, seed=4) for _ in range(2))
    other = distil_block(teacher, 1, 0, lesson, seed=5)
    assert one.nsr[-1] < 0.7 * one.nsr[0]
    assert one.mse == same.mse
    for name, values in one.weights.items():
        np.testing.assert_array_equal(values, same.weights[name])
    assert other.mse != one.mse
    assert block_seed(4, 1, 0) != block_seed(4, 0, 1)


def test_the_errors_are_what_they_say(teacher):
    stage = Stage(teacher, 0, task_data("digits", 0), BlockLesson(recipe_for("digits")))
    wanted = stage.val_out
    generator = torch.Generator().manual_seed(0)
    given = wanted + 0.1 * torch.randn(wanted.shape, generator=generator)
    mse, nsr = stage.errors(given, wanted)
    assert float(mse) == pytest.approx(float((given - wanted).square().mean()), rel=1e-5)
    variance = wanted.var(dim=(0, 2, 3)).numpy()
    squared = (given - wanted).square().mean(dim=(0, 2, 3)).numpy()
    moving = variance > 1e-6 * variance.mean()
    assert float(nsr) == pytest.approx((squared / variance)[moving].mean(), rel=1e-4)
    constant = wanted.mean(dim=(0, 2, 3), keepdim=True).expand_as(wanted)
    assert float(stage.errors(constant, wanted)[1]) == pytest.approx(1.0, rel=1e-3)
    assert [float(e) for e in stage.errors(wanted, wanted)] == [0.0, 0.0]


def test_kept_features_are_those_made_anew(teacher):
    data, recipe = task_data("digits", 0), recipe_for("digits", epochs=1)
    stage = Stage(teacher, 2, data, BlockLesson(recipe))
    pictures = Pictures.draw(data, recipe, torch.Generator().manual_seed(0))
    kept = stage.batch(pictures, 3)
    stage._kept = None
    for one, other in zip(kept, stage.batch(pictures, 3), strict=True):
        torch.testing.assert_close(one, other)


def test_the_teacher_itself_swaps_without_loss(teacher):
    """What learns nothing and is put into the place of its own stage has the teacher's accuracy."""
    data = task_data("digits", 0)
    stage = Stage(teacher, 1, data, BlockLesson(recipe_for("digits"), checked=500))
    assert len(stage.labels) == len(stage.val_in) == 500
    with torch.no_grad():
        through = stage.after(stage.own(stage.val_in)).argmax(1)
        direct = teacher.network()(data.val[0][:500]).argmax(1)
    assert torch.equal(through, direct)


def test_both_losses_are_learned(teacher, small_recipe):
    found = {
        loss: distil_block(teacher, 2, 1, lesson_for(small_recipe, loss)) for loss in ("mse", "nsr")
    }
    assert found["mse"].mse != found["nsr"].mse
    assert all(0 <= d.swap_acc <= 1 and d.seconds > 0 for d in found.values())


def test_wrong_arguments(teacher, small_recipe):
    with pytest.raises(ValueError, match="did you mean 'mse'"):
        lesson_for(small_recipe, "mes")
    with pytest.raises(ValueError, match="checked must be at least 0"):
        BlockLesson(small_recipe, checked=-1)
    with pytest.raises(ValueError, match=r"stage must be in 0 … 2, got 3"):
        distil_block(teacher, 3, 0, lesson_for(small_recipe))
