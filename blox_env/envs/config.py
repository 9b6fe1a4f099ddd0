"""The arguments of every environment, declared once: names, defaults and what they mean."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Concatenate, ParamSpec, TypeVar

from gymnasium.vector import AutoresetMode

from blox_env.benchmarks.base import Benchmark
from blox_env.devices.base import Device
from blox_env.envs.episode.decisions import Granularity
from blox_env.envs.episode.observations import Observation
from blox_env.ground import defaults
from blox_env.ground.errors import check_positive_int, unknown_name
from blox_env.problem import Problem
from blox_env.problem.reward import RewardFunction

METADATA: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 4}

P = ParamSpec("P")
C = TypeVar("C")
S = TypeVar("S")


def _means(text: str) -> dict[str, str]:
    """The meaning of a setting, for the places where arguments are documented."""
    return {"meaning": " ".join(text.split())}


@dataclass(frozen=True)
class EnvConfig:
    """Arguments of an environment of one episode at a time."""

    benchmark: str | Benchmark = field(
        default=defaults.BENCHMARK,
        metadata=_means('name or object; ``"cifar10"`` and ``"digits"`` are embedded.'),
    )
    device: str | Device | None = field(
        default=defaults.DEFAULT,
        metadata=_means(
            f"""name or object, None for no latency. ``"default"`` is ``"{defaults.DEVICE}"`` where
        the benchmark has its space, and none elsewhere."""
        ),
    )
    reward: str | RewardFunction | None = field(
        default=None,
        metadata=_means(
            """name of a formula or a function of accuracies, latencies, target (with
        ``goal="latency_target"`` an array of targets)."""
        ),
    )
    _: KW_ONLY
    latency_target_ms: float | None = field(
        default=None, metadata=_means("target of the formula, the device's median if not given.")
    )
    observation: Observation = field(default="ops", metadata=_means("see above."))
    granularity: Granularity = field(default="block", metadata=_means("see above."))
    latency_budget_ms: float | None = field(
        default=None, metadata=_means("hard limit of the latency, see above.")
    )
    constraints: Mapping[str, float] | None = field(
        default=None,
        metadata=_means(
            """limits by name, ``{"params": 2.5e6, "latency_ms": 4}``; see
        :class:`~blox_env.problem.Problem`. Infos then have a ``cost``."""
        ),
    )
    enforce_constraints: bool = field(
        default=True,
        metadata=_means(
            """whether masks leave out what breaks a constraint, exactly; with False it can be
        built, and has a cost and a low reward."""
        ),
    )
    goal: str | None = field(
        default=None,
        metadata=_means(
            'what is drawn at reset: ``"latency_target"``, ``"device"``, or None for nothing.'
        ),
    )
    goals: Sequence[Any] | None = field(
        default=None,
        metadata=_means(
            """what it is drawn from: a range ``(low, high)`` of milliseconds (by default the 5th to
        the 95th percentile of the device), or the devices."""
        ),
    )
    goal_probes: int = field(
        default=0,
        metadata=_means("by how many latencies a drawn device is shown; 0 shows it one-hot."),
    )
    problem: Problem | None = field(
        default=None,
        metadata=_means(
            """a :class:`~blox_env.problem.Problem` to spend and record in, instead of benchmark,
        device, reward, target and noise; an environment made without keeps nothing, has no
        budget."""
        ),
    )
    noise: str = field(
        default="mean",
        metadata=_means('``"mean"`` or ``"sampled"``, see :class:`~blox_env.problem.Problem`.'),
    )
    noise_seed: int = field(
        default=0, metadata=_means('which single trainings ``noise="sampled"`` draws.')
    )
    space: str | None = field(
        default=None,
        metadata=_means("name of the space that the benchmark has to be of, None for any."),
    )
    render_mode: str | None = field(
        default=None,
        metadata=_means(
            """``"ansi"``: :meth:`render` gives text, a line a stage; ``"rgb_array"``: the network
        drawn as stages and operations (needs the extra ``experiment``)."""
        ),
    )

    def __post_init__(self) -> None:
        """Check what does not depend on the data; the parts check what is theirs.

        Raises:
            TypeError: for a ``problem`` that is none.
            ValueError: for an unknown render mode, or arguments that exclude each other.
        """
        if self.render_mode not in (None, *METADATA["render_modes"]):
            raise ValueError(
                unknown_name("render_mode", self.render_mode, METADATA["render_modes"])
            )
        if self.problem is not None:
            given = {name for name in _OF_A_PROBLEM if getattr(self, name) != _DEFAULTS[name]}
            if given or self.goal is not None:
                raise ValueError(
                    "problem brings benchmark, device, reward, latency_target_ms, constraints and "
                    "noise with it and leaves no goal to draw: pass either problem or those"
                )
            if not isinstance(self.problem, Problem):
                raise TypeError(f"problem must be a blox_env.Problem, got {self.problem!r}")
        elif self.goal == "latency_target" and self.latency_target_ms is not None:
            raise ValueError("goal='latency_target' draws the target: no latency_target_ms")


_DEFAULTS = {each.name: each.default for each in dataclasses.fields(EnvConfig)}
_OF_A_PROBLEM = (
    "benchmark", "device", "reward", "latency_target_ms", "constraints", "noise", "noise_seed"
)  # fmt: skip


@dataclass(frozen=True)
class MOEnvConfig(EnvConfig):
    """Arguments of an environment with a vector reward."""

    _: KW_ONLY
    objectives: Sequence[str] = field(
        default=("val_acc", "latency_ms"), metadata=_means("names as above.")
    )

    def __post_init__(self) -> None:
        """Check, as :class:`EnvConfig`, and that there is no target to draw."""
        super().__post_init__()
        if self.goal == "latency_target":
            raise ValueError("goal='latency_target' is for a scalar reward: leave it out")


@dataclass(frozen=True)
class VectorConfig:
    """Arguments of a vector environment beside those of its environments."""

    num_envs: int = field(default=1, metadata=_means("how many."))
    _: KW_ONLY
    autoreset_mode: str | AutoresetMode = field(
        default=AutoresetMode.NEXT_STEP,
        metadata=_means(
            """``"NextStep"``, ``"SameStep"``, ``"Disabled"`` or the member: when what is over
        starts again."""
        ),
    )
    max_episode_steps: int | None = field(
        default=None,
        metadata=_means("after how many steps episodes are truncated, None for never."),
    )

    def __post_init__(self) -> None:
        """Check.

        Raises:
            TypeError: for a number that is not whole.
            ValueError: for an unknown mode, or a number below 1.
        """
        modes = [mode.value for mode in AutoresetMode]
        if not isinstance(self.autoreset_mode, AutoresetMode) and self.autoreset_mode not in modes:
            raise ValueError(unknown_name("autoreset_mode", self.autoreset_mode, modes))
        check_positive_int("num_envs", self.num_envs)
        if self.max_episode_steps is not None:
            check_positive_int("max_episode_steps", self.max_episode_steps)


def described(*configs: type) -> str:
    """The ``Args:`` section of a docstring: a paragraph a setting."""
    lines = ["Args:"]
    for each in (each for config in configs for each in dataclasses.fields(config)):
        text = f"{each.name}: {each.metadata['meaning']}"
        lines.append(textwrap.fill(text, 92, initial_indent="    ", subsequent_indent="        "))
    return "\n".join(lines)


def documented(*configs: type) -> Callable[[type[S]], type[S]]:
    """Put :func:`described` where a class's docstring says ``{arguments}``."""

    def change(cls: type[S]) -> type[S]:
        section = textwrap.indent(described(*configs), "    ").strip()
        cls.__doc__ = (cls.__doc__ or "").replace("{arguments}", section)
        return cls

    return change


def configured(
    config: Callable[P, C],
) -> Callable[[Callable[[S, C], None]], Callable[Concatenate[S, P], None]]:
    """Let a constructor of one config take the config's arguments, with their signature.

    Args:
        config: the dataclass of the arguments.
    """

    def change(method: Callable[[S, C], None]) -> Callable[Concatenate[S, P], None]:
        def construct(self: S, /, *args: P.args, **kwargs: P.kwargs) -> None:
            method(self, config(*args, **kwargs))

        functools.update_wrapper(construct, method)
        own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
        known = inspect.signature(config).parameters.values()
        construct.__signature__ = inspect.Signature([own, *known])  # type: ignore[attr-defined]
        return construct

    return change


def vector_signature(config: type) -> inspect.Signature:
    """The signature of a vector environment's constructor: its own arguments, then those of one."""
    first = list(inspect.signature(VectorConfig).parameters.values())
    rest = [
        each.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for each in inspect.signature(config).parameters.values()
    ]
    return inspect.Signature([*first, *rest])
