"""No value of a file is used that is not the one whose checksum is known."""

import os

import numpy as np
import pytest

from blox_env.benchmarks.imported import from_folder
from blox_env.store import columnfile
from blox_env.store.reader import Store
from tests.store.stores import X


def test_missing_and_cut_files_are_named(damaged):
    path = damaged / "seed-0" / "val_top1.npy"
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    with pytest.raises(ValueError, match=r"val_top1\.npy is damaged: expected \d+ bytes"):
        Store(damaged)
    path.unlink()
    with pytest.raises(ValueError, match=r"val_top1\.npy is missing"):
        Store(damaged)


def test_a_flipped_bit_is_found_by_verify(damaged):
    path = damaged / "seed-0" / "val_top1.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ValueError, match=r"val_top1\.npy is damaged: its SHA-256"):
        from_folder(damaged).verify()


def test_damaged_arrays_are_named(damaged):
    path = damaged / "seed-0" / "val_top1.npy"
    data = path.read_bytes()
    path.write_bytes(b"x" * len(data))
    with pytest.raises(ValueError, match=r"val_top1\.npy is damaged"):
        from_folder(damaged).evaluate(X)
    path.write_bytes(data.replace(b"<u2", b"<i2"))
    with pytest.raises(ValueError, match="expected uint16 of shape"):
        from_folder(damaged).evaluate(X)


def test_a_flipped_bit_is_found_on_first_use(damaged):
    path = damaged / "seed-0" / "val_top1.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    benchmark = from_folder(damaged)
    assert benchmark.evaluate(X, seed=5).val_acc[0] > 0  # other files are not read
    for call in (
        lambda: benchmark.evaluate(X),
        lambda: benchmark.evaluate(X, epochs=1, best=True),
        lambda: benchmark.curves("val_acc", X),
    ):
        with pytest.raises(ValueError, match=r"val_top1\.npy is damaged: its SHA-256"):
            call()


@pytest.mark.parametrize("cut", [False, True])
def test_a_file_changed_while_a_store_is_open_is_an_error(damaged, cut):
    """Mapped files would end the process with SIGBUS, or answer other numbers."""
    benchmark = from_folder(damaged)
    before = benchmark.evaluate(X)
    benchmark.curves("val_loss", X)
    for name in ("val_top1", "val_loss"):
        path = damaged / "seed-0" / f"{name}.npy"
        with path.open("r+b") as file:
            file.truncate(300 if cut else path.stat().st_size)
            file.seek(200)
            file.write(b"\0" * 8)
    with pytest.raises(ValueError, match=r"val_top1\.npy is damaged"):
        benchmark.evaluate(X, epochs=2)
    with pytest.raises(ValueError, match=r"val_loss\.npy is damaged"):
        benchmark.curves("val_loss", X)
    np.testing.assert_array_equal(benchmark.evaluate(X).val_acc, before.val_acc)


def test_a_file_that_got_longer_is_an_error(damaged):
    benchmark = from_folder(damaged)
    with (damaged / "seed-0" / "val_top1.npy").open("ab") as file:
        file.write(b"more")
    with pytest.raises(ValueError, match=r"val_top1\.npy is damaged: expected \d+ bytes, got \d+"):
        benchmark.evaluate(X)


def test_what_another_store_has_verified_is_read_on(damaged, monkeypatch):
    monkeypatch.setattr(columnfile, "_TICKS", (0, 0))  # as if time had passed since the changes
    path = damaged / "seed-0" / "val_top1.npy"
    stores = Store(damaged), Store(damaged)
    before = stores[0].line("seed-0/val_top1", 1)
    os.utime(path, (1, 1))
    for store in reversed(stores):
        np.testing.assert_array_equal(store.line("seed-0/val_top1", 1), before)


def test_a_file_that_was_only_touched_is_read_on(damaged):
    benchmark = from_folder(damaged)
    before = benchmark.evaluate(X, epochs=1)
    for path in damaged.rglob("*.npy"):
        os.utime(path, (1, 1))
    np.testing.assert_array_equal(benchmark.evaluate(X, epochs=2).val_acc < 2, True)
    np.testing.assert_array_equal(
        from_folder(damaged).evaluate(X, epochs=1).val_acc, before.val_acc
    )
