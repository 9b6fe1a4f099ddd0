import numpy as np
import pytest

from blox_env.spaces.layout import EMPTY, Label, Node, Shown, chain, facts, is_known, route

TITLE = Label(0, 0, "title", 10, 100)


def box(x, y, kind="option"):
    return Node(f"{x}", x, y, 20, 10, "", kind)


def test_edges_are_straight_where_they_can_be():
    assert route(box(0, 0), box(50, 0)).path == ((10, 0), (40, 0))
    assert route(box(0, 40), box(0, 0)).path == ((0, 35), (0, 5))
    bent = route(box(0, 0), box(50, 30))
    assert len(bent.path) == 4
    turns = zip(bent.path, bent.path[1:], strict=False)
    assert all(a[0] == b[0] or a[1] == b[1] for a, b in turns)


def test_a_chain_has_a_node_a_slot_and_words_where_it_is_empty():
    plan = chain([3, 1, EMPTY], TITLE)
    assert [node.text for node in plan.nodes] == ["3", "1", EMPTY]
    assert [node.kind for node in plan.nodes] == ["option", "option", "empty"]
    assert [(e.start, e.end) for e in plan.edges] == [("slot 1", "slot 2"), ("slot 2", "slot 3")]
    assert plan.labels[0] is TITLE


def test_facts_leave_out_what_is_not_known():
    shown = Shown(np.zeros(3, dtype=np.int64), 3, val_acc=0.5, latency_ms=float("nan"), reward=0.25)
    assert facts(shown, "{:.1f}") == ["0.5", "reward 0.2500"]
    target = Shown(shown.row, 3, latency_target_ms=2.0, device="phone")
    assert facts(target, "{}") == ["latency target 2 ms on phone"]


@pytest.mark.parametrize(("value", "known"), [(0.0, True), (None, False), (float("nan"), False)])
def test_known_numbers(value, known):
    assert is_known(value) is known
