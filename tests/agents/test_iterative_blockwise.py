import pytest

from blox_env import Problem, search
from tests.toys import ToyBenchmark, toy_blocks

pytestmark = pytest.mark.extra


def test_a_round_is_paid_for_when_it_begins():
    problem = Problem(ToyBenchmark(), None, budget=40)
    history = search(problem, "iterative-blockwise", seed=0)
    cost = history.column("cost").tolist()
    assert (cost[0], cost[5]) == (4, 4)  # five trainings a round
    assert sum(cost) == 40 == len(cost) + 6


def test_what_cannot_be_paid_is_not_begun():
    problem = Problem(ToyBenchmark(), None, budget=11)
    history = search(problem, "iterative-blockwise", seed=0)
    assert history.column("cost").tolist() == [4, *[1] * 7]


def test_blocks_of_a_random_teacher_are_needed():
    benchmark = ToyBenchmark()
    benchmark.blocks = lambda: toy_blocks(("mediocre",))
    with pytest.raises(ValueError, match=r"no blocks of a random teacher \(round0\), got mediocre"):
        search(Problem(benchmark, None, budget=40), "iterative-blockwise", seed=0)
