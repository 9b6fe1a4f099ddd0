"""A byte of a store that is another one is an error, or changes no number: `make faults`."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from blox_env.store.reader import Store
from tests.store.stores import import_store

COPIES = 10_000


def numbers(folder):
    """All that a store says, read anew."""
    store = Store(folder)
    found = {key: store.raw(key) for key in store.manifest["columns"]}
    found |= {f"{key} by line": store.line(key, 1) for key in found if store.is_curve(key)}
    return store.manifest, store.numbers, store.checksum(), found


def equal(one, other):
    return (
        one[0] == other[0]
        and np.array_equal(one[1], other[1])
        and one[2] == other[2]
        and one[3].keys() == other[3].keys()
        and all(np.array_equal(one[3][k], other[3][k], equal_nan=True) for k in one[3])
    )


def flip(folder, copies):
    """Change one byte of the files, again and again; how many were refused and how many equal."""
    rng = np.random.default_rng(15)
    expected = numbers(folder)
    contents = {p: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
    contents = {p: data for p, data in contents.items() if p.name != "CARD.md"}
    refused, same = 0, 0
    for _ in range(copies):
        path = list(contents)[rng.integers(len(contents))]
        data = bytearray(contents[path])
        data[rng.integers(len(data))] ^= rng.integers(1, 256)
        path.write_bytes(data)  # in place: the same inode and size, often the same time
        message = str(folder)
        try:
            assert equal(numbers(folder), expected), f"{path} was changed and not refused"
            same += 1
        except ValueError as error:
            message = str(error)
            refused += 1
        assert str(folder) in message
        path.write_bytes(contents[path])
    assert equal(numbers(folder), expected)
    return refused, same


def test_some_flipped_bytes(store, tmp_path):
    shutil.copytree(store, tmp_path / "copy")
    refused, same = flip(tmp_path / "copy", 80)
    assert refused + same == 80
    assert refused > 60


@pytest.mark.faults
def test_ten_thousand_flipped_bytes(tmp_path):
    memory = Path("/dev/shm")
    place = tmp_path if not memory.is_dir() else memory / f"blox-env-{tmp_path.name}"
    place.mkdir(exist_ok=True)
    try:
        refused, same = flip(import_store(place), COPIES)
    finally:
        shutil.rmtree(place)
    print(f"{refused} refused, {same} with the same numbers")  # noqa: T201 (seen with -s)
    assert refused + same == COPIES
