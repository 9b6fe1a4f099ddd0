"""Damaged data files give an error that names the file, or are not damaged enough to matter."""

import shutil

import numpy as np
import pytest

from blox_env import BloxSpace
from blox_env.benchmarks.embedded import FOLDER
from blox_env.benchmarks.table import FILES, TableBenchmark
from blox_env.devices.embedded import DATA, MeasuredDevice

pytestmark = pytest.mark.fuzz
ROUNDS = 200


def damage(path, rng):
    """Cut the file, or overwrite some of its bytes."""
    data = bytearray(path.read_bytes())
    if rng.random() < 0.3:
        path.write_bytes(bytes(data[: rng.integers(len(data))]))
        return
    places = rng.integers(min(len(data), 4096), size=rng.integers(1, 20))
    for place in places:
        data[place] = rng.integers(256)
    path.write_bytes(bytes(data))


def attempt(load, folder):
    try:
        load(folder)
    except (ValueError, FileNotFoundError) as error:
        if folder.name not in str(error):
            raise


@pytest.mark.parametrize("name", [*(f"{c}.npy" for c in FILES), "card.json"])
def test_damaged_benchmark(tmp_path, name):
    rng = np.random.default_rng(0)
    folder = tmp_path / "benchmark"
    shutil.copytree(FOLDER / "digits", folder)
    for _ in range(ROUNDS):
        shutil.copyfile(FOLDER / "digits" / name, folder / name)
        damage(folder / name, rng)
        attempt(lambda place: TableBenchmark(place, BloxSpace()).verify(), folder)


@pytest.mark.parametrize("name", ["latency.npy", "measured.npy", "card.json"])
def test_damaged_device(tmp_path, name):
    rng = np.random.default_rng(0)
    folder = tmp_path / "device"
    shutil.copytree(DATA / "x86-ort-1t", folder)
    for _ in range(ROUNDS):
        shutil.copyfile(DATA / "x86-ort-1t" / name, folder / name)
        damage(folder / name, rng)
        attempt(MeasuredDevice.from_folder, folder)
