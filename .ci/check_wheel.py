"""Build sdist and wheel, then import every module of the wheel from outside the checkout.

The wheel is built from the sdist, so both have to be complete: each package of the checkout, each
file of ``blox_env/data`` and the py.typed marker have to be in them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

IMPORT_ALL = """
import importlib, pathlib, pkgutil, sys
import blox_env
where = pathlib.Path(blox_env.__file__).resolve().parent
assert where == pathlib.Path(sys.argv[1]) / "blox_env", f"imported from {where}"
names = [m.name for m in pkgutil.walk_packages([str(where)], "blox_env.")]
for name in names:
    if not name.endswith(".__main__"):
        try:
            importlib.import_module(name)
        except ImportError as error:  # one does not fit beside the others, one needs a GPU
            if not any(f"blox-env[{name}]" in str(error) for name in ("rllib", "gpu", "evosax")):
                raise
print(f"{len(names)} modules of the wheel imported")
"""


def expected_files() -> set[str]:
    """What the wheel has to contain, as paths inside it."""
    files: set[str] = set()
    for top, place in (
        ("blox_env", "blox_env"),
        ("agents", "blox_env/agents"),
        ("wrappers", "blox_env/wrappers"),
    ):
        for folder, _, names in os.walk(ROOT / top):
            for name in names:
                path = Path(place, Path(folder, name).relative_to(ROOT / top))
                if "__pycache__" not in path.parts and path.suffix != ".pyc":
                    files.add(path.as_posix())
    # links to these folders, as files where the system has none
    return files - {"blox_env/agents", "blox_env/wrappers"}


def build(out: Path) -> Path:
    """Sdist from the checkout, wheel from the sdist; setuptools is taken from this environment."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}\nthe build failed")
    (wheel,) = out.glob("*.whl")
    return wheel


def main() -> None:
    """Build, compare the contents, import."""
    shutil.rmtree(ROOT / "build", ignore_errors=True)  # setuptools would pack what lies there
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder).resolve()
        wheel = build(out)
        target = out / "unpacked"
        with zipfile.ZipFile(wheel) as archive:
            contents = set(archive.namelist())
            archive.extractall(target)
        missing = sorted(expected_files() - contents)
        if missing:
            sys.exit(f"not in the wheel: {', '.join(missing)}")
        stray = sorted(n for n in contents if not n.startswith(("blox_env/", "blox_env-")))
        if stray:
            sys.exit(f"in the wheel, but not in the package: {', '.join(stray)}")
        environment = {**os.environ, "PYTHONPATH": str(target), "PYTHONDONTWRITEBYTECODE": "1"}
        for arguments in (["-c", IMPORT_ALL, str(target)], ["-m", "blox_env", "--help"]):
            command = [sys.executable, *arguments]
            done = subprocess.run(command, cwd=out, env=environment, capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit(f"{done.stdout[-2000:]}{done.stderr[-4000:]}\nthe wheel does not work")
            print(done.stdout.strip().splitlines()[0] if done.stdout.strip() else "")
        size = wheel.stat().st_size / 1e6
        print(f"{wheel.name}: {len(contents)} files, {size:.1f} MB")


if __name__ == "__main__":
    main()
