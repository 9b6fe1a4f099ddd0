import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from blox_env import load_benchmark
from blox_env.cli import app
from blox_env.importers.made_up import write_release
from blox_env.spaces import BloxSpace
from tests.networks.images.made_up import NAMES10, pixels, write_pack

RUNNER = CliRunner()


def call(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "blox_env", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


def said(done, text):
    """Whether an error says so, however the terminal broke its lines."""
    return "".join(text.split()) in "".join(done.stderr.split())


def test_info_lists_tasks_and_live_benchmarks():
    done = call("info")
    assert done.returncode == 0, done.stderr
    for name in ("live:TASK", "cifar10", "folder"):
        assert name in done.stdout


@pytest.mark.extra
def test_pictures_that_are_cut_or_absent_are_named(tmp_path):
    images = pixels(np.random.default_rng(0), 20)
    path = write_pack(
        tmp_path / "cifar10.npz", images, np.arange(20) % 10, np.arange(20) < 5, NAMES10, {}
    )
    path.write_bytes(path.read_bytes()[:-100])
    collect = ("collect", "--task", "cifar10", "--out", tmp_path / "out", "--workers", 0)
    done = call(*collect, "--data", path)
    assert done.returncode == 1
    assert said(done, "cifar10.npz is not a pack of images, or damaged")
    done = call(*collect, "--data", tmp_path / "nowhere")
    assert done.returncode == 1
    assert said(done, "--data: ")
    assert said(done, "nowhere does not exist")
    done = call("search", "--benchmark", "live:cifar10", "--data", path, "--budget", 2)
    assert done.returncode == 1
    assert said(done, "cifar10.npz is not a pack")


def test_import_and_info(tmp_path):
    x = BloxSpace().from_index(np.arange(4))
    write_release(tmp_path / "release", x, epochs=2, parts=("base", "bench"))
    store = tmp_path / "store"
    done = RUNNER.invoke(app, ["import", str(tmp_path / "release"), "--out", str(store)])
    assert done.exit_code == 0, done.output
    assert "use: benchmark=" in done.output
    assert load_benchmark(str(store)).known(x).all()
    told = RUNNER.invoke(app, ["info", str(store)])
    assert "val_top1" in told.output
    again = RUNNER.invoke(app, ["import", str(tmp_path / "release"), "--out", str(store)])
    assert isinstance(again.exception, ValueError)


@pytest.mark.extra
def test_collect_packs_what_it_trained(tmp_path):
    pytest.importorskip("torch")
    packed = tmp_path / "trainings.csv"
    done = RUNNER.invoke(
        app,
        ["collect", "--architectures", "1", "--repeated", "0", "--workers", "0",
         "--out", str(tmp_path / "results"), "--pack", str(packed)],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "1 trainings in" in done.output.replace("\n", " ")
    assert len(packed.read_text().splitlines()) == 3
