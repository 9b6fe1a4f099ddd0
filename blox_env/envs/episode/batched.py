"""What vector environments share: automatic resets, time limits, infos."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import ArrayLike, NDArray

from blox_env.envs.episode.batch import Infos, Which, check_actions, check_mask, check_seeds
from blox_env.envs.episode.fronts import HasFront
from blox_env.envs.episode.goals import draws, seed_numbers
from blox_env.envs.episode.rules import METADATA, Rules
from blox_env.ground.errors import check_positive_int, unknown_name
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.spaces.drawing import Shown, ansi, picture

ALL = slice(None)


class Result:
    """What a step gives, filled in environment by environment group."""

    def __init__(self, n: int, rewards: FloatArray) -> None:
        self.rewards = rewards
        self.terminated = np.zeros(n, dtype=bool)
        self.truncated = np.zeros(n, dtype=bool)
        self.infos = Infos(n)


class BatchedEnv(HasFront, gym.vector.VectorEnv[Any, Any, Any]):
    """Environments that step together.

    Equal in everything to Gymnasium's ``SyncVectorEnv`` over the single environments.

    Args:
        rules: of every environment.
        action_space: of one environment.
        actions: width of its action mask.
        num_envs: how many.
        autoreset_mode: ``"NextStep"``, ``"SameStep"``, ``"Disabled"`` or the member.
        max_episode_steps: when episodes are truncated, None for never.
        render_mode: of every environment.
    """

    def __init__(
        self,
        rules: Rules,
        action_space: gym.Space[Any],
        actions: int,
        num_envs: int,
        autoreset_mode: str | AutoresetMode,
        max_episode_steps: int | None,
        render_mode: str | None,
    ) -> None:
        super().__init__()
        modes = [mode.value for mode in AutoresetMode]
        if not isinstance(autoreset_mode, AutoresetMode) and autoreset_mode not in modes:
            raise ValueError(unknown_name("autoreset_mode", autoreset_mode, modes))
        if render_mode not in (None, *METADATA["render_modes"]):
            raise ValueError(unknown_name("render_mode", render_mode, METADATA["render_modes"]))
        self.rules = rules
        self.problem = rules.problem
        self.num_envs = n = check_positive_int("num_envs", num_envs)
        self.max_episode_steps = (
            None
            if max_episode_steps is None
            else check_positive_int("max_episode_steps", max_episode_steps)
        )
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {**METADATA, "autoreset_mode": self.autoreset_mode}
        self.render_mode = render_mode
        self.single_action_space = action_space
        self.action_space = batch_space(action_space, n)
        self.single_observation_space = rules.observer.space(actions)
        self.observation_space = batch_space(self.single_observation_space, n)
        self._rows = np.zeros((n, self.problem.space.slots), dtype=np.int64)
        self._flat = np.tile(rules.observer.blank, (n, 1))
        self._goals = np.zeros(n)
        self._seeds: NDArray[np.uint64] | None = None
        self._episodes = np.full(n, -1)
        self._steps = np.zeros(n, dtype=np.int64)
        self._over = np.ones(n, dtype=bool)  # nothing runs before the first reset
        self._begun = False
        self._masks = np.zeros((n, actions), dtype=np.int8)  # of the next actions

    # -- what the environments differ in ---------------------------------------------------

    @abstractmethod
    def _begin(self, which: Which, begin: Any, infos: Infos) -> None:
        """Start episodes; goals, seeds and episode numbers are set already."""

    @abstractmethod
    def _act(self, which: Which, actions: NDArray[Any], result: Result) -> None:
        """Take one action in each of the environments ``which``, none of which is over."""

    def _no_reward(self) -> FloatArray:
        """Rewards of a step that earns nothing."""
        return np.zeros(self.num_envs)

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
        options = self.rules.options(options, self._own_options)
        goals = self.rules.goals.given(options, self.num_envs)
        begin = self._checked(options)
        self._set_seeds(seed, which)
        infos = Infos(self.num_envs)
        self._begun = False  # should evaluating fail, everything starts anew
        self._start(which, infos, goals, begin)
        self._begun = True
        infos.add("action_mask", which, self._masks[which])
        return self._observe(), infos.columns

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
        result = Result(self.num_envs, self._no_reward())
        over, some = self._over, bool(self._over.any())
        if some and self.autoreset_mode == AutoresetMode.DISABLED:
            first = int(np.argmax(over))
            raise RuntimeError(
                f"the episode of environment {first} is over: "
                "reset(options={'reset_mask': …}) comes first"
            )
        self._begun = False  # should evaluating fail, everything starts anew
        if some:  # only with NEXT_STEP: the others are reset at once
            running: Which = np.flatnonzero(~over)
            if not over.all():
                self._advance(running, taken, result)
            self._start(ALL if over.all() else np.flatnonzero(over), result.infos)
            result.terminated[over] = result.truncated[over] = False
        else:
            self._advance(ALL, taken, result)
        ended = result.terminated | result.truncated
        if self.autoreset_mode == AutoresetMode.SAME_STEP and ended.any():
            result.infos = self._same_step(ended, result.infos)
            ended = np.zeros_like(ended)
        self._over, self._begun = ended, True
        result.infos.add("action_mask", ALL, self._masks)
        return (
            self._observe(),
            result.rewards,
            result.terminated,
            result.truncated,
            result.infos.columns,
        )

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are allowed now, bool ``(num_envs, actions)``."""
        return self._masks.astype(bool)

    def render(self) -> tuple[Any, ...] | None:
        """A picture or text of every environment."""
        if self.render_mode is None:
            return None
        draw = picture if self.render_mode == "rgb_array" else ansi
        filled = (self._filled() if self._begun else 0 * self._episodes).tolist()
        return tuple(
            draw(self.problem.space, Shown(row, count, partial=self._partial(number)))
            for number, (row, count) in enumerate(zip(self._rows.copy(), filled, strict=True))
        )

    # -- within ----------------------------------------------------------------------------

    def _filled(self) -> IntArray:
        """Number of slots chosen so far in each environment."""
        return np.full(self.num_envs, self._rows.shape[1])

    def _partial(self, number: int) -> str:
        """What is chosen of a slot that is not complete, in words."""
        return ""

    def _observe(self) -> Any:
        return self.rules.observer.pack(self._flat, self._masks)

    def _set_seeds(self, seed: int | Sequence[int | None] | None, which: Which) -> None:
        given = check_seeds(seed, self.num_envs)
        if self._seeds is None:
            own = self.np_random_seed if given is None or isinstance(given, list) else given
            self._seeds = seed_numbers(int(own or 0), self.num_envs)
        if given is None:
            return
        if isinstance(given, int):
            super().reset(seed=given)
            self._seeds[which] = seed_numbers(given, self.num_envs)[which]
            self._episodes[which] = -1
            return
        for number in np.arange(self.num_envs)[which].tolist():
            if given[number] is not None:
                self._seeds[number] = seed_numbers([int(given[number])], 1)[0]
                self._episodes[number] = -1

    def _draws(self, which: Which, count: int) -> FloatArray:
        """Uniform numbers of the episodes at hand, ``(count, n)``."""
        assert self._seeds is not None
        return draws(self._seeds[which], self._episodes[which], count).T

    def _start(
        self,
        which: Which,
        infos: Infos,
        goals: FloatArray | None = None,
        begin: Any = None,
    ) -> None:
        """Begin episodes with given or drawn goals; ``begin`` is for the subclass."""
        self._episodes[which] += 1
        self._steps[which] = 0
        self._over[which] = False
        columns = self.rules.goals.columns
        if columns:
            draw = self.rules.goals.draw
            chosen = draw(self._draws(which, 1)[0]) if goals is None else goals[which]
            self._goals[which] = chosen
            self._flat[which, -columns:] = self.rules.goals.shown(chosen)
        self._begin(which, begin, infos)

    def _checked(self, options: dict[str, Any]) -> Any:
        """What :meth:`_begin` needs of the options of a reset."""
        return None

    _own_options: tuple[str, ...] = ()

    def _advance(self, which: Which, actions: NDArray[Any], result: Result) -> None:
        self._no_cost(which, result.infos)  # until something is evaluated
        self._act(which, actions[which], result)
        self._steps[which] += 1
        if self.max_episode_steps is not None:
            result.truncated[which] |= self._steps[which] >= self.max_episode_steps

    def _no_cost(self, which: Which, infos: Infos) -> None:
        """A constraint has a cost at every step."""
        if self.rules.costly:
            infos.add("cost", which, np.zeros(len(self._over[which])))

    def _same_step(self, ended: NDArray[np.bool_], infos: Infos) -> Infos:
        """Reset what has ended; infos of its last step move under ``final_info``."""
        which: Which = ALL if ended.all() else np.flatnonzero(ended)
        final = infos.of(ended)
        final.add("action_mask", which, self._masks[which])
        last = self.rules.observer.pack(self._flat, self._masks)
        fresh = infos.of(~ended)
        self._start(which, fresh)
        fresh.columns["final_obs"] = _each(last, ended)
        fresh.columns["_final_obs"] = ended.copy()
        fresh.columns["final_info"] = final.columns
        fresh.columns["_final_info"] = ended.copy()
        return fresh


def _each(observations: Any, ended: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Observations of those that ended, one object each, as Gymnasium's ``final_obs``."""
    parts = np.full(len(ended), None, dtype=object)
    for number in np.flatnonzero(ended).tolist():
        if isinstance(observations, dict):
            parts[number] = {key: value[number] for key, value in observations.items()}
        else:
            parts[number] = observations[number]
    return parts
