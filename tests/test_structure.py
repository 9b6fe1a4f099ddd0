"""Rules of the house, read from the sources: who imports whom, and what nobody does."""

import ast
import importlib
import re
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]

# A module imports only what stands above it, or beside it in its own entry. Imports inside
# functions and under TYPE_CHECKING count; the strings of the registry do not.
LAYERS = tuple(
    re.findall(
        r"^\d+\. `(\w+)/?`:", (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8"), re.MULTILINE
    )
)
# Who may use the package by its front door, as a user does.
FRONT_DOOR = ("cli", "__main__")

# torch, and extras at the top of a file, are for these alone (TYPE_CHECKING loads nothing).
TORCH = ("networks/", "devices/runtimes/", "adapters/", "agents/", "benchmarks/families/graph.py")
EXTRAS_AT_THE_TOP = (*TORCH, "jax/", "experiment/", "analysis/", "report/", "cli/views/")

CORE = {"gymnasium", "numpy", "typer", "rich", "yaml"}
IMPORT_NAMES = {
    "scikit-learn": "sklearn",
    "pyyaml": "yaml",
    "pillow": "PIL",
    "configspace": "ConfigSpace",
    "xgboost-cpu": "xgboost",
}

LONGEST = 400


class Import(NamedTuple):
    module: str  # dotted, absolute
    line: int
    functions: tuple[str, ...]  # the functions around it, outermost first
    typing_only: bool


def sources(*folders):
    """Python files of these folders of the checkout, as ``{path in the checkout: file}``."""
    return {
        file.relative_to(ROOT).as_posix(): file
        for folder in folders
        for file in sorted((ROOT / folder).glob("**/*.py"))
        if "blox_env/agents/" not in file.as_posix() and "blox_env/wrappers/" not in file.as_posix()
    }


def package_path(path):
    """``agents/ppo.py`` and ``blox_env/agent.py`` -> their paths inside the installed package."""
    return path.removeprefix("blox_env/")


PACKAGE = sources("blox_env", "agents", "wrappers")
EVERYTHING = {**PACKAGE, **sources("tests", "examples", "perf", ".ci")}
MODULES = {  # dotted name -> path
    ".".join(("blox_env", *Path(package_path(p)).with_suffix("").parts)).removesuffix(
        ".__init__"
    ): p
    for p in PACKAGE
}


@cache
def tree(path):
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def is_type_checking(node):
    return isinstance(node, ast.If) and dotted(node.test).endswith("TYPE_CHECKING")


def dotted(node):
    """``np.random.seed`` of an expression, "" of anything that is no plain chain of names."""
    if isinstance(node, ast.Attribute):
        value = dotted(node.value)
        return f"{value}.{node.attr}" if value else ""
    return node.id if isinstance(node, ast.Name) else ""


def walk(node, functions=(), typing_only=False, inside=()):
    """Every node below, with the functions, TYPE_CHECKING and ``with`` blocks around it."""
    for field, child in ((f, c) for f, v in ast.iter_fields(node) for c in as_list(v)):
        if not isinstance(child, ast.AST):
            continue
        in_typing = typing_only or (is_type_checking(node) and field == "body")
        around = functions
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            around = (*functions, node.name)
        blocks = inside
        if isinstance(node, ast.With) and field == "body":
            items = (i.context_expr for i in node.items)
            blocks = (*inside, *(dotted(i.func) for i in items if isinstance(i, ast.Call)))
        yield child, around, in_typing, blocks
        yield from walk(child, around, in_typing, blocks)


def as_list(value):
    return value if isinstance(value, list) else [value]


@cache
def imports(path):
    """What a file imports; ``from a import b`` gives ``a.b`` where that is a module of ours."""
    found = []
    for node, functions, typing_only, _ in walk(tree(path)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            names = [
                full if (full := f"{node.module}.{alias.name}") in MODULES else (node.module or "")
                for alias in node.names
            ]
        else:
            continue
        found += [
            Import(name, node.lineno, functions, typing_only) for name in dict.fromkeys(names)
        ]
    return tuple(found)


def layer(path):
    return Path(package_path(path)).with_suffix("").parts[0]


def third_party(name):
    top = name.partition(".")[0]
    return "" if top in sys.stdlib_module_names or top == "blox_env" else top


def test_the_sources_are_there():
    assert {"blox_env/__init__.py", "blox_env/agent.py"} <= set(PACKAGE)
    assert LAYERS[0] == "version"
    assert LAYERS[-1] == "__main__"
    assert "blox_env.spaces.blox" in MODULES


@pytest.mark.parametrize("path", PACKAGE)
def test_imports_point_upwards(path):
    own = layer(path)
    if own == "__init__":
        return  # the package's front door shows what all of them offer
    assert own in LAYERS, f"{path}: give {own!r} its place in ARCHITECTURE.md"
    for found in imports(path):
        top, _, rest = found.module.partition(".")
        if top != "blox_env":
            continue
        where = f"{path}:{found.line}"
        if not rest and own in FRONT_DOOR:
            continue
        assert rest, f"{where}: import from the module itself, not from blox_env"
        other = rest.partition(".")[0]
        assert other in LAYERS, f"{where}: give {other!r} its place in ARCHITECTURE.md"
        assert LAYERS.index(other) <= LAYERS.index(own), f"{where}: {own} stands above {other}"


@pytest.mark.parametrize("path", PACKAGE)
def test_torch_stays_where_it_belongs(path):
    if package_path(path).startswith(TORCH):
        return
    lines = [
        i.line for i in imports(path) if third_party(i.module) == "torch" and not i.typing_only
    ]
    assert not lines, f"{path}: imports torch in lines {lines}"


def loaded_with(path):
    """Third-party packages that importing this file loads, through modules of ours too."""
    packages, todo, seen = set(), [path], set()
    while todo:
        current = todo.pop()
        if current in seen:
            continue
        seen.add(current)
        for found in imports(current):
            if found.functions or found.typing_only:
                continue
            parts = found.module.split(".")
            if parts[0] == "blox_env":  # every package on the way is imported, too
                names = (".".join(parts[:end]) for end in range(1, len(parts) + 1))
                todo += [MODULES[name] for name in names if name in MODULES]
            elif top := third_party(found.module):
                packages.add(top)
    return packages


@pytest.mark.parametrize("path", PACKAGE)
def test_modules_outside_the_extras_load_core_dependencies_only(path):
    if not package_path(path).startswith(EXTRAS_AT_THE_TOP):
        assert loaded_with(path) <= CORE


@pytest.mark.parametrize("path", PACKAGE)
def test_only_extras_are_imported_late(path):
    """Inside functions: extras and what loads them; the front doors also what slows a start."""
    if layer(path) in ("__init__", "cli"):
        return
    for found in imports(path):
        if found.functions:
            own = MODULES.get(found.module)
            loaded = loaded_with(own) if own else {third_party(found.module)}
            assert loaded - CORE - {""}, f"{path}:{found.line}: import {found.module} at the top"


def test_no_module_imports_itself_in_a_circle():
    """By any way of importing; importing a submodule does not count as importing its package."""
    reach = {
        name: {i.module for i in imports(path)} & set(MODULES) for name, path in MODULES.items()
    }
    changed = True
    while changed:
        wider = {name: below.union(*(reach[b] for b in below)) for name, below in reach.items()}
        changed, reach = wider != reach, wider
    assert sorted(name for name in reach if name in reach[name]) == []


# Who opens arrays beside store/: a space that stands above it, packs of pictures, and weights.
ARRAYS = (
    "store/", "spaces/blox/hashes.py", "networks/images/pack.py", "networks/blockwise/weights.py",
)  # fmt: skip


@pytest.mark.parametrize("path", PACKAGE)
def test_the_store_alone_knows_the_bytes_of_tables(path):
    if not package_path(path).startswith(ARRAYS):
        calls = (n for n in ast.walk(tree(path)) if isinstance(n, ast.Call))
        opened = [n.lineno for n in calls if re.match(r"np\.(load|save|memmap)", dotted(n.func))]
        assert not opened, f"{path}: opens arrays in lines {opened}, see store/arrays.py"


@pytest.mark.parametrize("path", PACKAGE)
def test_the_command_alone_shows_things(path):
    if not package_path(path).startswith("cli/"):
        lines = [i.line for i in imports(path) if third_party(i.module) in ("rich", "typer")]
        assert not lines, f"{path}: lines {lines}: only cli/ knows rich and typer"


def api():
    """The names of each public package, as ARCHITECTURE.md lists them."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(blox_env[\w.]*)` \| (.*) \|$", text, re.MULTILINE)
    return {package: re.findall(r"`(\w+)`", names) for package, names in rows}


def test_what_packages_offer_is_what_is_written_down():
    found = {}
    for name, path in MODULES.items():
        for node in tree(path).body if path.endswith("__init__.py") else ():
            if isinstance(node, ast.Assign) and dotted(node.targets[0]) == "__all__":
                found[name] = [n for n in ast.literal_eval(node.value) if n != "__version__"]
    assert "blox_env" in found
    assert found == api(), "ARCHITECTURE.md, The API"


@pytest.mark.parametrize(
    "package",
    [
        pytest.param(name, marks=[pytest.mark.extra] if loaded_with(MODULES[name]) - CORE else [])
        for name in api()
    ],
)
def test_packages_offer_what_they_import(package):
    """No name is bound by accident: what a package's front imports is in its ``__all__``."""
    try:
        module = importlib.import_module(package)
    except ImportError as error:
        if "pip install 'blox-env[" in str(error):
            pytest.skip(str(error))
        raise
    for name in module.__all__:
        assert getattr(module, name) is not None
    bound = {
        alias.asname or alias.name
        for node in tree(MODULES[package]).body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("blox_env")
        for alias in node.names
        if f"{node.module}.{alias.name}" not in MODULES
    }
    assert {n for n in bound if not n.startswith("_")} <= set(module.__all__)


def test_every_import_is_a_declared_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = (
        line
        for name, lines in project["optional-dependencies"].items()
        for line in lines
        if name != "dev"
    )
    names = (re.split(r"[^\w-]", line.lower())[0] for line in (*project["dependencies"], *extras))
    declared = {IMPORT_NAMES.get(name, name.replace("-", "_")) for name in names}
    used = {third_party(i.module) for path in PACKAGE for i in imports(path)} - {""}
    assert used - declared == set()


def test_the_list_of_packages_is_complete():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "setuptools"
    ]
    folders = {Path(package_path(p)).parent.as_posix() for p in PACKAGE}
    expected = {"blox_env" if f == "." else f"blox_env.{f.replace('/', '.')}" for f in folders}
    assert set(settings["packages"]) == expected, "pyproject.toml, tool.setuptools.packages"
    initialised = {name for name, path in MODULES.items() if path.endswith("__init__.py")}
    assert initialised == expected, "a package without __init__.py"


@pytest.mark.parametrize("name", ["agents", "wrappers"])
def test_links_into_the_package(name):
    link = ROOT / "blox_env" / name
    if link.is_file():  # how git writes a link where the system has none
        assert link.read_bytes() == f"../{name}".encode()
    else:
        assert link.is_symlink()
        assert link.readlink() == Path("..", name)


@pytest.mark.parametrize("path", EVERYTHING)
def test_agents_and_wrappers_are_imported_by_their_full_name(path):
    wrong = [i.line for i in imports(path) if i.module.partition(".")[0] in ("agents", "wrappers")]
    assert not wrong, f"{path}: lines {wrong}: import blox_env.agents or blox_env.wrappers"


@pytest.mark.parametrize("path", EVERYTHING)
def test_no_file_is_too_long(path):
    assert len((ROOT / path).read_text(encoding="utf-8").splitlines()) <= LONGEST


# Calls that change the state of the whole process -> the ``with`` block that undoes them.
GLOBAL_STATE = {
    r"(np|numpy)\.random\.seed": "",
    r"random\.seed": "",
    r"torch\.(random\.|cuda\.|mps\.)?(manual_seed|manual_seed_all|seed)": "fork_rng",
    r"torch\.(set_default_dtype|set_default_device|set_default_tensor_type)": "",
    r"warnings\.(filterwarnings|simplefilter|resetwarnings)": "catch_warnings",
    r"(plt|pyplot|matplotlib|matplotlib\.pyplot)\.style\.use": "context",
    r"(plt|pyplot|matplotlib|mpl|matplotlib\.pyplot)\.(rc|rcdefaults|use|switch_backend)": "",
    r"(.+\.)?rcParams\.(update|setdefault|clear|pop)": "rc_context",
}


def changed_state(node):
    """The name of what a node changes and the block that would undo it, or None."""
    if isinstance(node, ast.Call):
        name = dotted(node.func)
        guards = (guard for rule, guard in GLOBAL_STATE.items() if re.fullmatch(rule, name))
        return next(((name, guard) for guard in guards), None)
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    for target in targets:
        if isinstance(target, ast.Subscript) and dotted(target.value).endswith("rcParams"):
            return dotted(target.value), "rc_context"
    return None


def global_changes(syntax_tree):
    """Lines and names of what changes the process, unless a ``with`` block undoes it."""
    for node, _, _, blocks in walk(syntax_tree):
        changed = changed_state(node)
        if changed is None:
            continue
        name, guard = changed
        if not guard or not any(block.rpartition(".")[2] == guard for block in blocks):
            yield f"line {node.lineno}: {name}"


@pytest.mark.parametrize("path", PACKAGE)
def test_nothing_changes_the_state_of_the_process(path):
    assert list(global_changes(tree(path))) == []


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("np.random.seed(0)", 1),
        ("torch.manual_seed(0)", 1),
        ("torch.Generator().manual_seed(0)", 0),
        ("with torch.random.fork_rng(devices=[]):\n    torch.manual_seed(0)", 0),
        ("with open('f'):\n    torch.manual_seed(0)", 1),
        ("warnings.simplefilter('ignore')", 1),
        ("with warnings.catch_warnings():\n    warnings.simplefilter('ignore')", 0),
        ("plt.style.use('ggplot')", 1),
        ("matplotlib.rcParams['font.size'] = 3", 1),
        ("plt.rcParams.update({})", 1),
        ("sizes['a'] = 1", 0),
    ],
)
def test_the_search_for_global_changes_finds_them(code, count):
    assert len(list(global_changes(ast.parse(code)))) == count
