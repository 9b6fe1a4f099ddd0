"""``blox_env/Blox-v0``: one architecture an episode, one block a step."""

from __future__ import annotations

from operator import index
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from blox_env.envs.config import METADATA, EnvConfig, configured, documented
from blox_env.envs.episode.answers import Answers
from blox_env.envs.episode.core import Episodes, News
from blox_env.envs.episode.decisions import whole_actions
from blox_env.envs.episode.goals import seed_numbers
from blox_env.envs.episode.moves import ALL
from blox_env.envs.episode.rules import Rules
from blox_env.spaces.drawing import Shown, ansi, picture


@documented(EnvConfig)
class BloxEnv(Answers, gym.Env[Any, Any]):
    """Build a network block by block; the reward comes when it is complete.

    ## Description
    The agent fills the slots of a search space in order: for Blox (Chau et al., NeurIPS 2022) three
    stages, each with one of 45 blocks. The finished network's *validation* accuracy comes from a
    benchmark and its latency from a device; both make the reward by a named formula.

    ## Action space
    By ``granularity``:

    =============  ============================  =================================================
    granularity    space                         an action is
    =============  ============================  =================================================
    ``block``      ``Discrete(45)``, 3 steps     the number of the block for the next stage
                                                 (:data:`blox_env.spaces.blox.BLOCKS`)
    ``operation``  ``Discrete(8)``, 9 steps      for each stage op1 (0 … 2: conv, mbconv, bconv),
                                                 op2 (0 … 2), connection (``4·prev + 2·input +
                                                 skip``, of which 0 makes no block)
    ``whole``      ``MultiDiscrete([45] * 3)``,  all three blocks
                   1 step
    =============  ============================  =================================================

    In other spaces the action space is as large as the largest decision. ``info["action_mask"]``
    (int8) and :meth:`action_masks` (bool) mark the actions that make sense next; for ``whole`` the
    masks of the slots stand one after the other. A masked action ends the episode with reward 0
    and ``info["invalid"]`` and costs nothing.

    Where benchmark or device know only a part of the space, masks lead to that part alone, exactly;
    so they do to what is within ``constraints``, unless ``enforce_constraints=False``. In spaces
    too large to list, sizes are bounded slot by slot, exactly where the space says how
    (``SearchSpace.slotwise``), and latencies by ``Device.slot_bounds_ms``.
    ``latency_budget_ms`` masks every choice after which no completion meets it (worked out exactly
    for spaces of up to 10^6 architectures, by a lower bound otherwise). ``whole`` can only mask
    options that occur in no architecture within the budget; the others together may exceed it,
    which is treated as a masked action.

    ## Observation space
    What was chosen so far, by ``observation``; what is still open is all zero:

    =============  ================================  ===============================================
    observation    space                             holds
    =============  ================================  ===============================================
    ``ops``        ``Box(0, 1, (30,), float32)``     of each stage op1 (none, conv, mbconv, bconv),
                                                     op2 (conv, mbconv, bconv), prev, input, skip
    ``onehot``     ``Box(0, 1, (135,), float32)``    of each decision which choice it was
    ``indices``    ``MultiDiscrete([46, 46, 46])``   of each decision 0 for open, else choice + 1
    ``graph``      ``Dict``                          ``adjacency`` ``(11, 11)`` int8, an edge from
                                                     row to column; ``nodes`` ``(11,)``: 0 absent,
                                                     1 input, 2 output, 3 conv, 4 mbconv, 5 bconv,
                                                     6 reduction
    ``dict``       ``Dict``                          ``observations`` as ``ops``, ``action_mask``
                                                     ``(45,)`` int8
    =============  ================================  ===============================================

    (Shapes for Blox and ``granularity="block"``.) A space without ``ops`` features shows
    ``onehot`` instead.

    ``goal="latency_target"`` draws the target of the reward at every reset and adds its place in
    the range, 0 … 1, to the observation; ``goal="device"`` draws one of several devices and adds a
    one-hot of it, or, with ``goal_probes=k``, how k fixed architectures' latencies stand to the
    target, ``t / (t + target)``, which describes devices never trained on, too
    (:mod:`blox_env.transfer`). ``graph`` has them under ``goal``; ``indices`` cannot show them.

    ## Reward
    0 until the last decision, then the formula ``reward`` of :mod:`blox_env.problem.reward`, by
    default ``mnasnet`` (Tan et al. 2019): ``val_acc · (latency_ms / latency_target_ms) ** -0.07``.

    ## Start and end of an episode
    An episode starts empty and *terminates* when everything is chosen. With ``problem=`` whose
    budget is spent it is *truncated* there with reward 0 and ``info["budget_spent"]``.
    ``reset(options=...)`` takes ``latency_target_ms`` or ``device`` where that is the goal. Goals
    of episode k after ``reset(seed=s)`` depend on s and k alone.

    ## Info
    Always ``action_mask``; at the end ``arch`` (int64 ``(3,)``), ``val_acc`` (fraction),
    ``latency_ms`` (with a device), ``device``, ``train_time_s`` and ``source`` of the accuracy;
    with that goal ``latency_target_ms``. An episode that ends without an evaluation, by a masked
    action or a spent budget, has NaN for ``val_acc``, ``latency_ms`` and ``train_time_s``.

    With ``constraints`` or ``reward="constraint"`` there is ``cost`` at every step, for constrained
    RL: 0 until the last decision, then the relative excess over the limits,
    ``max(0, params / limit - 1)`` and so on, added up (of the reward: over the latency target). It
    is 0 for what is feasible and where nothing was evaluated. Safety-Gymnasium's
    ``Gymnasium2SafetyGymnasium`` reads it there. ``blox_env.wrappers.LatencyCost`` gives the same
    beside any other reward; plain accuracy (``reward="accuracy"``) is what constrained RL expects.

    ## Arguments
    {arguments}

    ## Version history
    * v0: initial version.
    """

    metadata = METADATA

    @configured(EnvConfig)
    def __init__(self, config: EnvConfig) -> None:
        self._assemble(config)

    def _assemble(self, config: EnvConfig, *, edits: bool = False) -> None:
        """Put the parts together."""
        self.rules = Rules(config, edits=edits)
        self.render_mode = config.render_mode
        self._core = Episodes(self.rules, 1)
        moves = self.rules.moves
        self.action_space: spaces.Space[Any] = moves.action_space()
        self._discrete = isinstance(self.action_space, spaces.Discrete)
        self._in_parts = self.rules.observer.in_parts
        self._scalar, self._costly = self.reward_objectives is None, self.has_cost
        self.observation_space: spaces.Space[Any] = self.rules.observer.space(moves.actions)
        self._begun = False  # whether an episode runs
        self._last: dict[str, Any] = {}  # what came of the last architecture, to be shown

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode.

        Args:
            seed: begins a new sequence of episodes; what is drawn depends on it and on the number
                of the episode since.
            options: what sets the goal of this episode, ``"latency_target_ms"`` or ``"device"``;
                and ``"arch"``, where to start, if architectures are edited.

        Raises:
            ValueError: for an option that means nothing here, or a value that is none.
        """
        core = self._core
        goals = starts = None
        if options:
            given = self.rules.options(options)
            goals, starts = self.rules.goals.given(given, 1), self.rules.moves.given(given, 1)
        self._begun = False  # nothing runs until what there is to evaluate is evaluated
        if seed is not None:
            super().reset(seed=seed)
        if core.draws_anything and (seed is not None or core.seeds is None):
            core.numbers[:] = -1
            core.seeds = seed_numbers(int(self.np_random_seed or 0), 1)
        self._last = {}
        news = core.begin(ALL, goals, starts)
        info = self._told(news, None) if news else {}
        self._begun = True
        return self._seen(info), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take an action.

        Raises:
            RuntimeError: before ``reset`` or after the end of an episode.
            ValueError: for an action outside the action space.
        """
        if not self._begun:
            raise RuntimeError("step() needs a running episode: call reset() first")
        reward: Any
        if self._discrete:
            choice = self._choice(action)
            self._begun = False  # should evaluating fail, the episode is over
            moved = self._core.glide(choice)
            if moved is None:
                self._begun = True
                info = {"cost": 0.0} if self._costly else {}
                nothing = 0.0 if self._scalar else self.rules.reward.nothing(1)[0]
                return self._seen(info), nothing, False, False, info
            if (known := self._core.look_up(moved)) is not None:
                reward, info = known
                self._last = {"info": info, "reward": reward}
                return self._seen(info), reward, True, False, info
            step = self._core.settle(moved)
        else:
            taken = whole_actions(np.asarray(action)[None], self.problem.space)
            self._begun = False
            step = self._core.advance(taken)
        reward = step.rewards.item(0) if self._scalar else step.rewards[0]
        terminated, truncated = step.terminated.item(0), step.truncated.item(0)
        self._begun = not (terminated or truncated)
        info = self._told(step.news, reward)
        return self._seen(info), reward, terminated, truncated, info

    def action_masks(self) -> NDArray[np.bool_]:
        """Mask of the actions allowed now, bool ``(actions,)``; the form that sb3-contrib reads."""
        mask: NDArray[np.bool_] = self._core.masks()[0].astype(bool)
        return mask

    def render(self) -> Any:
        """The architecture so far, as text or as a uint8 array ``(height, width, 3)``."""
        if self.render_mode is None:
            gym.logger.warn("render() without a render_mode: pass render_mode='ansi' to make()")
            return None
        row, filled, partial = self._core.shown(0)
        shown = Shown(row, filled, partial=partial, **self._aim(), **self._known())
        draw = picture if self.render_mode == "rgb_array" else ansi
        return draw(self.problem.space, shown)

    def get_state(self) -> dict[str, Any]:
        """State of the episode, for planning: :meth:`set_state` goes back to it.

        What a ``problem`` has spent and recorded is no part of it and stays.
        """
        return {"core": self._core.get_state(), "begun": self._begun, "last": dict(self._last)}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go back to where :meth:`get_state` was called, in this environment or an equal one."""
        self._core.set_state(state["core"])
        self._begun, self._last = state["begun"], dict(state["last"])

    # -- within ----------------------------------------------------------------------------

    def _seen(self, info: dict[str, Any]) -> Any:
        """The observation; the action mask goes into the info."""
        core = self._core
        masks = core.moves.masks(core.position)
        observed = core.observe(masks)
        info["action_mask"] = masks[0]
        if self._in_parts:
            return {key: values[0] for key, values in observed.items()}
        return observed[0]

    def _told(self, news: News, reward: Any) -> dict[str, Any]:
        """The info that the core's news make."""
        info = {}
        for _, columns in news:
            for key, values in columns.items():
                info[key] = values.item(0) if values.ndim == 1 else values[0]
        if "arch" in info:
            earned = self._core.value(0) if self.edits_architectures else reward
            self._last = {"info": info, "reward": earned}
        return info

    def _aim(self) -> dict[str, Any]:
        """Device and latency target of the episode, for :class:`~blox_env.spaces.drawing.Shown`.

        A vector reward has no target.
        """
        kind, goal = self.goal, float(self._core.goals[0])
        number = int(goal) if kind == "device" else 0
        target = self.problems[number].latency_target_ms
        if kind == "latency_target":
            target = goal if self._core.numbers[0] >= 0 else np.nan
        aimed = np.isfinite(target) and self.reward_objectives is None
        return {
            "device": self.rules.devices[number],
            "latency_target_ms": target if aimed else None,
        }

    def _known(self) -> dict[str, Any]:
        """Outcome of a finished architecture; empty where there is none."""
        if not self._last:
            return {}
        info, reward = self._last["info"], self._last["reward"]
        known = {key: info.get(key) for key in ("val_acc", "source", "latency_ms")}
        return {**known, "reward": reward if isinstance(reward, float) else None}

    def _choice(self, action: object) -> int:
        actions = self.rules.moves.actions
        try:
            number = index(action)  # type: ignore[arg-type]
        except TypeError:
            number = -1
        if 0 <= number < actions and not isinstance(action, bool):
            return number
        raise ValueError(f"action must be a whole number in 0 … {actions - 1}, got {action!r}")
