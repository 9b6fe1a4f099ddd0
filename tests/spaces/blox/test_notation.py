import pytest

from blox_env import BloxSpace

SPACE = BloxSpace()


@pytest.mark.parametrize(
    ("nested", "message"),
    [
        ([[[0], [0, 1, 0, 0]]] * 2, "expected an arch_vec of 3 stages"),
        ("abc", "stage 0"),
        ([[[0], [0, 1, 0, 0]], [[3], [0, 1, 0, 0]], [[0], [0, 1, 0, 0]]], "stage 1: operations"),
        ([[[0], [0, 1, 0, 0]], [[0], [0, 1, 0, 0]], [[0], [0, 1, 0]]], "stage 2: expected"),
        ([[[0], [0, 1, 0, 0]], [[0], [0, 1.5, 0, 0]], [[0], [0, 1, 0, 0]]], "whole numbers"),
        (None, "expected an arch_vec"),
    ],
)
def test_invalid_arch_vecs_say_where_and_why(nested, message):
    with pytest.raises(ValueError, match=message):
        SPACE.from_arch_vec(nested)
