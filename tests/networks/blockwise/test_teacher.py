import numpy as np
import pytest
import torch
from torch.nn import functional

from blox_env.networks.blockwise.lessons import correct, task_data
from blox_env.networks.blockwise.teacher import (
    Distilling,
    Teacher,
    cut,
    frame,
    random_teacher,
    teach,
)
from blox_env.networks.blockwise.weights import write_weights
from blox_env.networks.training import train


def test_training_from_scratch_is_that_of_the_package(teacher, small_recipe):
    usual = train((0, 2, 6), task_data("digits", 0).task, small_recipe, seed=0)
    assert teacher.val_acc == usual.val_acc[-1]


def test_a_teacher_is_what_was_saved(teacher, teacher_file, tmp_path):
    again = Teacher.load(teacher_file)
    assert again.hash == teacher.hash
    assert (again.row, again.val_acc, again.recipe) == (
        teacher.row,
        teacher.val_acc,
        teacher.recipe,
    )
    val = task_data("digits", 0).val
    assert correct(again.network(), val) / len(val[1]) == teacher.val_acc
    write_weights(tmp_path / "other.npz", {}, {"row": [0, 0, 0]})
    with pytest.raises(ValueError, match=r"other\.npz is no teacher"):
        Teacher.load(tmp_path / "other.npz")


def test_a_random_teacher_is_repeatable_and_knows_its_pictures():
    one, same, other = (random_teacher((0, 0, 0), "digits", seed=s) for s in (1, 1, 2))
    assert one.hash == same.hash != other.hash
    assert one.val_acc < 0.3
    with torch.no_grad():
        stem = cut(one.network(), 0)[0](task_data("digits", 0).val[0])
    assert 0.2 < float(stem.std()) < 2  # of normalised and rectified features


def test_cut_is_the_whole_network(teacher):
    network, x = teacher.network(), task_data("digits", 0).val[0][:9]
    with torch.no_grad():
        for stage in range(3):
            before, own, after = cut(network, stage)
            assert torch.equal(after(own(before(x))), network(x))


def test_distilling_is_kl_with_temperature_mixed_with_cross_entropy():
    generator = torch.Generator().manual_seed(0)
    ours, theirs = torch.randn(2, 7, 5, generator=generator)
    labels = torch.arange(7) % 5
    labels_only = Distilling(share=0.0).loss(ours, theirs, labels)
    assert torch.isclose(labels_only, functional.cross_entropy(ours, labels))
    for t in (1.0, 3.0):
        p, q = (theirs / t).softmax(1), (ours / t).softmax(1)
        expected = t * t * (p * (p.log() - q.log())).sum(1).mean()
        assert torch.isclose(Distilling(t, share=1.0).loss(ours, theirs, labels), expected)
        assert abs(float(Distilling(t, share=1.0).loss(ours, ours, labels))) < 1e-5


def test_a_teacher_changes_what_a_network_learns(teacher, small_recipe):
    weights = []
    for master in (None, teacher, teacher):
        generator = torch.Generator().manual_seed(5)
        network = frame((1, 1, 1), "digits", generator)
        taught = teach(network, "digits", small_recipe, generator, teacher=master)
        assert len(taught.val_acc) == 2
        weights.append(network[-1].weight.detach().numpy())
    assert not np.array_equal(weights[0], weights[1])
    np.testing.assert_array_equal(weights[1], weights[2])
