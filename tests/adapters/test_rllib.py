"""The adapter for RLlib without RLlib; with it: tests/clients/test_rllib.py."""

import importlib
import sys

import pytest


def test_without_rllib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "blox_env.adapters.rllib", raising=False)
    with pytest.raises(ImportError, match=r"adapter for RLlib needs .*'blox-env\[rllib\]'"):
        importlib.import_module("blox_env.adapters.rllib")
