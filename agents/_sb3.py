"""Common parts of the agents of Stable-Baselines3: their environments, and their end."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from blox_env.agent import Seed
from blox_env.envs.episode.decisions import Granularity
from blox_env.envs.episode.observations import Observation
from blox_env.envs.vector_env import BloxVectorEnv
from blox_env.ground.extras import extra
from blox_env.problem import Problem


def train(
    problem: Problem,
    seed: Seed,
    make: Callable[[Any, int], Any],
    *,
    envs: int,
    observation: Observation = "onehot",
    granularity: Granularity = "block",
    steps: int = 2**62,
) -> None:
    """Train a model until the problem is done.

    Args:
        problem: what is searched; the environments spend its budget.
        seed: of everything.
        make: makes the model of environment and seed.
        envs: episodes side by side.
        observation: as the environment has it.
        granularity: as the environment has it.
        steps: what the model takes for the length of the training; it goes on when that is over.

    Raises:
        ImportError: without the extra ``sb3``.
    """
    with extra("sb3", "this agent"):
        from blox_env.adapters.sb3 import SB3VecEnv
    rng = np.random.default_rng(seed)
    with own_random_state():
        environments = SB3VecEnv(
            guided(problem)(
                envs,
                problem=problem,
                observation=observation,
                granularity=granularity,
                autoreset_mode="SameStep",
            )
        )
        model = make(environments, int(rng.integers(2**31)))
        while not problem.done:
            begun = model.num_timesteps > 0
            model.learn(steps, callback=_until_done(problem), reset_num_timesteps=not begun)


def guided(problem: Problem) -> type[BloxVectorEnv]:
    """The environment for a model that may not know of masks.

    Where not the whole space may be built, or slots differ in their options, masked actions become
    the next one that is allowed: episodes that end by them would cost nothing, and a search of
    them never end.

    Args:
        problem: what is searched.
    """
    equal = len(set(problem.space.options)) == 1
    if equal and problem.candidates.complete and not problem.constraints:
        return BloxVectorEnv

    class Guided(BloxVectorEnv):
        """Takes the next allowed action instead of a masked one."""

        def step(self, actions: Any) -> Any:
            masks, taken = self.action_masks(), np.array(actions)
            bad = np.flatnonzero(~masks[np.arange(len(taken)), taken])
            count = masks.shape[1]
            order = (taken[bad, None] + np.arange(count)) % count
            allowed = np.take_along_axis(masks[bad], order, axis=1)
            taken[bad] = order[np.arange(len(bad)), allowed.argmax(axis=1)]
            return super().step(taken)

    return Guided


def _until_done(problem: Problem) -> Any:
    from stable_baselines3.common.callbacks import BaseCallback

    class UntilDone(BaseCallback):
        """Stops training once the problem is done."""

        def _on_step(self) -> bool:
            return not problem.done

    return UntilDone()


@contextlib.contextmanager
def own_random_state() -> Iterator[None]:
    """Stable-Baselines3 seeds the global generators, and results depend on torch's threads.

    Both are put back as they were.
    """
    import torch

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
