"""PPO with TorchRL: the native vector environment, and masks from the observation.

Two things to note. TorchRL resets ended episodes itself with autoreset_mode="Disabled". ("SameStep"
works, too, but then TorchRL 0.14 loses the last observation of an episode where observations are
dicts; it refuses "NextStep".) And with observation="dict" the masks are where both a random policy
(``ActionMask``) and ``MaskedCategorical`` read them.

    python examples/torchrl_recipe.py --steps 300000

Needs torchrl (`pip install torchrl`); `make clients` runs it in an environment that has it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import gymnasium as gym
import torch
from tensordict.nn import (
    ProbabilisticTensorDictModule,
    ProbabilisticTensorDictSequential,
    TensorDictModule,
)
from torch import Tensor, nn
from torchrl.collectors import Collector
from torchrl.envs import ActionMask, EnvBase, GymWrapper
from torchrl.modules import MaskedCategorical, ValueOperator
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value import GAE

import blox_env  # noqa: F401 (registers the environments)

STEPS_AN_EPISODE = 9  # three operations a block, three blocks a network


def make_env(num_envs: int, seed: int = 0) -> EnvBase:
    """The native vector environment as TorchRL sees it."""
    envs = gym.make_vec(
        "blox_env/Blox-v0",
        num_envs=num_envs,
        vectorization_mode="vector_entry_point",
        autoreset_mode="Disabled",
        granularity="operation",
        observation="dict",
    )
    env = GymWrapper(envs, categorical_action_encoding=True)
    env.set_seed(seed)
    return env.append_transform(ActionMask())  # for random actions; the policy masks itself


class Logits(nn.Module):
    """A small network; gives the mask as MaskedCategorical wants it."""

    def __init__(self, inputs: int, actions: int, hidden: int = 64) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs, hidden), nn.Tanh(), nn.Linear(hidden, actions)
        )

    def forward(self, observations: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        return self.layers(observations), mask.bool()


def make_actor(inputs: int, actions: int) -> ProbabilisticTensorDictSequential:
    """A policy that takes allowed actions only."""
    logits = TensorDictModule(
        Logits(inputs, actions),
        in_keys=["observations", "action_mask"],
        out_keys=["logits", "mask"],
    )
    choice = ProbabilisticTensorDictModule(
        in_keys=["logits", "mask"],
        out_keys=["action"],
        distribution_class=MaskedCategorical,
        return_log_prob=True,
    )
    return ProbabilisticTensorDictSequential(logits, choice)


def train(steps: int, num_envs: int = 64, seed: int = 0) -> Iterator[tuple[int, float]]:
    """PPO; gives steps so far and the mean reward of an episode, an update each."""
    env = make_env(num_envs, seed)
    inputs, actions = env.observation_spec["observations"].shape[-1], env.action_spec.space.n
    actor = make_actor(inputs, actions)
    critic = ValueOperator(
        nn.Sequential(nn.Linear(inputs, 64), nn.Tanh(), nn.Linear(64, 1)), in_keys=["observations"]
    )
    batch = num_envs * STEPS_AN_EPISODE * 2
    collector = Collector(
        env,
        actor,
        frames_per_batch=batch,
        total_frames=-(-steps // batch) * batch,
        auto_register_policy_transforms=False,  # of TorchRL's own, for recurrent policies
    )
    advantage = GAE(gamma=1.0, lmbda=0.95, value_network=critic, average_gae=True)
    loss = ClipPPOLoss(actor, critic, clip_epsilon=0.2, entropy_coeff=0.01)
    optimizer = torch.optim.Adam(loss.parameters(), lr=2e-3)
    done = 0
    for data in collector:  # (num_envs, steps of each)
        with torch.no_grad():
            advantage(data)
        flat = data.reshape(-1)
        for _ in range(4):
            for part in torch.randperm(len(flat)).chunk(4):
                losses = loss(flat[part])
                total = sum(value for name, value in losses.items() if name.startswith("loss_"))
                optimizer.zero_grad()
                total.backward()
                nn.utils.clip_grad_norm_(loss.parameters(), 0.5)
                optimizer.step()
        done += len(flat)
        ended = data["next", "done"]
        yield done, float(data["next", "reward"][ended].mean())
    collector.shutdown()


def main() -> None:
    """Train and say how the reward grows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=12_000, help="of all environments together")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # networks this small are slower on several
    torch.manual_seed(arguments.seed)
    for done, reward in train(arguments.steps, seed=arguments.seed):
        print(f"{done:7,} steps: mean reward of an episode {reward:.4f}")


if __name__ == "__main__":
    main()
