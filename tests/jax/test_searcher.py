"""Searchers are equal where their programs are, and say what they cannot use."""

import pytest

from blox_env import Problem, SearchSpace
from tests.toys import ToyBenchmark, ToyDevice

pytest.importorskip("jax")

from blox_env.jax.environment import of_problem
from blox_env.jax.evolution import Evolution, Form
from blox_env.jax.reinforce import Reinforce


def env(options=(4, 3, 5), **arguments):
    space = SearchSpace(options)
    return of_problem(Problem(ToyBenchmark(space), ToyDevice(space)), **arguments)


def test_other_numbers_are_the_same_program_and_other_forms_are_not():
    searcher = Evolution(env())
    assert searcher == Evolution(env())
    assert hash(searcher) == hash(Evolution(env()))
    others = [Evolution(env((4, 3, 6))), Evolution(env(), Form(children=3)), Reinforce(env())]
    assert searcher not in others


def test_decisions_are_needed_where_they_are_steered():
    with pytest.raises(ValueError, match="Reinforce needs architectures built by decisions"):
        Reinforce(env(granularity="whole"))
