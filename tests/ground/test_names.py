import pytest
from hypothesis import given
from hypothesis import strategies as st

from blox_env.ground.names import check_settings, join_name, split_name

WORDS = st.from_regex(r"[a-z][a-z0-9_-]{0,9}", fullmatch=True)
VALUES = st.one_of(
    st.integers(-1000, 1000),
    st.floats(allow_nan=False, allow_infinity=False),
    WORDS.filter(lambda word: word not in ("true", "false", "null")),
)


@given(WORDS, st.dictionaries(WORDS, VALUES, max_size=4))
def test_names_are_taken_apart_and_joined(word, settings):
    assert split_name(join_name(word, settings), "task") == (word, settings)


def test_spaces_do_not_matter():
    assert split_name(" a( b =1,c= x , ) ", "task") == ("a", {"b": 1, "c": "x"})


@pytest.mark.parametrize("name", ["a(b=1", "a(b)", "a(b=1, b=2)", "a(b=1)c"])
def test_other_forms_are_refused(name):
    with pytest.raises(ValueError, match=r"^task"):
        split_name(name, "task")


def test_unknown_settings_have_a_near_miss():
    check_settings(["side"], ["side", "width"], "cifar10")
    with pytest.raises(ValueError, match=r"unknown setting of cifar10 'sid'.*mean 'side'"):
        check_settings(["sid"], ["side", "width"], "cifar10")
