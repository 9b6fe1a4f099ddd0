"""Proximal policy optimisation on the environment, by Stable-Baselines3.

Schulman et al., *Proximal Policy Optimization Algorithms*, 2017. The policy picks a block a step;
with the reward at the end of three steps nothing is gained by discounting, so γ = λ = 1.
Deviations from Stable-Baselines3's defaults are the arguments below. They were set by hand after a
few trials with two seeds, most of all the entropy bonus: with less of it the policy settles before
the budget is spent. ``perf/tune_ppo.py`` searches them systematically.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np

from blox_env.agent import Agent, Seed
from blox_env.env import BloxEnv
from blox_env.errors import check_positive_int, missing_extra
from blox_env.problem import Problem


class PPO(Agent):
    """Actor and critic on one-hot observations, updated after every ``envs × episodes`` episodes.

    Args:
        envs: environments stepped side by side.
        episodes: episodes of each environment between updates.
        learning_rate: of Adam.
        epochs: passes over the collected steps at each update.
        minibatches: parts of the collected steps in each pass.
        entropy: weight of the entropy bonus.
        clip: clipping range of the probability ratio.
        hidden: width of the two hidden layers.
    """

    def __init__(
        self,
        envs: int = 8,
        episodes: int = 2,
        learning_rate: float = 2e-3,
        epochs: int = 10,
        minibatches: int = 2,
        entropy: float = 0.06,
        clip: float = 0.2,
        hidden: int = 64,
    ) -> None:
        self.envs = check_positive_int("envs", envs)
        self.episodes = check_positive_int("episodes", episodes)
        self.learning_rate = float(learning_rate)
        self.epochs = check_positive_int("epochs", epochs)
        self.minibatches = check_positive_int("minibatches", minibatches)
        self.entropy = float(entropy)
        self.clip = float(clip)
        self.hidden = check_positive_int("hidden", hidden)

    def search(self, problem: Problem, *, seed: Seed) -> None:
        """Train until the problem is done."""
        try:
            from stable_baselines3 import PPO as SB3PPO  # noqa: PLC0415 (an extra)
            from stable_baselines3.common.vec_env import DummyVecEnv  # noqa: PLC0415
        except ImportError as error:
            raise missing_extra("the agent ppo", "sb3", error) from error
        rng = np.random.default_rng(seed)
        steps = self.episodes * problem.space.slots
        with _own_random_state():
            environments = DummyVecEnv(
                [lambda: BloxEnv(problem=problem, observation="onehot")] * self.envs
            )
            model = SB3PPO(
                "MlpPolicy",
                environments,
                learning_rate=self.learning_rate,
                n_steps=steps,
                batch_size=max(2, steps * self.envs // self.minibatches),
                n_epochs=self.epochs,
                gamma=1.0,
                gae_lambda=1.0,
                clip_range=self.clip,
                ent_coef=self.entropy,
                policy_kwargs={"net_arch": [self.hidden, self.hidden]},
                seed=int(rng.integers(2**31)),
                device="cpu",
            )
            model.learn(2**62, callback=_until_done(problem))


def _until_done(problem: Problem) -> Any:  # noqa: ANN401
    from stable_baselines3.common.callbacks import BaseCallback  # noqa: PLC0415

    class UntilDone(BaseCallback):
        """Stops training once the problem is done."""

        def _on_step(self) -> bool:
            return not problem.done

    return UntilDone()


@contextlib.contextmanager
def _own_random_state() -> Iterator[None]:
    """Stable-Baselines3 seeds the global generators, and results depend on torch's threads.

    Both are put back as they were.
    """
    import torch  # noqa: PLC0415

    plain, arrays = random.getstate(), np.random.get_state()  # noqa: NPY002 (to restore it)
    threads = torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            random.setstate(plain)
            np.random.set_state(arrays)  # noqa: NPY002
