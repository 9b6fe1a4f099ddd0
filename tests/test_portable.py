"""Nothing in the package needs POSIX: what Windows or macOS lack is used in known places alone."""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections import Counter

import pytest

from blox_env.experiment.plan import Search
from blox_env.experiment.settings import SearchSettings
from tests.test_structure import PACKAGE, ROOT, dotted, package_path, tree
from tests.windows import POSIX_ONLY

# Where the package uses what not every system has, each behind a question whether it is there.
# A new place is entered here when it has such a question and a test of the other answer; `make
# types` reads all of the package as it is on Windows, too.
GUARDED = {
    "ground/locks.py": {"fcntl"},
    "ground/files.py": {"os.fchmod", "os.fchown", "/dev/", "/proc/"},
    "ground/parallel.py": {"os.sched_getaffinity", "signal.SIGALRM", "signal.setitimer"},
    "benchmarks/live_cache.py": {"os.kill", "/proc/"},
    "devices/machine.py": {
        "os.getloadavg", "os.sched_getaffinity", "os.sched_setaffinity", "os.sysconf", "/proc/",
    },
}  # fmt: skip
MODULES = {
    "crypt", "fcntl", "grp", "nis", "posix", "pty", "pwd", "readline", "resource", "spwd", "syslog",
    "termios", "tty",
}  # fmt: skip
# os.kill ends a process on Windows whatever the signal
CALLS = {f"os.{name}" for name in POSIX_ONLY} | {"os.kill", "time.tzset"}
SIGNALS = re.compile(
    r"signal\.(SIG(ALRM|CHLD|CONT|HUP|KILL|PIPE|QUIT|STOP|TSTP|USR\d)|setitimer|pause)"
)
PATHS = re.compile(r"(/proc|/dev|/tmp|/sys|/etc|/usr|/var)/")


def used(syntax_tree):
    """What a module uses that not every system has."""
    for node in ast.walk(syntax_tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
            yield from ({(name or "").partition(".")[0] for name in names} & MODULES)
        elif isinstance(node, ast.Attribute):
            name = dotted(node)
            if name in CALLS or SIGNALS.fullmatch(name):
                yield name
        elif isinstance(node, ast.Constant) and (found := PATHS.match(str(node.value))):
            yield f"{found[1]}/"


def test_what_not_every_system_has_is_used_in_known_places():
    found = {package_path(path): set(used(tree(path))) for path in PACKAGE}
    assert {path: names for path, names in found.items() if names} == GUARDED, "see GUARDED"


def test_the_search_for_such_uses_finds_them():
    code = "import resource, os\nfrom pwd import x\nos.fork()\nos.kill(1, signal.SIGKILL)\n'/tmp/a'"
    found = {"resource", "pwd", "os.fork", "os.kill", "signal.SIGKILL", "/tmp/"}
    assert set(used(ast.parse(code))) == found
    assert not set(used(ast.parse("import os\nos.replace(a, b)\nopen('a/tmp/')")))
    assert {"getuid", "fork", "mkfifo", "getloadavg", "sched_getaffinity"} <= POSIX_ONLY
    assert not {"replace", "fsync", "open", "kill", "cpu_count", "stat"} & POSIX_ONLY


def test_files_are_written_in_one_place_alone():
    """Path.write_text would end lines as the system does: equal runs would not be equal files."""
    lines = [
        f"{path}:{node.lineno}"
        for path in PACKAGE
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "write_text"
    ]
    assert lines == [], "write with write_atomic of ground/files.py"


BAD_NAME = re.compile(r'[<>:"|?*\\\x00-\x1f]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)', re.I)


def test_names_of_files_exist_on_every_system():
    names = [
        os.path.relpath(os.path.join(folder, name), ROOT)
        for top in ("blox_env", "agents", "wrappers", "tests", "docs", "examples")
        for folder, folders, files in os.walk(ROOT / top)
        for name in files + folders
        if "__pycache__" not in folder and "_site" not in folder
    ]
    assert len(names) > 500
    assert [name for name in names if BAD_NAME.search(os.path.basename(name))] == []
    assert [name for name in names if len(name) > 140] == []  # of 260 with a user's folder
    assert [name for name, n in Counter(map(str.lower, names)).items() if n > 1] == []


@pytest.mark.parametrize(
    "name",
    ["live:cifar10(epochs=20, seeds=3)", "nul", "CON", "my/stores\\a b.", "é" * 90, "a?*<>|"],
)
def test_searches_have_names_of_files_that_exist_on_every_system(name):
    search = Search(
        agent="ppo", benchmark=name, device=name, settings=SearchSettings(), repeat=0, seed=0
    )
    assert not BAD_NAME.search(f"{search.name}.parquet")
    assert re.fullmatch(r"[A-Za-z0-9._-]+", search.name)
    assert len(search.name) < 180


def without_links(target):
    """A copy of the package as git leaves it where there are no links."""
    ignored = shutil.ignore_patterns("__pycache__", "data", "agents", "wrappers")
    shutil.copytree(ROOT / "blox_env", target / "blox_env", ignore=ignored)
    for name in ("agents", "wrappers"):
        shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
        (target / "blox_env" / name).write_bytes(f"../{name}".encode())


def test_a_checkout_without_links_works(tmp_path):
    without_links(tmp_path)
    code = (
        "import blox_env.agents.random_search, blox_env.wrappers, blox_env.ground.registry as r;"
        "print(blox_env.agents.__file__, blox_env.wrappers.__file__, *r.list_agents())"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    agents, wrappers, *names = done.stdout.split()
    assert (agents, wrappers) == tuple(
        str(tmp_path / name / "__init__.py") for name in ("agents", "wrappers")
    )
    assert "random-search" in names


@pytest.mark.faults
def test_a_clone_without_links_builds_the_same_wheel(tmp_path):
    """As git on Windows clones by default: links are files, and text may get other line ends."""
    settings = ["-c", "core.symlinks=false", "-c", "core.autocrlf=true"]
    subprocess.run(["git", "clone", "-q", *settings, ROOT, tmp_path / "clone"], check=True)
    assert (tmp_path / "clone" / "blox_env" / "agents").is_file()
    done = subprocess.run(
        [sys.executable, tmp_path / "clone" / ".ci" / "check_wheel.py"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    carried = [
        path.name
        for path in (tmp_path / "clone" / "blox_env" / "data").glob("**/*")
        if path.suffix in (".json", ".csv", ".md") and b"\r\n" in path.read_bytes()
    ]
    assert carried == []
