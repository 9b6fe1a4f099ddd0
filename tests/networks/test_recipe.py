import pytest

from blox_env.networks.recipe import Recipe


def test_recipes_are_plain_numbers_and_come_back():
    recipe = Recipe(epochs=3, peak_lr=0.05)
    assert Recipe(**recipe.to_dict()) == recipe
    assert Recipe(**recipe.to_dict()) != Recipe()


def test_unknown_fields_are_errors():
    with pytest.raises(TypeError, match="momentun"):
        Recipe(momentun=0.5)
