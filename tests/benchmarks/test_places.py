import numpy as np

from blox_env.benchmarks.places import aligned
from blox_env.benchmarks.trainings import Trainings

GPU = "some GPU"


def made_up(offset, noise, both=60, seed=0):
    """Trainings of architectures on CPUs, of the first ``both`` of them on a GPU as well."""
    rng = np.random.default_rng(seed)
    n = 80
    truth = rng.uniform(0.4, 0.6, (n, 3))
    place = np.array(["cpu"] * n + [GPU] * n)
    x = np.concatenate([np.arange(n), np.where(np.arange(n) < both, 0, n) + np.arange(n)])
    values = np.concatenate([truth, truth + offset]) + rng.normal(0, noise, (2 * n, 3))
    return Trainings(
        header={},
        x=np.column_stack([x, x]),
        seed=np.arange(2 * n),
        val_acc=values[:, :2],
        test_acc=values[:, 2],
        train_time_s=np.full(2 * n, np.nan),
        asked_by=np.full(2 * n, "uniform"),
        ran_on=place,
    )


def test_a_clear_difference_is_taken_out():
    raw = made_up(offset=-0.02, noise=0.005)
    moved, facts = aligned(raw)
    assert facts[GPU]["architectures"] == 60
    assert abs(facts[GPU]["taken_out"] + 0.02) < 4 * facts[GPU]["error"]
    cpu = raw.ran_on == "cpu"
    np.testing.assert_array_equal(moved.val_acc[cpu], raw.val_acc[cpu])
    np.testing.assert_allclose(
        moved.val_acc[~cpu, -1], raw.val_acc[~cpu, -1] - facts[GPU]["taken_out"]
    )
    after = aligned(moved)[1][GPU]
    assert abs(after["difference"]) < after["error"]


def test_noise_is_left_alone():
    taken = [aligned(made_up(0.0, 0.01, seed=seed))[1][GPU] for seed in range(40)]
    assert sum(facts["taken_out"] == 0 for facts in taken) > 20
    for facts in taken:
        assert abs(facts["taken_out"]) <= abs(facts["difference"])


def test_few_architectures_in_common_say_nothing():
    raw = made_up(offset=-0.02, noise=0.001, both=19)
    moved, facts = aligned(raw)
    assert facts == {}
    np.testing.assert_array_equal(moved.val_acc, raw.val_acc)


def test_accuracies_stay_fractions():
    raw = made_up(offset=0.9, noise=0.0)
    moved, _ = aligned(raw)
    assert moved.val_acc.min() >= 0
    assert moved.val_acc.max() <= 1
