import pytest

from tests.importers.files_of import FILES, LIST, csv_change, refused, write


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
        (lambda b: b + b"x" * 2**21, "row 41: the row is longer"),
        (lambda b: b + b'"a\nb",' * 2**18, "row 41: the row is longer"),  # of many short lines
    ],
)
def test_damaged_csv(tmp_path, change, message):
    refused(write(tmp_path, FILES["base"], "csv", change), message)
