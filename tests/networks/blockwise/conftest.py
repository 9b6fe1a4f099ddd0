"""A small task, and teachers of it with a few blocks, made once."""

import pytest

from blox_env.networks.recipe import recipe_for

pytest.importorskip("sklearn")


@pytest.fixture(scope="session")
def small_recipe():
    return recipe_for("digits", epochs=1, batch=700)


@pytest.fixture(scope="session")
def teacher(small_recipe):
    from blox_env.networks.blockwise import trained_teacher

    return trained_teacher((0, 2, 6), "digits", seed=0, recipe=small_recipe)


@pytest.fixture(scope="session")
def teacher_file(teacher, tmp_path_factory):
    path = tmp_path_factory.mktemp("teacher") / "teacher.npz"
    teacher.save(path)
    return path
