"""Answers of policies, and policies as agents of the environment."""

import gymnasium as gym
import numpy as np
import pytest

import blox_env
from blox_env.envs.episode.goals import probe_architectures
from blox_env.policies import load_policy


@pytest.fixture
def place(make):
    return load_policy(make())


@pytest.fixture
def probes(make):
    return load_policy(make("device"))


def test_one_answer_a_target(place):
    found = place.propose([3.5, 4.0, 5.9])
    assert found.x.shape == (3, 3)
    assert len(found) == 3
    place.space.check(found.x)
    assert found.val_acc.shape == found.latency_ms.shape == (3,)
    assert (found.latency_ms > 0).all()
    np.testing.assert_array_equal(found.target_ms, [3.5, 4.0, 5.9])
    np.testing.assert_array_equal(place.propose(4.0).x, found.x[1:2])


def test_a_margin_asks_for_less(place):
    np.testing.assert_array_equal(place.propose(5.0, margin=0.2).x, place.propose(4.0).x)
    assert place.propose(5.0, margin=0.2).target_ms == 5.0


@pytest.mark.parametrize("bad", [0, -1.0, np.nan, np.inf])
def test_a_target_is_a_positive_number(place, bad):
    with pytest.raises(ValueError, match="targets_ms must be milliseconds, finite and above 0"):
        place.propose([4.0, bad])


def test_what_does_not_fit_is_named(place, probes):
    with pytest.raises(ValueError, match=r"got shape \(1, 2\)"):
        place.propose([[4.0, 5.0]])
    with pytest.raises(ValueError, match="for the device 'x86-ort-1t' alone"):
        place.propose(4.0, device="x86-torch-1t")
    with pytest.raises(ValueError, match="margin must be a share"):
        place.propose(4.0, margin=1.0)
    with pytest.raises(ValueError, match="needs either device or reference_ms"):
        probes.propose(4.0)
    with pytest.raises(ValueError, match=r"reference_ms must be \(4,\) or \(2, 4\)"):
        probes.propose([4.0, 5.0], reference_ms=[1.0, 2.0])
    with pytest.raises(ValueError, match="reference_ms must be milliseconds"):
        probes.propose(4.0, reference_ms=[1.0, 2.0, -3.0, 4.0])


def test_a_device_is_its_reference_latencies_and_nothing_else(probes):
    device = blox_env.load_device("x86-ort-1t")
    latency = device.latency_ms(probes.reference)
    named = probes.propose([4.0, 5.0], device="x86-ort-1t")
    for told in (latency, np.tile(latency, (2, 1))):
        np.testing.assert_array_equal(probes.propose([4.0, 5.0], reference_ms=told).x, named.x)
    slower = probes.propose([40.0, 50.0], reference_ms=10 * latency)
    np.testing.assert_array_equal(slower.x, named.x)
    np.testing.assert_allclose(slower.latency_ms, 10 * named.latency_ms, rtol=1e-4)


def test_reference_networks_are_those_of_the_environment(probes, place):
    np.testing.assert_array_equal(probes.reference, probe_architectures(probes.space, 4))
    assert place.reference is None


def test_acting_for_a_target_builds_what_is_proposed(place):
    env = gym.make("blox_env/Blox-v0", **place.environment)
    for target in (3.1, 4.4, 5.8):
        observation, info = env.reset(seed=0, options={"latency_target_ms": target})
        over = False
        while not over:
            action = place.act(observation, info["action_mask"])
            assert isinstance(action, int)
            observation, _, over, _, info = env.step(action)
        np.testing.assert_array_equal(info["arch"], place.propose(target).x[0])


def test_acting_on_many_devices_builds_what_is_proposed(probes):
    env = gym.make_vec(
        "blox_env/Blox-v0",
        num_envs=6,
        vectorization_mode="vector_entry_point",
        goals=("x86-ort-1t", "x86-torch-1t"),
        **probes.environment,
    )
    observation, infos = env.reset(seed=3)
    while "arch" not in infos:
        observation, _, _, _, infos = env.step(probes.act(observation, env.action_masks()))
    for row, name in zip(infos["arch"], infos["device"], strict=True):
        target = blox_env.load_device(name).median_ms()
        np.testing.assert_array_equal(row, probes.propose(target, device=name).x[0])


def test_masked_actions_are_never_taken(place):
    seen = np.zeros((45, 136), dtype=np.float32)
    seen[:, -1] = np.linspace(0, 1, 45)
    mask = np.eye(45, dtype=bool)
    np.testing.assert_array_equal(place.act(seen, mask), np.arange(45))
    with pytest.raises(ValueError, match=r"expected a mask of shape \(45, 45\)"):
        place.act(seen, mask[:3])
    with pytest.raises(ValueError, match="expected observations of 136 columns"):
        place.act(seen[:, 1:])


def test_words(place):
    assert repr(place) == "Policy('made-up': Proposes anything.)"
