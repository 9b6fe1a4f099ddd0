"""The state of the house in figures: rooms, import circles, docstrings, suppressed rules, tests.

    python perf/house.py                    # of this checkout
    python perf/house.py --root OTHER       # of another one, such as a worktree of an older commit
    python perf/house.py --list circles     # the places behind a figure

Everything is read from the sources; nothing is imported. A circle is a set of modules that reach
each other by imports, those inside functions counted; importing a submodule does not count as
importing its package. Of the functions with two arguments or more, two kinds are left out: methods
that override one of a base class, whose arguments are documented there, and commands, whose options
are documented one by one (Annotated).
"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
ROOMS = ("blox_env", "agents", "wrappers")
ASKING = ("what", "where", "whether", "who", "whose", "which", "how", "why", "when")
# what classes outside the package may override without a base class in it
FOREIGN = ("reset", "step", "render", "get_attr", "set_attr", "env_method", "env_is_wrapped")
DECLARED = (
    "ground.registry",
    "registry",
    "",
)  # may hold "module:Class" strings: they are the names


@dataclass
class Function:
    """A public function or method as the figures see it."""

    place: str
    name: str
    arguments: int
    doc: str


@dataclass
class House:
    """Sources of a checkout and what was counted in them."""

    root: Path
    files: dict[str, Path] = field(default_factory=dict)  # dotted name below blox_env -> file
    packages: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        for room in ROOMS:
            folder = self.root / room
            for file in sorted(folder.rglob("*.py")):
                parts = file.relative_to(folder).with_suffix("").parts
                if room == "blox_env" and parts[0] in ROOMS:
                    continue  # the links to the other two
                parts = parts if room == "blox_env" else (room, *parts)
                if parts[-1] == "__init__":
                    parts = parts[:-1]
                    self.packages.add(".".join(parts))
                self.files[".".join(parts)] = file
        self.classes: dict[str, ast.ClassDef] = {}
        self.trees = {n: ast.parse(f.read_text(encoding="utf-8")) for n, f in self.files.items()}

        for tree in self.trees.values():
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    self.classes[node.name] = node

    def place(self, file: Path) -> str:
        """Path of a file within the checkout."""
        return file.relative_to(self.root).as_posix()

    # -- imports ---------------------------------------------------------------------------

    def edges(self, *, strings: bool) -> dict[str, set[str]]:
        """Modules that each module imports, anywhere in it, also by ``"module:Class"`` strings."""
        found: dict[str, set[str]] = {}
        for name, tree in self.trees.items():
            reached: set[str] = set()
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom) and node.module:
                    reached |= {
                        full if (full := f"{node.module}.{alias.name}") in self else node.module
                        for alias in node.names
                    }
                elif isinstance(node, ast.Import):
                    reached |= {alias.name for alias in node.names}
                elif strings and name not in DECLARED and isinstance(node, ast.Constant):
                    match = re.fullmatch(r"(blox_env[\w.]*):\w+", str(node.value))
                    reached |= {match[1]} if match else set()
            found[name] = {r.removeprefix("blox_env").lstrip(".") for r in reached if r in self}
        return found

    def __contains__(self, dotted: str) -> bool:
        top, _, rest = dotted.partition(".")
        return top == "blox_env" and rest in self.files

    def circles(self, *, strings: bool = False) -> list[list[str]]:
        """Sets of modules that import each other, directly or through others."""
        edges = self.edges(strings=strings)
        reach = {name: _reached(name, edges) for name in edges}
        left, found = set(edges), []
        while left:
            name = left.pop()
            circle = {other for other in reach[name] if name in reach[other]}
            if circle:
                found.append(sorted(circle))
                left -= circle
        return sorted(found)

    # -- docstrings ------------------------------------------------------------------------

    def documented(self) -> Iterator[tuple[str, str, str]]:
        """(place, name, docstring) of every module, class and function, private ones too."""
        for name, tree in self.trees.items():
            place = self.place(self.files[name])
            yield f"{place}:1", name, ast.get_docstring(tree) or ""
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    yield f"{place}:{node.lineno}", node.name, ast.get_docstring(node) or ""

    def public(self) -> Iterator[Function | tuple[str, str, str]]:
        """Public functions and methods, and (place, name, docstring) of modules and classes."""
        for name, tree in self.trees.items():
            if any(part.startswith("_") and part != "__main__" for part in name.split(".")):
                continue
            place = self.place(self.files[name])
            yield f"{place}:1", name, ast.get_docstring(tree) or ""
            yield from self._public_in(tree, place, inherited=None)

    def _inherited(self, node: ast.ClassDef) -> set[str]:
        """Names of the methods of all base classes, as far as they are in the package."""
        found: set[str] = set()
        for base in node.bases:
            name = ast.unparse(base).partition("[")[0].rpartition(".")[2]
            known = self.classes.get(name)
            if known is None:
                found |= set(FOREIGN)
            elif known is not node:
                found |= {m.name for m in known.body if isinstance(m, ast.FunctionDef)}
                found |= self._inherited(known)
        return found

    def _public_in(
        self, parent: ast.Module | ast.ClassDef, place: str, *, inherited: set[str] | None
    ) -> Iterator[Function | tuple[str, str, str]]:
        for node in parent.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield f"{place}:{node.lineno}", node.name, ast.get_docstring(node) or ""
                yield from self._public_in(node, place, inherited=self._inherited(node))
            elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                decorators = {ast.unparse(d) for d in node.decorator_list}
                if "overload" in decorators or any(".setter" in d for d in decorators):
                    continue
                # what a command's options mean is said beside each of them
                told = "Annotated[" in ast.unparse(node.args)
                overrides = told or (inherited is not None and node.name in inherited)
                a = node.args
                count = len(a.posonlyargs) + len(a.args) + len(a.kwonlyargs)
                count -= inherited is not None and "staticmethod" not in decorators
                count = 0 if overrides else count
                doc = ast.get_docstring(node) or ""
                yield Function(f"{place}:{node.lineno}", node.name, count, doc)

    # -- lines -----------------------------------------------------------------------------

    def lines(self, pattern: str, folders: tuple[str, ...] = ROOMS) -> list[str]:
        """Places of the lines that match."""
        files = [
            file
            for folder in folders
            for file in sorted((self.root / folder).rglob("*.py"))
            if not {"agents", "wrappers"} & set(file.relative_to(self.root).parts[1:-1])
            or folder != "blox_env"
        ]
        return [
            f"{self.place(file)}:{number}"
            for file in files
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
            if re.search(pattern, line)
        ]

    def tested(self) -> tuple[list[str], list[str]]:
        """Modules with and without the test file that mirrors them."""
        have: list[str] = []
        lack: list[str] = []
        for name, file in self.files.items():
            if file.name in ("__init__.py", "__main__.py"):
                continue
            *folders, last = name.split(".")
            test = self.root.joinpath("tests", *folders, f"test_{last.lstrip('_')}.py")
            (have if test.exists() else lack).append(self.place(file))
        return have, lack


def _reached(start: str, edges: dict[str, set[str]]) -> set[str]:
    """Modules that can be reached from one by at least one import."""
    seen: set[str] = set()
    todo = list(edges[start])
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += edges[name]
    return seen


def figures(house: House) -> dict[str, tuple[str, list[str]]]:
    """Every figure as text, and the places behind it, by a short name."""
    places = list((house.root / "blox_env").glob("*.py"))
    circles, hidden = house.circles(), house.circles(strings=True)
    asking = [
        f"{place}: {doc.splitlines()[0]}"
        for place, _, doc in house.documented()
        if re.split(r"\W", doc.lower(), maxsplit=1)[0] in ASKING
    ]
    public = list(house.public())
    functions = [f for f in public if isinstance(f, Function)]
    many = [f for f in functions if f.arguments >= 2]
    no_args = [f"{f.place}: {f.name}" for f in many if "Args:" not in f.doc]
    docs = [(f.place, f.doc) if isinstance(f, Function) else (f[0], f[2]) for f in public]
    bare = [place for place, doc in docs if not doc]
    have, lack = house.tested()
    everywhere = (*ROOMS, "tests", "examples", "perf", "docs", ".ci")
    longest = sorted(
        ((len(f.read_text(encoding="utf-8").splitlines()), house.place(f))
         for folder in everywhere for f in (house.root / folder).rglob("*.py")),
        reverse=True,
    )  # fmt: skip
    noqa = house.lines(r"#\s*noqa", everywhere)
    return {
        "root": (str(len(places)), sorted(map(house.place, places))),
        "circles": (
            f"{len(circles)} ({sum(map(len, circles))} modules)",
            [", ".join(c) for c in circles],
        ),
        "circles+strings": (
            f"{len(hidden)} ({sum(map(len, hidden))} modules)",
            [", ".join(c) for c in hidden],
        ),
        "noqa": (str(len(noqa)), noqa),
        "dict[str, Any]": _count(house.lines(r"dict\[str, Any\]")),
        "facts[": _count(house.lines(r"\bfacts\[")),
        "card[": _count(house.lines(r"\bcard\[")),
        "asking": (str(len(asking)), asking),
        "args": (f"{_share(len(many) - len(no_args), len(many))} of {len(many)}", no_args),
        "docstrings": (f"{_share(len(docs) - len(bare), len(docs))} of {len(docs)}", bare),
        "tests": (f"{len(have)} of {len(have) + len(lack)}", lack),
        "longest": (str(longest[0][0]), [f"{place}: {lines}" for lines, place in longest[:10]]),
    }


TITLES = {
    "root": "Python files at the root of blox_env/",
    "circles": "import circles, late imports counted",
    "circles+strings": "… and \"module:Class\" strings outside the registry",
    "noqa": "suppressed rules (noqa), everywhere",
    "dict[str, Any]": "lines with dict[str, Any]",
    "facts[": "lines with facts[",
    "card[": "lines with card[",
    "asking": "docstrings that open with a question word",
    "args": "public functions of 2+ arguments with Args",
    "docstrings": "public modules, classes, functions with a docstring",
    "tests": "modules with a mirrored test file",
    "longest": "lines of the longest file",
}  # fmt: skip


def _count(found: list[str]) -> tuple[str, list[str]]:
    return str(len(found)), found


def _share(part: int, whole: int) -> str:
    return f"{100 * part / max(1, whole):.0f}%"


def main() -> None:
    """Print the table, or the places behind one figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--root", type=Path, nargs="+", default=[HERE], help="checkouts")
    parser.add_argument("--list", choices=TITLES, help="show the places behind this figure")
    arguments = parser.parse_args()
    columns = [figures(House(root.resolve())) for root in arguments.root]
    if arguments.list:
        print("\n".join(columns[-1][arguments.list][1]))
        return
    print("| figure | " + " | ".join(str(root.name) for root in arguments.root) + " |")
    print("| --- |" + " ---: |" * len(columns))
    for name, title in TITLES.items():
        print(f"| {title} | " + " | ".join(column[name][0] for column in columns) + " |")


if __name__ == "__main__":
    main()
