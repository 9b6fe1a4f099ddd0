"""Worth of architectures: goals of episodes, and rewards by them."""

from __future__ import annotations

from typing import Any

from blox_env.envs.episode.rewards import VectorReward
from blox_env.envs.episode.rules import Rules
from blox_env.ground.extras import extra
from blox_env.jax.surrogate import Surrogate
from blox_env.jax.tables import Array, EnvParams
from blox_env.problem.reward import excess as over_target
from blox_env.problem.reward import named_columns

with extra("jax", "blox_env.jax"):
    import jax
    import jax.numpy as jnp


class Worth:
    """Goals and rewards under some rules, as pure functions of one episode.

    Args:
        rules: of the numpy environment.
        noisy: whether the accuracy of every evaluation has an error.

    Attributes:
        goal: ``"latency_target"``, ``"device"`` or None.
        objectives: names of a vector reward's objectives, empty where the reward is a number.
        model: what is asked where there is no table of everything; None where there is one.
    """

    def __init__(self, rules: Rules, noisy: bool) -> None:
        self.goal, self.noisy = rules.goals.goal, noisy
        self.objectives: tuple[str, ...] = ()
        if isinstance(rules.reward, VectorReward):
            self.objectives = rules.reward.objectives.names
        self._devices = len(rules.problems)
        self._formula: Any = rules.problem.formula
        self._constrained = bool(rules.problem.constraints)
        self._costly = rules.problem.reward_name == "constraint"
        self.model = None if rules.problem.space.listable else Surrogate(rules)
        self._works_out = noisy or self.goal == "latency_target" or self.model is not None
        own = self.model is not None and not rules.problem.task.formula_is_named
        if own and named_columns(self._formula):
            raise ValueError("a formula of sizes needs a table in a compiled environment")

    @property
    def key(self) -> tuple[Any, ...]:
        """The facts that decide the program: with equal keys only arrays differ."""
        formula = (self._formula, self._constrained) if self._works_out else ()
        return (
            self.model,
            self.goal,
            self.noisy,
            self.objectives,
            self._devices,
            self._costly,
            *formula,
        )

    def nothing(self) -> Array:
        """The reward of a step that earns nothing."""
        return jnp.zeros((len(self.objectives),) if self.objectives else ())

    def draw(self, key: Array, params: EnvParams) -> Array:
        """A goal: a target in milliseconds, or the number of a device; 0 where there are none.

        Args:
            key: of the draw.
            params: of the environment.
        """
        low, high = params.goal_range
        if self.goal == "device":
            return jax.random.randint(key, (), 0, self._devices).astype(low.dtype)
        if self.goal == "latency_target":
            return jax.random.uniform(key, (), dtype=low.dtype, minval=low, maxval=high)
        return jnp.zeros((), dtype=low.dtype)

    def shown(self, goal: Array, params: EnvParams) -> Array:
        """Columns of the observation: the place in the range, or the device.

        Args:
            goal: of the episode.
            params: of the environment.
        """
        if self.goal == "device":
            return params.goal_shown[goal.astype(jnp.int32)]
        low, high = params.goal_range
        return ((goal - low) / (high - low)).astype(jnp.float32)[None]

    def of(
        self, which: Array, goal: Array, params: EnvParams, key: Array, wanted: Array | bool = True
    ) -> tuple[Array, dict[str, Array]]:
        """Reward of an architecture, and its ``val_acc``, ``latency_ms`` and ``cost``.

        Args:
            which: number of the architecture; the architecture ``(slots,)`` where a model is asked.
            goal: of the episode.
            params: of the environment.
            key: of the evaluation's error.
            wanted: whether the answer is looked at; a model need not be asked else.
        """
        known = params.known
        number = goal.astype(jnp.int32) if self.goal == "device" else 0
        if self.model is None:
            val_acc, latency = known.val_acc[number, which], known.latency_ms[number, which]
            excess, reward = known.excess[number, which], known.reward[number, which]
        else:
            told = self.model.of(params.model, which, wanted)
            val_acc, latency = told.val_acc, told.latency_ms[number]
            excess, reward = told.excess[number], told.columns[number]
        target = goal if self.goal == "latency_target" else known.target_ms[number]
        if self.noisy:
            error = params.deviation * jax.random.normal(key, dtype=val_acc.dtype)
            val_acc = jnp.clip(val_acc + error, 0.0, 1.0)
        if self._works_out:
            value = self._formula(val_acc, latency, target)
            if self._constrained:
                value = jnp.where(excess > 0, known.floor[number] - excess, value)
            reward = self._changed(reward, {"val_acc": val_acc, "reward": value})
        if self._costly:
            excess = excess + over_target(latency, target)
        return reward, {"val_acc": val_acc, "latency_ms": latency, "cost": excess}

    def _changed(self, reward: Array, new: dict[str, Array]) -> Array:
        """The new reward, or the objectives with what is new in them."""
        if not self.objectives:
            return new["reward"]
        columns = [new.get(name, reward[n]) for n, name in enumerate(self.objectives)]
        return jnp.stack(columns)
