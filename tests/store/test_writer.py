import json

import numpy as np
import pytest

from blox_env.spaces import BloxSpace
from blox_env.store.placing import new_folder
from blox_env.store.reader import MANIFEST, Store
from blox_env.store.writer import StoreWriter

FACTS = {
    "name": "made-up", "kind": "release", "space": "blox", "epochs": 2, "description": "made up",
    "seeds": [0], "devices": {}, "sources": [], "missing": [],
}  # fmt: skip


def write(folder):
    writer = StoreWriter(folder)
    numbers = np.array([3, 7, 11])
    curve = np.array([[1, 2], [3, 4], [5, 6]], dtype=np.uint16)
    writer.add("seed-0/val_top1", curve, "count", numbers, examples=10)
    writer.add("info/params", np.array([5, 6]), "int", np.array([7, 20]))
    writer.add_text("seed-0/env/gpu", ["b", "a", "b"], numbers)
    return writer.finish(FACTS)


def test_columns_of_different_rows_are_brought_together(tmp_path):
    write(tmp_path)
    store = Store(tmp_path)
    assert store.numbers.tolist() == [3, 7, 11, 20]
    assert store.raw("seed-0/val_top1").shape == (2, 4)  # an epoch a line
    np.testing.assert_array_equal(
        store.decode("seed-0/val_top1", store.raw("seed-0/val_top1")[1]), [0.2, 0.4, 0.6, np.nan]
    )
    params = store.dense("info/params")
    assert params.shape == (BloxSpace().size,)
    assert np.flatnonzero(~np.isnan(params)).tolist() == [7, 20]
    texts, codes = store.manifest["texts"]["seed-0/env/gpu"], store.raw("seed-0/env/gpu")
    assert [texts[c] if c >= 0 else None for c in codes] == ["b", "a", "b", None]
    store.verify()


def test_equal_stores_are_equal_files(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(tmp_path / name)
    one, two = ((tmp_path / n / MANIFEST).read_bytes() for n in ("one", "two"))
    assert one == two
    assert json.loads(one)["columns"]["info/params"]["encoding"] == "int"


def test_a_block_that_fails_leaves_nothing(tmp_path):
    target = tmp_path / "store"

    def fail():
        with new_folder(target) as folder:
            (folder / "half").write_text("")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(tmp_path.iterdir()) == []
    with new_folder(target) as folder:
        write(folder)
    assert (target / MANIFEST).is_file()
    with pytest.raises(ValueError, match="is there: choose another place"), new_folder(target):
        pass
