import io

import numpy as np
import pytest
from PIL import Image

from blox_env.networks.images.pictures import decode_picture

COLOURS = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)


def stream(kind, mode="RGB", size=None):
    data = io.BytesIO()
    picture = Image.fromarray(COLOURS).convert(mode)
    (picture if size is None else picture.crop((0, 0, *size))).save(data, kind)
    return data.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "BMP"])
def test_colours_come_back_channels_first(kind):
    found = decode_picture(stream(kind, size=(24, 24)), "x")
    np.testing.assert_array_equal(found, COLOURS[:, :24].transpose(2, 0, 1))
    assert found.flags.c_contiguous


def test_grey_pictures_have_three_equal_channels():
    found = decode_picture(stream("PNG", "L", (8, 8)), "x")
    assert found.shape == (3, 8, 8)
    np.testing.assert_array_equal(found[0], found[2])


def test_the_middle_square_is_cut_out_and_scaled():
    found = decode_picture(stream("PNG"), "x", side=12)
    square = COLOURS[:, 8:32].astype(float).reshape(12, 2, 12, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(found, square.transpose(2, 0, 1), atol=1)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "photo.png is not a picture, or damaged"),
        (stream("PNG")[:-60], "photo.png is not a picture, or damaged"),
        (stream("JPEG")[:300], "photo.png is not a picture, or damaged"),
        (stream("GIF"), "photo.png is not a picture"),
        (stream("PNG"), "photo.png: expected a square, got 40 × 24"),
    ],
)
def test_what_is_wrong_is_named(data, message):
    with pytest.raises(ValueError, match=message):
        decode_picture(data, "photo.png")
