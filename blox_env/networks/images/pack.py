"""Images as one ``.npz``: compressed pictures one after the other, without pickled objects.

=========== ==================== ==========================================
array       type, shape          meaning
=========== ==================== ==========================================
``data``    uint8 ``(bytes,)``   the JPEG or PNG streams, one after the other
``size``    integer ``(n,)``     bytes of each stream
``label``   integer ``(n,)``     class of each image
``test``    bool ``(n,)``        whether it is a test image
``classes`` text ``(classes,)``  names of the classes
=========== ==================== ==========================================
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.files import file_hash
from blox_env.networks.images.image_set import ImageSet, Indices, Pixels
from blox_env.networks.images.pictures import decode_picture

_ARRAYS = {"data": ("u", 1), "size": ("iu", 1), "label": ("iu", 1), "test": ("b", 1),
           "classes": ("U", 1)}  # fmt: skip


def read_pack(path: Path, name: str) -> ImageSet:
    """Read a pack; its pictures are decoded when they are asked for.

    Args:
        path: the ``.npz`` file.
        name: what the images are called.

    Raises:
        ValueError: names the file and what is wrong with it.
    """
    arrays = _arrays(path)
    sizes, data = arrays["size"].astype(np.int64), arrays["data"]
    count = len(sizes)
    if len(arrays["label"]) != count or len(arrays["test"]) != count:
        raise ValueError(
            f"{path}: expected as many values in size, label and test, got {count}, "
            f"{len(arrays['label'])} and {len(arrays['test'])}"
        )
    if data.dtype != np.uint8 or count == 0 or sizes.min() <= 0 or sizes.sum() != len(data):
        raise ValueError(
            f"{path}: expected data to be the bytes that size adds up to ({sizes.sum()}), got "
            f"{len(data)} of {data.dtype}"
        )
    starts = np.concatenate([[0], np.cumsum(sizes)])
    side = decode_picture(data[: starts[1]].tobytes(), f"{path}, image 0").shape[1]

    def decode(chosen: Indices) -> Pixels:
        pixels = np.empty((len(chosen), 3, side, side), np.uint8)
        for place, number in enumerate(chosen.tolist()):
            stream = data[starts[number] : starts[number + 1]].tobytes()
            picture = decode_picture(stream, f"{path}, image {number}")
            if picture.shape != pixels.shape[1:]:
                raise ValueError(
                    f"{path}, image {number}: expected {side} × {side} pixels as image 0 has, got "
                    f"{picture.shape[1]} × {picture.shape[2]}"
                )
            pixels[place] = picture
        return pixels

    try:
        return ImageSet(
            name=name,
            labels=arrays["label"].astype(np.int64),
            test=arrays["test"],
            classes=tuple(arrays["classes"].tolist()),
            checksum=file_hash(path),
            decode=decode,
        )
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in _ARRAYS if name in file.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error, KeyError) as error:
        raise ValueError(f"{path} is not a pack of images, or damaged: {error}") from error
    for name, (kinds, dimensions) in _ARRAYS.items():
        if name not in found:
            raise ValueError(f"{path} is not a pack of images: the array {name!r} is missing")
        array = found[name]
        if array.dtype.kind not in kinds or array.ndim != dimensions:
            raise ValueError(
                f"{path}: the array {name!r} has type {array.dtype} and shape {array.shape}"
            )
    return found
