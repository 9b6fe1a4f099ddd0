"""Print the lowest version that pyproject.toml allows of each dependency, for `make audit`."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]


def lowest() -> list[str]:
    """``name==version`` of each dependency that has a lower bound, sorted.

    Raises:
        ValueError: for one with several, which would not say what the lowest is.
    """
    with (ROOT / "pyproject.toml").open("rb") as file:
        content = tomllib.load(file)
    project = content["project"]
    texts = [*project["dependencies"], *content["build-system"]["requires"]]
    for extra in project["optional-dependencies"].values():
        texts += extra
    found = set()
    for requirement in map(Requirement, texts):
        bounds = [each.version for each in requirement.specifier if each.operator == ">="]
        if len(bounds) > 1:
            raise ValueError(f"{requirement} has several lower bounds")
        found |= {f"{requirement.name.lower()}=={bound}" for bound in bounds}
    return sorted(found)


if __name__ == "__main__":
    print("\n".join(lowest()))
