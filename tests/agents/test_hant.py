import pytest

from blox_env import Problem, search
from blox_env.networks.predictors import SignatureSum
from tests.toys import ToyBenchmark, toy_blocks

pytestmark = pytest.mark.extra


def test_after_random_ones_it_goes_down_the_sum():
    history = search(Problem(ToyBenchmark(), None, budget=23), "hant", seed=1)
    model = SignatureSum(toy_blocks()[0].signatures)
    model.fit(history.x[:10], history.val_acc[:10])
    if model.predict(history.x).std() == 0:
        pytest.fail("the seed was to give a slope")
    ranked = model.predict(history.x[10:15])
    assert (ranked[:-1] >= ranked[1:]).all()
