"""``blox_env/Blox-v0``: one architecture an episode, one block a step."""

from __future__ import annotations

from typing import Any, Literal

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from blox_env.benchmarks.base import Benchmark
from blox_env.devices.base import Device
from blox_env.errors import unknown_name
from blox_env.problem import Problem
from blox_env.reward import RewardFunction

Observation = Literal["ops", "onehot", "indices"]
OBSERVATIONS = ("ops", "onehot", "indices")
CELL = 24  # pixels of a feature in a picture
_DEFAULTS = ("digits", "x86-ort-1t", None, None, "mean", 0)


class BloxEnv(gym.Env[NDArray[Any], np.int64]):
    """Build a network block by block; the reward comes when it is complete.

    ## Description
    The agent fills the slots of a search space in order: for Blox (Chau et al., NeurIPS 2022) three
    stages, each with one of 45 blocks. The finished network's *validation* accuracy comes from a
    benchmark and its latency from a device; both make the reward by a named formula.

    ## Action space
    ``Discrete(45)``: the number of the block for the next stage
    (:data:`blox_env.spaces.blox.BLOCKS` lists them). In a space whose slots have different numbers
    of options the action space is as large as the largest slot, and ``info["action_mask"]`` (int8)
    marks the actions that the next slot has. A masked action ends the episode with reward 0 and
    ``info["invalid"]`` and costs nothing.

    ## Observation space
    What was chosen so far, by ``observation``; slots still empty are all zero:

    =============  ================================  ===============================================
    observation    space                             columns of each slot
    =============  ================================  ===============================================
    ``ops``        ``Box(0, 1, (30,), float32)``     op1 (none, conv, mbconv, bconv), op2 (conv,
                                                     mbconv, bconv), prev, input, skip
    ``onehot``     ``Box(0, 1, (135,), float32)``    one of the 45 blocks
    ``indices``    ``MultiDiscrete([46, 46, 46])``   0 for empty, else block number plus one
    =============  ================================  ===============================================

    A space without ``ops`` features is shown ``onehot`` instead.

    ## Reward
    0 until the last slot, then the formula ``reward`` of :mod:`blox_env.reward`, by default
    ``mnasnet``: ``val_acc · (latency_ms / latency_target_ms) ** -0.07``.

    ## Start and end of an episode
    An episode starts empty and *terminates* when the last slot is filled. With ``problem=`` whose
    budget is spent it is *truncated* there with reward 0 and ``info["budget_spent"]``.

    ## Info
    Always ``action_mask``; at the end ``arch`` (int64 ``(3,)``), ``val_acc`` (fraction),
    ``latency_ms`` (with a device), ``device``, ``train_time_s`` and ``source`` of the accuracy.

    ## Arguments
    Args:
        benchmark: name or object; ``"digits"`` is embedded.
        device: name or object, None for no latency.
        reward: name of a formula or a function of accuracies, latencies, target.
        latency_target_ms: target of the formula, the device's median if not given.
        observation: see above.
        problem: a :class:`~blox_env.problem.Problem` to spend and record in, instead of all of
            these but ``observation``; an environment made without keeps nothing, has no budget.
        noise: ``"mean"`` or ``"sampled"``, see :class:`~blox_env.problem.Problem`.
        noise_seed: which single trainings ``noise="sampled"`` draws.
        render_mode: ``"ansi"``: :meth:`render` gives one line of text; ``"rgb_array"``: a plain
            picture, a row of cells for each slot, dark where a feature is set.

    ## Version history
    * v0: initial version.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 4}  # noqa: RUF012

    def __init__(
        self,
        benchmark: str | Benchmark = "digits",
        device: str | Device | None = "x86-ort-1t",
        reward: str | RewardFunction | None = None,
        *,
        latency_target_ms: float | None = None,
        observation: Observation = "ops",
        problem: Problem | None = None,
        noise: str = "mean",
        noise_seed: int = 0,
        render_mode: str | None = None,
    ) -> None:
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(
                unknown_name("render_mode", render_mode, self.metadata["render_modes"])
            )
        if observation not in OBSERVATIONS:
            raise ValueError(unknown_name("observation", observation, OBSERVATIONS))
        if problem is None:
            problem = Problem(
                benchmark,
                device,
                reward,
                latency_target_ms=latency_target_ms,
                noise=noise,
                seed=noise_seed,
                keep=False,
            )
        elif (benchmark, device, reward, latency_target_ms, noise, noise_seed) != _DEFAULTS:
            raise ValueError(
                "problem brings benchmark, device, reward, latency_target_ms and noise with it: "
                "pass either problem or those"
            )
        self.problem = problem
        self.render_mode = render_mode
        self.options = np.asarray(problem.space.options)
        self.actions = int(self.options.max())
        self.action_space = spaces.Discrete(self.actions)
        self._masks = (np.arange(self.options.max()) < self.options[:, None]).astype(np.int8)
        self._device = None if problem.device is None else problem.device.name
        kind = observation if observation in problem.space.feature_kinds() else "onehot"
        self._tables: list[NDArray[np.float32]] | None = None
        self.observation_space: spaces.Space[Any]
        if observation == "indices":
            self.observation_space = spaces.MultiDiscrete(self.options + 1)
        else:
            self._tables = [t.astype(np.float32) for t in problem.space.feature_tables(kind)]
            columns = sum(table.shape[1] for table in self._tables)
            self.observation_space = spaces.Box(0.0, 1.0, (columns,), np.float32)
        self._row = np.zeros(problem.space.slots, dtype=np.int64)
        self._filled: int | None = None  # None: the episode is over, or none has begun
        self._last: dict[str, Any] = {}
        self._shown = 0  # slots of the row that render() may show

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """Start an empty architecture; nothing here is random, and there are no options."""
        super().reset(seed=seed)
        self._filled = self._shown = 0
        self._last = {}
        return self._observe(), {"action_mask": self._masks[0].copy()}

    def step(
        self, action: np.int64 | int
    ) -> tuple[NDArray[Any], float, bool, bool, dict[str, Any]]:
        """Fill the next slot with option ``action``.

        Raises:
            RuntimeError: before ``reset`` or after the end of an episode.
            ValueError: for an action outside the action space.
        """
        if self._filled is None:
            raise RuntimeError("step() needs a running episode: call reset() first")
        choice = self._choice(action)
        if not self._masks[self._filled, choice]:
            return self._end(0.0, terminated=True, info={"invalid": True})
        self._row[self._filled] = choice
        self._filled += 1
        self._shown = self._filled
        if self._filled < len(self._row):
            info = {"action_mask": self._masks[self._filled].copy()}
            return self._observe(), 0.0, False, False, info
        trials = self.problem.evaluate(self._row[None])
        if not trials.evaluated[0]:
            return self._end(0.0, terminated=False, info={"budget_spent": True})
        info = {
            "arch": self._row.copy(),
            "val_acc": float(trials.val_acc[0]),
            "device": self._device,
            "train_time_s": float(trials.train_time_s[0]),
            "source": str(trials.source[0]),
        }
        if self._device is not None:
            info["latency_ms"] = float(trials.latency_ms[0])
        self._last = info
        return self._end(float(trials.reward[0]), terminated=True, info=info)

    def action_masks(self) -> NDArray[np.bool_]:
        """Which actions the next slot has, bool ``(actions,)``; the form that sb3-contrib reads."""
        mask: NDArray[np.bool_] = self._masks[self._filled or 0].astype(bool)
        return mask

    def render(self) -> Any:  # noqa: ANN401 (text or picture)
        """The architecture so far, as text or as a uint8 array ``(height, width, 3)``."""
        if self.render_mode is None:
            gym.logger.warn("render() without a render_mode: pass render_mode='ansi' to make()")
            return None
        if self.render_mode == "rgb_array":
            return self._picture()
        if self._shown < len(self._row):
            done = "-".join(str(v) for v in self._row[: self._shown])
            return f"{done or '(empty)'} … {len(self._row) - self._shown} to choose"
        text = self.problem.space.describe(self._row)
        if "val_acc" in self._last:
            text += f"  val_acc {self._last['val_acc']:.4f}"
        if "latency_ms" in self._last:
            text += f"  {self._last['latency_ms']:.3f} ms on {self._device}"
        return text

    def _picture(self) -> NDArray[np.uint8]:
        kinds = self.problem.space.feature_kinds()
        tables = self.problem.space.feature_tables("ops" if "ops" in kinds else "onehot")
        cells = np.full((len(tables), max(t.shape[1] for t in tables)), 225, dtype=np.uint8)
        for slot, table in enumerate(tables[: self._shown]):
            features = table[self._row[slot]]
            cells[slot, : len(features)] = np.where(features > 0, 30, 245)
        pixels = np.kron(cells, np.ones((CELL, CELL), dtype=np.uint8))
        pixels[::CELL] = pixels[:, ::CELL] = 160  # lines between cells
        return np.repeat(pixels[:, :, None], 3, axis=2)

    def _choice(self, action: object) -> int:
        number = action.item() if isinstance(action, np.ndarray) and action.ndim == 0 else action
        if not isinstance(number, int | np.integer) or isinstance(number, bool):
            raise ValueError(
                f"action must be a whole number in 0 … {self.actions - 1}, got {action!r}"
            )
        if not 0 <= number < self.actions:
            raise ValueError(f"action must be in 0 … {self.actions - 1}, got {number}")
        return int(number)

    def _end(
        self, reward: float, *, terminated: bool, info: dict[str, Any]
    ) -> tuple[NDArray[Any], float, bool, bool, dict[str, Any]]:
        observation = self._observe()
        self._filled = None
        info["action_mask"] = self._masks[0].copy()
        return observation, reward, terminated, not terminated, info

    def _observe(self) -> NDArray[Any]:
        filled = self._filled or 0
        if self._tables is None:
            seen = np.zeros(len(self._row), dtype=np.int64)
            seen[:filled] = self._row[:filled] + 1
            return seen
        parts = [
            table[self._row[slot]] if slot < filled else np.zeros(table.shape[1], np.float32)
            for slot, table in enumerate(self._tables)
        ]
        return np.concatenate(parts)
