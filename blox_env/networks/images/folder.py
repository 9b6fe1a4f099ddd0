"""A folder of pictures, one folder a class; read when their pixels are asked for."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.errors import check_positive_int
from blox_env.networks.images.image_set import ImageSet, Indices, Pixels
from blox_env.networks.images.pictures import decode_picture

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp")
TEST_SHARE = 1 / 6  # of every class, where the folder has no split: that of CIFAR


def read_folder(folder: Path, name: str, *, side: int = 32, seed: int = 0) -> ImageSet:
    """The pictures of a folder by class, cut to squares of ``side`` pixels.

    Either ``train/CLASS/…`` and ``test/CLASS/…``, or only ``CLASS/…``: then a sixth of every class,
    drawn with ``seed``, is the test set. Hidden files and folders are left out.

    Args:
        folder: where the pictures are.
        name: what they are called.
        side: pixels of the squares that they are cut and scaled to.
        seed: of the draw of test pictures.

    Raises:
        ValueError: names the folder or file, and says what was expected.
    """
    side = check_positive_int("side", side)
    parts = [folder / "train", folder / "test"]
    there = [part.is_dir() for part in parts]
    if any(there) and not all(there):
        present, absent = sorted(parts, key=Path.is_dir, reverse=True)
        raise ValueError(f"{folder} has {present.name}/, but no {absent.name}/ beside it")
    split = all(there)
    classes = _classes(parts[0] if split else folder)
    if split and (others := _classes(parts[1])) != classes:
        odd = sorted(set(classes) ^ set(others))
        raise ValueError(f"{folder}: expected the same classes in train/ and test/, not {odd[:5]}")
    files: list[Path] = []
    labels: list[int] = []
    test: list[bool] = []
    for part in parts if split else [folder]:
        for label, each in enumerate(classes):
            found = _pictures(part / each)
            if not found:
                raise ValueError(f"{part / each}: expected pictures ({', '.join(ENDINGS)}) in it")
            files += found
            labels += [label] * len(found)
            test += [part == parts[1]] * len(found)
    numbers = np.array(labels, dtype=np.int64)

    def decode(chosen: Indices) -> Pixels:
        pixels = np.empty((len(chosen), 3, side, side), np.uint8)
        for place, number in enumerate(chosen.tolist()):
            file = files[number]
            pixels[place] = decode_picture(file.read_bytes(), str(file), side)
        return pixels

    return ImageSet(
        name=name,
        labels=numbers,
        test=np.array(test) if split else _drawn(numbers, len(classes), seed),
        classes=tuple(classes),
        checksum=_checksum(folder, files),
        decode=decode,
    )


def _classes(folder: Path) -> list[str]:
    names = sorted(p.name for p in folder.iterdir() if p.is_dir() and p.name[0] != ".")
    if len(names) < 2:
        raise ValueError(f"{folder}: expected one folder for each of at least two classes")
    return names


def _pictures(folder: Path) -> list[Path]:
    return sorted(
        p
        for p in folder.rglob("*")
        if p.suffix.lower() in ENDINGS and p.name[0] != "." and p.is_file()
    )


def _drawn(labels: NDArray[np.int64], classes: int, seed: int) -> NDArray[np.bool_]:
    """A share of every class, at least one picture, and not all of them."""
    rng = np.random.default_rng(seed)
    test = np.zeros(len(labels), dtype=bool)
    for label in range(classes):
        members = rng.permutation(np.flatnonzero(labels == label))
        if len(members) < 2:
            raise ValueError("expected at least two pictures in every class, for training and test")
        test[members[: max(1, round(TEST_SHARE * len(members)))]] = True
    return test


def _checksum(folder: Path, files: list[Path]) -> str:
    """SHA-256 over names and contents, in order."""
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            content = hashlib.file_digest(opened, "sha256").hexdigest()
        digest.update(f"{file.relative_to(folder).as_posix()}:{content}\n".encode())
    return digest.hexdigest()
