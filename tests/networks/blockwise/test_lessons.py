import numpy as np
import pytest
import torch
from torch import nn

from blox_env.networks.blockwise.lessons import Pictures, arrays_of, follow, load_arrays, task_data
from blox_env.networks.recipe import recipe_for


def test_numbers_say_which_pictures_a_step_sees():
    data = task_data("digits", 0)
    recipe = recipe_for("digits", epochs=2, batch=200)
    pictures = Pictures.draw(data, recipe, torch.Generator().manual_seed(0))
    assert pictures.plan.per_epoch == 7
    seen = []
    for step in (0, 9):
        numbers = pictures.numbers(step).numpy()
        seen.append(numbers)
        np.testing.assert_array_equal(
            pictures.images(step).numpy(), data.task.train.images[numbers]
        )
        np.testing.assert_array_equal(
            pictures.labels[step].numpy(), data.task.train.labels[numbers]
        )
    assert not np.array_equal(*seen)


def test_follow_lowers_a_loss_and_measures_after_every_epoch():
    module, target = nn.Linear(3, 1), torch.tensor([[1.0, -2.0, 0.5]])
    x = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))

    def loss(_step):
        return (module(x) - x @ target.T).square().mean()

    recipe = recipe_for("digits", epochs=3, weight_decay=0.0)
    losses, seconds = follow(module, recipe, 20, loss, lambda: (module.training, loss(0).item()))
    assert [training for training, _ in losses] == [False] * 3
    assert losses[-1][1] < 0.1 * losses[0][1] + 1e-3
    assert seconds >= 0


def test_weights_go_into_the_module_that_they_are_of():
    one, other = nn.Linear(2, 3), nn.Linear(2, 3)
    load_arrays(other, arrays_of(one))
    assert torch.equal(one.weight, other.weight)
    with pytest.raises(ValueError, match=r"weight must have shape \(4, 2\), got \(3, 2\)"):
        load_arrays(nn.Linear(2, 4), arrays_of(one))
    with pytest.raises(ValueError, match="expected the weights of Linear"):
        load_arrays(nn.Linear(2, 3, bias=False), arrays_of(one))
