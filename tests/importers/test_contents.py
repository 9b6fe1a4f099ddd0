import numpy as np
import pytest

from blox_env.importers.contents import Contents, by_seed, whole_curves, write
from blox_env.spaces import MacroBenchSpace, NatsTopologySpace
from blox_env.store.writer import StoreWriter

SPACE = MacroBenchSpace()


def contents(**changes):
    arguments = {
        "name": "mine",
        "space": SPACE,
        "numbers": np.array([7, 3]),
        "description": "made up",
        "trainings": {0: {"val_acc": np.array([0.5, np.nan])}},
    }
    return Contents(**(arguments | changes))


def test_what_a_manifest_says(tmp_path):
    board = contents(
        name="board",
        trainings={},
        numbers=np.array([3, 9, 4]),
        latencies={"pi4": np.array([1.0, np.nan, 2.0]), "none": np.full(3, np.nan)},
        devices={"pi4": "timed"},
    )
    facts = write([board, contents()], StoreWriter(tmp_path))
    assert (facts["name"], facts["seeds"], facts["rows"]) == ("mine", [0], 1)
    assert facts["description"] == "made up. made up"
    assert not facts["complete"]
    assert list(facts["devices"]) == ["pi4"]
    assert facts["devices"]["pi4"]["measured"] == 2
    assert facts["devices"]["pi4"]["description"] == "timed"


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ({"space": NatsTopologySpace()}, "one store has one space"),
        ({"epochs": 3}, "other has 3 epochs, but mine 1"),
        ({}, "seed 0 is in mine and other"),
        ({"trainings": {1: {"val_acc": np.array([0.5, 1.5])}}}, "val_top1 must lie in 0 … 1, got"),
        ({"trainings": {1: {"val_ac": np.zeros(2)}}}, "did you mean 'val_acc'"),
        ({"trainings": {}, "sizes": {"macs": np.zeros(2)}}, "unknown size 'macs'"),
        ({"trainings": {}, "latencies": {"a": np.zeros(2)}}, "latency must lie in"),
        ({"trainings": {}, "latencies": {"../a": np.ones(2)}}, "a device's name"),
        ({"trainings": {}, "numbers": np.array([3, 3])}, "an architecture is there twice"),
        ({"trainings": {}, "numbers": np.array([], int)}, "there is no architecture"),
    ],
)
def test_what_cannot_be_is_named(tmp_path, second, message):
    with pytest.raises(ValueError, match=message):
        write([contents(), contents(name="other", **second)], StoreWriter(tmp_path))


def test_values_by_seed():
    found = by_seed([{777: np.array([1.0, 2.0])}, {888: np.array([3.0, 4.0])}])
    np.testing.assert_array_equal(found[777], [[1, 2], [np.nan, np.nan]])
    np.testing.assert_array_equal(found[888], [[np.nan, np.nan], [3, 4]])
    assert by_seed([]) == {}


def test_curves_with_gaps_leave_their_ends():
    whole = {0: {"val_acc": np.array([[0.1, 0.2], [np.nan, np.nan]])}}
    assert whole_curves(whole)
    assert whole[0]["val_acc"].shape == (2, 2)
    gaps = {0: {"val_acc": np.array([[0.1, 0.2], [np.nan, 0.4]])}}
    assert not whole_curves(gaps)
    np.testing.assert_array_equal(gaps[0]["val_acc"], [0.2, 0.4])
