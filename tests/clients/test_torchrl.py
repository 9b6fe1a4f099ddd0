"""TorchRL's wrapper, masks, collector and PPO loss."""

import importlib.util
from pathlib import Path

import gymnasium as gym
import pytest

import blox_env  # noqa: F401 (registers the environment)

pytestmark = pytest.mark.clients
torch = pytest.importorskip("torch")
pytest.importorskip("torchrl")

from torchrl.envs import ActionMask, GymEnv, GymWrapper, check_env_specs

BLOX = "blox_env:blox_env/Blox-v0"
EXAMPLE = Path(__file__).parents[2] / "examples" / "torchrl_recipe.py"


@pytest.fixture(scope="module")
def recipe():
    spec = importlib.util.spec_from_file_location("torchrl_recipe", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def native(mode="SameStep", num_envs=4, **arguments):
    return gym.make_vec(
        BLOX,
        num_envs=num_envs,
        vectorization_mode="vector_entry_point",
        autoreset_mode=mode,
        **arguments,
    )


@pytest.mark.parametrize("observation", ["ops", "indices", "dict"])
def test_single_environment(observation):
    env = GymEnv(BLOX, categorical_action_encoding=True, observation=observation)
    check_env_specs(env)
    rollout = env.rollout(10)
    assert rollout.shape == (3,)
    assert rollout["next", "reward"][-1] > 0


# with SameStep and dicts, TorchRL 0.14 shows zeros as the last observation (of SyncVectorEnv, too)
@pytest.mark.parametrize(
    ("mode", "observation"), [("SameStep", "ops"), ("Disabled", "ops"), ("Disabled", "dict")]
)
def test_native_vector_environment(mode, observation):
    env = GymWrapper(native(mode, observation=observation), categorical_action_encoding=True)
    check_env_specs(env)
    env.set_seed(0)
    rollout = env.rollout(12, break_when_any_done=False)
    key = "observations" if observation == "dict" else "observation"
    assert rollout["next", "done"].squeeze(-1).sum(dim=1).tolist() == [4] * 4
    ends = rollout["next", "done"].squeeze(-1)
    assert (rollout["next", "reward"].squeeze(-1)[ends] > 0).all()
    # the last observation of an episode is complete, the one after it is empty
    assert (rollout["next", key][ends].abs().sum(dim=-1) > 3).all()
    assert rollout[key][:, ::3].abs().sum() == 0


def test_next_step_is_refused_by_torchrl():
    with pytest.raises(Exception, match=r"(?i)next.?step|autoreset"):
        GymWrapper(native("NextStep")).rollout(4)


@pytest.mark.parametrize("mode", ["SameStep", "Disabled"])
def test_random_actions_with_masks_are_allowed(mode):
    env = GymWrapper(
        native(mode, observation="dict", granularity="operation", num_envs=32),
        categorical_action_encoding=True,
    ).append_transform(ActionMask())
    env.set_seed(0)
    rollout = env.rollout(45, break_when_any_done=False)
    allowed = rollout["action_mask"].gather(-1, rollout["action"].unsqueeze(-1))
    assert allowed.all()
    assert rollout["next", "done"].sum() == 32 * 5  # a masked action would end an episode early


def test_collector_and_ppo_of_the_recipe(recipe):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        rewards = [reward for _, reward in recipe.train(9216, num_envs=32)]
        env = recipe.make_env(num_envs=16)
        actor = recipe.make_actor(
            env.observation_spec["observations"].shape[-1], env.action_spec.space.n
        )
        rollout = env.rollout(90, actor, break_when_any_done=False)
    assert len(rewards) == 16
    assert sum(rewards[-4:]) > sum(rewards[:4])
    assert rollout["action_mask"].gather(-1, rollout["action"].unsqueeze(-1)).all()
    assert rollout["next", "done"].sum() == 16 * 10
