import io

import pytest
from rich.console import Console

from blox_env import Problem, SearchSpace, search
from blox_env.agent import make_agent
from blox_env.cli.views.search import Watch, best_listing, no_device, unmet, watched_search
from tests.toys import ToyBenchmark, ToyDevice


def shown(*renderables):
    console = Console(file=io.StringIO(), width=120)
    for each in renderables:
        console.print(each)
    return console.file.getvalue()


def test_the_line_says_how_far_the_search_is():
    problem = Problem(ToyBenchmark(), None, budget=10)
    assert "best" not in shown(Watch(problem, "an-agent"))
    problem.evaluate([[0, 0, 0], [1, 1, 1]])
    line = shown(Watch(problem, "an-agent"))
    assert "an-agent" in line
    assert "2 of 10" in line
    assert f"best reward {problem.history.reward.max():.4f}" in line


def test_the_best_and_where_its_numbers_come_from():
    problem = Problem(ToyBenchmark(), ToyDevice(), budget=10)
    history = search(problem, "random-search", seed=0)
    table = shown(best_listing(problem, history))
    assert "best of 10 evaluations" in table
    assert "-".join(map(str, history.x[history.best.row])) in table
    assert "predicted" in table
    assert "trained" in table


def test_limits_and_whether_they_are_met_are_shown():
    problem = Problem("digits", "x86-ort-1t", constraints={"params": 2e6}, budget=2)
    history = search(problem, "random-search", seed=0)
    assert unmet(history, target=False) == []
    table = shown(best_listing(problem, history))
    assert "of at most 2,000,000, met" in table
    broken = Problem("digits", "x86-ort-1t", constraints={"params": 2e6}, budget=2)
    broken.evaluate([[44, 44, 44]])
    (sentence,) = unmet(broken.history, target=False)
    assert sentence.startswith("the limit of 2,000,000 on params was not met")
    assert "NOT MET" in shown(best_listing(broken, broken.history))


def test_the_reason_for_no_device_is_told():
    problem = Problem(ToyBenchmark(SearchSpace((2, 3), "other")))
    assert "is not for the space 'other', so accuracy alone counts" in no_device(problem)


class Stopped(ToyBenchmark):
    after = 3

    def evaluate(self, x, **arguments):
        if self.calls >= self.after:
            raise KeyboardInterrupt
        return super().evaluate(x, **arguments)


def test_what_was_found_is_kept_when_it_is_stopped():
    console = Console(file=io.StringIO())
    problem = Problem(Stopped(), budget=10)
    history, ended = watched_search(problem, make_agent("random-search"), "r", 0, console)
    assert (len(history), ended) == (3, False)
    nothing = Stopped()
    nothing.after = 0
    with pytest.raises(KeyboardInterrupt):
        watched_search(Problem(nothing, budget=5), make_agent("random-search"), "r", 0, console)
