import pytest

from blox_env.cli.common import limits_of, names, options_of


def test_constraints_are_numbers():
    assert limits_of(["params=2.5e6", "latency_ms=4"]) == {"params": 2.5e6, "latency_ms": 4}
    assert limits_of(None) is None
    with pytest.raises(ValueError, match="--constraint params must be a number, got 'few'"):
        limits_of(["params=few"])


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
