import pytest
import torch

from blox_env.networks.blockwise.assembly import (
    assemble,
    block_file,
    fine_tune,
    fine_tune_recipe,
    load_blocks,
)
from blox_env.networks.blockwise.lessons import arrays_of, task_data
from blox_env.networks.blockwise.teacher import cut


def test_a_teacher_cut_and_put_together_is_the_teacher(teacher):
    stages = [arrays_of(cut(teacher.network(), stage)[1]) for stage in range(3)]
    network = assemble(teacher.row, teacher, stages)
    images = task_data("digits", 0).val[0][:50]
    with torch.no_grad():
        assert torch.equal(network(images), teacher.network()(images))


def test_fine_tuning_goes_on_from_the_weights(teacher):
    stages = [arrays_of(cut(teacher.network(), stage)[1]) for stage in range(3)]
    taught = fine_tune(
        assemble(teacher.row, teacher, stages), "digits", fine_tune_recipe("digits", 2), seed=1
    )
    assert taught.val_acc[0] == teacher.val_acc
    assert len(taught.val_acc) == 3
    assert taught.val_acc[-1] > teacher.val_acc


def test_a_missing_block_is_named(tmp_path):
    assert block_file(tmp_path, 0, 7).name == "stage0-block07.npz"
    with pytest.raises(FileNotFoundError, match="stage0-block03"):
        load_blocks(tmp_path, (3, 4, 5))
