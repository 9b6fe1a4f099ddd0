"""Groups of trainings and tasks of a farm; the GPU itself is not needed for that."""

import numpy as np
import pytest

pytest.importorskip("torch")

from blox_env.networks.farm import groups_of, read_task, save_task
from blox_env.networks.recipe import Recipe
from blox_env.networks.tasks import DigitsSettings, digits

pytestmark = pytest.mark.extra


def test_groups_hold_every_training_once():
    trainings = [((i, 0, 0), 0) for i in range(10)]
    groups = groups_of(trainings, 4, task="digits", recipe=Recipe())
    assert [len(g.trainings) for g in groups] == [4, 4, 2]
    assert [t for g in groups for t in g.trainings] == trainings


def test_a_task_comes_back_as_it_was(tmp_path):
    task = digits(DigitsSettings(draws=(1, 1, 1)))
    save_task(task, tmp_path)
    again = read_task(tmp_path, "digits")
    assert again.fingerprint() == task.fingerprint()
    assert (again.classes, again.width, again.description) == (10, 8, task.description)
    np.testing.assert_array_equal(again.test.sources, task.test.sources)
