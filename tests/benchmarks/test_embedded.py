import pytest

from blox_env import list_benchmarks, load_benchmark
from blox_env.benchmarks import embedded
from blox_env.benchmarks.card import render_card


@pytest.mark.parametrize("name", ["cifar10", "digits"])
def test_an_embedded_benchmark_is_whole_and_says_what_it_is(name):
    benchmark = getattr(embedded, name)()
    benchmark.verify()
    assert benchmark.name == name
    assert name in list_benchmarks()
    assert "not the" in benchmark.description
    assert benchmark.checksum() == load_benchmark(name).checksum()


@pytest.mark.parametrize("name", ["cifar10", "digits"])
def test_card_is_what_its_figures_give(name):
    card = load_benchmark(name).card
    assert (embedded.FOLDER / name / "CARD.md").read_text() == render_card(card)


def test_digits_is_true_where_optimisers_look():
    found = load_benchmark("digits").card["held_out"]["found"]["val_acc"]
    assert found["architectures"] >= 150
    assert abs(found["bias"]) <= 0.003
    assert found["r2"] >= 0.5
