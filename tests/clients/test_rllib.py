"""RLlib's new API stack: unmasked, with our masked module, and off-policy."""

import logging

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

import blox_env  # noqa: F401 (registers the environment)

pytestmark = pytest.mark.clients
pytest.importorskip("tree")  # comes with ray[rllib], not with ray
torch = pytest.importorskip("torch")
ray = pytest.importorskip("ray")
pytest.importorskip("ray.rllib")

from ray.rllib.algorithms.dqn import DQNConfig
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.callbacks.callbacks import RLlibCallback
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.rl_module import RLModuleSpec

from blox_env.adapters.rllib import MaskedRLModule

BLOX = "blox_env:blox_env/Blox-v0"
OPERATIONS = {"observation": "dict", "granularity": "operation"}


@pytest.fixture(scope="module", autouse=True)
def small_ray():
    ray.init(
        address="local",
        num_cpus=2,
        include_dashboard=False,
        object_store_memory=100 * 2**20,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    yield
    ray.shutdown()


class Count(RLlibCallback):  # type: ignore[misc]
    """Episodes, and those that a masked action ended."""

    def on_episode_end(self, *, episode, metrics_logger, **_):
        invalid = bool(episode.get_infos(-1).get("invalid", False))
        metrics_logger.log_value("masked", int(invalid), reduce="lifetime_sum")
        metrics_logger.log_value("ended", 1, reduce="lifetime_sum")


def ppo(mode, env_config, module=None):
    config = (
        PPOConfig()
        .environment(BLOX, env_config=env_config)
        .env_runners(num_env_runners=0, num_envs_per_env_runner=32, gym_env_vectorize_mode=mode)
        .training(
            gamma=1.0, lr=2e-3, train_batch_size_per_learner=1152, minibatch_size=288, num_epochs=4
        )
        .callbacks(Count)
        .debugging(seed=0)
    )
    return config if module is None else config.rl_module(rl_module_spec=module)


def trained(config, iterations):
    """The algorithm and the results of its environment runners, one an iteration."""
    algorithm = config.build_algo()
    return algorithm, [algorithm.train()["env_runners"] for _ in range(iterations)]


def masked(**model_config):
    return RLModuleSpec(module_class=MaskedRLModule, model_config=model_config or None)


@pytest.mark.parametrize("mode", ["vector_entry_point", "sync"])
def test_ppo_unchanged(mode):
    algorithm, results = trained(ppo(mode, {}), 2)
    algorithm.stop()
    assert [r["episode_len_mean"] for r in results] == [3, 3]  # no steps lost to resets
    assert results[-1]["episode_return_mean"] > 0.5
    assert results[-1]["masked"] == 0


def test_without_the_module_masked_actions_are_taken():
    config = ppo("vector_entry_point", {"granularity": "operation"})
    algorithm, results = trained(config, 1)
    algorithm.stop()
    assert results[-1]["masked"] > 0.5 * results[-1]["ended"]  # what the next test counts


@pytest.mark.parametrize("mode", ["vector_entry_point", "sync"])
def test_masked_ppo_learns_and_takes_no_masked_action(mode):
    env_config = {**OPERATIONS, "goal": "latency_target", "latency_budget_ms": 4.0}
    module = masked(fcnet_hiddens=[32, 32], fcnet_activation="relu")
    algorithm, results = trained(ppo(mode, env_config, module), 8)
    algorithm.stop()
    assert all(r["episode_len_mean"] == 9 for r in results)
    assert results[-1]["masked"] == 0
    assert results[-1]["ended"] > 900
    returns = [r["episode_return_mean"] for r in results]
    assert np.mean(returns[-2:]) > returns[0]


def test_trained_module_saved_and_loaded_builds_a_network(tmp_path):
    algorithm, _ = trained(ppo("vector_entry_point", OPERATIONS, masked()), 1)
    algorithm.save_to_path(str(tmp_path / "checkpoint"))
    algorithm.stop()
    folder = tmp_path / "checkpoint" / "learner_group" / "learner" / "rl_module" / "default_policy"
    module = MaskedRLModule.from_checkpoint(str(folder))
    env = gym.make("blox_env/Blox-v0", **OPERATIONS)
    observation, _ = env.reset(seed=0)
    done = False
    while not done:
        batch = {key: torch.as_tensor(value)[None] for key, value in observation.items()}
        logits = module.forward_inference({Columns.OBS: batch})[Columns.ACTION_DIST_INPUTS]
        observation, reward, terminated, truncated, info = env.step(int(logits.argmax()))
        done = terminated or truncated
    assert reward > 0
    assert info["arch"].shape == (3,)


def test_dqn():
    config = (
        DQNConfig()
        .environment(BLOX)
        .env_runners(
            num_env_runners=0,
            num_envs_per_env_runner=16,
            gym_env_vectorize_mode="vector_entry_point",
        )
        .training(train_batch_size_per_learner=32, num_steps_sampled_before_learning_starts=100)
        .reporting(min_sample_timesteps_per_iteration=300, min_time_s_per_iteration=0)
    )
    algorithm, results = trained(config, 2)
    algorithm.stop()
    assert all(r["episode_len_mean"] == 3 for r in results)
    assert results[-1]["episode_return_mean"] > 0.5


# -- the module alone --------------------------------------------------------------------

SPACE = spaces.Dict(
    {"observations": spaces.Box(0, 1, (5,), np.float32), "action_mask": spaces.Box(0, 1, (6,), int)}
)


def module_of(actions, observations=SPACE, inference_only=False, **model_config):
    return MaskedRLModule(
        observation_space=observations,
        action_space=actions,
        inference_only=inference_only,
        model_config=model_config,
    )


def batch_of(mask):
    mask = torch.as_tensor(mask, dtype=torch.int8)
    seen = torch.rand((*mask.shape[:-1], 5), generator=torch.Generator().manual_seed(0))
    return {Columns.OBS: {"observations": seen, "action_mask": mask}}


@pytest.mark.parametrize("actions", [spaces.Discrete(6), spaces.MultiDiscrete([2, 4])])
@pytest.mark.parametrize("phase", ["inference", "exploration", "train"])
def test_masked_actions_have_no_chance(phase, actions):
    module = module_of(actions)
    batch = batch_of([[1, 0, 0, 1, 1, 0]] * 500)
    logits = getattr(module, f"forward_{phase}")(batch)[Columns.ACTION_DIST_INPUTS]
    chance = getattr(module, f"get_{phase}_action_dist_cls")().from_logits(logits)
    drawn = chance.sample()
    if isinstance(actions, spaces.Discrete):
        assert set(drawn.tolist()) == {0, 3, 4}
    else:
        assert set(drawn[:, 0].tolist()) == {0}
        assert set(drawn[:, 1].tolist()) == {1, 2}
    assert chance.logp(drawn).isfinite().all()
    assert chance.entropy().isfinite().all()
    assert chance.kl(chance).abs().max() < 1e-6


@pytest.mark.parametrize("share", [True, False])
def test_values(share):
    module = module_of(spaces.Discrete(6), vf_share_layers=share, fcnet_hiddens=[7])
    batch = batch_of(np.ones((3, 4, 6)))
    embeddings = module.forward_train(batch).get(Columns.EMBEDDINGS)
    assert (embeddings is not None) == share
    values = module.compute_values(batch)
    assert values.shape == (3, 4)
    assert torch.equal(values, module.compute_values(batch, embeddings))


@pytest.mark.parametrize("share", [True, False])
def test_runners_get_no_value_network_and_take_the_weights_of_the_learner(share):
    learner = module_of(spaces.Discrete(6), vf_share_layers=share)
    runner = module_of(spaces.Discrete(6), vf_share_layers=share, inference_only=True)
    assert not any(name.startswith(("value", "critic")) for name in runner.state_dict())
    runner.set_state(learner.get_state(inference_only=True))
    batch = batch_of([[1, 1, 0, 1, 1, 0]])
    for module in (learner, runner):
        module.found = module.forward_inference(batch)[Columns.ACTION_DIST_INPUTS]
    assert torch.equal(learner.found, runner.found)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"observations": spaces.Box(0, 1, (5,), np.float32)}, "observation='dict'"),
        ({"actions": spaces.Box(0, 1, (6,))}, "action_space must be Discrete"),
        ({"actions": spaces.Discrete(6, start=1)}, "action_space must be Discrete"),
        ({"actions": spaces.Discrete(7)}, r"'action_mask' must have shape \(7,\)"),
        ({"fcnet_hiddens": 64}, "fcnet_hiddens must be a list of widths, got 64"),
        ({"fcnet_hiddens": [0]}, "fcnet_hiddens must be at least 1, got 0"),
        ({"fcnet_activation": "rellu"}, "did you mean 'relu'"),
    ],
)
def test_bad_input(change, message):
    with pytest.raises(ValueError, match=message):
        module_of(**{"actions": spaces.Discrete(6), **change})
