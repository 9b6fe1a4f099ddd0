import sys

import numpy as np
import pytest
import torch

from blox_env.networks.augment import cut_out, rand_augment, shift_and_mirror


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_shifted_images_are_the_same_pixels_elsewhere():
    images = torch.arange(1, 3 * 2 * 5 * 5 + 1).reshape(3, 2, 5, 5).repeat(40, 1, 1, 1)
    moved = shift_and_mirror(images, 2, generator())
    assert moved.shape == images.shape
    seen = set()
    for before, after in zip(images, moved, strict=True):
        padded = torch.nn.functional.pad(before, (2,) * 4)
        found = [
            (down, right, flip)
            for down in range(5)
            for right in range(5)
            for flip in (False, True)
            for part in [padded[:, down : down + 5, right : right + 5]]
            if torch.equal(after, part.flip(2) if flip else part)
        ]
        assert len(found) == 1
        seen.update(found)
    assert len(seen) > 40  # of 50, in 120 draws
    assert torch.equal(moved, shift_and_mirror(images, 2, generator()))


def test_cutout_erases_a_square_and_nothing_else():
    images = torch.ones(400, 3, 8, 8)
    cut = cut_out(images, 4, generator())
    gone = (cut == 0).numpy()
    assert (gone[:, 0] == gone[:, 1]).all()
    rows, columns = gone[:, 0].any(axis=2), gone[:, 0].any(axis=1)
    np.testing.assert_array_equal(gone[:, 0], rows[:, :, None] & columns[:, None, :])
    assert set(rows.sum(axis=1)) == {2, 3, 4}  # less at the border
    assert gone.any(axis=0).all()
    assert torch.equal(images, torch.ones_like(images))


def test_rand_augment_without_torchvision_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision.transforms.v2", None)
    with pytest.raises(ImportError, match=r"RandAugment needs .*blox-env\[augment\]"):
        rand_augment(torch.zeros(1, 3, 32, 32, dtype=torch.uint8), 2, 14, 0)


def test_rand_augment_changes_every_image_in_its_own_way():
    pytest.importorskip("torchvision.transforms.v2")
    images = torch.randint(0, 256, (1, 3, 32, 32), dtype=torch.uint8, generator=generator())
    images = images.repeat(20, 1, 1, 1)
    before = torch.random.get_rng_state()
    changed = rand_augment(images, 2, 14, 5)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert changed.dtype == torch.uint8
    assert len({image.numpy().tobytes() for image in changed}) > 10
    assert torch.equal(changed, rand_augment(images, 2, 14, 5))
    assert not torch.equal(changed, rand_augment(images, 2, 14, 6))
