import pytest

from blox_env.cli.common import names, options_of


def test_option_values_are_json_or_text():
    assert options_of(["a=1", "b=0.5", "c=true", "d=word", "e=x=y"]) == {
        "a": 1,
        "b": 0.5,
        "c": True,
        "d": "word",
        "e": "x=y",
    }


def test_commas_in_brackets_belong_to_a_name():
    assert names("a, b(c=1, d=2),e(f=3) ,") == ["a", "b(c=1, d=2)", "e(f=3)"]
    with pytest.raises(ValueError, match="comma-separated names"):
        names(" , ")
