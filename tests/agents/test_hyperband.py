"""Rounds of brackets, from many short trainings to few full ones."""

from collections import Counter

from blox_env import Problem, search
from blox_env.agents.hyperband import Hyperband
from tests.toys import ToyBenchmark


def test_the_first_bracket_begins_with_the_shortest_trainings():
    history = search(Problem(ToyBenchmark(), None, budget=40), "hyperband", seed=0)
    assert history.epochs[0] == 1
    lengths = Counter(history.epochs.tolist())
    assert lengths[1] > lengths[3] > 0
    assert lengths[10] > 0


def test_brackets_of_a_round(monkeypatch):
    begun = []

    class Watched(Hyperband):
        def propose(self, trainings):
            begun.append(None)
            return super().propose(trainings)

    rounds = []
    halve = "blox_env.agents.successive_halving.Trainings.halve"

    def halved(self, propose, count, levels, eta):
        rounds.append((count, levels))
        self.problem.evaluate(self.problem.space.sample(self.rng, 4))  # so that it ends

    monkeypatch.setattr(halve, halved)
    search(Problem(ToyBenchmark(), None, budget=10), Watched(eta=3.0), seed=0)
    assert rounds[:3] == [(9, [1, 3, 10]), (5, [3, 10]), (3, [10])]
