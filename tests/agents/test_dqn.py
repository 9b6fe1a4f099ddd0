"""The model is made with the agent's options."""

import pytest

pytest.importorskip("torch")
library = pytest.importorskip("stable_baselines3")

from blox_env import BloxVectorEnv
from blox_env.adapters.sb3 import SB3VecEnv
from blox_env.agents._sb3 import own_random_state
from blox_env.agents.dqn import DQN
from tests.toys import ToyBenchmark


def test_options_reach_the_model():
    agent = DQN(hidden=16, final=0.25, updates=2)
    env = SB3VecEnv(
        BloxVectorEnv(2, benchmark=ToyBenchmark(), device=None, autoreset_mode="SameStep")
    )
    with own_random_state():
        model = agent._model(env, 3)
    assert isinstance(model, library.DQN)
    assert (model.gradient_steps, model.exploration_final_eps) == (2, 0.25)
    assert model.gamma == 1.0
    sizes = [p.shape[0] for n, p in model.policy.named_parameters() if n.endswith("0.weight")]
    assert set(sizes) == {16}
