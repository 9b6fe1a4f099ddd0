"""Prefixes of a list of architectures, against a plain reading."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from blox_env.envs.episode.trie import Trie

OPTIONS = (3, 4, 2)
ROW = st.tuples(*(st.integers(0, count - 1) for count in OPTIONS))


@given(st.lists(ROW, min_size=1, max_size=9), st.lists(ROW, min_size=1, max_size=9))
def test_it_equals_a_plain_list(listed, asked):
    trie, rows = Trie(np.array(listed), OPTIONS), np.array(asked)
    assert trie.contains(rows).tolist() == [row in listed for row in asked]
    for slot, count in enumerate(OPTIONS):
        ahead = [
            [
                any(each[: slot + 1] == (*row[:slot], option) for each in listed)
                for option in range(count)
            ]
            for row in asked
        ]
        assert trie.ahead(slot, rows).tolist() == ahead
        occur = {each[slot] for each in listed}
        assert set(np.flatnonzero(trie.occurring(slot)).tolist()) == occur
