"""Code, libraries and checkout that a result depends on besides its arguments.

Code and versions of what decides a result belong into the run file. The commit does not: it changes
with every other file of the checkout, too, so equal runs would not be equal files, and an
experiment could not go on after a commit that has nothing to do with it. It stands in the sidecar.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import importlib.util
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import blox_env.version

# Modules of ours whose code is an agent's own; of others those of the agent's own package.
_AGENTS = ("blox_env.agents.", "blox_env.adapters.")
_DISTRIBUTIONS = {"sklearn": "scikit-learn", "yaml": "PyYAML"}


def versions(module: str) -> dict[str, str]:
    """Versions of blox-env, numpy and the libraries that an agent's ``module`` imports anywhere."""
    found = {"blox-env": blox_env.version.__version__}
    for name in ("numpy", *sorted(_sources(module)[1])):
        distribution = _DISTRIBUTIONS.get(name, name.replace("_", "-"))
        try:
            found[distribution] = importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue  # part of another library, or not installed and so not used
    return found


def code(module: str) -> str:
    """A hash of the code of an agent's ``module`` and of the modules of its package it imports."""
    text = "\0".join(f"{name}\0{source}" for name, source in sorted(_sources(module)[0].items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def checkout() -> dict[str, Any] | None:
    """Commit of the checkout that this package runs from, and whether files differ from it.

    None where it is installed, or where there is no git.
    """
    root = Path(blox_env.version.__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return None
    try:
        commit, changes = (
            subprocess.run(
                ["git", "-C", str(root), *command.split()],
                capture_output=True, text=True, check=True, timeout=20,
            ).stdout
            for command in ("rev-parse HEAD", "status --porcelain --untracked-files=no")
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return {"commit": commit.strip(), "dirty": bool(changes.strip())}


@lru_cache(maxsize=64)
def _sources(module: str) -> tuple[dict[str, str], frozenset[str]]:
    """Sources of the agent's own modules by name, and names of other packages that they import."""
    package = module.rpartition(".")[0]
    own = _AGENTS if module.startswith("blox_env.") else (f"{package}.",) if package else ()
    sources: dict[str, str] = {}
    others: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _path(name)
        if name in sources or path is None:
            continue
        sources[name] = path.read_text(encoding="utf-8")
        for imported, names in _imports(sources[name]):
            if imported.startswith(own) or f"{imported}." in own:
                inner = _path(imported)
                waiting.append(imported)
                if inner is not None and inner.name == "__init__.py":
                    waiting += [f"{imported}.{inside}" for inside in names]
            elif imported.partition(".")[0] not in sys.stdlib_module_names:
                others.add(imported.partition(".")[0])
    return sources, frozenset(others - {"blox_env", "numpy"})


def _path(module: str) -> Path | None:
    """The source of a module; packages around it are imported, the module is not."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Path(spec.origin)


def _imports(text: str) -> list[tuple[str, list[str]]]:
    """Modules that are imported, and the names that are imported from them."""
    found: list[tuple[str, list[str]]] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [(alias.name, []) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append((node.module, [alias.name for alias in node.names]))
    return found
