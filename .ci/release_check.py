"""Build what a release uploads, twice, and check it: ``make release-check``.

    python .ci/release_check.py [--tag v0.1.0] [--offline]

Sdist and wheel are built from what git knows, in two folders of different names; what differs
between the two is listed and has to be nothing. The wheel is installed in a clean environment and
used there. dist/ then has what was checked. ``--offline`` leaves the installation out.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LARGEST = 15e6  # bytes of a wheel
USE = """
import gymnasium as gym, blox_env
env = gym.make("blox_env/Blox-v0")
env.reset(seed=0)
for block in (30, 31, 32):
    *_, info = env.step(block)
history = blox_env.search(blox_env.Problem(budget=50), "regularized-evolution", seed=0)
print(blox_env.__version__, info["val_acc"], history.best)
"""


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """What a command prints; its errors end the check.

    Args:
        command: program and arguments.
        cwd: where it runs.
        environment: variables beside those of this process.
    """
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(
            f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}\nfailed: {' '.join(map(str, command))}"
        )
    return done.stdout.strip()


def copy(target: Path) -> None:
    """Copy what git knows, links as links."""
    for name in run("git", "ls-files", "-z", cwd=ROOT).split("\0"):
        source = ROOT / name
        if name and (source.exists() or source.is_symlink()):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name, follow_symlinks=False)


def settled(sdist: Path, epoch: int) -> None:
    """Pack an sdist again: sorted, one time, nobody's; setuptools writes the time of building.

    Args:
        sdist: the file, which is replaced.
        epoch: the one time, in seconds.
    """
    with tarfile.open(sdist) as archive:
        members = sorted(archive.getmembers(), key=lambda member: member.name)
        contents = [archive.extractfile(each) if each.isfile() else None for each in members]
        data = [content.read() if content else b"" for content in contents]
    with (
        sdist.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=epoch) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for member, content in zip(members, data, strict=True):
            plain = tarfile.TarInfo(member.name)
            plain.type, plain.linkname, plain.size = member.type, member.linkname, len(content)
            plain.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            plain.mtime = epoch
            archive.addfile(plain, io.BytesIO(content))


def build(folder: Path, out: Path, epoch: int) -> list[Path]:
    """Sdist and, from it, wheel.

    Args:
        folder: for the copy of the checkout.
        out: for the two files.
        epoch: the time that stands in them.
    """
    copy(folder)
    python, when = sys.executable, {"SOURCE_DATE_EPOCH": str(epoch)}
    make = (python, "-m", "build", "--no-isolation", "--outdir", out)
    run(*make, "--sdist", folder, cwd=folder, **when)
    (sdist,) = out.glob("*.tar.gz")
    settled(sdist, epoch)
    with tempfile.TemporaryDirectory() as unpacked:
        with tarfile.open(sdist) as archive:
            archive.extractall(unpacked, filter="data")
        (inside,) = Path(unpacked).iterdir()
        run(*make, "--wheel", inside, cwd=inside, **when)
    (wheel,) = out.glob("*.whl")
    return [sdist, wheel]


def members(path: Path) -> dict[str, str]:
    """Checksum of everything in a wheel or an sdist, with its time and mode."""
    found = {}
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            for each in wheel.infolist():
                digest = hashlib.sha256(wheel.read(each)).hexdigest()
                found[each.filename] = f"{digest} {each.date_time} {each.external_attr:o}"
    else:
        with tarfile.open(path) as sdist:
            for member in sdist.getmembers():
                content = sdist.extractfile(member) if member.isfile() else None
                digest = hashlib.sha256(content.read() if content else b"").hexdigest()
                found[member.name] = f"{digest} {member.mtime} {member.mode:o} {member.linkname}"
    return found


def differences(one: Path, other: Path) -> list[str]:
    """What differs between two builds of a file; nothing where they are equal byte by byte.

    Args:
        one: a wheel or an sdist.
        other: the same of another build.
    """
    if one.read_bytes() == other.read_bytes():
        return []
    first, second = members(one), members(other)
    names = sorted(set(first) | set(second))
    inside = [name for name in names if first.get(name) != second.get(name)]
    return [f"{one.name}: {name}" for name in inside or ["the archive itself"]]


def versions(tag: str | None) -> list[str]:
    """Places that do not say the version of blox_env/version.py.

    Args:
        tag: of the release, such as ``v0.1.0``, or None.
    """
    said = (ROOT / "blox_env" / "version.py").read_text(encoding="utf-8")
    (version,) = re.findall(r'__version__ = "([^"]+)"', said)
    wrong = [] if tag in (None, f"v{version}") else [f"tag {tag}, version {version}"]
    for name, pattern in (
        ("CITATION.cff", rf"(?m)^version: {re.escape(version)}$"),
        ("CHANGELOG.md", rf"(?m)^## \[({re.escape(version)}|Unreleased)\].*"),
    ):
        if not re.search(pattern, (ROOT / name).read_text(encoding="utf-8")):
            wrong.append(f"{name} does not have version {version}")
    if tag and f"## [{version}]" not in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"):
        wrong.append(f"CHANGELOG.md has no part [{version}]")
    return wrong


def unrendered() -> list[str]:
    """What keeps README.md from being shown on PyPI."""
    from readme_renderer import markdown

    html = markdown.render((ROOT / "README.md").read_text(encoding="utf-8"))
    return [] if html and "<h1" in html else ["README.md does not render"]


def used(wheel: Path, folder: Path) -> str:
    """Install a wheel in a clean environment and use it there.

    Args:
        wheel: the file.
        folder: for the environment.
    """
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = ("-m", "pip", "--disable-pip-version-check", "install", "-q")
    run(python, *install, wheel, "-c", ROOT / "constraints.txt", cwd=folder, PYTHONPATH="")
    run(python, "-m", "pip", "check", cwd=folder, PYTHONPATH="")
    run(python, "-m", "blox_env", "info", cwd=folder, PYTHONPATH="")
    return run(python, "-c", USE, cwd=folder, PYTHONPATH="")


def main() -> None:
    """Build, compare, install, keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tag", help="of the release, such as v0.1.0")
    parser.add_argument("--offline", action="store_true", help="do not install the wheel")
    arguments = parser.parse_args()
    epoch = int(
        os.environ.get("SOURCE_DATE_EPOCH") or run("git", "log", "-1", "--format=%ct", cwd=ROOT)
    )
    wrong = versions(arguments.tag) + unrendered()
    with tempfile.TemporaryDirectory() as temporary:
        here = Path(temporary).resolve()
        first = build(here / "one", here / "first", epoch)
        second = build(here / "of_another_name", here / "second", epoch)
        different = [
            line for pair in zip(first, second, strict=True) for line in differences(*pair)
        ]
        print(f"differences between two builds: {', '.join(different) or 'none'}")
        wrong += different
        for path in first:
            size = path.stat().st_size
            print(
                f"{path.name}: {size / 1e6:.1f} MB, {hashlib.sha256(path.read_bytes()).hexdigest()}"
            )
            if path.suffix == ".whl" and size > LARGEST:
                wrong.append(f"{path.name} has more than {LARGEST / 1e6:.0f} MB")
        if not arguments.offline:
            print("in a clean environment:", used(first[1], here / "clean"))
        if wrong:
            sys.exit("\n".join(wrong))
        shutil.rmtree(ROOT / "dist", ignore_errors=True)
        (ROOT / "dist").mkdir()
        for path in first:
            shutil.copy2(path, ROOT / "dist")
    print("dist/ is ready")


if __name__ == "__main__":
    main()
