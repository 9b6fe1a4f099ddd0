import dataclasses
import hashlib
import os
import pickle

import numpy as np
import pytest

from blox_env.networks.images import find_images, official
from tests.networks.images.made_up import (
    PER_FILE,
    binary_files,
    python2_batch,
    python_files,
    write_archive,
    write_folder,
)

FILES = {False: python_files, True: binary_files}
EACH = pytest.mark.parametrize("version", official.VERSIONS, ids=lambda v: v.archive)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def made(version, rng, tmp_path, monkeypatch):
    """A made-up archive that passes as the published one, its images and labels."""
    files, images, labels = FILES[version.binary](rng, version.data_set)
    path = write_archive(tmp_path / version.archive, version.folder, files)
    known = dataclasses.replace(version, md5=hashlib.md5(path.read_bytes()).hexdigest())
    versions = tuple(known if v == version else v for v in official.VERSIONS)
    return path, versions, files, images, labels


@EACH
def test_an_archive_is_read(version, made):
    path, versions, _, images, labels = made
    found = official.read_archive(path, version.data_set, versions)
    np.testing.assert_array_equal(found.images, images)
    np.testing.assert_array_equal(found.labels, labels)
    np.testing.assert_array_equal(found.take(np.array([5, 2])), images[[5, 2]])
    assert found.test.tolist() == [False] * (len(labels) - PER_FILE) + [True] * PER_FILE
    assert len(found.classes) == version.classes
    assert found.checksum == hashlib.sha256(path.read_bytes()).hexdigest()


@EACH
def test_an_extracted_archive_is_read_and_found(version, made, tmp_path, monkeypatch):
    _, _, files, images, labels = made
    data = tmp_path / "data"
    data.mkdir()
    folder = write_folder(data / version.folder, files)
    monkeypatch.delenv("BLOX_ENV_DATA", raising=False)
    for place in (folder, data):  # itself, or in a folder under its known name
        found = find_images(version.data_set, place)
        np.testing.assert_array_equal(found.images, images)
        np.testing.assert_array_equal(found.labels, labels)
    monkeypatch.setenv("BLOX_ENV_DATA", str(data))
    assert find_images(version.data_set) is found  # read once a process


@EACH
def test_another_archive_is_named_with_both_checksums(version, made):
    path, *_ = made
    got = hashlib.md5(path.read_bytes()).hexdigest()
    with pytest.raises(ValueError, match=f"{version.archive}: expected MD5 {version.md5}") as error:
        find_images(version.data_set, path)
    assert f"got {got}" in str(error.value)
    assert "a folder or a pack" in str(error.value)


@EACH
def test_a_cut_archive_is_named_even_if_its_checksum_were_known(version, made):
    path, versions, *_ = made
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ValueError, match=f"{version.archive}: expected MD5"):
        official.read_archive(path, version.data_set, versions)
    cut = dataclasses.replace(version, md5=hashlib.md5(path.read_bytes()).hexdigest())
    with pytest.raises(ValueError, match=f"{version.archive} is damaged: "):
        official.read_archive(path, version.data_set, (cut,))


@EACH
def test_the_archive_of_another_data_set_is_named(version, made):
    path, versions, *_ = made
    other = "cifar100" if version.data_set == "cifar10" else "cifar10"
    with pytest.raises(ValueError, match=f"is {version.archive}: expected {other}"):
        official.read_archive(path, other, versions)


@EACH
def test_damage_in_a_folder_is_named(version, made, tmp_path):
    _, _, files, *_ = made
    for name in version.files:
        folder = write_folder(tmp_path / f"without_{name}", files)
        (folder / name).unlink()
        with pytest.raises(ValueError, match=rf"{name} is missing"):
            official.read_extracted(folder, version)
        (folder / name).write_bytes(files[name][: len(files[name]) // 2 - 7])
        with pytest.raises(ValueError, match=rf"file {name}: "):
            official.read_extracted(folder, version)


@pytest.mark.parametrize("size", [PER_FILE - 1, PER_FILE + 1])
def test_a_binary_batch_of_another_length_is_named(size, rng, tmp_path):
    version = official.VERSIONS[1]
    files, *_ = binary_files(rng, "cifar10")
    record = len(files["data_batch_1.bin"]) // PER_FILE
    files["data_batch_3.bin"] = (files["data_batch_3.bin"] * 2)[: size * record]
    with pytest.raises(ValueError, match=f"as many images in each .* 4, 4, {size}, 4, 4"):
        official.read_extracted(write_folder(tmp_path / "x", files), version)


class Evil:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (self.mark,)


@pytest.mark.parametrize("hidden_in", ["data", "labels", "a field that nobody reads"])
@pytest.mark.parametrize("protocol", [2, 4])
def test_an_archive_with_code_in_it_runs_nothing(hidden_in, protocol, rng, tmp_path):
    version = official.VERSIONS[0]
    files, images, labels = python_files(rng, "cifar10")
    mark = tmp_path / "mark"
    batch = {b"data": images[:4].reshape(4, -1), b"labels": labels[:4].tolist()}
    batch[hidden_in.encode()] = Evil(str(mark))
    files["data_batch_2"] = pickle.dumps(batch, protocol=protocol)
    path = write_archive(tmp_path / version.archive, version.folder, files)
    known = dataclasses.replace(version, md5=hashlib.md5(path.read_bytes()).hexdigest())
    with pytest.raises(ValueError, match=r"cifar-10-python\.tar\.gz, file data_batch_2: .*mkdir"):
        official.read_archive(path, "cifar10", (known,))
    with pytest.raises(ValueError, match=r"folder, file data_batch_2: .*mkdir"):
        official.read_extracted(write_folder(tmp_path / "folder", files), version)
    assert not mark.exists()
    pickle.loads(files["data_batch_2"])  # it is evil indeed
    assert mark.exists()


def test_members_that_lead_elsewhere_are_refused(rng, tmp_path):
    import tarfile

    version = official.VERSIONS[0]
    path = tmp_path / version.archive
    with tarfile.open(path, "w:gz") as archive:
        link = tarfile.TarInfo(f"{version.folder}/data_batch_1")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    known = dataclasses.replace(version, md5=hashlib.md5(path.read_bytes()).hexdigest())
    with pytest.raises(ValueError, match="data_batch_1 is not a plain file"):
        official.read_archive(path, "cifar10", (known,))


def test_the_made_up_batch_is_what_pickle_reads(rng):
    from tests.networks.images.made_up import pixels

    images = pixels(rng, 3)
    batch = pickle.loads(python2_batch(images, [1, 2, 3]), encoding="bytes")
    assert batch[b"labels"] == [1, 2, 3]
    np.testing.assert_array_equal(batch[b"data"], images.reshape(3, -1))


@EACH
def test_members_that_are_too_large_are_not_read(version, made, monkeypatch):
    path, versions, *_ = made
    monkeypatch.setattr(official, "_LARGEST_MEMBER", 20)
    with pytest.raises(ValueError, match="is not a plain file of its size"):
        official.read_archive(path, version.data_set, versions)


@pytest.mark.parametrize("label", [10, -1, True, "1"])
def test_labels_that_no_class_has_are_refused(label):
    (version,) = (v for v in official.VERSIONS if not v.binary and v.classes == 10)
    batch = {"labels": [label], "data": np.zeros((1, 3 * 32 * 32), np.uint8)}
    with pytest.raises(ValueError, match=r"expected labels in 0 … 9"):
        official._pickled_images(version, pickle.dumps(batch, protocol=2))
