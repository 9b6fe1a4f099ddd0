"""Recipes as plain values."""

import pytest

from blox_env.networks.recipe import NATURAL, Recipe, one_cycle, recipe_for


def test_an_unknown_optimizer_has_a_near_miss():
    with pytest.raises(ValueError, match="sgd"):
        Recipe(optimizer="sgdd")


def test_fields_that_came_later_are_told_only_where_they_differ():
    assert "flip" not in Recipe().to_dict()
    assert Recipe(flip=1, optimizer="adamw").to_dict()["optimizer"] == "adamw"
    assert Recipe(**Recipe(shift=2).to_dict()) == Recipe(shift=2)


def test_every_task_has_a_recipe():
    assert recipe_for("digits") == Recipe()
    assert recipe_for("cifar10(side=32)", epochs=9) == Recipe(**{**NATURAL.to_dict(), "epochs": 9})


def test_the_rate_rises_and_falls_to_zero():
    rates = [one_cycle(step / 100, 0.25) for step in range(101)]
    assert max(rates) == pytest.approx(1.0)
    assert rates.index(max(rates)) == 25
    assert rates[-1] == pytest.approx(0.0)
