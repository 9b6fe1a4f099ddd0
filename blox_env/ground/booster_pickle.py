"""Pickles of boosted trees: the booster's own bytes are taken out, and nothing is run.

As in :mod:`blox_env.ground.array_pickle`, a name in a file is only a word. Those of the boosters of
XGBoost and LightGBM are known; what the pickle says about such an object is kept as plain data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from blox_env.ground.array_pickle import Name
from blox_env.ground.data_pickle import _DataMachine
from blox_env.ground.safe_pickle import Data, run

_BOOSTERS = {
    ("xgboost.core", "Booster"): "xgboost",
    ("lightgbm.basic", "Booster"): "lightgbm",
}
_OTHERS = {
    ("builtins", "bytearray"): "bytearray",
    ("__builtin__", "bytearray"): "bytearray",
    ("collections", "defaultdict"): "defaultdict",
}


class PickledBooster:
    """Statements of a pickle about a booster.

    Attributes:
        library: ``"xgboost"`` or ``"lightgbm"``.
        state: what the object had, by name; None until the pickle has said it.
    """

    def __init__(self, library: str) -> None:
        self.library = library
        self.state: dict[Any, Any] | None = None


def load_booster(data: Data) -> PickledBooster:
    """The booster in a pickle of protocol 2 to 5, with bytes where the library keeps its model.

    Raises:
        ValueError: for anything but one booster and plain data; says at which byte.
    """
    found = run(_BoosterMachine(data))
    if not isinstance(found, PickledBooster) or found.state is None:
        raise ValueError(f"the pickle holds no booster but {type(found).__name__}")
    return found


class _BoosterMachine(_DataMachine):
    """The stack machine of results, with boosters."""

    accepted = "boosters of xgboost and lightgbm, plain data and numbers of numpy"
    names: ClassVar[Mapping[Any, str]] = {**_DataMachine.names, **_BOOSTERS, **_OTHERS}

    def __init__(self, data: Data) -> None:
        super().__init__(data)
        self.actions |= {0x81: self.new, 0x96: lambda: self.bytes_of(8)}

    def new(self) -> None:
        arguments, kind = self.pop(), self.pop()
        known = isinstance(kind, Name) and kind.word in _BOOSTERS.values()
        if not known or arguments != ():
            raise self.unread("an object")
        self.stack.append(PickledBooster(kind.word))

    def called(self, word: str, arguments: tuple[Any, ...]) -> Any:
        if word == "bytearray":
            if len(arguments) == 1 and isinstance(arguments[0], bytes):
                return arguments[0]
            if len(arguments) == 2 and isinstance(arguments[0], str) and arguments[1] == "latin-1":
                return arguments[0].encode("latin1")
            return None
        if word == "defaultdict" and len(arguments) == 1 and isinstance(arguments[0], Name):
            return {}
        return super().called(word, arguments)

    def build(self) -> None:
        target = self.stack[-2] if len(self.stack) > 1 else None
        if not isinstance(target, PickledBooster):
            super().build()
            return
        state = self.pop()
        if not isinstance(state, dict) or target.state is not None:
            raise self.unread("a booster with an unknown state")
        target.state = state
