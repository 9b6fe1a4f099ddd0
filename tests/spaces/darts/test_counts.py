import pytest

from blox_env.spaces.darts.counts import places
from blox_env.spaces.darts.space import DartsSpace
from tests.spaces.darts.test_notation import DARTS_V2

SPACE = DartsSpace()


def test_darts_has_the_parameters_that_its_authors_state():
    row = SPACE.from_genotype(DARTS_V2)
    # 20 cells of 36 channels without the auxiliary classifier: 3.349342 million
    assert SPACE.size_of("params", row, width=36, layers=20).tolist() == [3_349_342]


@pytest.mark.parametrize(
    ("layers", "reductions"), [(8, [2, 5]), (20, [6, 13]), (1, [0]), (2, [0, 1])]
)
def test_reductions_stand_at_thirds(layers, reductions):
    found = list(places(layers, 4, 32))
    assert [i for i, place in enumerate(found) if place.reduces] == reductions
    assert [i - 1 for i, place in enumerate(found) if place.after_reduction] == [
        r for r in reductions if r + 1 < layers
    ]
