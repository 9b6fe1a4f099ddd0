import numpy as np
import pytest

from blox_env.spaces import SPACES, BloxSpace, MacroBenchSpace, NatsTopologySpace

SPACE = NatsTopologySpace()
CELL = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|nor_conv_1x1~2|"


def test_texts_and_rows():
    x = SPACE.all()
    assert x.shape == (15625, 6)
    texts = SPACE.to_strings(x)
    assert len(set(texts)) == 15625
    np.testing.assert_array_equal(SPACE.from_strings(texts), x)
    np.testing.assert_array_equal(SPACE.from_strings([CELL]), [[3, 0, 1, 4, 0, 2]])
    assert SPACE.describe([3, 0, 1, 4, 0, 2]) == CELL
    assert SPACE.identify([3, 0, 1, 4, 0, 2]) == {"arch_str": CELL}
    assert SPACE.describe_option(2, 4) == "avg_pool_3x3 1→2"
    assert repr(SPACE) == "NatsTopologySpace()"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CELL.replace("3x3~0", "3x4~0", 1), "did you mean 'nor_conv_3x3'"),
        (CELL.replace("~2", "~1"), "expected a cell such as"),
        (CELL[:-1], "expected a cell such as"),
        (None, "expected a cell such as"),
    ],
)
def test_what_is_no_cell_is_named(text, message):
    with pytest.raises(ValueError, match=message) as error:
        SPACE.from_strings([CELL, text])
    assert error.value.row == 1


def test_the_graph_of_a_cell():
    layout = SPACE.graph()
    (row,) = SPACE.features([[3, 0, 1, 4, 0, 2]], "graph")
    matrix, labels = row[:64].reshape(8, 8), row[64:]
    words = [layout.labels[int(label)] for label in labels]
    assert words == [
        *("input", "nor_conv_3x3", "none", "skip_connect"),
        *("avg_pool_3x3", "none", "nor_conv_1x1", "output"),
    ]
    edges = {tuple(edge) for edge in np.argwhere(matrix).tolist()}
    # nodes 1 … 6 are the edges 0→1, 0→2, 1→2, 0→3, 1→3, 2→3 of the cell
    assert edges == {(0, 1), (0, 2), (1, 3), (0, 4), (1, 5), (2, 6), (3, 6), (4, 7), (5, 7), (6, 7)}


@pytest.mark.parametrize(
    ("space", "text", "row"),
    [
        (BloxSpace(), "3-17-44", [3, 17, 44]),
        (BloxSpace(), "[3, 17, 44]", [3, 17, 44]),
        (BloxSpace(), "[[[0],[1,0,1,0]],[[0],[1,0,1,0]],[[0],[2,0,1,0]]]", None),
        (MacroBenchSpace(), "02012100", [0, 2, 0, 1, 2, 1, 0, 0]),
        (MacroBenchSpace(), "0-2-0-1-2-1-0-0", [0, 2, 0, 1, 2, 1, 0, 0]),
        (SPACE, f" {CELL} ", [3, 0, 1, 4, 0, 2]),
        (SPACE, "3 0 1 4 0 2", [3, 0, 1, 4, 0, 2]),
    ],
)
def test_architectures_as_people_write_them(space, text, row):
    (found,) = space.parse([text])
    if row is None:
        assert space.to_arch_vec(found)[2] == [[0], [2, 0, 1, 0]]
    else:
        np.testing.assert_array_equal(found, row)


def test_a_hash_of_blox():
    space = BloxSpace()
    x = space.from_index([7, 4711])
    np.testing.assert_array_equal(space.parse(space.model_hash(x)), x)


@pytest.mark.parametrize(
    ("space", "text", "message"),
    [
        ("blox", "3-17", "expected 3 option indices from 0-0-0 to 44-44-44, got '3-17'"),
        ("blox", "3-17-45", "slot 2: expected an option in 0 … 44, got 45"),
        ("blox", "3-17-x", "expected 3 option indices"),
        ("blox", "[[[0],[0,0,0,0]]]", "expected an arch_vec of 3 stages"),
        ("blox", "[[", "expected an arch_vec as JSON"),
        ("blox", "0" * 32, "no architecture of Blox has the model_hash"),
        ("macrobench", "0201210", "expected 8 digits"),
        ("nats-topology", "|none~0|", "expected a cell such as"),
    ],
)
def test_what_is_no_architecture_is_named(space, text, message):
    with pytest.raises(ValueError, match=message) as error:
        SPACES[space]().parse([text])
    assert error.value.row == 0


def test_paths_by_hand():
    # 0→1 conv 3x3, 0→2 none, 1→2 skip, 0→3 pool, 1→3 none, 2→3 conv 1x1
    row = SPACE.features([3, 0, 1, 4, 0, 2], "path")[0]
    one, two, three = np.split(row, [4, 20])
    assert one.tolist() == [0, 0, 0, 1]
    assert two.sum() == 0
    assert np.argwhere(three.reshape(4, 4, 4)).tolist() == [[2, 0, 1]]
    assert not SPACE.features([0] * 6, "path").any()
