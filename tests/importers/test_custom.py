import tracemalloc

import numpy as np
import pytest

from blox_env.ground.errors import RowError
from blox_env.importers.custom import _arch
from tests.importers.files_of import FILES, inside, read, refused, write


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b[:50], "row 1: the stream ends before the last row"),
        (lambda b: b[:-1], "the compressed stream is cut off"),
        (lambda b: b + b"x", "goes on after the compressed stream"),
        (lambda b: b"no zlib", "incorrect header check"),
        (lambda b: b"", "the stream ends"),
        (inside(lambda b: b[:-40]), "row 39: the stream ends before the last row"),
        (inside(lambda b: b + bytes(7)), None),
        (inside(lambda b: b + bytes(17)), "goes on after the last row"),
        (inside(lambda b: b + b"x"), "goes on after the last row"),
        (inside(lambda b: b + bytes(10**8)), "goes on after the last row"),
        (inside(lambda b: b[:8] + b"\xff" * 4 + b[12:]), "at most 91125 rows"),
        (inside(lambda b: b[:8] + b"\x29\0\0\0" + b[12:]), "row 41: the stream ends"),
        (inside(lambda b: b[:8] + b"\x27\0\0\0" + b[12:]), "goes on after the last row"),
        (inside(lambda b: bytes(8) + b[8:]), None),  # the count of bits is not reliable
        (inside(lambda b: b[:28] + b"\x08" + b[29:]), "row 1: val_top1: expected a list of 7"),
    ],
)
def test_damaged_streams(tmp_path, change, message):
    path = write(tmp_path, FILES["base"], "custom", change)
    if message is None:
        assert read(path)["model_hash"] == FILES["base"].hashes
    else:
        refused(path, message)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("train_time_s: int", "train_time_s: str", "train_time_s: expected int or float, got"),
        ("train_time_s: int", "train_time_s: list[int]", "train_time_s: expected int or float"),
        ("train_time_s: int", "train_time_s: long", "train_time_s: unknown type 'long'"),
        ("train_time_s: int", "train_time_s: int]", "unknown type"),
        ("train_time_s: int", "other: int", "must have one for each column"),
        ("model_hash: hash", "model_hash: str", "model_hash: expected hash"),
        ("test_top1: b_", "test_top1: b_9", "test_top1: expected b_MIN_MAX_BITS"),
        ("_16\n", "_33\n", "1 to 32 bits"),
        ("epochs: 7", "epochs: 300", "at most 255 elements"),
    ],
)
def test_damaged_types(tmp_path, old, new, message):
    path = write(tmp_path, FILES["base"], "custom", head=lambda t: t.replace(old, new))
    refused(path, message)


def test_text_that_is_cut_off_names_the_row(tmp_path):
    path = write(tmp_path, FILES["env"], "custom", inside(lambda b: b[:-30]))
    refused(path, r"row (39|40): the stream ends")


def test_a_stream_that_grows_without_end_takes_no_memory(tmp_path):
    path = write(tmp_path, FILES["base"], "custom", inside(lambda b: b + bytes(10**8)))
    tracemalloc.start()
    try:
        refused(path, "goes on after the last row")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10**7


def test_operations_that_are_none_are_refused():
    assert _arch(np.array([[8 << 3 | 0b101, 0, 0]], np.uint8))[0, :5].tolist() == [2, 2, 1, 0, 1]
    with pytest.raises(RowError, match="arch_vec: expected operations 0, 1, 2"):
        _arch(np.array([[0, 0, 9 << 3]], np.uint8))
