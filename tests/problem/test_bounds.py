"""Bounds of prefixes against a list of everything."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blox_env.problem import bounds
from blox_env.problem.bounds import Bounds, Part, Term

OPTIONS = (3, 4, 2, 3)
EVERY = np.array(list(itertools.product(*map(range, OPTIONS))))


def amount(part):
    """What every architecture has of a part."""
    columns = [np.full(len(EVERY), part.base)]
    columns += [table[EVERY[:, slot]] for slot, table in enumerate(part.tables)]
    return (
        np.stack(columns).sum(axis=0) if part.combined == "sum" else np.stack(columns).max(axis=0)
    )


@st.composite
def limited(draw):
    """One to three terms over parts that are shared, some with limits that little keeps to."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    parts = {
        name: Part(
            float(rng.integers(0, 5)),
            tuple(rng.integers(0, 9, count).astype(float) for count in OPTIONS),
            rng.choice(["sum", "max"]),
        )
        for name in "abc"
    }
    terms = []
    for number in range(draw(st.integers(1, 3))):
        names = draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=2, unique=True))
        weights = {name: (float(rng.integers(1, 3)), parts[name]) for name in names}
        values = sum(w * amount(part) for w, part in weights.values())
        limit = float(np.quantile(values, draw(st.sampled_from([0.1, 0.4, 0.9]))))
        terms.append(Term(f"t{number}", max(limit, 0.5), weights))
    return terms


def keeps(terms):
    """Which architectures keep to all limits."""
    return np.all(
        [sum(w * amount(p) for w, p in t.parts.values()) <= t.limit for t in terms], axis=0
    )


@settings(max_examples=40)
@given(limited())
def test_what_is_left_in_is_what_leads_somewhere(terms):
    found, kept = Bounds(terms), keeps(terms)
    assert found.exact
    assert found.possible == kept.any()
    for slot, count in enumerate(OPTIONS):
        assert found.occurring(slot).tolist() == [
            kept[EVERY[:, slot] == option].any() for option in range(count)
        ]
        leads = kept.reshape(OPTIONS).any(axis=tuple(range(slot + 1, len(OPTIONS))))
        wanted = leads[tuple(EVERY[:, :slot].T)]  # of the options of this slot
        np.testing.assert_array_equal(
            found.ahead(slot, EVERY), np.broadcast_to(wanted, (len(EVERY), count))
        )


@settings(max_examples=40)
@given(limited())
def test_where_there_are_many_least_ones_too_much_is_left_in_never_too_little(terms):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bounds, "_MOST", 1)
        found = Bounds(terms)
    kept = keeps(terms)
    for slot in range(len(OPTIONS)):
        ahead = found.ahead(slot, EVERY)
        assert ahead[kept, EVERY[kept, slot]].all()
    assert not found.exact or found.possible == kept.any()


def test_lower_bounds_are_not_exact():
    part = Part(0.0, tuple(np.arange(count, dtype=float) for count in OPTIONS), exact=False)
    found = Bounds([Term("latency_ms", 3.0, {"latency_ms": (1.0, part)})])
    assert not found.exact
    assert found.least.tolist() == [0.0]
    assert found.smallest(1) == 0


def test_what_nothing_keeps_to_is_named():
    part = Part(7.0, tuple(np.ones(count) for count in OPTIONS))
    term = Term("params", 8.0, {"params": (1.0, part)})
    with pytest.raises(ValueError, match="params must be at least the 11 that any architecture"):
        Bounds([term]).check()
    one = Part(0.0, (np.array([1.0, 2.0]),))
    other = Part(0.0, (np.array([2.0, 1.0]),))
    both = [Term("params", 1.0, {"a": (1.0, one)}), Term("macs", 1.0, {"b": (1.0, other)})]
    with pytest.raises(ValueError, match="no architecture keeps to all of params <= 1, macs <= 1"):
        Bounds(both).check()
