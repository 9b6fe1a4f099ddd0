"""``blox_env/BloxEdit-v0``: an episode improves an architecture, one change a step."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from blox_env.envs.env import BloxEnv
from blox_env.envs.episode.batch import Infos, Which
from blox_env.envs.episode.batched import BatchedEnv, Result
from blox_env.envs.episode.edits import Edits
from blox_env.envs.episode.masks import Mask
from blox_env.envs.episode.rules import Rules
from blox_env.ground.typing import FloatArray, IntArray


class BloxEditEnv(BloxEnv):
    """Start from a whole network and change one thing at a time; the reward is the improvement.

    ## Action space
    What is set to what, by ``granularity``:

    =============  ==================  ============================================================
    granularity    space               action a
    =============  ==================  ============================================================
    ``block``      ``Discrete(135)``   the block of stage ``a // 45`` becomes ``a % 45``
    ``operation``  ``Discrete(42)``    of stage ``a // 14``, with ``b = a % 14``: op1 becomes ``b``
                                       (b < 3), op2 ``b - 3`` (b < 6), connection ``b - 6``
    =============  ==================  ============================================================

    An operation is changed in the canonical form of its block; a single operation has op1 = 0 and
    connection 2. ``info["action_mask"]`` and :meth:`action_masks` mark what makes an architecture,
    with ``latency_budget_ms`` one within it; setting what is set already is always allowed. A
    masked action ends the episode with reward 0 and ``info["invalid"]``.

    ## Observation space
    That of :class:`~blox_env.envs.env.BloxEnv` for the whole architecture, goals included.

    ## Reward
    The formula's reward of the new architecture minus that of the one before, so that the rewards
    of an episode add up to what was gained.

    ## Start and end of an episode
    It starts from ``reset(options={"arch": (3,)})``, or from one drawn evenly over the blocks of
    each stage (with a latency budget: over those that can still meet it), which depends on seed
    and number of the episode alone. It does not terminate; ``gym.make`` truncates it after 20 steps
    (``max_episode_steps``). With ``problem=`` the start is evaluated, too, and paid for; when the
    budget is spent the episode is truncated with reward 0 and ``info["budget_spent"]``.

    ## Info
    Of the current architecture, at reset and after every step: what
    :class:`~blox_env.envs.env.BloxEnv` gives at the end, ``cost`` included.

    ## Arguments
    Those of :class:`~blox_env.envs.env.BloxEnv`.

    ## Version history
    * v0: initial version.
    """

    _edits = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.edits = Edits(self.rules.decisions, self.rules.masks)
        self.action_space = self.edits.action_space()
        self.observation_space = self.rules.observer.space(self.edits.actions)
        self._value = 0.0  # reward of the current architecture
        self._paid = False  # whether the budget reached it

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start from an architecture.

        Args:
            seed: begins a new sequence of episodes.
            options: ``"arch"``, where to start; and what sets the goal, if there is one.
        """
        given = self.rules.options(options, ("arch",))
        start = self.edits.given(given, 1)
        self._next = None  # nothing runs until the start is evaluated
        self._new_episode(seed, given)
        count = self.problem.space.slots
        self._row[:] = (self.edits.starts(self._draws(1 + count)[1:]) if start is None else start)[
            0
        ]
        self._shown = count
        info = self._evaluate(self._row)
        self._paid = "reward" in info
        self._value = info.pop("reward", 0.0)
        self._next = 0
        return self._show(), self._with_mask(info)

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Change one thing.

        Raises:
            RuntimeError: before ``reset`` or after the end of an episode.
            ValueError: for an action outside the action space.
        """
        if self._next is None:
            raise RuntimeError("step() needs a running episode: call reset() first")
        choice = self._choice(action, self.edits.actions)
        if not self._mask[choice]:
            self._next = None
            return self._show(), 0.0, True, False, self._with_mask({"invalid": True})
        info: dict[str, Any] = {"budget_spent": True}
        if self._paid:
            changed = self.edits.apply(self._row[None], np.array([choice]))[0]
            info = self._evaluate(changed)
        if "reward" not in info:
            self._next = None
            return self._show(), 0.0, False, True, self._with_mask(info)
        value = info.pop("reward")
        gained, self._value, self._row[:] = value - self._value, value, changed
        return self._show(), gained, False, False, self._with_mask(info)

    def _evaluate(self, row: IntArray) -> dict[str, Any]:
        """Info of an architecture ``(slots,)``, with its ``reward`` where it could be paid for."""
        rows = row[None].copy()
        outcome = self.rules.outcome(rows, self._goal)
        if outcome.evaluated is not None and not outcome.evaluated[0]:
            return {"budget_spent": True}
        info = self._info(rows, outcome)
        self._last = self._to_show(info, float(outcome.reward[0]))
        return {**info, "reward": float(outcome.reward[0])}

    def _show(self) -> Any:
        self.rules.observer.show(self._flat[None], self._row[None])
        self._mask = self.edits.allowed(self._row[None])[0]
        return self.rules.observer.pack(self._flat, self._mask)

    def _with_mask(self, info: dict[str, Any]) -> dict[str, Any]:
        cost = {"cost": 0.0} if self.rules.costly else {}
        return {**cost, **info, "action_mask": self._mask.copy()}

    def _first_mask(self) -> Mask:
        return np.zeros(0, dtype=np.int8)  # there is none before an episode has begun


class BloxEditVectorEnv(BatchedEnv):
    """Many :class:`BloxEditEnv` as one, with one batched evaluation a step.

    Arguments are those of the single environment and of
    :class:`~blox_env.envs.episode.batched.BatchedEnv`. Where environments share a ``problem``, a
    step evaluates changes first and new starts after them.
    """

    _own_options = ("arch",)
    _edits = True

    def __init__(
        self,
        num_envs: int = 1,
        *,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        render_mode: str | None = None,
        **arguments: Any,
    ) -> None:
        rules = Rules(**arguments)
        self.edits = Edits(rules.decisions, rules.masks)
        space, actions = self.edits.action_space(), self.edits.actions
        how = (num_envs, autoreset_mode, max_episode_steps, render_mode)
        super().__init__(rules, space, actions, *how)
        self._values = np.zeros(self.num_envs)  # rewards of the current architectures
        self._paid = np.zeros(self.num_envs, dtype=bool)  # whether the budget reached them

    def _checked(self, options: dict[str, Any]) -> IntArray | None:
        return self.edits.given(options, self.num_envs)

    def _begin(self, which: Which, begin: IntArray | None, infos: Infos) -> None:
        self._no_cost(which, infos)  # of those that cannot be paid for
        if begin is None:
            uniform = self._draws(which, 1 + self._rows.shape[1])
            rows = self.edits.starts(uniform[1:])
        else:
            rows = begin[which]
        self._paid[which] = False
        self._set(which, rows)
        known, rewards = self._evaluate(np.arange(self.num_envs)[which], rows, infos)
        self._values[known] = rewards
        self._paid[known] = True

    def _act(self, which: Which, actions: NDArray[Any], result: Result) -> None:
        numbers = np.arange(self.num_envs)[which]
        allowed = self._masks[numbers, actions] > 0
        result.terminated[numbers[~allowed]] = True
        invalid = np.ones(int((~allowed).sum()), dtype=bool)
        result.infos.add("invalid", numbers[~allowed], invalid)
        poor = allowed & ~self._paid[numbers]  # the start was not paid for
        result.truncated[numbers[poor]] = True
        result.infos.add("budget_spent", numbers[poor], np.ones(int(poor.sum()), dtype=bool))
        going = allowed & ~poor
        if not going.any():
            return
        numbers, actions = numbers[going], actions[going]
        changed = self.edits.apply(self._rows[numbers], actions)
        known, rewards = self._evaluate(numbers, changed, result.infos)
        result.truncated[numbers[~np.isin(numbers, known)]] = True
        result.rewards[known] = rewards - self._values[known]
        self._values[known] = rewards
        self._set(known, changed[np.isin(numbers, known)])

    def _set(self, which: Which, rows: IntArray) -> None:
        """Make ``rows`` the current architectures."""
        self._rows[which] = rows
        flat = self._flat[which]
        self.rules.observer.show(flat, rows)
        self._flat[which] = flat
        self._masks[which] = self.edits.allowed(rows)

    def _evaluate(
        self, numbers: IntArray, rows: IntArray, infos: Infos
    ) -> tuple[IntArray, FloatArray]:
        """Evaluate, and tell the infos; those that could be paid for, and their rewards."""
        goals = self._goals[numbers]
        outcome = self.rules.outcome(rows, goals)
        columns = self.rules.info(rows, goals, outcome)
        rewards = outcome.reward
        if outcome.evaluated is not None:
            paid = outcome.evaluated
            spent = np.ones(int((~paid).sum()), dtype=bool)
            infos.add("budget_spent", numbers[~paid], spent)
            numbers, rewards = numbers[paid], rewards[paid]
            columns = {key: values[paid] for key, values in columns.items()}
        which: Which = slice(None) if len(numbers) == self.num_envs else numbers
        for key, values in columns.items():
            infos.add(key, which, values)
        return numbers, rewards
