"""The three formats of a release file give the same values; what is damaged is named."""

import csv
import json
import pickle
import zlib
from itertools import chain

import numpy as np
import pytest

from blox_env.importers.files import read_chunks, source_of
from blox_env.importers.header import read_header
from blox_env.importers.made_up import SUFFIXES, encode_file, expected, make_files
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


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("part", PARTS)
def test_every_format_gives_what_was_written(form, part, tmp_path):
    file = FILES[part]
    found = read(write(tmp_path, file, form))
    assert found["model_hash"] == file.hashes
    assert list(found)[1:] == list(file.columns)
    for name, values in file.columns.items():
        if name == "arch_vec":
            rows = SPACE.from_flat(found[name])
            assert SPACE.model_hash(rows) == file.hashes
        elif part == "env":
            assert found[name] == values
        else:
            np.testing.assert_array_equal(found[name], expected(file, name))


def test_more_rows_than_are_read_at_once(tmp_path):
    many = files(n=1500, epochs=2)
    for part in ("base", "env"):
        found = [read(write(tmp_path, many[part], form)) for form in FORMATS]
        for other in found[1:]:
            for name, values in found[0].items():
                np.testing.assert_array_equal(other[name], values)


def plain(path):
    """A reading of a CSV file with nothing of ours."""
    lines = path.read_text().split("---\n", 2)[2].splitlines()
    return list(csv.reader(lines))


@pytest.mark.parametrize(
    "stem",
    [
        *("base-0", "base-1", "ext-0", "ext-1", "env-0", "env-1", "info"),
        *("bench-desktop-gpu", "bench-mobile-cpu"),
    ],
)
def test_sample_of_the_release_equals_a_plain_reading(reference, stem):
    folder = reference / "blox-release-sample"
    rows = plain(folder / f"blox-{stem}.csv")
    for suffix in SUFFIXES.values():
        found = read(folder / f"blox-{stem}.{suffix}")
        assert found.pop("model_hash") == [row[0] for row in rows]
        for i, (name, values) in enumerate(found.items(), 1):
            cells = [row[i] for row in rows]
            if isinstance(values, list):
                assert values == cells
            elif name == "arch_vec":
                vectors = [json.loads(cell) for cell in cells]
                flat = [[v for (a,), rest in vec for v in (a, *rest)] for vec in vectors]
                assert values.tolist() == flat
            else:
                assert values.tolist() == [json.loads(cell) for cell in cells]


# -- damage ------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        (0, "abc", "row 6: expected a model_hash of 32 hex digits, got 'abc'"),
        (1, LIST.format("nan"), "row 6: val_top1: expected a list of 7 numbers"),
        (1, LIST.format("1_0"), "row 6: val_top1"),
        (1, LIST.format("[1]"), "row 6: val_top1"),
        (1, LIST.format("true"), "row 6: val_top1"),
        (1, LIST.format(""), "row 6: val_top1"),
        (1, "[1, 2, 3]", "row 6: val_top1: expected a list of 7 numbers, got"),
        (1, "1, 2, 3, 4, 5, 6, 7", "row 6: val_top1"),
        (1, "", "row 6: val_top1"),
        (2, "", "row 6: test_top1: expected a number"),
        (2, "Infinity", "row 6: test_top1: expected a number"),
        (3, "12 000", "row 6: train_time_s: expected a number"),
    ],
)
def test_damaged_cells_of_csv(tmp_path, column, cell, message):
    refused(write(tmp_path, FILES["base"], "csv", csv_change(column, 5, cell)), message)


@pytest.mark.parametrize(
    "cell", ["", "[]", "[[[0], [0, 0, 1]]]", "[[[0], [0, 0, 1, true]]] * 3", "[" * 900, "[[[1.5]]]"]
)
def test_damaged_arch_vec_of_csv(tmp_path, cell):
    refused(write(tmp_path, FILES["info"], "csv", csv_change(3, 2, cell)), "row 3: arch_vec")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b"only,two\n" + b, "row 1: expected 4 columns, got 2"),
        (lambda b: b + b'"open', "row 41: unexpected end of data"),
        (lambda b: b + b"\xff\xfe\n", "row 41: .*decode"),
        (lambda b: b + b"x" * 2**21, "row 40: a line is longer"),
    ],
)
def test_damaged_csv(tmp_path, change, message):
    refused(write(tmp_path, FILES["base"], "csv", change), message)


@pytest.mark.parametrize(
    ("part", "column", "value", "message"),
    [
        ("base", 0, 7, "row 6: expected a model_hash"),
        ("base", 1, [1.0] * 6, "row 6: val_top1: expected a list of 7 numbers, got 6"),
        ("base", 1, 1.0, "row 6: val_top1: expected a list of 7 numbers, got float"),
        ("base", 1, [1.0] * 6 + ["x"], "row 6: val_top1: expected numbers, got str"),
        ("base", 1, [1.0, True, *[2.0] * 5], "row 6: val_top1: expected numbers, got bool"),
        ("base", 2, None, "row 6: test_top1: expected a number, got NoneType"),
        ("env", 1, 5, "row 6: cuda: expected printable text, got int"),
        ("env", 1, "a\nb", "row 6: cuda: expected printable text"),
        ("env", 1, "x" * 2000, "row 6: cuda: expected printable text"),
        ("info", 3, [[[0], [0, 0, 1, True]]] * 3, "row 6: arch_vec"),
        ("info", 3, [[[2**70], [0, 0, 1, 1]]] * 3, "row 6: arch_vec"),
        ("info", 3, {"a": 1}, "row 6: arch_vec"),
    ],
)
def test_damaged_values_of_pickle(tmp_path, part, column, value, message):
    change = pickle_change(column, 5, value)
    refused(write(tmp_path, FILES[part], "pickle", change), message)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({}, "expected a list of rows, got dict"),
        ([["a", 1]], "row 1: expected a list of 4 values, got 2"),
        ([5], "row 1: expected a list of 4 values, got int"),
        ([[]] * 91_126, "at most 91125 rows"),
    ],
)
def test_pickles_of_something_else(tmp_path, rows, message):
    refused(write(tmp_path, FILES["base"], "pickle", lambda _: pickle.dumps(rows)), message)


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


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("---\n", "", "expected a first line of '---'"),
        ("version: 1", "version: 2", "expected version 1, got '2'"),
        ("seed: 3", "seed: -3", "seed must be a whole number, got '-3'"),
        ("seed: 3", "seed: 99999999999", "seed must be in"),
        ("seed: 3", "seed: [3]", "seed must be a whole number"),
        ("epochs: 7", "epochs: 0", "epochs must be in 1"),
        ("part: base", "part: bast", "unknown dataset_type 'training' with part 'bast'"),
        ("format: csv", "format: cvs", "did you mean 'csv'"),
        ("- val_top1", "- val_top", "did you mean 'val_top1'"),
        ("- val_top1", "- ../evil", "columns must be a list of names"),
        ("- val_top1", "- test_top1", "columns must be distinct"),
        ("- model_hash\n", "", "columns must begin with 'model_hash'"),
        ("  - conv\n  - mbconv\n", "  - mbconv\n  - conv\n", "expected operations"),
        ("dataset: cifar100", "dataset: {a: b}", "dataset must be a word"),
        ("version: 1", "version: 1\nx: [", "no YAML"),
        ("version: 1", "version: 1\nx: " + "[" * 100, "more than 64 brackets"),
        ("version: 1", "version: 1\n" + "- " * 500, "no YAML|nested"),
        ("version: 1", "version: 1\nx: " + "y" * 20_000, "no closing line"),
    ],
)
def test_damaged_headers(tmp_path, old, new, message):
    path = write(tmp_path, FILES["base"], "csv", head=lambda t: t.replace(old, new, 1))
    refused(path, message)


def test_device_names_cannot_leave_the_store(tmp_path):
    for name in ("../../evil", "/etc", ".hidden", "a/b", "a..b", "", "x" * 80, "é"):
        path = write(
            tmp_path,
            FILES["bench"],
            "csv",
            head=lambda t, name=name: t.replace("device: phone", f"device: '{name}'"),
        )
        refused(path, "device must be of letters")


def test_alias_bombs_stay_small(tmp_path):
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{c}: &{c} [{','.join(['*' + chr(ord(c) - 1)] * 9)}]\n" for c in "bcdefghijklmnopq"
    )
    path = write(tmp_path, FILES["base"], "csv", head=lambda t: t.replace("seed: 3\n", bomb))
    refused(path, "seed must be a whole number, got None")
    path = write(tmp_path, FILES["base"], "csv", head=lambda t: t.replace("seed: 3\n", bomb[:-90]))
    refused(path, "seed must be|no YAML")
    merges = "a: &a {k: v}\n" + "".join(
        f"{c}: &{c} {{<<: [{','.join(['*' + chr(ord(c) - 1)] * 9)}]}}\n" for c in "bcdefghijklm"
    )
    path = write(tmp_path, FILES["base"], "csv", head=lambda t: t.replace("seed: 3\n", merges))
    refused(path, "seed must be a whole number, got None")


def test_a_header_says_what_is_in_the_file(tmp_path):
    path = write(tmp_path, FILES["base"], "custom")
    with path.open("rb") as file:
        header = read_header(file, path)
    assert (header.part, header.seed, header.epochs, header.device) == ("base", 3, 7, None)
    assert header.dataset == "cifar100"
    assert header.types["model_hash"] == "hash"
