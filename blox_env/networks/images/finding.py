"""The place of a user's images: an argument, or the environment variable ``BLOX_ENV_DATA``."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from blox_env.ground.errors import unknown_name
from blox_env.ground.files import DATA_PLACE
from blox_env.networks.images.folder import read_folder
from blox_env.networks.images.image_set import ImageSet
from blox_env.networks.images.official import (
    VERSIONS,
    WHERE,
    layout_of,
    read_archive,
    read_extracted,
)
from blox_env.networks.images.pack import read_pack

FOLDER = "folder"  # a data set of one's own
_TITLES = {"cifar10": ("CIFAR-10", 10), "cifar100": ("CIFAR-100", 100)}
NAMES = (*_TITLES, FOLDER)


def find_images(
    name: str, data: str | Path | None = None, *, side: int = 32, seed: int = 0
) -> ImageSet:
    """The images of a name, read once a process. Nothing is downloaded.

    Args:
        name: ``"cifar10"``, ``"cifar100"``, or ``"folder"`` for images of your own.
        data: a file or folder, or a folder that holds it under a known name (its published name,
            that of the extracted folder, ``NAME.npz``, ``NAME-jpeg.npz`` or ``NAME``); the
            environment variable BLOX_ENV_DATA if not given.
        side: pixels that pictures in a folder are scaled to.
        seed: of the test set of a folder that has none.

    Raises:
        FileNotFoundError: when there is nothing; says what to get and where to put it.
        ValueError: for an unknown name; for a file that is cut, damaged or another one, named.
    """
    if name not in NAMES:
        raise ValueError(unknown_name("images", name, NAMES))
    given = data if data is not None else os.environ.get(DATA_PLACE) or None
    if given is None:
        raise FileNotFoundError(f"no images for {name!r}: {_advice(name)}")
    path = _look(name, Path(given).expanduser().resolve())
    status = path.stat()
    return _read(name, path, side, seed, (status.st_mtime_ns, status.st_size))


def _look(name: str, given: Path) -> Path:
    """The file or folder to read, ``given`` itself or in it."""
    if not given.exists():
        raise FileNotFoundError(f"no images for {name!r}: {given} does not exist; {_advice(name)}")
    if given.is_file() or name == FOLDER or layout_of(given) is not None:
        return given
    for known in _known(name):
        if (given / known).exists():
            return given / known
    if _by_class(given):
        return given
    raise FileNotFoundError(
        f"no images for {name!r} in {given}: expected {', '.join(_known(name))} there, or folders "
        f"of pictures by class; {_advice(name)}"
    )


def _known(name: str) -> list[str]:
    official = [each for v in VERSIONS if v.data_set == name for each in (v.archive, v.folder)]
    return [*official, f"{name}.npz", f"{name}-jpeg.npz", name]


def _by_class(folder: Path) -> bool:
    return (folder / "train").is_dir() and (folder / "test").is_dir()


@lru_cache(maxsize=2)
def _read(name: str, path: Path, side: int, seed: int, _changed: tuple[int, int]) -> ImageSet:
    if path.is_dir():
        version = layout_of(path)
        if version is None:
            images = read_folder(path, name, side=side, seed=seed)
        elif name in (FOLDER, version.data_set):
            images = read_extracted(path, version)
        else:
            raise ValueError(f"{path} has the layout of {version.data_set}, expected {name}")
    elif path.suffix == ".npz":
        images = read_pack(path, name)
    elif name == FOLDER:
        raise ValueError(f"{path}: expected a folder of pictures by class, or a pack (.npz)")
    else:
        images = read_archive(path, name)
    if name in _TITLES and len(images.classes) != _TITLES[name][1]:
        raise ValueError(
            f"{path}: expected the {_TITLES[name][1]} classes of {name}, got {len(images.classes)}"
        )
    return images


def _advice(name: str) -> str:
    place = f"give its place with data= (--data) or the environment variable {DATA_PLACE}"
    if name == FOLDER:
        return f"make a folder of pictures with one folder a class, and {place}"
    archives = " or ".join(v.archive for v in VERSIONS if v.data_set == name)
    return (
        f"get {archives} from {WHERE} ({_TITLES[name][0]}, not downloaded by itself), and {place}"
    )
