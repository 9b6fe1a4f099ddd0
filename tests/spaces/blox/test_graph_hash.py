import json

import numpy as np

from blox_env import BloxSpace

SPACE = BloxSpace()


def test_hashes_of_blocks_are_distinct():
    uniform = np.arange(45)[:, None].repeat(3, axis=1)
    assert len(set(SPACE.model_hash(uniform))) == 45


def test_all_4000_reference_hashes(reference):
    rows = json.loads((reference / "blox-model-hashes.json").read_text())
    assert len(rows) == 4000
    x = SPACE.from_flat(np.array([flat for flat, _ in rows]))
    assert SPACE.model_hash(x) == [expected for _, expected in rows]
