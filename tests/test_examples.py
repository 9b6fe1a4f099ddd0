"""Every example runs as it stands."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.extra
EXAMPLES = Path(__file__).parents[1] / "examples"
# Examples of libraries that .venv does not have: `make clients` runs them where they are.
CLIENTS = {"rllib_masked.py": ("ray", "tree"), "torchrl_recipe.py": ("torchrl",)}
COMPILED = {"purejaxrl_style.py": ("jax",), "thousand_seeds.py": ("jax",)}  # make jax


def run(*command, cwd, **environment):
    return subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **environment},
        check=False,
    )


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(
            p.name,
            marks=[pytest.mark.clients] * (p.name in CLIENTS)
            + [pytest.mark.jax] * (p.name in COMPILED),
        )
        for p in sorted(EXAMPLES.glob("*.py"))
    ],
)
def test_example_runs(name, tmp_path):
    for needed in {**CLIENTS, **COMPILED}.get(name, ()):
        pytest.importorskip(needed)
    done = run(str(EXAMPLES / name), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_own_benchmark_and_device_on_the_command_line_and_in_ray_workers(tmp_path):
    arguments = "--agents random-search,regularized-evolution --benchmarks tiny --devices abacus"
    done = run(
        *("-m", "blox_env", "--plugin", "your_own", "compare", *arguments.split()),
        *("--seeds", "2", "--budget", "30", "--workers", "2", "--out", str(tmp_path / "out")),
        cwd=EXAMPLES,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(list(tmp_path.glob("out/runs/*.parquet"))) == 4
    assert (tmp_path / "out" / "report.html").exists()
