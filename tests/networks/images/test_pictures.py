import io

import numpy as np
import pytest

pil = pytest.importorskip("PIL.Image")

from blox_env.networks.images.pictures import decode_picture


def png(pixels):
    out = io.BytesIO()
    pil.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def test_colours_come_first():
    pixels = np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    np.testing.assert_array_equal(decode_picture(png(pixels), "a.png"), pixels.transpose(2, 0, 1))


def test_the_middle_is_cut_out_and_scaled():
    pixels = np.zeros((4, 8, 3), dtype=np.uint8)
    pixels[:, 2:6] = 200
    found = decode_picture(png(pixels), "a.png", side=2)
    assert found.shape == (3, 2, 2)
    assert (found == 200).all()


@pytest.mark.parametrize("data", [b"", b"no picture", png(np.zeros((9, 9, 3), np.uint8))[:40]])
def test_what_is_no_picture_is_named(data):
    with pytest.raises(ValueError, match=r"a\.png is not a picture, or damaged"):
        decode_picture(data, "a.png")
