"""Made-up files of a release, whole and damaged."""

import csv
import pickle
import zlib
from itertools import chain

import numpy as np
import pytest

from blox_env.importers.files import read_chunks, source_of
from blox_env.importers.made_up import SUFFIXES, encode_file, make_files
from blox_env.spaces import BloxSpace

SPACE = BloxSpace()


FORMATS = ("csv", "pickle", "custom")


PARTS = ("base", "ext", "info", "env", "bench")


def files(n=40, epochs=7, seed=1):
    rng = np.random.default_rng(seed)
    x = SPACE.from_index(rng.permutation(SPACE.size)[:n])
    return {f.part: f for f in make_files(x, epochs, (3,), ("phone",), PARTS, rng)}


FILES = files()


def read(path):
    """All rows of a file as one dict of columns."""
    chunks = list(read_chunks(source_of(path)))
    assert [c.start for c in chunks] == list(np.cumsum([1, *(len(c.hashes) for c in chunks)])[:-1])
    assert chunks[-1].done == 1.0
    whole = {"model_hash": [row.tobytes().hex() for c in chunks for row in c.hashes]}
    for name in chunks[0].columns:
        parts = [c.columns[name] for c in chunks]
        lists = isinstance(parts[0], list)
        whole[name] = list(chain(*parts)) if lists else np.concatenate(parts)
    return whole


def write(folder, file, form, change=lambda body: body, head=lambda text: text):
    data = encode_file(file, form)
    cut = data.index(b"\n---\n") + 5
    path = folder / f"{file.stem}.{SUFFIXES[form]}"
    path.write_bytes(head(data[:cut].decode()).encode() + change(data[cut:]))
    return path


def plain(path):
    """A reading of a CSV file with nothing of ours."""
    lines = path.read_text().split("---\n", 2)[2].splitlines()
    return list(csv.reader(lines))


def csv_change(column, row, cell):
    def change(body):
        rows = list(csv.reader(body.decode().splitlines()))
        rows[row][column] = cell
        return "".join(",".join(f'"{c}"' for c in r) + "\n" for r in rows).encode()

    return change


def pickle_change(column, row, value):
    def change(body):
        rows = pickle.loads(body)
        rows[row][column] = value
        return pickle.dumps(rows)

    return change


def inside(change):
    return lambda body: zlib.compress(change(zlib.decompress(body)))


def refused(path, message):
    with pytest.raises(ValueError, match=message) as error:
        list(read_chunks(source_of(path)))
    assert str(error.value).startswith(str(path))


LIST = "[1, 2, 3, 4, 5, 6, {}]"
