"""Folders of policies: written, read, and refused."""

import json
import pickle

import numpy as np
import pytest

from blox_env.policies import load_policy, write_policy
from blox_env.policies.files import read_policy
from blox_env.store.arrays import arrays_bytes
from tests.policies.conftest import card_of, weights_of


def changed(folder, **changes):
    path = folder / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    for key, value in changes.items():
        *way, last = key.split("__")
        place = card
        for each in way:
            place = place[each]
        place[last] = value
    path.write_text(json.dumps(card), encoding="utf-8")


def resigned(folder, data):
    """Other weights with a card that fits them."""
    import hashlib

    (folder / "weights.npz").write_bytes(data)
    changed(folder, files={"weights.npz": hashlib.sha256(data).hexdigest()})


def test_what_is_written_is_read(make):
    folder = make()
    policy = read_policy(folder)
    assert policy.name == "made-up"
    assert {path.name for path in folder.iterdir()} == {"card.json", "CARD.md", "weights.npz"}
    again = write_policy(folder, policy.card, weights_of(card_of()))
    assert read_policy(again).card == policy.card


@pytest.mark.parametrize("file", ["card.json", "weights.npz"])
def test_a_missing_file_is_named(make, file):
    folder = make()
    (folder / file).unlink()
    with pytest.raises(FileNotFoundError, match=file):
        read_policy(folder)


@pytest.mark.parametrize("cut", [0, 10, -1])
def test_cut_weights_are_named(make, cut):
    folder = make()
    path = folder / "weights.npz"
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ValueError, match=r"weights\.npz is damaged: expected the SHA-256"):
        read_policy(folder)


def test_a_large_file_is_not_read(make):
    folder = make()
    with (folder / "weights.npz").open("wb") as file:
        file.truncate(10**8)
    with pytest.raises(ValueError, match="expected at most 5000000 bytes, got 100000000"):
        read_policy(folder)


def test_objects_are_refused_and_nothing_is_executed(make, tmp_path):
    class Evil:
        def __reduce__(self):
            return (tmp_path / "made").mkdir, ()

    folder = make()
    resigned(folder, pickle.dumps(Evil()))
    with pytest.raises(ValueError, match=r"weights\.npz: expected arrays that numpy reads"):
        read_policy(folder)
    with (tmp_path / "objects.npz").open("wb") as file:
        np.savez(file, **{"actor0.weight": np.array([Evil()], dtype=object)})
    resigned(folder, (tmp_path / "objects.npz").read_bytes())
    with pytest.raises(ValueError, match=r"weights\.npz: expected arrays that numpy reads"):
        read_policy(folder)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("actor0.weight", None, "expected actor0.weight as float16 of shape .140, 8., got nothing"),
        ("critic1.bias", np.zeros(3, np.float16), r"expected critic1.bias .* got float16 of shape"),
        ("actor1.bias", np.zeros(45), "expected actor1.bias as float16 .* got float64"),
        ("actor1.bias", np.full(45, np.nan, np.float16), "expected finite numbers in actor1.bias"),
    ],
)
def test_arrays_of_another_network_are_named(make, name, value, message):
    folder = make()
    arrays = {k: v.astype(np.float16) for k, v in weights_of(card_of()).items()}
    del arrays[name]
    if value is not None:
        arrays[name] = value
    resigned(folder, arrays_bytes(arrays))
    with pytest.raises(ValueError, match=message):
        read_policy(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "expected format 1, got 2"),
        ({"space": "bloxx"}, "unknown space 'bloxx'.*did you mean 'bloxxl'|unknown space"),
        ({"goal__kind": "latency"}, "unknown goal.kind 'latency'.*did you mean 'latency_target'"),
        ({"goal__knots": "5"}, "expected goal.knots to be int, got '5'"),
        ({"goal__low_ms": 9}, "expected 0 < goal.low_ms < goal.high_ms"),
        ({"network": {"actor": [8.5], "critic": [4]}}, "expected network.actor to be numbers"),
        ({"expects__scale": [1]}, "expected expects.scale to be numbers, got"),
        ({"name": 3}, "expected name to be str, got 3"),
    ],
)
def test_a_foreign_card_is_named(make, changes, message):
    folder = make()
    changed(folder, **changes)
    with pytest.raises(ValueError, match=rf"card\.json: ({message})"):
        read_policy(folder)


@pytest.mark.parametrize("text", ["", "[", "[]", '"text"', "{}"])
def test_a_card_that_is_none_is_named(make, text):
    folder = make()
    (folder / "card.json").write_text(text)
    with pytest.raises(ValueError, match=r"card\.json: expected"):
        load_policy(folder)
