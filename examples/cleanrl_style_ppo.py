"""PPO in one file, in the manner of CleanRL: the native vector environment, masks, no framework.

Three operations make a block and three blocks a network, so an episode has nine steps; the masks
keep the policy to what makes a network within the latency budget. For your own loop, note three
things: autoreset_mode="SameStep", masks from ``infos["action_mask"]`` (those of the new episode
where one has ended), and the last infos of an episode in ``infos["final_info"]``.

    python examples/cleanrl_style_ppo.py --steps 500000
"""

from __future__ import annotations

import argparse

import gymnasium as gym
import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical

import blox_env  # noqa: F401 (registers the environments)

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--steps", type=int, default=45_000, help="of all environments together")
parser.add_argument("--envs", type=int, default=256)
parser.add_argument("--length", type=int, default=9, help="steps of each between updates")
parser.add_argument("--epochs", type=int, default=4)
parser.add_argument("--minibatches", type=int, default=4)
parser.add_argument("--learning-rate", type=float, default=2e-3)
parser.add_argument("--gamma", type=float, default=1.0)  # the reward comes at the end
parser.add_argument("--gae-lambda", type=float, default=0.95)
parser.add_argument("--clip", type=float, default=0.2)
parser.add_argument("--entropy", type=float, default=0.01)
parser.add_argument("--budget-ms", type=float, default=4.0, help="hard limit of the latency")
parser.add_argument("--seed", type=int, default=0)


class Policy(nn.Module):
    """Actor and critic; masked actions have no probability."""

    def __init__(self, inputs: int, actions: int, hidden: int = 64) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(inputs, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh()
        )
        self.actor, self.critic = nn.Linear(hidden, actions), nn.Linear(hidden, 1)
        nn.init.orthogonal_(self.actor.weight, 0.01)

    def forward(self, obs: torch.Tensor, mask: torch.Tensor) -> tuple[Categorical, torch.Tensor]:
        features = self.body(obs)
        logits = self.actor(features).masked_fill(~mask, -1e8)
        return Categorical(logits=logits), self.critic(features).squeeze(-1)


def main() -> None:
    """Collect, estimate advantages, update; again until the steps are spent."""
    a = parser.parse_args()
    torch.set_num_threads(1)  # networks this small are slower on several
    torch.manual_seed(a.seed)
    envs = gym.make_vec(
        "blox_env/Blox-v0",
        num_envs=a.envs,
        vectorization_mode="vector_entry_point",
        autoreset_mode="SameStep",
        granularity="operation",
        observation="onehot",
        latency_budget_ms=a.budget_ms,
    )
    first, infos = envs.reset(seed=a.seed)
    next_obs, next_mask = torch.as_tensor(first), torch.as_tensor(infos["action_mask"]).bool()
    width, actions_n = next_obs.shape[1], next_mask.shape[1]
    policy = Policy(width, actions_n)
    optimizer = torch.optim.Adam(policy.parameters(), lr=a.learning_rate, eps=1e-5)

    # one row a step, one column an environment
    shape = (a.length, a.envs)
    obs, masks = torch.zeros(*shape, width), torch.zeros(*shape, actions_n, dtype=torch.bool)
    actions = torch.zeros(shape, dtype=torch.int64)
    logprobs, rewards, values = torch.zeros(shape), torch.zeros(shape), torch.zeros(shape)
    dones, advantages = torch.zeros(shape), torch.zeros(shape)

    best, masked = (0.0, 0.0, np.zeros(3, dtype=np.int64)), 0
    updates = max(1, a.steps // (a.envs * a.length))
    for update in range(1, updates + 1):
        returns = []  # of the episodes that end in this rollout
        for t in range(a.length):
            obs[t], masks[t] = next_obs, next_mask
            with torch.no_grad():
                distribution, values[t] = policy(next_obs, next_mask)
            actions[t] = distribution.sample()
            logprobs[t] = distribution.log_prob(actions[t])
            seen, reward, terminated, truncated, infos = envs.step(actions[t].numpy())
            next_obs, next_mask = (
                torch.as_tensor(seen),
                torch.as_tensor(infos["action_mask"]).bool(),
            )
            rewards[t] = torch.as_tensor(reward)
            dones[t] = torch.as_tensor(terminated | truncated)
            if "final_info" in infos:
                last = infos["final_info"]
                masked += int(last.get("invalid", np.zeros(1)).sum())
                returns.extend(reward[terminated])
                top = int(np.argmax(np.where(terminated, reward, -np.inf)))
                if "arch" in last and reward[top] > best[0]:
                    best = (reward[top], last["latency_ms"][top], last["arch"][top])

        # generalised advantage estimation; an episode's end has no value after it
        with torch.no_grad():
            after, gain = policy(next_obs, next_mask)[1], torch.zeros(a.envs)
        for t in reversed(range(a.length)):
            delta = rewards[t] + a.gamma * after * (1 - dones[t]) - values[t]
            gain = delta + a.gamma * a.gae_lambda * (1 - dones[t]) * gain
            advantages[t], after = gain, values[t]

        batch = [x.flatten(0, 1) for x in (obs, masks, actions, logprobs, advantages, values)]
        for _ in range(a.epochs):
            for part in torch.randperm(a.length * a.envs).chunk(a.minibatches):
                b_obs, b_mask, b_action, b_logprob, b_gain, b_value = (x[part] for x in batch)
                distribution, value = policy(b_obs, b_mask)
                ratio = (distribution.log_prob(b_action) - b_logprob).exp()
                scaled = (b_gain - b_gain.mean()) / (b_gain.std() + 1e-8)
                clipped = ratio.clamp(1 - a.clip, 1 + a.clip)
                policy_loss = -torch.min(ratio * scaled, clipped * scaled).mean()
                value_loss = 0.5 * (value - (b_gain + b_value)).square().mean()
                loss = policy_loss + value_loss - a.entropy * distribution.entropy().mean()
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(policy.parameters(), 0.5)
                optimizer.step()
        if returns and (update % 5 == 0 or update in (1, updates)):
            steps = update * a.envs * a.length
            print(f"{steps:7,} steps: mean reward of an episode {np.mean(returns):.4f}")

    reward, latency, row = best
    print(
        f"best: {row.tolist()}, reward {reward:.4f}, {latency:.2f} ms of {a.budget_ms} ms allowed"
    )
    print(f"masked actions taken: {masked}")


if __name__ == "__main__":
    main()
