"""Arguments are declared once; signatures, defaults and docs follow."""

import inspect

import gymnasium as gym
import pytest

from blox_env import BloxEnv, BloxVectorEnv, MOBloxEnv, MOBloxVectorEnv
from blox_env.envs.config import EnvConfig, MOEnvConfig, VectorConfig, described
from blox_env.ground import defaults


def test_the_signature_is_the_configs():
    shown = inspect.signature(BloxEnv)
    assert list(shown.parameters) == list(inspect.signature(EnvConfig).parameters)
    assert shown.parameters["device"].default == defaults.DEFAULT
    assert "latency_target_ms: target of the formula" in BloxEnv.__doc__
    assert "{arguments}" not in BloxEnv.__doc__


@pytest.mark.parametrize(
    ("env", "config"), [(BloxVectorEnv, EnvConfig), (MOBloxVectorEnv, MOEnvConfig)]
)
def test_vector_environments_have_the_arguments_of_one_and_their_own(env, config):
    shown = inspect.signature(env).parameters
    for part in (VectorConfig, config):
        for name, parameter in inspect.signature(part).parameters.items():
            assert shown[name].default == parameter.default
    assert next(iter(shown)) == "num_envs"


def test_every_setting_says_what_it_means():
    text = described(VectorConfig, MOEnvConfig)
    for name in inspect.signature(MOBloxEnv).parameters:
        assert f"    {name}: " in text


def test_an_environment_of_a_space_takes_no_benchmark_of_another():
    with pytest.raises(ValueError, match="one of the space 'macrobench', but benchmark 'digits'"):
        gym.make("blox_env/MacroBench-v0", benchmark="digits")
    with pytest.raises(ValueError, match="one of the space 'macrobench', but benchmark 'digits'"):
        gym.make_vec(
            "blox_env/MacroBench-v0",
            num_envs=2,
            vectorization_mode="vector_entry_point",
            benchmark="digits",
        )
