"""The interface of a runtime: a network becomes bytes once, bytes become a callable many times."""

from __future__ import annotations

import platform
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from numpy.typing import ArrayLike

from blox_env.ground.errors import check_positive_int, unknown_name
from blox_env.ground.extras import extra_module
from blox_env.spaces.base import SearchSpace


class Runtime(ABC):
    """Runs single inferences of a network on the machine at hand.

    Exporting is slow and done once a network; loading is fast and done at every visit, so that the
    luck of one placement in memory does not stick to a network.

    Args:
        threads: threads within an operator; operators always run one after another.
        precision: of the arithmetic, one of ``precisions``.

    Attributes:
        name: what plans and cards call it.
        precisions: what it can compute in; the first is the default.
        exports: whether :meth:`load` takes the bytes of :meth:`export`; else it takes the module
            itself, built anew for every visit.
        on_cpu: whether a measurement shall keep to as many cores as there are threads.

    Raises:
        ValueError: for an unknown precision, or less than one thread.
    """

    name: str
    precisions: tuple[str, ...] = ("float32",)
    exports: bool = True
    on_cpu: bool = True

    def __init__(self, threads: int = 1, precision: str | None = None) -> None:
        self.threads = check_positive_int("threads", threads)
        self.precision = self.precisions[0] if precision is None else precision
        if self.precision not in self.precisions:
            raise ValueError(unknown_name("precision", self.precision, self.precisions))

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Versions of the libraries that decide how fast a network is."""

    @abstractmethod
    def settings(self) -> dict[str, str]:
        """Settings that decide how fast a network is: threads, precision, optimisations."""

    def export(self, network: Any, input_shape: tuple[int, ...]) -> bytes:
        """The model file of a ``torch.nn.Module`` in evaluation mode, for one input shape.

        Args:
            network: in evaluation mode.
            input_shape: of its one input, the batch size first.
        """
        raise NotImplementedError(f"{self.name} runs modules as they are")

    @abstractmethod
    def load(self, model: Any, input_shape: tuple[int, ...]) -> Callable[[], object]:
        """A function that runs one inference of a model on one fixed random input.

        The model is what :meth:`export` gave, or the module where there is no exporting.

        Args:
            model: a file's bytes or a module.
            input_shape: of its one input, the batch size first.
        """

    def timed(self, run: Callable[[], object]) -> int:
        """Nanoseconds that one call takes."""
        started = time.perf_counter_ns()
        run()
        return time.perf_counter_ns() - started

    def processor_seconds(self) -> float:
        """Processor time spent so far by what runs the networks: this process, if not others."""
        return time.process_time()

    def environment(self) -> AbstractContextManager[object]:
        """A context that holds while networks are loaded and run, and is undone afterwards."""
        return nullcontext()

    def prepare(
        self,
        network: Any,
        input_shape: tuple[int, ...],
    ) -> Callable[[], object]:
        """A function that runs one inference of ``network``.

        Args:
            network: in evaluation mode.
            input_shape: of its one input, the batch size first.
        """
        model = self.export(network, input_shape) if self.exports else network
        return self.load(model, input_shape)

    def build(self, space: SearchSpace, row: ArrayLike, *, seed: int, **network: Any) -> Any:
        """The network of ``row`` with weights drawn from ``seed``; torch's global state is kept.

        Args:
            space: that builds networks.
            row: one architecture ``(slots,)``.
            seed: of the weights.
            network: arguments of ``space.build_network``.
        """
        torch = extra_module("torch", "devices", f"measuring with {self.name}")
        with torch.random.fork_rng(devices=[]):
            torch.random.default_generator.manual_seed(seed)
            return space.build_network(row, **network).eval()


def versions_of(*packages: str) -> dict[str, str]:
    """Versions of packages and of Python, by name.

    Raises:
        ImportError: for one that is not installed; names the extra.
    """
    found = {
        name: str(extra_module(name, "devices", "measuring latency").__version__)
        for name in packages
    }
    return {**found, "python": platform.python_version()}
