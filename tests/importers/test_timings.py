import numpy as np
import pytest

pytest.importorskip("sklearn")

from typer.testing import CliRunner

import blox_env
from blox_env.cli import app
from blox_env.devices.estimators import predictor
from blox_env.importers.timings import device_from_table
from blox_env.spaces import BloxSpace, NatsTopologySpace

RUNNER = CliRunner()
SPACE = BloxSpace()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for name in ("ridge-parts", "boosted-ridge", "gaussian-process"):
        monkeypatch.delitem(predictor.CANDIDATES, name)


def table(path, rows, latency, heading="latency_ms"):
    lines = [
        f"{'-'.join(map(str, row))},{value}"
        for row, value in zip(rows.tolist(), latency.tolist(), strict=True)
    ]
    path.write_text("\n".join([f"architecture,{heading}", *lines]))
    return path


def test_timings_become_a_device_of_the_command(tmp_path):
    known = blox_env.load_device("x86-torch-1t")
    rows = np.unique(SPACE.sample(np.random.default_rng(0), 30), axis=0)
    path = table(tmp_path / "t.csv", rows, 2000 * known.latency_ms(rows), "latency_us:pi4")
    arguments = ["measure", "--from", str(path), "--priors", "x86-torch-1t", "--build"]
    done = RUNNER.invoke(app, [*arguments, str(tmp_path / "pi4")])
    assert done.exit_code == 0, done.output
    assert f"{len(rows)} networks measured, the others predicted" in done.output
    device = blox_env.load_device(str(tmp_path / "pi4"))
    assert device.name == "pi4"
    np.testing.assert_allclose(device.latency_ms(rows), 2 * known.latency_ms(rows))
    listed = RUNNER.invoke(app, ["devices", str(tmp_path / "pi4")])
    assert listed.output.splitlines()[1].startswith(f"pi4\t{device.median_ms():.2f} ms\t")
    small = ["--budget", "5", "--device", str(tmp_path / "pi4")]
    assert RUNNER.invoke(app, ["search", *small]).exit_code == 0


def test_poor_ones_are_warned_of_wherever_they_are_used(tmp_path):
    rows = SPACE.sample(np.random.default_rng(1), 12)
    path = table(tmp_path / "t.csv", rows, np.random.default_rng(2).lognormal(1, 1, 12))
    arguments = ["--from", str(path), "--priors", "none", "--build", str(tmp_path / "d")]
    for command in (
        ["measure", *arguments],
        ["devices", str(tmp_path / "d")],
        ["search", "--budget", "5", "--device", str(tmp_path / "d")],
    ):
        done = RUNNER.invoke(app, command)
        assert done.exit_code == 0, done.output
        assert "warning: the latencies that t predicts are poor" in done.stderr, command


def test_another_space(tmp_path):
    space = NatsTopologySpace()
    rows = space.sample(np.random.default_rng(3), 40)
    made = device_from_table(
        table(tmp_path / "t.csv", rows, 1.0 + rows.sum(axis=1)), tmp_path / "d", name="npu"
    )
    assert (made.name, made.space) == ("npu", space)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("architecture,val_acc\n1-1-1,0.5\n", "t.csv: expected a column latency_ms"),
        ("architecture,latency_ms\n1-1-1,x\n", "t.csv, row 2, column 'latency_ms'"),
        ("architecture,latency_ms\n1-1-1,5\n", "t.csv: expected latencies of at least 5"),
        ("architecture,latency_ms:a,latency_ms:b\n1-1-1,5,6\n", "unknown device None, expected"),
        ("architektur,latency_ms\n1-1-1,5\n", "did you mean 'architecture'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        device_from_table(tmp_path / "t.csv", tmp_path / "d")
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--from", "t.csv"], "expected --build FOLDER"),
        (["--from", "t.csv", "--build", "d", "--out", "raw"], "no --out or --budget"),
        (["--build", "d"], "--out: expected a folder"),
    ],
)
def test_options_that_do_not_go_together(arguments, message):
    done = RUNNER.invoke(app, ["measure", *arguments])
    assert done.exit_code == 1
    assert message in str(done.exception)
