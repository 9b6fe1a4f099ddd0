"""What ``import blox_env`` loads, seen by a fresh interpreter outside the checkout."""

import json
import subprocess
import sys

import pytest

HEAVY = {"torch", "ray", "matplotlib", "pandas", "sklearn"}
EXTRA = HEAVY | {
    "jinja2", "lightgbm", "moocore", "onnx", "onnxruntime", "onnxscript", "optuna", "pyarrow",
    "pymoo", "sb3_contrib", "scipy", "stable_baselines3",
}  # fmt: skip


def fresh(code, cwd):
    """Run code in an isolated interpreter: no PYTHONPATH, no current folder on sys.path."""
    command = [sys.executable, "-I", "-c", code]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    code = (
        "import sys, blox_env, json;"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    return fresh(code, tmp_path_factory.mktemp("elsewhere"))


def test_import_works_outside_the_checkout_and_prints_nothing(tmp_path):
    done = fresh("import blox_env", tmp_path)
    assert (done.stdout, done.stderr) == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_import_loads_no_extra(imported):
    loaded = set(json.loads(imported.stdout))
    assert "blox_env" in loaded
    assert not loaded & EXTRA


@pytest.mark.parametrize("name", ["agents", "wrappers"])
def test_subpackages_are_installed_inside_the_package(name, tmp_path):
    code = f"""
import importlib.util
assert importlib.util.find_spec("{name}") is None, "a top-level package {name} is in the way"
assert importlib.util.find_spec("blox_env.{name}") is not None
"""
    fresh(code, tmp_path)
