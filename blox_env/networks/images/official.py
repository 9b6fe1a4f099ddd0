"""The official CIFAR-10 and CIFAR-100 files, python and binary version, packed or extracted."""

from __future__ import annotations

import hashlib
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.array_pickle import Array, load_arrays
from blox_env.networks.images.image_set import ImageSet, Indices, Pixels

WHERE = "https://www.cs.toronto.edu/~kriz/cifar.html"
SIDE = 32
_PIXELS = 3 * SIDE * SIDE
_LARGEST_MEMBER = 1 << 28  # bytes; the largest official one has 1.6e8


@dataclass(frozen=True)
class Version:
    """One published form of a data set.

    Attributes:
        data_set: ``"cifar10"`` or ``"cifar100"``.
        archive: name of the published archive.
        md5: its checksum, as the publishing page states it.
        folder: the folder in it.
        train, test: the files that hold the images.
        names: the file that holds the names of the classes.
        classes: number of classes.
    """

    data_set: str
    archive: str
    md5: str
    folder: str
    train: tuple[str, ...]
    test: str
    names: str
    classes: int

    @property
    def binary(self) -> bool:
        """True if images stand as raw records, not in pickles."""
        return self.test.endswith(".bin")

    @property
    def files(self) -> tuple[str, ...]:
        """All files that are read, the training images first."""
        return (*self.train, self.test, self.names)


_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))
_BINARY_BATCHES = tuple(f"{batch}.bin" for batch in _BATCHES)
# The checksums stand on the publishing page (WHERE).
VERSIONS = (
    Version("cifar10", "cifar-10-python.tar.gz", "c58f30108f718f92721af3b95e74349a",
            "cifar-10-batches-py", _BATCHES, "test_batch", "batches.meta", 10),
    Version("cifar10", "cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530",
            "cifar-10-batches-bin", _BINARY_BATCHES, "test_batch.bin", "batches.meta.txt", 10),
    Version("cifar100", "cifar-100-python.tar.gz", "eb9058c3a382ffc7106e4002c42a8d85",
            "cifar-100-python", ("train",), "test", "meta", 100),
    Version("cifar100", "cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8",
            "cifar-100-binary", ("train.bin",), "test.bin", "fine_label_names.txt", 100),
)  # fmt: skip


def read_archive(path: Path, data_set: str, versions: tuple[Version, ...] = VERSIONS) -> ImageSet:
    """Read an official archive, recognised by its checksum whatever it is called.

    Args:
        path: the archive.
        data_set: what is expected in it, ``"cifar10"`` or ``"cifar100"``.
        versions: what is known.

    Raises:
        ValueError: for another file, and for one whose contents are not as published.
    """
    md5, sha256 = _checksums(path)
    version = next((v for v in versions if v.md5 == md5), None)
    known = [v for v in versions if v.data_set == data_set]
    if version is None:
        by_name = next((v for v in known if v.archive == path.name), None)
        expected = " or ".join(f"{v.md5} ({v.archive})" for v in ([by_name] if by_name else known))
        raise ValueError(
            f"{path}: expected MD5 {expected}, got {md5}: the file is cut, damaged or another one. "
            f"Get it again from {WHERE}; images of your own go into a folder or a pack"
        )
    if version.data_set != data_set:
        raise ValueError(
            f"{path} is {version.archive}: expected {data_set}, that is "
            f"{' or '.join(v.archive for v in known)}"
        )
    return _assemble(version, path, _members(path, version), sha256)


def read_extracted(folder: Path, version: Version) -> ImageSet:
    """Read the files of an extracted archive; they may be one's own in the same layout.

    Args:
        folder: of the extracted files.
        version: of the data set.

    Raises:
        ValueError: names the file that is missing or damaged.
    """
    digest = hashlib.sha256()
    contents: dict[str, bytes] = {}
    for name in version.files:
        file = folder / name
        if not file.is_file():
            raise ValueError(f"{folder} looks like {version.folder}, but {name} is missing")
        contents[name] = file.read_bytes()
        digest.update(f"{name}:{len(contents[name])}\n".encode() + contents[name])
    return _assemble(version, folder, contents, digest.hexdigest())


def layout_of(folder: Path) -> Version | None:
    """The version that a folder is the extracted archive of, None if of none.

    One of its files is enough: a missing one is an error of :func:`read_extracted`.
    """

    def files_there(version: Version) -> int:
        return sum((folder / name).is_file() for name in version.files)

    best = max(VERSIONS, key=files_there)
    return best if files_there(best) > 1 else None


def _members(path: Path, version: Version) -> dict[str, bytes]:
    """Contents of the files of a version, by name; other members are not looked at."""
    wanted = {f"{version.folder}/{name}": name for name in version.files}
    contents: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                name = wanted.get(str(PurePosixPath(member.name)))
                if name is None:
                    continue
                if not member.isfile() or member.size > _LARGEST_MEMBER:
                    raise ValueError(f"{path}: {member.name} is not a plain file of its size")
                file = archive.extractfile(member)
                assert file is not None  # a plain file
                contents[name] = file.read()
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if missing := sorted(set(version.files) - set(contents)):
        raise ValueError(f"{path}: expected {version.folder}/{missing[0]}, which is missing")
    return contents


def _assemble(
    version: Version, source: Path, contents: dict[str, bytes], checksum: str
) -> ImageSet:
    """Join the files of a version; an error says in which of them it is."""

    def read(reader: Callable[[Version, bytes], Any], name: str) -> Any:
        try:
            return reader(version, contents[name])
        except ValueError as error:
            raise ValueError(f"{source}, file {name}: {error}") from None

    classes = read(_binary_names if version.binary else _pickled_names, version.names)
    reader = _binary_images if version.binary else _pickled_images
    parts = [read(reader, name) for name in (*version.train, version.test)]
    sizes = [len(labels) for _, labels in parts]
    if len(set(sizes[:-1])) > 1:
        raise ValueError(
            f"{source}: expected as many images in each of {', '.join(version.train)}, got "
            f"{', '.join(map(str, sizes[:-1]))}"
        )
    images = np.concatenate([pixels for pixels, _ in parts])
    test = np.arange(len(images)) >= sum(sizes[:-1])
    return ImageSet(
        name=version.data_set,
        labels=np.concatenate([labels for _, labels in parts]),
        test=test,
        classes=classes,
        checksum=checksum,
        decode=_of(images),
    )


def _of(images: Pixels) -> Callable[[Indices], Pixels]:
    return lambda chosen: images[chosen]


def _binary_images(version: Version, data: bytes) -> tuple[Pixels, NDArray[np.int64]]:
    """Records of one label (of two, the second is the fine one) and the pixels, plane by plane."""
    labels = 1 if version.classes == 10 else 2
    record = labels + _PIXELS
    if not data or len(data) % record:
        raise ValueError(f"expected records of {record} bytes, got {len(data)} bytes: it is cut")
    rows = np.frombuffer(data, np.uint8).reshape(-1, record)
    pixels = rows[:, labels:].reshape(-1, 3, SIDE, SIDE)
    return pixels, rows[:, labels - 1].astype(np.int64)


def _binary_names(version: Version, data: bytes) -> tuple[str, ...]:
    lines = data.decode("ascii", "replace").split("\n")
    return _checked_names(version, [line.strip() for line in lines if line.strip()])


def _pickled_names(version: Version, data: bytes) -> tuple[str, ...]:
    field = "label_names" if version.classes == 10 else "fine_label_names"
    names = _field(load_arrays(data), field, list)
    return _checked_names(version, [*_texts(names)])


def _texts(names: list[Any]) -> Iterator[str]:
    for name in names:
        if not isinstance(name, bytes | str):
            raise ValueError(f"expected names of classes, got {type(name).__name__}")
        yield name.decode("latin1") if isinstance(name, bytes) else name


def _checked_names(version: Version, names: list[str]) -> tuple[str, ...]:
    if len(names) != version.classes or len(set(names)) < len(names):
        raise ValueError(f"expected the names of {version.classes} classes, got {names[:12]}")
    return tuple(names)


def _pickled_images(version: Version, data: bytes) -> tuple[Pixels, NDArray[np.int64]]:
    batch = load_arrays(data)
    labels = _field(batch, "labels" if version.classes == 10 else "fine_labels", list)
    array = _field(batch, "data", Array).values
    if array is None or array.dtype != np.uint8 or array.shape != (len(labels), _PIXELS):
        got = getattr(array, "shape", "no array")
        raise ValueError(f"expected data as uint8 of shape ({len(labels)}, {_PIXELS}), got {got}")
    if not all(type(label) is int and 0 <= label < version.classes for label in labels):
        raise ValueError(f"expected labels in 0 … {version.classes - 1}")
    return array.reshape(-1, 3, SIDE, SIDE), np.array(labels, dtype=np.int64)


def _field(batch: object, name: str, kind: type) -> Any:
    if not isinstance(batch, dict) or not isinstance(batch.get(name), kind):
        raise ValueError(f"expected a dict with {name!r} in it")
    return batch[name]


def _checksums(path: Path) -> tuple[str, str]:
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            md5.update(block)
            sha256.update(block)
    return md5.hexdigest(), sha256.hexdigest()
