from pathlib import Path

import pytest

from blox_env.ground.startup import BESIDE, find_beside, tidy

CHECKOUT = str(Path(__file__).resolve().parents[2])


@pytest.mark.parametrize(
    ("argv", "called", "here", "after"),
    [
        (["-m", "info"], ["python", "-m", "blox_env", "info"], "/work", ["/lib"]),
        (["-m"], ["python", "-mblox_env"], "/work", ["/lib"]),
        (["-m"], ["python", "-m", "blox_env"], CHECKOUT, ["/lib", CHECKOUT]),
        (["-m"], ["python", "-m", "mine"], "/work", ["/work", "/lib"]),
        (["mine.py", "-m", "blox_env"], ["python", "-m", "blox_env"], "/work", ["/work", "/lib"]),
    ],
)
def test_the_working_directory_goes_where_the_package_is_run(argv, called, here, after):
    path = [here, "/lib"]
    tidy(argv, called, path, here)
    assert path == after


def test_a_path_without_the_working_directory_stays():
    path = ["/lib", "/work"]
    tidy(["-m"], ["python", "-P", "-m", "blox_env"], path, "/work")
    assert path == ["/lib", "/work"]


@pytest.mark.parametrize(
    ("kinds", "after"),
    [
        (("folder", "folder"), ["pkg"]),
        (("text", "text"), ["pkg", "."]),
        (("folder", "text"), ["pkg", "."]),
        ((None, None), ["pkg"]),
    ],
)
def test_links_that_are_files_do_not_matter(tmp_path, kinds, after):
    (tmp_path / "pkg").mkdir()
    for name, kind in zip(BESIDE, kinds, strict=True):
        if kind == "folder":
            (tmp_path / "pkg" / name).mkdir()
        elif kind == "text":
            (tmp_path / "pkg" / name).write_bytes(b"../" + name.encode())
    path = [str(tmp_path / "pkg")]
    for _ in range(2):
        find_beside(path)
        assert path == [str(tmp_path / each) for each in after]
