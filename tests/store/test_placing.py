"""A store comes to its place whole, replaces nothing that it may not, and removes nothing else."""

import pytest

from blox_env.ground import folders
from blox_env.ground.files import short_name
from blox_env.store.placing import new_folder
from blox_env.store.reader import MANIFEST
from tests.store.test_writer import write


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.fixture(params=[True, False], ids=["flags", "no flags"])
def target(request, tmp_path, monkeypatch):
    """With and without the renames that Linux alone has."""
    if not request.param:
        monkeypatch.setattr(folders, "_rename", lambda *_: False)
    return tmp_path / "store"


def make(target, **options):
    with new_folder(target, **options) as folder:
        write(folder)


@pytest.mark.parametrize("what", ["empty", "full", "file"])
@pytest.mark.parametrize("replace", [False, True])
def test_what_appears_meanwhile_is_kept(target, what, replace):
    def appear():
        with new_folder(target, replace=replace) as folder:
            write(folder)
            target.touch() if what == "file" else target.mkdir()
            if what == "full":
                (target / "thesis.txt").touch()

    with pytest.raises(ValueError, match="is there"):
        appear()
    assert names(target.parent)[-1] == ("store/thesis.txt" if what == "full" else "store")
    assert not list(target.parent.glob(".*"))


def test_a_store_that_appears_meanwhile_is_not_replaced_unasked(target):
    def appear():
        with new_folder(target) as folder:
            write(folder)
            target.mkdir()
            write(target)

    with pytest.raises(ValueError, match="or replace it"):
        appear()
    assert (target / MANIFEST).is_file()


def test_a_store_is_replaced_and_nothing_else(target):
    make(target)
    before = names(target)
    make(target, replace=True)
    assert names(target) == before
    (target / "seed-0" / "thesis.txt").touch()
    with pytest.raises(ValueError, match=r"it holds seed-0/thesis\.txt, which is not of the store"):
        make(target, replace=True)
    (target / MANIFEST).write_text("damaged")
    with pytest.raises(ValueError, match=r"it holds seed-0/thesis\.txt"):
        make(target, replace=True)
    (target / "seed-0" / "thesis.txt").unlink()
    (target / "seed-0" / "mine.npy").touch()
    make(target, replace=True)  # of a damaged one it is not known which arrays it had
    (target / "mine.npy").touch()
    with pytest.raises(ValueError, match=r"it holds mine\.npy"):
        make(target, replace=True)
    assert names(target.parent)[0] == "store"


def test_another_programs_manifest_is_no_store(target):
    target.mkdir()
    (target / MANIFEST).write_text('{"name": "an extension of a browser"}')
    (target / "background.js").touch()
    with pytest.raises(ValueError, match=r"it holds background\.js"):
        make(target, replace=True)


def test_a_link_is_followed(target):
    (target.parent / "disk").mkdir()
    target.symlink_to("disk/store")
    make(target)
    make(target, replace=True)
    assert target.is_symlink()
    assert (target.parent / "disk" / "store" / MANIFEST).is_file()
    assert len(list((target.parent / "disk").iterdir())) == 1


def test_names_as_long_as_a_folder_may_have(target):
    long = target.with_name("n" * 255)
    make(long)
    assert [path.name for path in target.parent.iterdir()] == [long.name]


def test_one_import_at_a_time(target):
    with new_folder(target) as folder:
        with pytest.raises(RuntimeError, match=r"another import to .*store is at work"):
            make(target)
        write(folder)
    assert (target / MANIFEST).is_file()


def test_a_move_that_fails_leaves_what_was_there(target, monkeypatch):
    make(target)
    before = (target / MANIFEST).stat().st_ino
    monkeypatch.setattr("blox_env.store.placing.exchange", fail)
    with pytest.raises(OSError, match="disk"):
        make(target, replace=True)
    assert (target / MANIFEST).stat().st_ino == before
    assert not list(target.parent.glob(".*"))


def fail(*_):
    raise OSError("disk")


def test_files_of_others_in_a_working_folder_are_left_alone(target):
    left = target.parent / f".{short_name(target.name)}.importing"
    (left / "new").mkdir(parents=True)
    (left / "lock").touch()
    (left / "new" / "column.npy").touch()
    (left / "new" / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="holds files that are not of a store"), new_folder(target):
        pass
    assert (left / "new" / "notes.txt").read_text() == "mine"
    assert not (left / "new" / "column.npy").exists()
