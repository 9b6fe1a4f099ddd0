"""The command ``policy``."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import blox_env.cli
from blox_env.policies import load_policy
from tests.policies.conftest import card_of, make

__all__ = ["make"]
ANSWERS = {
    "by": "policy", "exact": 0.25, "within": 0.5, "mean_regret": 0.125, "excess": None,
    "accuracy_lacking": None,
}  # fmt: skip
JUDGED = [{"device": "board", "trained_on": False, "answers": [ANSWERS]}]


def run(*arguments):
    done = CliRunner().invoke(blox_env.cli.app, ["policy", *map(str, arguments)])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.stdout


def test_answers_stand_beside_the_tables(make):
    folder = make()
    found = json.loads(run(folder, "--targets", "3.5ms,5", "--json"))
    assert [each["target_ms"] for each in found] == [3.5, 5]
    rows = load_policy(folder).propose([3.5, 5]).x
    np.testing.assert_array_equal([each["architecture"] for each in found], rows)
    latency = blox_env.load_device("x86-ort-1t").latency_ms(rows)
    np.testing.assert_allclose([each["latency_ms"] for each in found], latency)
    assert [each["meets"] for each in found] == (latency <= [3.5, 5]).tolist()
    plain = run(folder, "--targets", "3.5ms,5ms").splitlines()
    assert plain[1].split("\t")[0] == "target"
    assert len(plain) == 4


def test_an_unknown_device_has_no_tables(make):
    folder = make("device")
    timings = "4.1ms,4.2ms,5.0,6"
    found = json.loads(run(folder, "--targets", "4ms", "--reference", timings, "--json"))
    assert "latency_ms" not in found[0]
    told = json.loads(run(folder, "--targets", "4ms", "--device", "x86-ort-1t", "--json"))
    assert told[0]["latency_ms"] > 0


def test_without_targets_it_says_what_it_is(make):
    text = run(make("device", judged=JUDGED, protocol="As it was."))
    assert "reference networks" in text
    assert "board\tno\tpolicy\t25.0%\t50.0%\t0.1250" in text
    assert json.loads(run(make(), "--json"))["name"] == card_of()["name"]


def test_bad_targets_are_named(make):
    with pytest.raises(ValueError, match=r"--targets must be milliseconds such as 1\.2ms,1\.5ms"):
        run(make(), "--targets", "fast")
