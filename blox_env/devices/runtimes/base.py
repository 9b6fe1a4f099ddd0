"""The interface of a runtime: a network becomes bytes once, bytes become a callable many times."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from numpy.typing import ArrayLike

from blox_env.errors import missing_extra
from blox_env.spaces.base import SearchSpace


class Runtime(ABC):
    """Runs single inferences of a network on the machine at hand.

    Exporting is slow and done once a network; loading is fast and done at every visit, so that the
    luck of one placement in memory does not stick to a network.

    Attributes:
        name: what plans and cards call it.
    """

    name: str

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Versions of the libraries that decide how fast a network is."""

    @abstractmethod
    def settings(self) -> dict[str, str]:
        """Settings that decide how fast a network is: threads, optimisations."""

    @abstractmethod
    def export(self, network: Any, input_shape: tuple[int, ...]) -> bytes:  # noqa: ANN401
        """The model file of a ``torch.nn.Module`` in evaluation mode, for one input shape."""

    @abstractmethod
    def load(self, model: bytes, input_shape: tuple[int, ...]) -> Callable[[], object]:
        """A function that runs one inference of an exported model on one fixed random input."""

    def prepare(
        self,
        network: Any,  # noqa: ANN401 (a torch module)
        input_shape: tuple[int, ...],
    ) -> Callable[[], object]:
        """A function that runs one inference of ``network``."""
        return self.load(self.export(network, input_shape), input_shape)

    def build(self, space: SearchSpace, row: ArrayLike, *, seed: int, **network: Any) -> Any:  # noqa: ANN401
        """The network of ``row`` with weights drawn from ``seed``; torch's global state is kept."""
        torch = required("torch", f"measuring with {self.name}")
        with torch.random.fork_rng(devices=[]):
            torch.random.default_generator.manual_seed(seed)
            return space.build_network(row, **network).eval()


def required(module: str, what: str) -> Any:  # noqa: ANN401 (a module)
    """Import ``module``, or say that ``what`` needs the extra ``devices``.

    Raises:
        ImportError: names the package that is missing and the extra that brings it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise missing_extra(what, "devices", error) from error
