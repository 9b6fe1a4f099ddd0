"""The check of a release: what differs between builds is found, sdists are made equal."""

import importlib.util
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from blox_env.version import __version__

ROOT = Path(__file__).resolve().parents[1]
NOON = (2026, 1, 1, 12, 0, 0)


@pytest.fixture(scope="module")
def check():
    spec = importlib.util.spec_from_file_location("release", ROOT / ".ci" / "release_check.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wheel(path, files, when=NOON):
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, when), text)
    return path


def sdist(folder, when, order):
    """An sdist of two files as setuptools would make it: with times, owners, its own order."""
    source = folder / "blox-1"
    source.mkdir(parents=True)
    for name in order:
        (source / name).write_text(name)
        os.utime(source / name, (when, when))
    path = folder / "blox-1.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in order:
            archive.add(source / name, f"blox-1/{name}")
    return path


def test_equal_wheels_do_not_differ(check, tmp_path):
    files = {"a.py": "1", "b.py": "2"}
    one, other = wheel(tmp_path / "1" / "w.whl", files), wheel(tmp_path / "2" / "w.whl", files)
    assert check.differences(one, other) == []


@pytest.mark.parametrize(
    ("files", "when", "found"),
    [
        ({"a.py": "1", "b.py": "3"}, NOON, ["w.whl: b.py"]),
        ({"a.py": "1"}, NOON, ["w.whl: b.py"]),
        ({"a.py": "1", "b.py": "2"}, (2026, 1, 1, 13, 0, 0), ["w.whl: a.py", "w.whl: b.py"]),
        ({"b.py": "2", "a.py": "1"}, NOON, ["w.whl: the archive itself"]),
    ],
)
def test_what_differs_is_named(check, tmp_path, files, when, found):
    one = wheel(tmp_path / "1" / "w.whl", {"a.py": "1", "b.py": "2"})
    assert check.differences(one, wheel(tmp_path / "2" / "w.whl", files, when)) == found


def test_sdists_of_two_times_become_equal(check, tmp_path):
    one = sdist(tmp_path / "1", 1_000_000_000, ["a", "b"])
    other = sdist(tmp_path / "2", 1_100_000_000, ["b", "a"])
    assert check.differences(one, other) != []
    for path in (one, other):
        check.settled(path, 1_200_000_000)
    assert check.differences(one, other) == []
    with tarfile.open(one) as archive:
        assert archive.extractfile("blox-1/a").read() == b"a"
        assert {each.mtime for each in archive.getmembers()} == {1_200_000_000}


def test_versions(check):
    assert check.versions(None) == []
    assert check.versions("v999.0.0")[0] == f"tag v999.0.0, version {__version__}"
