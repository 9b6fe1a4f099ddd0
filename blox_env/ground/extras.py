"""Optional packages: imported where they are used; an error names the extra that brings them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def extra(name: str, what: str) -> Iterator[None]:
    """Turn an ImportError of the block into one that says what to install.

    Args:
        name: of the extra, such as ``"experiment"``.
        what: the thing that needs it, as the subject of a sentence.

    Raises:
        ImportError: when an import in the block fails.
    """
    try:
        yield
    except ImportError as error:
        raise ImportError(
            f"{what} needs {error.name or 'a package'!r}, which is not installed: "
            f"pip install 'blox-env[{name}]'",
            name=error.name,
        ) from error


def extra_module(module: str, name: str, what: str) -> Any:
    """A module of an optional package.

    Args:
        module: dotted name.
        name: of the extra that brings it.
        what: the thing that needs it, as the subject of a sentence.

    Raises:
        ImportError: when it is not installed.
    """
    with extra(name, what):
        return importlib.import_module(module)
