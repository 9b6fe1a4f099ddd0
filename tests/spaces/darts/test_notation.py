import json

import numpy as np
import pytest

from blox_env.spaces.darts.cells import FIRST_EDGE, INPUTS, NODES, OPERATIONS, OPTIONS
from blox_env.spaces.darts.notation import (
    PREFIX,
    configuration,
    genotype,
    row_of_configuration,
    row_of_genotype,
    setting_table,
)
from blox_env.spaces.darts.space import DartsSpace

SPACE = DartsSpace()
DARTS_V2 = {  # second-order DARTS of Liu et al.
    "normal": [
        *(("sep_conv_3x3", 0), ("sep_conv_3x3", 1), ("sep_conv_3x3", 0), ("sep_conv_3x3", 1)),
        *(("sep_conv_3x3", 1), ("skip_connect", 0), ("skip_connect", 0), ("dil_conv_3x3", 2)),
    ],
    "reduce": [
        *(("max_pool_3x3", 0), ("max_pool_3x3", 1), ("skip_connect", 2), ("max_pool_3x3", 1)),
        *(("max_pool_3x3", 0), ("skip_connect", 2), ("skip_connect", 2), ("max_pool_3x3", 1)),
    ],
}


def made_up_settings():
    """Settings with codes in the manner of YAHPO Gym."""
    settings = {}
    for cell in ("normal", "reduce"):
        for edge in range(14):
            codes = {name: code for code, name in enumerate(["#na#", *sorted(OPERATIONS)])}
            settings[f"{PREFIX}edge_{cell}_{edge}".replace(":", "_COLON_")] = codes
        for node in (3, 4, 5):
            words = [f"{a}_{b}" for b in range(5) for a in range(b)]
            codes = {word: code for code, word in enumerate(["#na#", *sorted(words)])}
            settings[f"{PREFIX}inputs_node_{cell}_{node}".replace(":", "_COLON_")] = codes
    return settings


def test_there_and_back():
    for row in SPACE.sample(np.random.default_rng(0), 1000):
        made = genotype(row.tolist())
        np.testing.assert_array_equal(row_of_genotype(made), row)
        np.testing.assert_array_equal(row_of_genotype(made._asdict()), row)
        np.testing.assert_array_equal(row_of_configuration(configuration(row.tolist())), row)


def test_order_of_inputs_makes_no_difference():
    swapped = {
        cell: [edge for i in range(0, 8, 2) for edge in (edges[i + 1], edges[i])]
        for cell, edges in DARTS_V2.items()
    }
    np.testing.assert_array_equal(row_of_genotype(swapped), row_of_genotype(DARTS_V2))


def test_every_active_setting_is_known_to_nas_bench_301(reference):
    facts = json.loads((reference / "nasbench301-configspace.json").read_text())
    choices = {h["name"]: h.get("choices") for h in facts["hyperparameters"]}
    conditions: dict[str, list[dict]] = {}
    for condition in facts["conditions"]:
        conditions.setdefault(condition["child"], []).append(condition)
    for row in SPACE.sample(np.random.default_rng(1), 100):
        made = configuration(row.tolist())
        for name, value in made.items():
            assert value in choices[name]
        for name in choices:  # what is active is what the conditions say
            if not name.startswith(PREFIX) or name not in conditions:
                continue
            active = all(made.get(c["parent"]) in c["values"] for c in conditions[name])
            assert active == (name in made), name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"normal": None}, "normal: expected 8 pairs"),
        ({"reduce": DARTS_V2["reduce"][:7]}, "reduce: expected 8 pairs"),
        ({"normal": [("sep_conv_3x3", 0)] * 8}, "normal, node 2: expected two different inputs"),
        (
            {"reduce": [("sep_conv_3x3", 0), ("sepconv_3x3", 1), *DARTS_V2["reduce"][2:]]},
            "reduce, node 2: .*sepconv_3x3.*sep_conv_3x3",
        ),
        (
            {"normal": [*DARTS_V2["normal"][:3], ("skip_connect", 3), *DARTS_V2["normal"][4:]]},
            "normal, node 3: expected an input in 0 … 2, got 3",
        ),
    ],
)
def test_bad_genotype_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        row_of_genotype({**DARTS_V2, **change})


def test_bad_configuration_is_named():
    good = configuration(row_of_genotype(DARTS_V2).tolist())
    extra = {**good, "OptimizerSelector:sgd:weight_decay": 3e-4}
    np.testing.assert_array_equal(row_of_configuration(extra), row_of_genotype(DARTS_V2))
    for name in good:
        with pytest.raises(ValueError, match=name):
            row_of_configuration({key: value for key, value in good.items() if key != name})
    with pytest.raises(ValueError, match="inputs_node_normal_3: expected one of 0_1, 0_2, 1_2"):
        row_of_configuration({**good, f"{PREFIX}inputs_node_normal_3": "0_3"})


def test_codes_of_settings_add_up():
    settings = made_up_settings()
    names = [name.replace("_COLON_", ":") for name in settings]
    tables = setting_table(settings)
    for row in SPACE.sample(np.random.default_rng(2), 100).tolist():
        made = configuration(row)
        wanted = [
            codes[made.get(name, "#na#")]
            for name, codes in zip(names, settings.values(), strict=True)
        ]
        np.testing.assert_array_equal(
            sum(table[option] for table, option in zip(tables, row, strict=True)), wanted
        )


@pytest.mark.parametrize("code", [None, 0, -1, 2.0, True, 2**40])
def test_bad_code_is_named(code):
    settings = made_up_settings()
    name = f"{PREFIX}edge_reduce_13".replace(":", "_COLON_")
    settings[name] = {**settings[name], "skip_connect": code}
    with pytest.raises(ValueError, match="edge_reduce_13: expected a code above 0 of skip_connect"):
        setting_table(settings)
    del settings[name]
    with pytest.raises(ValueError, match="edge_reduce_13"):
        setting_table(settings)
    with pytest.raises(ValueError, match="expected settings by name"):
        setting_table([])


def test_options_name_their_edges():
    for node, options in enumerate(OPTIONS):
        assert FIRST_EDGE[node] + options[:, 1].max() < 14
    assert INPUTS + NODES == 6
