"""``blox_env/Blox-v0``: one architecture an episode, one block a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from blox_env.benchmarks.base import Benchmark
from blox_env.devices.base import Device
from blox_env.envs.episode.decisions import Granularity, whole_actions
from blox_env.envs.episode.fronts import HasFront
from blox_env.envs.episode.goals import draws, seed_numbers
from blox_env.envs.episode.masks import Mask
from blox_env.envs.episode.observations import Observation
from blox_env.envs.episode.outcomes import Outcome
from blox_env.envs.episode.rules import METADATA, Rules
from blox_env.ground.errors import unknown_name
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem import Problem
from blox_env.problem.reward import RewardFunction
from blox_env.spaces.drawing import Shown, ansi, picture


class BloxEnv(HasFront, gym.Env[Any, Any]):
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
    with that goal ``latency_target_ms``.

    With ``reward="constraint"`` there is ``cost`` at every step, for constrained RL: 0 until the
    last decision, then ``max(0, latency_ms / latency_target_ms - 1)``, the relative excess over the
    target, which is 0 for what is feasible and where nothing was evaluated. Safety-Gymnasium's
    ``Gymnasium2SafetyGymnasium`` reads it there. ``blox_env.wrappers.LatencyCost`` gives the same
    beside any other reward; plain accuracy (``reward="accuracy"``) is what constrained RL expects.

    ## Arguments
    Args:
        benchmark: name or object; ``"digits"`` is embedded.
        device: name or object, None for no latency.
        reward: name of a formula or a function of accuracies, latencies, target (with
            ``goal="latency_target"`` an array of targets).
        latency_target_ms: target of the formula, the device's median if not given.
        observation: see above.
        granularity: see above.
        latency_budget_ms: hard limit of the latency, see above.
        goal: what is drawn at reset: ``"latency_target"``, ``"device"``, or None for nothing.
        goals: what it is drawn from: a range ``(low, high)`` of milliseconds (by default the 5th to
            the 95th percentile of the device), or the devices.
        goal_probes: by how many latencies a drawn device is shown; 0 shows it one-hot.
        problem: a :class:`~blox_env.problem.Problem` to spend and record in, instead of benchmark,
            device, reward, target and noise; an environment made without keeps nothing, has no
            budget.
        noise: ``"mean"`` or ``"sampled"``, see :class:`~blox_env.problem.Problem`.
        noise_seed: which single trainings ``noise="sampled"`` draws.
        render_mode: ``"ansi"``: :meth:`render` gives text, a line a stage; ``"rgb_array"``: the
            network drawn as stages and operations (needs the extra ``experiment``).

    ## Version history
    * v0: initial version.
    """

    metadata = METADATA

    def __init__(
        self,
        benchmark: str | Benchmark = "digits",
        device: str | Device | None = "x86-ort-1t",
        reward: str | RewardFunction | None = None,
        *,
        latency_target_ms: float | None = None,
        observation: Observation = "ops",
        granularity: Granularity = "block",
        latency_budget_ms: float | None = None,
        goal: str | None = None,
        goals: Sequence[Any] | None = None,
        goal_probes: int = 0,
        problem: Problem | None = None,
        noise: str = "mean",
        noise_seed: int = 0,
        render_mode: str | None = None,
    ) -> None:
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(
                unknown_name("render_mode", render_mode, self.metadata["render_modes"])
            )
        self.rules = Rules(
            benchmark,
            device,
            reward,
            latency_target_ms=latency_target_ms,
            observation=observation,
            granularity=granularity,
            latency_budget_ms=latency_budget_ms,
            goal=goal,
            goals=goals,
            goal_probes=goal_probes,
            problem=problem,
            noise=noise,
            noise_seed=noise_seed,
        )
        self.problem = self.rules.problem
        self.render_mode = render_mode
        self._row = np.zeros(self.problem.space.slots, dtype=np.int64)
        self.action_space: spaces.Space[Any] = self.rules.decisions.action_space()
        self.observation_space: spaces.Space[Any] = self.rules.observer.space(
            len(self._first_mask())
        )
        self._flat = self.rules.observer.blank.copy()
        self._next: int | None = None  # the next decision; None: the episode is over or not begun
        self._prefix = 0
        self._reached = 0  # the next decision, also when the episode ended there
        self._mask = self._first_mask()
        self._goal = np.zeros(1)
        self._episode = -1
        self._shown = 0  # slots of the row that render() may show
        self._last: dict[str, Any] = {}

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an empty architecture.

        Args:
            seed: begins a new sequence of episodes; only goals are drawn from it.
            options: ``"latency_target_ms"`` or ``"device"`` set the goal of this episode.
        """
        self._new_episode(seed, self.rules.options(options))
        self._next = self._reached = self._prefix = self._shown = 0
        self._mask = self._first_mask()
        mask = self._mask.copy()
        return self.rules.observer.pack(self._flat, mask), {"action_mask": mask}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Decide what is next.

        Raises:
            RuntimeError: before ``reset`` or after the end of an episode.
            ValueError: for an action outside the action space.
        """
        if self._next is None:
            raise RuntimeError("step() needs a running episode: call reset() first")
        if self.rules.decisions.whole:
            return self._step_whole(action)
        steps = self.rules.decisions.steps
        choice = self._choice(action, self.rules.decisions.actions)
        if not self._mask[choice]:
            return self._end(self._nothing, terminated=True, info={"invalid": True})
        step = steps[self._next]
        prefix = self._prefix * step.choices + choice
        observer = self.rules.observer
        self._flat[observer.columns[self._next]] = observer.tables[self._next][prefix]
        if step.option is not None:
            self._row[step.slot] = step.option[prefix]
            self._shown = step.slot + 1
            prefix = 0
        self._prefix = prefix
        self._next += 1
        self._reached = self._next
        if self._next == len(steps):
            return self._finish()
        self._mask = self.rules.masks.one(self._next, self._row, prefix)
        mask = self._mask.copy()
        if not mask.any():  # only where the bounds of a budget are not exact
            return self._end(self._nothing, terminated=True, info={"invalid": True})
        info = {"action_mask": mask, **({"cost": 0.0} if self.rules.costly else {})}
        return observer.pack(self._flat, mask), self._nothing, False, False, info

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions are allowed now, bool ``(actions,)``; the form that sb3-contrib reads."""
        return self._mask.astype(bool)

    def render(self) -> Any:
        """The architecture so far, as text or as a uint8 array ``(height, width, 3)``."""
        if self.render_mode is None:
            gym.logger.warn("render() without a render_mode: pass render_mode='ansi' to make()")
            return None
        partial = ""
        if self._shown < len(self._row):
            partial = self.rules.decisions.words(self._reached, self._prefix)
        shown = Shown(self._row, self._shown, partial=partial, **(self._last or self._aim()))
        draw = picture if self.render_mode == "rgb_array" else ansi
        return draw(self.problem.space, shown)

    @property
    def _nothing(self) -> Any:
        """The reward of a step that finishes nothing."""
        return 0.0

    def _reward(self, outcome: Outcome) -> Any:
        """The reward of a finished architecture."""
        return float(outcome.reward[0])

    def _first_mask(self) -> Mask:
        if self.rules.decisions.whole:
            return self.rules.masks.whole
        return self.rules.masks.one(0, self._row, 0)

    def _new_episode(self, seed: int | None, options: dict[str, Any]) -> None:
        """Number, goal and blank observation of the next episode."""
        goals = self.rules.goals
        given = goals.given(options, 1)
        super().reset(seed=seed)
        self._episode = 0 if seed is not None else self._episode + 1
        self._last = {}
        self._flat[:] = self.rules.observer.blank
        if goals.columns:
            self._goal = goals.draw(self._draws(1)[0]) if given is None else given
            self._flat[-goals.columns :] = goals.shown(self._goal)[0]

    def _draws(self, count: int) -> FloatArray:
        """Uniform numbers of this episode, ``(count, 1)``."""
        seed = seed_numbers(int(self.np_random_seed or 0), 1)
        return draws(seed, np.array([self._episode]), count).T

    def _step_whole(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        rows = whole_actions(np.asarray(action)[None], self.problem.space)
        observer = self.rules.observer
        if not self.rules.masks.feasible(rows)[0]:
            return self._end(self._nothing, terminated=True, info={"invalid": True})
        self._row[:] = rows[0]
        observer.show(self._flat[None], rows)
        self._shown = len(self._row)
        return self._finish()

    def _finish(self) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """The end of an episode that chose everything."""
        self._next = None  # over, whatever evaluating says
        rows = self._row[None].copy()
        rules = self.rules
        if rules.masks.bounded and not rules.masks.feasible(rows)[0]:
            return self._end(self._nothing, terminated=True, info={"invalid": True})
        outcome = rules.outcome(rows, self._goal)
        if outcome.evaluated is not None and not outcome.evaluated[0]:
            return self._end(self._nothing, terminated=False, info={"budget_spent": True})
        info = self._info(rows, outcome)
        reward = self._reward(outcome)
        self._last = self._to_show(info, reward)
        return self._end(reward, terminated=True, info=info)

    def _info(self, rows: IntArray, outcome: Outcome) -> dict[str, Any]:
        """What the info says about one finished architecture."""
        columns = self.rules.info(rows, self._goal, outcome)
        return {key: _plain(column[0]) for key, column in columns.items()}

    def _aim(self) -> dict[str, Any]:
        """Device and latency target of the episode, for :class:`~blox_env.spaces.drawing.Shown`.

        A vector reward has no target.
        """
        kind, goal = self.rules.goals.goal, float(self._goal[0])
        number = int(goal) if kind == "device" else 0
        target = self.rules.outcomes.problems[number].latency_target_ms
        if kind == "latency_target":
            target = goal if self._episode >= 0 else np.nan
        aimed = np.isfinite(target) and np.ndim(self._nothing) == 0
        return {
            "device": self.rules.devices[number],
            "latency_target_ms": target if aimed else None,
        }

    def _to_show(self, info: dict[str, Any], reward: Any) -> dict[str, Any]:
        """The same, and what came of a finished architecture."""
        known = {key: info.get(key) for key in ("val_acc", "source", "latency_ms")}
        return {**self._aim(), **known, "reward": reward if isinstance(reward, float) else None}

    def _choice(self, action: object, actions: int) -> int:
        number = action.item() if isinstance(action, np.ndarray) and action.ndim == 0 else action
        if not isinstance(number, int | np.integer) or isinstance(number, bool):
            raise ValueError(f"action must be a whole number in 0 … {actions - 1}, got {action!r}")
        if not 0 <= number < actions:
            raise ValueError(f"action must be in 0 … {actions - 1}, got {number}")
        return int(number)

    def _end(
        self,
        reward: Any,
        *,
        terminated: bool,
        info: dict[str, Any],
    ) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        self._next = None
        self._mask = self._first_mask()
        info["action_mask"] = mask = self._mask.copy()
        if self.rules.costly:
            info.setdefault("cost", 0.0)
        observation = self.rules.observer.pack(self._flat, mask)
        return observation, reward, terminated, not terminated, info


def _plain(value: Any) -> Any:
    """A number of numpy as Python's; arrays and strings as they are."""
    return value.item() if isinstance(value, np.generic) else value
