import numpy as np
import pytest

from blox_env.benchmarks.imported import from_folder
from blox_env.store.columns import COLUMNS
from blox_env.store.encodings import KINDS
from blox_env.store.reader import Store
from tests.store.stores import X, sign


def test_kinds_are_those_of_the_columns_of_a_release():
    kinds = {name: column.kind for name, column in COLUMNS.items() if column.kind != "arch"}
    assert kinds == KINDS


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("seed-0/val_top1", 5001, "expected accuracies in 0 … 1"),
        ("info/params", -2, "expected finite values of at least 0"),
        ("seed-0/train_time_s", np.inf, "expected finite values of at least 0"),
        ("seed-0/train_time_s", -1, "expected finite values of at least 0"),
        ("devices/phone/latency", np.inf, "expected latencies above 0, finite"),
        ("devices/phone/latency", 0, "expected latencies above 0, finite"),
        ("seed-0/env/gpu", 77, "expected positions in the list of texts"),
        ("seed-0/env/gpu", -2, "expected positions in the list of texts"),
    ],
)
def test_what_cannot_be_is_refused_whatever_the_checksum_says(damaged, key, value, message):
    if key.endswith("gpu"):
        key = next(k for k in Store(damaged).manifest["texts"] if k.startswith("seed-0/env/"))
    path = damaged / f"{key}.npy"
    values = np.load(path)
    values.flat[-1] = value
    np.save(path, values)
    sign(damaged)
    store = Store(damaged)
    with pytest.raises(ValueError, match=message) as caught:
        store.raw(key)
    assert str(path) in str(caught.value)
    if values.ndim == 2:
        with pytest.raises(ValueError, match=message):
            store.line(key, 1)


def test_accuracies_kept_as_numbers_have_bounds_too(damaged):
    key, path = "seed-0/test_top1", damaged / "seed-0" / "test_top1.npy"
    np.save(path, np.linspace(0, 1.01, len(np.load(path))))
    sign(damaged, lambda m: m["columns"][key].update(encoding="float"))
    with pytest.raises(ValueError, match="expected accuracies in 0 … 1"):
        from_folder(damaged).evaluate(X)
