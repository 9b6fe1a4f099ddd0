"""Compressed pictures as arrays; the one place that uses Pillow."""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from blox_env.ground.extras import extra

if TYPE_CHECKING:
    from PIL.Image import Image


def decode_picture(data: bytes, source: str, side: int | None = None) -> NDArray[np.uint8]:
    """The colours of one picture, ``(3, h, w)`` uint8.

    Args:
        data: a JPEG, PNG, BMP or WebP stream.
        source: where it is from, for errors.
        side: cut the largest square out of the middle and scale it to so many pixels; as it is if
            not given, and then it has to be square.

    Raises:
        ValueError: for data that are no picture, or a cut one.
    """
    pillow = _pillow()
    try:
        with pillow.open(io.BytesIO(data), formats=("JPEG", "PNG", "BMP", "WEBP")) as picture:
            colours: Image = picture.convert("RGB")
    except (OSError, SyntaxError, ValueError, pillow.DecompressionBombError) as error:
        raise ValueError(f"{source} is not a picture, or damaged: {error}") from error
    if side is not None:
        edge = min(colours.size)
        left, top = (colours.width - edge) // 2, (colours.height - edge) // 2
        square = (left, top, left + edge, top + edge)
        colours = colours.resize((side, side), pillow.Resampling.BOX, box=square)
    elif colours.width != colours.height:
        raise ValueError(f"{source}: expected a square, got {colours.width} × {colours.height}")
    return np.ascontiguousarray(np.asarray(colours, dtype=np.uint8).transpose(2, 0, 1))


@cache
def _pillow() -> Any:
    with extra("torch", "reading pictures"):
        from PIL import Image
    return Image
