import json

import numpy as np

from blox_env import BloxSpace

SPACE = BloxSpace()


def test_range_of_parameter_counts():
    params = SPACE.params(SPACE.all())
    assert params.dtype == np.int64
    assert (params.min(), params.max()) == (1_717_636, 3_784_036)


def test_all_245_reference_counts(reference):
    rows = json.loads((reference / "blox-params-macs.json").read_text())
    assert len(rows) == 245
    x = np.array([SPACE.from_arch_vec(row["arch_vec"]) for row in rows])
    assert SPACE.params(x).tolist() == [row["params"] for row in rows]
    assert SPACE.macs(x).tolist() == [row["macs_conv_linear"] for row in rows]
    assert SPACE.model_hash(x) == [row["model_hash"] for row in rows]
