import inspect
from dataclasses import fields

import pytest

from blox_env.cli.settings import settings_from, settings_parameters
from blox_env.experiment.settings import ExperimentSettings


def given(**changes):
    defaults = {each.name: each.default for each in settings_parameters()}
    return {**defaults, **changes}


def test_every_setting_is_a_keyword_with_its_default():
    parameters = settings_parameters()
    assert {p.name for p in parameters} == {f.name for f in fields(ExperimentSettings)}
    assert {p.kind for p in parameters} == {inspect.Parameter.KEYWORD_ONLY}
    assert settings_from(given()) == ExperimentSettings()


def test_lists_are_separated_by_commas_and_none_is_no_device():
    settings = settings_from(given(agents="a, b", devices="none,x", options=["a.batch=2"]))
    assert settings.agents == ("a", "b")
    assert settings.devices == (None, "x")
    assert settings.options == {"a": {"batch": 2}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"agents": " , "}, "comma-separated names"),
        ({"seeds": 0}, "--seeds must be at least 1, got 0"),
        ({"options": ["batch=2"]}, "--set must be agent.name=value, got batch=2"),
    ],
)
def test_bad_values_name_the_option(changes, message):
    with pytest.raises(ValueError, match=message):
        settings_from(given(**changes))
