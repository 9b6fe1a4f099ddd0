"""``blox-env measure`` and ``devices``."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import blox_env
from blox_env.cli import app
from blox_env.devices.build import add_retest, build_device
from blox_env.devices.embedded import MeasuredDevice
from blox_env.devices.measure import measure
from blox_env.devices.protocol import Protocol
from blox_env.devices.runtimes import Runtime

RUNNER = CliRunner()
SPACE = blox_env.BloxSpace()


class Clockwork(Runtime):
    """Takes as long as the macs of a network say, times ``factor``, on a clock of its own."""

    name = "clockwork"
    exports = False

    def __init__(self, threads: int = 1, precision: str | None = None, factor: float = 1.0):
        super().__init__(threads, precision)
        self.factor, self.latest = factor, 0

    def versions(self):
        return {"clockwork": "1"}

    def settings(self):
        return {"intra_op_num_threads": str(self.threads), "precision": self.precision}

    def build(self, space, row, *, seed, **network):
        return int(space.macs(np.array(row)[None])[0])

    def load(self, model, input_shape):
        def run():
            self.latest = model

        return run

    def timed(self, run):
        run()
        return int(self.latest * self.factor / 10)


def measured(folder, n=60, factor=1.0):
    rows = SPACE.sample(np.random.default_rng(0), n)
    rows = np.unique(rows, axis=0)
    protocol = Protocol(rounds=2, runs=3, tries=1)
    runtime = Clockwork(factor=factor)
    return measure(SPACE, rows, runtime, folder, protocol=protocol, force=True)


@pytest.mark.extra
def test_a_retest_is_written_into_the_card_and_changes_no_latency(tmp_path):
    build_device(measured(tmp_path / "first"), tmp_path / "device")
    before = (tmp_path / "device" / "latency.npy").read_bytes()
    found = add_retest(tmp_path / "device", measured(tmp_path / "second", n=30, factor=1.1))
    assert found.mape == pytest.approx(0.1, abs=0.001)
    assert found.spearman == pytest.approx(1.0)
    card = json.loads((tmp_path / "device" / "card.json").read_text())
    noise = card["noise"]["another_occasion"]
    assert noise["networks"] == 30
    assert noise["shared_factor"] == pytest.approx(1.1, abs=0.001)
    assert noise["mape_without_shared"] < 0.001
    assert "another occasion" in (tmp_path / "device" / "CARD.md").read_text()
    assert (tmp_path / "device" / "latency.npy").read_bytes() == before
    build_device(tmp_path / "device", tmp_path / "again")  # from its own visits
    again = json.loads((tmp_path / "again" / "card.json").read_text())
    assert again["noise"] == card["noise"]
    assert (tmp_path / "again" / "latency.npy").read_bytes() == before
    MeasuredDevice.from_folder(tmp_path / "device")


@pytest.mark.extra
def test_a_retest_of_something_else_is_refused(tmp_path):
    build_device(measured(tmp_path / "first"), tmp_path / "device")
    plan = json.loads((tmp_path / "first" / "plan.json").read_text())
    plan["runtime"]["settings"]["precision"] = "int8"
    (tmp_path / "first" / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(ValueError, match=r"expected the runtime's settings .*float32.*int8"):
        add_retest(tmp_path / "device", tmp_path / "first")


@pytest.mark.extra
def test_few_networks_and_known_devices_make_a_device_for_every_command(tmp_path):
    out, device = tmp_path / "raw", tmp_path / "device"
    arguments = [
        *("measure", "--runtime", f"{__name__}:Clockwork", "--budget", "12", "--force"),
        *("--rounds", "2", "--runs", "3", "--out", str(out), "--build", str(device)),
        *("--priors", "x86-ort-1t,x86-torch-1t", "--device", "clockwork"),
    ]
    result = RUNNER.invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "12 networks measured" in " ".join(result.output.split())
    made = blox_env.load_device(str(device))
    assert set(made.card["predictor"]["priors"]) == {"x86-ort-1t", "x86-torch-1t"}
    rows = SPACE.sample(np.random.default_rng(1), 500)
    truth = SPACE.macs(rows)
    assert np.corrcoef(truth, made.latency_ms(rows))[0, 1] > 0.9
    searched = RUNNER.invoke(app, ["search", "--device", str(device), "--budget", "5"])
    assert searched.exit_code == 0, searched.output
    again = RUNNER.invoke(app, arguments)  # nothing is left to measure
    assert again.exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--runtime", "onnxruntim"], "did you mean 'onnxruntime'"),
        (["--precision", "int9"], "did you mean 'int8'"),
        (["--priors", "x86-ort-1t"], "expected a budget with them"),
        (["--budget", "5", "--priors", "x86-ort-1"], "did you mean 'x86-ort-1t'"),
        (["--rounds", "3"], "rounds must be even"),
        (["--batch", "0"], "batch must be at least 1"),
        (["--networks", "10"], "n must be in 45"),
    ],
)
@pytest.mark.extra
def test_bad_arguments_name_what_was_expected(arguments, message, tmp_path):
    result = RUNNER.invoke(app, ["measure", "--out", str(tmp_path / "raw"), *arguments])
    assert result.exit_code == 1
    assert message in str(result.exception)
    assert not (tmp_path / "raw").exists()


def test_devices_lists_what_the_cards_say():
    result = RUNNER.invoke(app, ["devices", "x86-ort-int8-1t"])
    assert result.exit_code == 0
    held = blox_env.load_device("x86-ort-int8-1t").card["predictor"]["held_out"]
    assert f"{held['mape']:.1%}" in result.stdout
    assert RUNNER.invoke(app, ["devices", "x86-ort-int8"]).exit_code == 1


@pytest.mark.extra
def test_devices_draws(tmp_path):
    result = RUNNER.invoke(app, ["devices", "x86-ort-1t", "--pictures", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "x86-ort-1t.png").read_bytes().startswith(b"\x89PNG")
    assert "mixing blocks gains up to" in " ".join(result.stdout.split())
