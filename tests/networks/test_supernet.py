"""The supernet: shared weights, paths, and scores."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from blox_env.networks.blox import BloxNetwork
from blox_env.networks.recipe import Recipe
from blox_env.networks.supernet import Supernet, score, train_supernet
from blox_env.networks.tasks import Split, load_task
from blox_env.spaces.blox import BLOCKS


@pytest.fixture(scope="module")
def task():
    """A few of the digits."""
    whole = load_task("digits")
    few = {
        name: Split(split.images[:200], split.labels[:200], split.sources[:200])
        for name, split in (("train", whole.train), ("val", whole.val))
    }
    return dataclasses.replace(whole, **few)


def test_a_path_is_the_network_of_its_architecture(task):
    """With a network's weights in it, a path answers as the network does: blocks of all kinds."""
    images = torch.from_numpy(task.val.images[:4])
    supernet = Supernet(task, torch.Generator().manual_seed(0), 0.3).eval()
    size = {"width": task.width, "classes": task.classes, "in_channels": task.in_channels}
    kinds = {}
    for number, block in enumerate(BLOCKS):
        kinds.setdefault((block.single, *block[2:]), []).append(number)
    numbers = [kind[0] for kind in kinds.values()]
    for row in np.reshape(numbers, (-1, 3)):
        network, path = BloxNetwork(row, **size).eval(), supernet.path(row)
        path.load_state_dict(network.state_dict())
        torch.testing.assert_close(path(images), network(images))


def test_architectures_share_what_they_have_in_common(task):
    supernet = Supernet(task, torch.Generator().manual_seed(0), 0.3)
    one = set(supernet.path([6, 11, 11]).parameters())
    assert set(supernet.path([6, 11, 11]).parameters()) == one
    other = set(supernet.path([6, 11, 30]).parameters())
    assert one & other
    assert one != other
    every = set(supernet.parameters())
    on_paths = [set(supernet.path([k, k, k]).parameters()) for k in range(len(BLOCKS))]
    assert set.union(*on_paths) == every


def test_training_learns(task):
    supernet, seconds = train_supernet(
        task, dataclasses.replace(Recipe(), epochs=12, batch=50), seed=1
    )
    assert seconds > 0
    rows = np.array([[0, 0, 0], [6, 11, 11]])
    scores = score(supernet, task, rows)
    assert scores.max() > 0.1 + 3 * np.sqrt(0.1 * 0.9 / 200)  # chance, by three standard errors
    np.testing.assert_array_equal(score(supernet, task, rows[::-1]), scores[::-1])


def test_equal_arguments_give_equal_weights(task):
    recipe, before = dataclasses.replace(Recipe(), epochs=1), torch.random.get_rng_state()
    one, two, other = (train_supernet(task, recipe, seed=seed)[0] for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    pairs = list(zip(one.parameters(), two.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b, _ in pairs)
    assert not all(torch.equal(a, c) for a, _, c in pairs)
