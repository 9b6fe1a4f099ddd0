from itertools import product

import numpy as np
import pytest

from blox_env import BloxSpace
from blox_env.spaces.blox import BLOCKS

SPACE = BloxSpace()


def vectors():
    for op1, op2, prev, inp, skip in product(range(3), range(3), (0, 1), (0, 1), (0, 1)):
        yield [[op1], [op2, prev, inp, skip]]


def test_numbers_of_the_space():
    assert SPACE.size == 91_125
    assert len(BLOCKS) == 45
    assert list(BLOCKS) == sorted(BLOCKS)
    assert sum(b.single for b in BLOCKS) == 3
    assert sum((b.prev, b.input, b.skip) == (0, 1, 1) for b in BLOCKS) == 6


def test_round_trip_of_the_whole_space():
    every = SPACE.all()
    np.testing.assert_array_equal(SPACE.from_flat(SPACE.to_flat(every)), every)
    assert len(np.unique(SPACE.to_flat(every), axis=0)) == SPACE.size


def test_every_alias_has_one_canonical_form():
    valid, images = 0, set()
    for vector in vectors():
        nested = [vector, vector, vector]
        if vector[1][1:] == [0, 0, 0]:
            with pytest.raises(ValueError, match="stage 0: prev = input = skip = 0"):
                SPACE.from_arch_vec(nested)
            continue
        valid += 1
        row = SPACE.from_arch_vec(nested)
        images.add(tuple(row))
        again = SPACE.to_arch_vec(row)
        np.testing.assert_array_equal(SPACE.from_arch_vec(again), row)
    assert (valid, len(images)) == (63, 45)


def test_aliases_share_hash_with_their_meaning():
    def row(vector):
        return SPACE.from_arch_vec([vector] * 3)

    # op1 alone, op2 alone, and a parallel pair in both orders
    np.testing.assert_array_equal(row([[1], [2, 0, 0, 1]]), row([[0], [1, 0, 1, 0]]))
    np.testing.assert_array_equal(row([[2], [1, 0, 1, 0]]), row([[0], [1, 0, 1, 0]]))
    np.testing.assert_array_equal(row([[0], [2, 0, 1, 1]]), row([[2], [0, 0, 1, 1]]))


def test_description_reads_as_a_formula():
    row = SPACE.from_arch_vec([[[0], [1, 1, 1, 1]], [[2], [0, 0, 1, 1]], [[0], [2, 0, 1, 0]]])
    assert SPACE.describe(row) == "mbconv(conv(x)+x)+conv(x) | conv(x)+bconv(x) | bconv(x)"


def test_peak_activations_by_hand():
    # A = 32 · 32 · 32 values: conv(x) holds its input and output; bconv(x+conv(x)) with skip holds
    # conv(x), its input and twice that wide on both sides of the depthwise convolution
    rows = [
        SPACE.from_arch_vec([stage, [[0], [0, 0, 1, 0]], [[0], [0, 0, 1, 0]]])
        for stage in ([[0], [0, 0, 1, 0]], [[0], [2, 1, 1, 1]])
    ]
    a = 4 * 32**3
    assert SPACE.peak_activation_bytes(rows).tolist() == [2 * a, 6 * a]
    assert SPACE.peak_activation_bytes(SPACE.all()).max() == 6 * a
