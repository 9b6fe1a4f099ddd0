import numpy as np

from blox_env.analysis.leaderboard import boards
from tests.experiment.made_up import make_run


def searches(agent, best, n=8, **facts):
    """Searches that end at these rewards, by number of the search."""
    return [
        make_run([0.1, best - 0.001 * (seed % 3)], agent=agent, seed=seed, **facts)
        for seed in range(n)
    ]


def test_places_by_what_is_beyond_chance():
    mine = searches("good", 0.9) + searches("equal", 0.9) + searches("bad", 0.5)
    (board,), left_out = boards({"mine": mine}, seeds=8)
    assert [(entry.agent, entry.place) for entry in board.entries] == [
        ("equal", 1),
        ("good", 1),
        ("bad", 3),
    ]
    assert left_out == []
    assert board.known
    np.testing.assert_allclose(board.entries[0].regret.value, 1 - 0.899, atol=1e-3)
    assert board.entries[0].solved == 0
    assert ("budget", "2") in board.facts


def test_folders_meet_on_one_board_and_keep_their_names():
    found, _ = boards({"a": searches("x", 0.9), "b": searches("x", 1.0)}, seeds=8)
    (board,) = found
    assert [(entry.folder, entry.place) for entry in board.entries] == [("b", 1), ("a", 2)]
    assert board.entries[0].solved == 3 / 8


def test_problems_that_differ_are_not_put_together():
    others = (
        {"reward": "tunas"},
        {"budget": 5},
        {"checksums": {"b": "2"}},
        {"constraints": {"params": 1.0}},
        {"device": None},
    )
    folders = {str(i): searches("x", 0.9, **facts) for i, facts in enumerate(others)}
    found, _ = boards({"mine": searches("x", 0.9), **folders}, seeds=8)
    assert len(found) == 1 + len(others)


def test_too_few_searches_do_not_count_and_copies_count_once():
    runs = searches("x", 0.9, n=7)
    found, left_out = boards({"mine": [*runs, *runs]}, seeds=8)
    assert found == []
    assert left_out == ["mine: x has 7 searches, fewer than 8"]


def test_options_are_shown():
    (board,), _ = boards({"mine": searches("x", 0.9, options={"population": 3})}, seeds=8)
    assert board.entries[0].options == '{"population": 3}'
