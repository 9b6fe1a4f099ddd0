import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blox_env.ground.errors import RowError
from blox_env.store.columns import COLUMNS, encode, is_name, join

VAL = COLUMNS["val_top1"]


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=20))
def test_accuracies_become_counts_without_loss(counts):
    percent = np.round(np.array(counts) / 50, 3)
    assert encode(VAL, percent).tolist() == counts


@pytest.mark.parametrize("bad", [-1.0, 100.5, 50.01, np.nan])
def test_what_is_no_count_names_its_row(bad):
    with pytest.raises(RowError, match="expected") as error:
        encode(VAL, np.array([10.0, 20.0, bad]))
    assert error.value.row == 2


def test_losses_are_millionths_where_they_are():
    loss = COLUMNS["test_loss"]
    exact, other = encode(loss, np.array([0.5, 1.25])), encode(loss, np.array([1 / 3]))
    assert exact.dtype == np.uint32
    assert other.dtype == np.float64
    whole, encoding = join(loss, [exact, other])
    assert encoding == "float"
    np.testing.assert_array_equal(whole, [0.5, 1.25, 1 / 3])
    assert join(loss, [exact, exact])[1] == "micro"


def test_latencies_are_above_zero():
    latency = COLUMNS["latency"]
    assert encode(latency, np.array([0.1])).tolist() == [0.1]
    with pytest.raises(RowError, match=r"expected a number above 0, got 0\.0"):
        encode(latency, np.array([1.0, 0.0]))


@pytest.mark.parametrize(
    ("name", "good"),
    [("phone-1", True), ("a.b", True), ("../x", False), ("a/b", False), ("", False), (3, False),
     ("a" * 65, False), ("a..b", False)],
)  # fmt: skip
def test_names_that_may_become_paths(name, good):
    assert is_name(name) is good


def test_what_a_store_refuses_is_not_written():
    for name, value in (("val_loss", -0.1), ("test_loss", -1e-7), ("train_time_s", -1.0)):
        with pytest.raises(ValueError, match="expected a number of at least 0"):
            encode(COLUMNS[name], np.array([0.5, value]))
