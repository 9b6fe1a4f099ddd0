import pickle

import pytest

from tests.importers.files_of import FILES, pickle_change, refused, write


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


def test_lists_that_are_referred_to_again_and_again_are_refused(tmp_path):
    """Some kilobytes that would be gigabytes when they are read: memory is that of the file."""

    def again(body):
        rows = pickle.loads(body)
        return pickle.dumps([rows[0]] * 5000, protocol=4)

    path = write(tmp_path, FILES["base"], "pickle", again)
    refused(path, "expected a byte a value at least, got")
