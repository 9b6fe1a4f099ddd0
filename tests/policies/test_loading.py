"""Policies by name."""

import pytest

import blox_env
from blox_env.policies import list_policies, load_policy


def test_names():
    assert list_policies() == ["device-conditioned", "latency-goal"]
    assert blox_env.load_policy is load_policy


def test_near_misses_are_named(tmp_path, make):
    with pytest.raises(
        ValueError, match=r"unknown policy 'latency-gaol'.*did you mean 'latency-goal'"
    ):
        load_policy("latency-gaol")
    make(name="mine")
    with pytest.raises(ValueError, match=r"there is no such folder; did you mean .*mine"):
        load_policy(tmp_path / "mina")


def test_a_folder_is_read_once_and_again_when_it_changed(make):
    folder = make()
    first = load_policy(folder)
    assert load_policy(str(folder)) is first
    assert load_policy(first) is first
    assert load_policy(make(description="Another.")).describe_target() == "Another."


def test_other_folders_are_no_policies():
    device = blox_env.load_device("x86-ort-1t")
    folder = blox_env.policies.loading.DATA.parent / "devices" / device.name
    with pytest.raises(ValueError, match=r"card\.json: expected format to be int"):
        load_policy(folder)
