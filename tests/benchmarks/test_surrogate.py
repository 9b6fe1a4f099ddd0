import numpy as np
import pytest

pytest.importorskip("sklearn")

from blox_env import BloxSpace
from blox_env.benchmarks.surrogate import CurveEnsemble, fold_of

SPACE = BloxSpace()
NOISE = 0.005


def test_folds_are_even_and_repeat():
    fold = fold_of(103, 10, 0)
    assert set(np.bincount(fold)) == {10, 11}
    np.testing.assert_array_equal(fold, fold_of(103, 10, 0))
    assert not np.array_equal(fold, fold_of(103, 10, 1))


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    x = np.unique(SPACE.sample(rng, 150), axis=0)
    truth = SPACE.features(x, "depth")
    y = np.column_stack([truth[:, :3].sum(axis=1), truth[:, 3:].sum(axis=1)])
    y = 0.6 + 0.05 * (y - y.mean(axis=0)) / y.std(axis=0)  # accuracies
    y += NOISE * rng.normal(size=y.shape)
    ensemble = CurveEnsemble(SPACE, folds=4, seed=0)
    return x, y, ensemble, ensemble.fit(x, y, np.full(y.shape, NOISE**2))


def test_held_out_predictions_follow_the_truth(fitted):
    _, y, _, held_out = fitted
    for target in range(2):
        assert np.corrcoef(held_out.mean[:, target], y[:, target])[0, 1] > 0.8
    within = np.abs(held_out.mean - y) < 4 * np.hypot(held_out.std, NOISE)
    assert within.mean() > 0.95


def test_no_member_sees_what_it_predicts(fitted):
    x, y, ensemble, _ = fitted
    first = fold_of(len(x), 4, 0) == 0
    changed = y.copy()
    changed[first] -= 0.3
    again = CurveEnsemble(SPACE, folds=4, seed=0)
    # the same kernel for the member of fold 0 comes from the other half, which is left as it was
    again.fit(x, changed, np.full(y.shape, NOISE**2))
    for family, predicted in ensemble.unseen.items():
        np.testing.assert_allclose(again.unseen[family][first], predicted[first], rtol=1e-6)
        assert not np.allclose(again.unseen[family][~first], predicted[~first], rtol=1e-3)


def test_members_are_asked_after_they_are_fitted():
    with pytest.raises(RuntimeError, match=r"call fit\(\) first"):
        CurveEnsemble(SPACE).predict(SPACE.sample(np.random.default_rng(0), 2))
