"""Device transfer: train on some devices, be judged on one that was not seen.

A *split* names the devices of training and the one of judgement. ``leave-out-NAME``, one for every
registered device of a space, trains on all others. Two kinds of method take part:

- A *policy* trains in :meth:`Split.environment`, which draws a device of training for every episode
  and shows it by the latencies of a few probe architectures. The unseen device is shown in the same
  way, so the policy meets a description it never had, not a name it cannot know.
- An *agent*, or any other search, gets :meth:`Split.stand_in`: the unseen device as it looks from
  those of training and, if allowed, from a number of latencies measured on it (few-shot).

:func:`judge` takes the answers of either and says what they are worth on the unseen device, by
exact regret and by what their front lacks of the exact one. What the method may know of the unseen
device is its target, its probes, and the measurements that it asks for; nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blox_env.agent import Agent, search
from blox_env.benchmarks.base import Benchmark
from blox_env.devices.base import Device, list_devices, load_device
from blox_env.devices.estimators.few_shot import few_shot_candidates
from blox_env.envs.env import BloxEnv
from blox_env.envs.episode.goals import probe_architectures
from blox_env.envs.vector_env import BloxVectorEnv
from blox_env.ground import defaults
from blox_env.ground.errors import check_positive_int, unknown_name
from blox_env.ground.typing import FloatArray, IntArray
from blox_env.problem import Problem
from blox_env.problem.task import Task
from blox_env.problem.truth import FrontRegret, Truth

PREFIX = "leave-out-"
PROBES = 10
OBJECTIVES = ("val_acc", "latency_ms")

# observations (n, …) and action masks (n, actions), bool -> actions (n,)
Policy = Callable[[Any, NDArray[np.bool_]], ArrayLike]


@dataclass(frozen=True)
class Split:
    """Devices to train on and one to be judged on.

    Attributes:
        name: what results call it.
        train: names or devices of training, at least one.
        test: the unseen device, none of them.
        probes: how many architectures' latencies describe a device.
    """

    name: str
    train: tuple[str | Device, ...]
    test: str | Device
    probes: int = PROBES

    def __post_init__(self) -> None:
        """Check the devices."""
        check_positive_int("probes", self.probes)
        known = [load_device(device) for device in self.train]
        unseen = load_device(self.test)
        if not known or unseen.name in [device.name for device in known]:
            raise ValueError(
                "train must be at least one device other than test, got "
                f"{[device.name for device in known]} and test {unseen.name!r}"
            )

    def environment(self, num_envs: int | None = None, **arguments: Any) -> Any:
        """The environment of training: every episode on one of the devices, drawn.

        Args:
            num_envs: how many in one vector environment; None for a single one.
            arguments: of :class:`~blox_env.envs.env.BloxEnv` or
                :class:`~blox_env.envs.vector_env.BloxVectorEnv`, such as ``benchmark`` and
                ``reward``.
        """
        return self._made(self.train, num_envs, arguments)

    def unseen_environment(self, num_envs: int | None = None, **arguments: Any) -> Any:
        """The same on the unseen device: for judging, not for training."""
        return self._made((self.test,), num_envs, arguments)

    def measurements(self, n: int, *, seed: int = 0) -> tuple[IntArray, FloatArray]:
        """``n`` random architectures ``(n, slots)`` and their latencies on the unseen device.

        Args:
            n: how many.
            seed: of the draw.
        """
        device = load_device(self.test)
        rows = device.space.sample(np.random.default_rng(seed), check_positive_int("n", n, 0))
        return rows, device.latency_ms(rows)

    def stand_in(self, measurements: int = 0, *, seed: int = 0) -> Device:
        """The unseen device as it looks from the devices of training.

        Args:
            measurements: how many latencies of the unseen device to use, besides its probes, by
                the predictor of :mod:`blox_env.devices.estimators.few_shot` (extra ``surrogate``).
                With 0 it looks like the geometric mean of the devices of training, and not even its
                probes are used.
            seed: which architectures are measured.
        """
        return StandIn(self, check_positive_int("measurements", measurements, 0), seed)

    def _made(
        self, devices: tuple[str | Device, ...], num_envs: int | None, arguments: dict[str, Any]
    ) -> BloxEnv | BloxVectorEnv:
        aims: dict[str, Any] = {"goal": "device", "goals": devices, "goal_probes": self.probes}
        if num_envs is None:
            return BloxEnv(**arguments, **aims)
        return BloxVectorEnv(num_envs, **arguments, **aims)


class StandIn(Device):
    """Predicted latencies of an unseen device; see :meth:`Split.stand_in`."""

    def __init__(self, split: Split, measurements: int, seed: int) -> None:
        self._known = [load_device(device) for device in split.train]
        unseen = load_device(split.test)
        self.space = unseen.space
        self.name = f"{unseen.name} by {measurements} measurements"
        self._model: Any = None
        if measurements:
            rows, latency = split.measurements(measurements, seed=seed)
            probes = probe_architectures(self.space, split.probes)
            rows = np.concatenate([rows, probes])
            latency = np.concatenate([latency, unseen.latency_ms(probes)])
            rows, first = np.unique(rows, axis=0, return_index=True)
            self._candidate = few_shot_candidates(self.space, self._known)["few-shot"]
            self._model = self._candidate.model()
            self._model.fit(self._candidate.features(self.space, rows), latency[first])

    def latency_ms(self, x: ArrayLike) -> FloatArray:
        """Predicted latency in milliseconds, ``(n, slots) -> (n,)``."""
        if self._model is not None:
            return np.asarray(self._model.predict(self._candidate.features(self.space, x)))
        logs = [np.log(device.latency_ms(x)) for device in self._known]
        return np.asarray(np.exp(np.mean(logs, axis=0)))

    def measured(self, x: ArrayLike) -> NDArray[np.bool_]:
        """None: all latencies are predicted."""
        return np.zeros(len(self.space.check(x)), dtype=bool)


@dataclass(frozen=True)
class Scores:
    """Worth of answers on the unseen device.

    Attributes:
        split: name of the split.
        x: the answers ``(n, slots)``.
        regret: simple regret of each on the unseen device, ``(n,)``, in units of the reward.
    """

    split: str
    x: IntArray
    regret: FloatArray
    _truth: Truth = field(repr=False, compare=False)

    @property
    def best(self) -> float:
        """Regret of the best answer: what remains if all of them are tried on the device."""
        return float(self.regret.min())

    @property
    def mean(self) -> float:
        """Mean regret of the answers: what one of them is worth untried."""
        return float(self.regret.mean())

    def front(self) -> FrontRegret:
        """Distance of the answers from the device's exact front of accuracy and latency.

        Raises:
            ImportError: without the extra ``moo``.
        """
        return self._truth.front_regret(x=self.x)


def list_splits(space: str = "blox") -> list[str]:
    """Names of the splits of the registered devices of a space; none where there is one device."""
    devices = list_devices(space)
    return [f"{PREFIX}{name}" for name in devices] if len(devices) > 1 else []


def load_split(name: str, *, space: str = "blox", probes: int = PROBES) -> Split:
    """The split of a name: ``leave-out-NAME`` trains on the other registered devices of the space.

    Devices whose latencies helped to predict those of NAME, or the other way round, are left out as
    well: NAME would be known before it is seen.

    Args:
        name: such as ``"leave-out-x86-ort-1t"``.
        space: name of the space of the devices.
        probes: number of architectures whose latencies describe a device.

    Raises:
        ValueError: for an unknown name, with the closest known one.
    """
    known = list_splits(space)
    if name not in known:
        raise ValueError(unknown_name("split", name, known))
    test = name.removeprefix(PREFIX)
    own = _priors(test)
    others = [device for device in list_devices(space) if device not in (test, *own)]
    train = tuple(device for device in others if test not in _priors(device))
    return Split(name, train, test, probes)


def _priors(device: str) -> frozenset[str]:
    """Names of the devices that helped to predict the latencies of one, as its card says."""
    return frozenset(load_device(device).card.get("predictor", {}).get("priors", {}))


def judge(
    method: Policy | str | Agent,
    split: Split | str,
    *,
    benchmark: str | Benchmark = defaults.BENCHMARK,
    reward: str | None = None,
    answers: int = 20,
    seed: int = 0,
    budget: int = 200,
    measurements: int = 0,
    options: Mapping[str, Any] | None = None,
    **environment: Any,
) -> Scores:
    """Judge a policy or an agent on the unseen device of a split.

    A policy answers with one episode each in ``answers`` environments of the unseen device. An
    agent searches with the stand-in for the unseen device and answers with its best ``answers``
    distinct architectures. The answers are then looked up on the unseen device itself.

    Args:
        method: a policy, a function of observations and action masks that gives actions; or the
            name of an agent, or an agent.
        split: a split or its name.
        benchmark: where accuracies are from.
        reward: formula, ``mnasnet`` if not given; its target is the median of each device.
        answers: how many, at least 1.
        seed: of the environment, or of the agent and its measurements.
        budget: full trainings that an agent may spend.
        measurements: latencies of the unseen device that an agent may use.
        options: constructor arguments of a named agent.
        environment: further arguments of a policy's environment, as it was trained with.

    Raises:
        ValueError: for a policy that takes an action its mask forbids, and for arguments that are
            the other kind's.
    """
    if isinstance(split, str):
        split = load_split(split)
    check_positive_int("answers", answers)
    if isinstance(method, str | Agent):
        if environment:
            raise ValueError(f"an agent has no environment: leave out {', '.join(environment)}")
        stand_in = split.stand_in(measurements, seed=seed)
        rows = _searched(method, stand_in, benchmark, reward, budget, seed, options)[:answers]
    else:
        if measurements or options:
            raise ValueError("measurements and options are for agents: a policy sees the probes")
        arguments = {"benchmark": benchmark, "reward": reward, **environment}
        rows = _built(method, split.unseen_environment(answers, **arguments), seed)
    truth = Truth(Task.of(benchmark, split.test, reward, objectives=OBJECTIVES))
    return Scores(split.name, rows, truth.regret(rows), truth)


def _searched(
    agent: str | Agent,
    device: Device,
    benchmark: str | Benchmark,
    reward: str | None,
    budget: int,
    seed: int,
    options: Mapping[str, Any] | None,
) -> IntArray:
    """Architectures that an agent fully evaluated, best first."""
    problem = Problem(benchmark, device, reward, budget=budget)
    history = search(problem, agent, seed=seed, options=options)
    full = np.flatnonzero(history.epochs == problem.benchmark.epochs)
    return history.x[full[np.argsort(-history.reward[full], kind="stable")]]


def _built(policy: Policy, env: BloxVectorEnv, seed: int) -> IntArray:
    """One architecture of every environment."""
    observation, infos = env.reset(seed=seed)
    while "arch" not in infos:
        masks = env.action_masks()
        observation, _, _, _, infos = env.step(np.asarray(policy(observation, masks)))
        if "invalid" in infos:
            first = int(np.argmax(infos["_invalid"]))
            raise ValueError(f"the policy took an action that its mask forbids, in answer {first}")
    rows: IntArray = infos["arch"]
    return rows
