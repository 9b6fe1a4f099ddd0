"""One way of saying that a public name will go: CONTRIBUTING.md has the policy."""

from __future__ import annotations

import warnings

from blox_env.version import __version__


def deprecated(what: str, *, since: str, removal: str, instead: str, stacklevel: int = 2) -> None:
    """Warn whoever calls the function that calls this one.

    Args:
        what: the name as users write it, ``"search(evaluations=)"``.
        since: the version that warns first.
        removal: the version that does without it.
        instead: what to write, or why nothing takes its place.
        stacklevel: how many functions lie between this call and the user's, and one.

    Raises:
        ValueError: for a removal that does not come after ``since``, or that is due.
    """
    if _numbers(removal) <= _numbers(since):
        raise ValueError(f"removal must come after since={since!r}, got {removal!r}")
    if _numbers(removal) <= _numbers(__version__):
        raise ValueError(f"{what} was to be removed in {removal}; this is {__version__}")
    text = f"{what} is deprecated since {since} and will be removed in {removal}: {instead}"
    warnings.warn(text, DeprecationWarning, stacklevel=stacklevel + 1)


def _numbers(version: str) -> tuple[int, ...]:
    """``"1.2.3"`` -> ``(1, 2, 3)``; what follows a digit, such as ``rc1``, does not count."""
    parts = version.split("+")[0].split(".")[:3]
    return tuple(int("".join(c for c in part.split("rc")[0] if c.isdigit()) or 0) for part in parts)
