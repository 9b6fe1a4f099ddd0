import inspect
import typing
from dataclasses import fields

import pytest
from typer.testing import CliRunner

import blox_env
from blox_env.cli import app
from blox_env.cli.settings import settings_from, settings_parameters
from blox_env.experiment.runner import compare
from blox_env.experiment.settings import ExperimentSettings, SearchSettings


def test_the_signature_of_compare_is_that_of_the_settings():
    hints, own = typing.get_type_hints(compare), inspect.signature(blox_env.compare).parameters
    declared = typing.get_type_hints(ExperimentSettings)
    for each in fields(ExperimentSettings):
        assert own[each.name].default == each.default, each.name
        assert hints[each.name] == declared[each.name], each.name
    assert set(own) - set(declared) == {"out", "workers", "address", "time_limit_s", "watcher"}


def test_every_setting_is_an_option_and_comes_back_as_it_was():
    given = {each.name: each.default for each in settings_parameters()}
    assert settings_from(given) == ExperimentSettings()
    changed = settings_from(
        {
            **given,
            "agents": "ppo, dqn",
            "devices": "none",
            "options": ["ppo.epochs=3"],
            "latency_target_ms": 3.0,
        }
    )
    assert changed == ExperimentSettings(
        agents=("ppo", "dqn"),
        devices=(None,),
        options={"ppo": {"epochs": 3}},
        latency_target_ms=3.0,
    )
    text = CliRunner().invoke(app, ["compare", "--help"], env={"COLUMNS": "200"}).stdout
    for name in ("--agents", "--target", "--max-queries", "--simulated-hours", "--set", "--out"):
        assert name in text


def test_what_is_wrong_is_named_as_it_was_written():
    given = {each.name: each.default for each in settings_parameters()}
    with pytest.raises(ValueError, match="--seed must be at least 0, got -1"):
        settings_from({**given, "seed": -1})
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        ExperimentSettings(seed=-1)
    with pytest.raises(ValueError, match=r"--set must be agent\.name=value"):
        settings_from({**given, "options": ["epochs=3"]})
    with pytest.raises(TypeError, match="agents must be a sequence of names, got the text 'ppo'"):
        ExperimentSettings(agents="ppo")


def test_only_what_was_changed_is_in_a_call():
    settings = ExperimentSettings(agents=("ppo",), noise="sampled")
    assert settings.changed() == {"agents": ("ppo",), "noise": "sampled"}
    assert SearchSettings().shared().keys() == {each.name for each in fields(SearchSettings)}


def test_more_seeds_begin_alike():
    few, many = ExperimentSettings(seeds=3), ExperimentSettings(seeds=5)
    assert many.search_seeds()[:3] == few.search_seeds()
