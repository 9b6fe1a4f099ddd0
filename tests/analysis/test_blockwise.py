import numpy as np
import pytest
from scipy.stats import spearmanr

from blox_env import BloxSpace, list_devices, load_benchmark, load_device
from blox_env.analysis.blockwise import (
    Figure,
    block_effects,
    by_key,
    learning_curve,
    mean,
    mixed_against_uniform,
    share,
    spearman,
    truth_of,
)
from blox_env.networks.predictors import SignatureSum
from tests.toys import ToyBenchmark, toy_blocks

RNG = np.random.default_rng(0)


def test_figures_hold_their_value_and_narrow_with_n():
    a = RNG.normal(size=200)
    b = a + RNG.normal(size=200)
    few, many = spearman(a[:30], b[:30]), spearman(a, b)
    assert many.value == spearmanr(a, b).statistic
    assert few.high - few.low > many.high - many.low
    for found in (few, many, mean(a), share(a > 0.2)):
        assert found.low < found.value < found.high
    assert share([True] * 9).high == 1 > share([True] * 9).low
    assert mean(a).value == pytest.approx(a.mean())
    assert Figure(0.1234, 0.1, 0.2, 7).text(1, 100) == "12.3 (10.0 … 20.0, n = 7)"
    assert Figure(0.1, -0.1, 0.2, 7).text(1, sign=True) == "+0.1 (-0.1 … +0.2, n = 7)"


def test_block_effects_are_means_over_all_others():
    benchmark = ToyBenchmark()
    x = benchmark.space.all()
    with_ = x[x[:, 1] == 7]
    assert block_effects(benchmark)[1, 7] == pytest.approx(benchmark.evaluate(with_).val_acc.mean())


def test_a_learning_curve_learns_what_there_is():
    signatures = toy_blocks()[0].signatures
    x = BloxSpace().sample(RNG, 200)
    y = 0.5 - signatures.of(x).sum(axis=1) / 50 + RNG.normal(0, 0.002, 200)
    curve = learning_curve(lambda number: SignatureSum(signatures), x, y, (4, 64), 5)
    assert curve[64][0].value < curve[4][0].value
    assert curve[64][1].value > 0.95
    assert curve[4][1].n == 5


def test_mixed_against_uniform_by_hand():
    benchmark = load_benchmark("digits")
    device = list_devices("blox")[0]
    free, fast = mixed_against_uniform(benchmark, [device])
    x = benchmark.space.all()
    said, latency = benchmark.evaluate(x), load_device(device).latency_ms(x)
    same = (x == x[:, :1]).all(axis=1)
    assert free.gain.value == pytest.approx(said.val_acc.max() - said.val_acc[same].max())
    best = np.flatnonzero(same)[np.argmax(said.val_acc[same])]
    assert fast.uniform == free.uniform == tuple(x[best].tolist())
    within = np.flatnonzero(latency <= latency[best])
    rival = within[np.argmax(said.val_acc[within])]
    assert fast.mixed == tuple(x[rival].tolist())
    assert fast.latency_ms == pytest.approx(latency[best])
    assert free.beaten.n == 45
    beaten = []
    for number in np.flatnonzero(same):
        within = np.flatnonzero(latency <= latency[number])
        rival = within[np.argmax(said.val_acc[within])]
        noise = np.hypot(said.val_std[rival], said.val_std[number])
        beaten.append(said.val_acc[rival] - said.val_acc[number] > 2 * noise)
    assert fast.beaten.value == pytest.approx(np.mean(beaten))


def test_truth_is_the_mean_of_trainings():
    x = np.array([[0, 0, 1], [0, 0, 1], [4, 4, 4]])
    found = truth_of(BloxSpace(), x, np.array([0.5, 0.7, 0.9]), [(0, 0, 1), (9, 9, 9)])
    np.testing.assert_allclose(found, [0.6, np.nan])


def test_records_are_found_by_their_fields():
    records = [{"row": [1, 2, 3], "kind": "a", "epochs": e} for e in (1, 3)]
    assert by_key(records, kind="a", epochs=3) == {(1, 2, 3): records[1]}
    assert by_key(records, kind="b") == {}
