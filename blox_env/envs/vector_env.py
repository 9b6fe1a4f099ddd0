"""Thousands of episodes a step: ``gym.make_vec(…, vectorization_mode="vector_entry_point")``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import ArrayLike, NDArray

from blox_env.envs.config import METADATA, EnvConfig, VectorConfig, documented, vector_signature
from blox_env.envs.episode.answers import Answers
from blox_env.envs.episode.batch import Infos, check_actions, check_mask, check_seeds
from blox_env.envs.episode.core import Episodes
from blox_env.envs.episode.goals import seed_numbers
from blox_env.envs.episode.moves import ALL, Which
from blox_env.envs.episode.rules import Rules
from blox_env.ground.typing import FloatArray
from blox_env.spaces.drawing import Shown, ansi, picture


@documented(VectorConfig)
class BloxVectorEnv(Answers, gym.vector.VectorEnv[Any, Any, Any]):
    """Many :class:`~blox_env.envs.env.BloxEnv` as one, with one batched evaluation a step.

    Observations, rewards, flags and infos equal those of ``SyncVectorEnv`` over the single
    environments in all modes. ``render`` shows no accuracies.

    {arguments}
        arguments: those of the single environment.
    """

    _config: type[EnvConfig] = EnvConfig
    _edits = False

    def __init__(
        self,
        num_envs: int = 1,
        *,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        **arguments: Any,
    ) -> None:
        super().__init__()
        many = VectorConfig(
            num_envs, autoreset_mode=autoreset_mode, max_episode_steps=max_episode_steps
        )
        self.rules = Rules(self._config(**arguments), edits=self._edits)
        self.render_mode = self.rules.config.render_mode
        self.num_envs = n = int(many.num_envs)
        self.max_episode_steps = many.max_episode_steps
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {**METADATA, "autoreset_mode": self.autoreset_mode}
        self.single_action_space = self.rules.moves.action_space()
        self.action_space = batch_space(self.single_action_space, n)
        self.single_observation_space = self.rules.observer.space(self.rules.moves.actions)
        self.observation_space = batch_space(self.single_observation_space, n)
        self._core = Episodes(self.rules, n)
        self._steps = np.zeros(n, dtype=np.int64)  # of each episode
        self._over = np.ones(n, dtype=bool)  # nothing runs before the first reset
        self._begun = False

    def __init_subclass__(cls, **arguments: Any) -> None:
        """Show the signature of the environments that there are many of."""
        super().__init_subclass__(**arguments)
        cls.__signature__ = vector_signature(cls._config)  # type: ignore[attr-defined]

    # -- the interface of Gymnasium --------------------------------------------------------

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Start episodes in all environments, or in those of a mask.

        Args:
            seed: environment i gets ``seed + i``, or its entry of a list.
            options: as those of the single environment, for all or an array with one each; and
                ``"reset_mask"``, bool ``(num_envs,)``: the environments to reset.

        Raises:
            ValueError: for an unknown option, or a mask or list of another length.
        """
        options = dict(options or {})
        mask = check_mask(options.pop("reset_mask", None), self.num_envs)
        which: Which = ALL if mask is None else np.flatnonzero(mask)
        if not self._begun and mask is not None and not mask.all():
            raise RuntimeError("the first reset() resets all environments: leave out reset_mask")
        options = self.rules.options(options)
        goals = self.rules.goals.given(options, self.num_envs)
        starts = self.rules.moves.given(options, self.num_envs)
        self._set_seeds(seed, which)
        infos = Infos(self.num_envs)
        self._begun = False  # should evaluating fail, everything starts anew
        self._start(which, infos, goals, starts)
        self._begun = True
        masks = self._core.masks()
        infos.add("action_mask", which, masks[which])
        return self._core.observe(masks), infos.columns

    def step(
        self, actions: ArrayLike
    ) -> tuple[Any, FloatArray, NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Take one action in every environment; see ``autoreset_mode`` for those that are over.

        All actions have to be in the action space, those that are ignored, too.

        Raises:
            RuntimeError: before ``reset``, or with autoreset disabled after an episode's end.
            ValueError: for actions outside the action space.
        """
        if not self._begun:
            raise RuntimeError("step() needs running episodes: call reset() first")
        taken = check_actions(actions, self.single_action_space, self.num_envs)
        over = self._over if self._over.any() else None
        if over is not None and self.autoreset_mode == AutoresetMode.DISABLED:
            raise RuntimeError(
                f"the episode of environment {int(np.argmax(over))} is over: "
                "reset(options={'reset_mask': …}) comes first"
            )
        self._begun = False  # should evaluating fail, everything starts anew
        infos = Infos(self.num_envs)
        step = self._core.advance(taken, over)
        infos.take(step.news)
        if self.max_episode_steps is not None:
            self._steps += 1
            step.truncated |= self._steps >= self.max_episode_steps
        if over is not None:  # only with NEXT_STEP: the others are reset at once
            step.truncated &= ~over
            self._start(ALL if over.all() else np.flatnonzero(over), infos)
        ended = step.terminated | step.truncated
        if self.autoreset_mode == AutoresetMode.SAME_STEP and ended.any():
            infos = self._same_step(ended, infos)
            ended = np.zeros_like(ended)
        self._over, self._begun = ended, True
        masks = self._core.masks()
        infos.add("action_mask", ALL, masks)
        observed = self._core.observe(masks)
        return observed, step.rewards, step.terminated, step.truncated, infos.columns

    def action_masks(self) -> NDArray[np.bool_]:
        """Masks of the actions allowed now, bool ``(num_envs, actions)``."""
        return self._core.masks().astype(bool)

    def render(self) -> tuple[Any, ...] | None:
        """A picture or text of every environment."""
        if self.render_mode is None:
            return None
        draw = picture if self.render_mode == "rgb_array" else ansi
        shown = [self._core.shown(number) for number in range(self.num_envs)]
        return tuple(
            draw(self.problem.space, Shown(row, filled if self._begun else 0, partial=partial))
            for row, filled, partial in shown
        )

    def get_state(self) -> dict[str, Any]:
        """State of the episodes, for planning: :meth:`set_state` goes back to it.

        What a ``problem`` has spent and recorded is no part of it and stays.
        """
        own = {"steps": self._steps.copy(), "over": self._over.copy(), "begun": self._begun}
        return {"core": self._core.get_state(), **own}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go back to where :meth:`get_state` was called, in this environment or an equal one."""
        self._core.set_state(state["core"])
        self._steps, self._over = state["steps"].copy(), state["over"].copy()
        self._begun = state["begun"]

    # -- within ----------------------------------------------------------------------------

    def _set_seeds(self, seed: int | Sequence[int | None] | None, which: Which) -> None:
        given, core = check_seeds(seed, self.num_envs), self._core
        if core.seeds is None:
            own = self.np_random_seed if given is None or isinstance(given, list) else given
            core.seeds = seed_numbers(int(own or 0), self.num_envs)
        if given is None:
            return
        if isinstance(given, int):
            super().reset(seed=given)
            core.seeds[which] = seed_numbers(given, self.num_envs)[which]
            core.numbers[which] = -1
            return
        for number in np.arange(self.num_envs)[which].tolist():
            if given[number] is not None:
                core.seeds[number] = seed_numbers([int(given[number])], 1)[0]
                core.numbers[number] = -1

    def _start(
        self,
        which: Which,
        infos: Infos,
        goals: FloatArray | None = None,
        starts: NDArray[np.int64] | None = None,
    ) -> None:
        """Begin episodes with given or drawn goals and starts."""
        self._steps[which] = 0
        self._over[which] = False
        infos.take(self._core.begin(which, goals, starts))

    def _same_step(self, ended: NDArray[np.bool_], infos: Infos) -> Infos:
        """Reset what has ended; infos of its last step move under ``final_info``."""
        which: Which = ALL if ended.all() else np.flatnonzero(ended)
        final, masks = infos.of(ended), self._core.masks()
        final.add("action_mask", which, masks[which])
        last = self._core.observe(masks)
        fresh = infos.of(~ended)
        self._start(which, fresh)
        fresh.columns["final_obs"] = _each(last, ended)
        fresh.columns["_final_obs"] = ended.copy()
        fresh.columns["final_info"] = final.columns
        fresh.columns["_final_info"] = ended.copy()
        return fresh


BloxVectorEnv.__signature__ = vector_signature(EnvConfig)  # type: ignore[attr-defined]


def _each(observations: Any, ended: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Observations of those that ended, one object each, as Gymnasium's ``final_obs``."""
    parts = np.full(len(ended), None, dtype=object)
    for number in np.flatnonzero(ended).tolist():
        if isinstance(observations, dict):
            parts[number] = {key: value[number] for key, value in observations.items()}
        else:
            parts[number] = observations[number]
    return parts
