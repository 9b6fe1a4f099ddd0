"""The model is made with the agent's options."""

import pytest

pytest.importorskip("torch")
library = pytest.importorskip("sb3_contrib")

from blox_env import BloxVectorEnv
from blox_env.adapters.sb3 import SB3VecEnv
from blox_env.agents._sb3 import own_random_state
from blox_env.agents.maskable_ppo import MaskablePPO
from tests.toys import ToyBenchmark


def test_options_reach_the_model():
    agent = MaskablePPO(envs=2, entropy=0.5, hidden=16, minibatches=3)
    env = SB3VecEnv(
        BloxVectorEnv(2, benchmark=ToyBenchmark(), device=None, autoreset_mode="SameStep")
    )
    with own_random_state():
        model = agent._model(env, 3, 6)
    assert isinstance(model, library.MaskablePPO)
    assert (model.n_steps, model.batch_size, model.ent_coef) == (6, 4, 0.5)
    assert model.gamma == 1.0
    sizes = [p.shape[0] for n, p in model.policy.named_parameters() if n.endswith("0.weight")]
    assert set(sizes) == {16}
