"""The embedded policies are as good as their cards say, on the tables of today."""

import numpy as np
import pytest

import blox_env
from blox_env.policies import judge_policy
from blox_env.policies.loading import DATA

NAMES = blox_env.list_policies()


def targets_of(policy, device, count):
    goal = policy.card["goal"]
    if policy.reference is None:
        low, high = goal["low_ms"], goal["high_ms"]
    else:
        rows = policy.space.all()
        latency = blox_env.load_device(device).latency_ms(rows)
        data = blox_env.load_benchmark(policy.environment["benchmark"])
        low, high = latency.min(), latency[data.evaluate(rows).val_acc.argmax()]
    return low + (high - low) * (np.arange(count) + 0.5) / count


@pytest.mark.parametrize("name", NAMES)
def test_files_are_small_and_named_alike(name):
    assert blox_env.load_policy(name).name == name
    assert sum(path.stat().st_size for path in (DATA / name).iterdir()) < 200_000


@pytest.mark.parametrize("name", NAMES)
def test_trained_on_the_tables_of_today(name):
    policy = blox_env.load_policy(name)
    data = policy.card["data"]
    benchmark = blox_env.load_benchmark(data["benchmark"][0])
    assert benchmark.checksum() == data["benchmark"][1], f"run perf/train_policies.py {name}"
    for device, checksum in data["devices"].items():
        now = blox_env.load_device(device).checksum()
        assert now == checksum, f"{device}: run perf/train_policies.py {name}"


@pytest.mark.parametrize("name", NAMES)
def test_shares_of_the_card_are_found_again(name):
    policy = blox_env.load_policy(name)
    for entry in policy.card["judged"][:2]:  # the device, or those that no training saw
        told = entry["answers"][0]
        assert told["by"] == "policy"
        assert told["targets"] >= 200
        targets = targets_of(policy, entry["device"], told["targets"])
        found = judge_policy(policy, targets, device=entry["device"]).summary()
        for key in ("exact", "within"):
            assert found[key] == pytest.approx(told[key], abs=0.02)


def test_a_target_on_the_default_device_is_met_exactly():
    entry = blox_env.load_policy("latency-goal").card["judged"][0]
    own, *others = entry["answers"]
    assert own["exact"] > 0.95
    assert all(other["exact"] < 0.1 for other in others)


def test_unseen_devices_are_served_better_than_by_a_thousand_random_networks():
    judged = blox_env.load_policy("device-conditioned").card["judged"]
    unseen = [entry for entry in judged if not entry["trained_on"]]
    assert len(unseen) == 2
    for entry in unseen:
        by = {found["by"]: found for found in entry["answers"]}
        assert by["policy"]["exact"] > 5 * by["best of 1,000"]["exact"]
        careful = by["policy, margin 3%"]
        assert careful["mean_regret"] < by["best of 1,000"]["mean_regret"]
        assert careful["within"] > by["policy"]["within"]


def test_beyond_the_range_the_answers_are_its_ends():
    policy = blox_env.load_policy("latency-goal")
    device = blox_env.load_device(policy.environment["device"])
    rows = policy.space.all()
    val_acc = blox_env.load_benchmark(policy.environment["benchmark"]).evaluate(rows).val_acc
    fastest, slowest = policy.propose([0.01, 1000.0]).x
    assert device.latency_ms(fastest[None])[0] == device.latency_ms(rows).min()
    np.testing.assert_array_equal(slowest, rows[val_acc.argmax()])
