import numpy as np
import pytest

from blox_env.ground.errors import RowError, check_positive_int, shown, unknown_name


def test_a_near_miss_is_named():
    message = unknown_name("device", "fone", ["phone", "tablet"])
    assert message == (
        "unknown device 'fone', expected one of phone, tablet; did you mean 'phone'?"
    )
    assert unknown_name("device", "zzz", ["phone"]).endswith("expected one of phone")
    assert "(none there)" in unknown_name("device", "x", [])


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_whole_numbers(value):
    number = check_positive_int("n", value)
    assert (number, type(number)) == (3, int)


@pytest.mark.parametrize("value", [3.0, "3", None, True, np.float64(3)])
def test_what_is_no_whole_number(value):
    with pytest.raises(TypeError, match="n must be a whole number, got"):
        check_positive_int("n", value)


def test_too_small():
    assert check_positive_int("n", 0, minimum=0) == 0
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        check_positive_int("n", 0)


def test_a_row_error_keeps_its_row():
    with pytest.raises(ValueError, match=r"^expected a number$") as error:
        raise RowError(7, "expected a number")
    assert error.value.row == 7


def test_values_from_outside_are_shortened_before_they_are_written_out():
    nested, deep = [1], []
    for _ in range(6):  # written out, this has a million numbers
        nested = [nested] * 10
    for _ in range(20_000):
        deep = [deep]
    for value in (deep, nested, "x" * 10**6, {"a": nested}, 10**5000, b"\0" * 10**6):
        assert len(shown(value)) <= 201
        assert len(unknown_name("device", value, ["phone"])) < 300
    assert (shown([[0], [1, 2]]), shown("a")) == ("[[0], [1, 2]]", "'a'")
