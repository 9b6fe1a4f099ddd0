"""Boosters in pickles, read as data."""

import pickle

import pytest

from blox_env.ground.booster_pickle import load_booster

HEAD = b"\x80\x03cxgboost.core\nBooster\n"


def state_of(content):
    found = load_booster(content)
    return found.library, found.state


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_bytes_of_a_booster_are_taken_out(protocol):
    # the state as Python writes it, in the place of an empty one
    inner = pickle.dumps({"handle": bytearray(b"\x00model\xff"), "best_score": 0.5}, protocol)
    body = inner[2:-1]
    if body[:1] == b"\x95":  # a frame
        body = body[9:]
    content = b"\x80" + bytes([protocol]) + HEAD[2:] + b")\x81" + body + b"b."
    assert state_of(content) == ("xgboost", {"handle": b"\x00model\xff", "best_score": 0.5})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEAD + b")\x81.", "no booster"),  # nothing was said
        (HEAD + b".", "no booster|an object"),
        (HEAD + b")\x81K\x01b.", "unknown state"),
        (HEAD + b")\x81}b}b.", "unknown state"),
        (HEAD + b"K\x01\x85\x81}b.", "an object"),
        (HEAD + b")R.", "a call|unknown arguments"),
        (b"\x80\x03cbuiltins\nbytearray\n)\x81}b.", "an object"),
        (b"\x80\x03cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R.", "unknown arguments"),
        (b"\x80\x03cos\nsystem\n)\x81.", r"os\.system"),
        (b"\x80\x03cxgboost.sklearn\nXGBRegressor\n)\x81}b.", r"xgboost\.sklearn"),
        (b"\x80\x03\x81.", "damaged"),
        (b"\x80\x03]b.", "damaged"),
    ],
)
def test_anything_else_is_refused(content, message):
    with pytest.raises(ValueError, match=message):
        load_booster(content)
