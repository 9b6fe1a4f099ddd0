"""Policies by name: the embedded ones, and folders."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from blox_env.ground import registry
from blox_env.policies.files import read_policy
from blox_env.policies.policy import Policy

DATA = Path(__file__).resolve().parent.parent / "data" / "policies"

# what the registry names; each of these gives the policy anew
latency_goal = partial(read_policy, DATA / "latency-goal")
device_conditioned = partial(read_policy, DATA / "device-conditioned")


def load_policy(policy: str | os.PathLike[str] | Policy) -> Policy:
    """The policy of a name, or of a folder that :func:`write_policy` wrote; made once a process.

    A folder holds a card and arrays, checked against a checksum; nothing in it is executed.

    Args:
        policy: ``"latency-goal"``, ``"device-conditioned"``, or a folder.

    Raises:
        ValueError: for an unknown name, with the closest known one, and for a damaged folder.
    """
    if isinstance(policy, Policy):
        return policy
    return registry.load("policy", os.fspath(policy), Policy)


def list_policies() -> list[str]:
    """Names that :func:`load_policy` knows."""
    return registry.names("policy")
