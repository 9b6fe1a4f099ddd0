import numpy as np
import torch
from torch import nn

from blox_env.networks.recipe import Recipe
from blox_env.networks.steps import accuracy, optimizer_of


def test_plain_recipes_decay_all_and_others_only_weights():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    for plain in (0, 1):
        optimizer = optimizer_of(network, Recipe(weight_decay=0.1, plain=plain))
        weights, others = optimizer.param_groups
        assert [p.ndim for p in weights["params"]] == [4]
        assert [p.ndim for p in others["params"]] == [1, 1, 1]
        assert weights["weight_decay"] == 0.1
        assert others["weight_decay"] == 0.1 * plain
        assert weights["nesterov"] is not bool(plain)


def test_accuracy_is_the_share_of_right_answers():
    images = torch.eye(5)
    labels = torch.tensor([0, 1, 2, 0, 0])
    assert np.isclose(accuracy(nn.Identity(), images, labels, batch=2), 0.6)
