import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import blox_env
from blox_env.cli import app

RUNNER = CliRunner()


def call(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "blox_env", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        check=False,
    )


def test_info_lists_what_is_there():
    result = RUNNER.invoke(app, ["info"])
    assert result.exit_code == 0
    for name in ("digits", "x86-ort-1t", "random-search", "regularized-evolution", "ppo"):
        assert name in result.stdout.replace("\n", "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search", "--agent", "random-serch"], "did you mean 'random-search'"),
        (["search", "--benchmark", "digit"], "did you mean 'digits'"),
        (["search", "--device", "x86"], "unknown device 'x86'"),
        (["search", "--budget", "0"], "budget must be at least 1, got 0"),
        (["search", "--set", "population"], "--set must be name=value"),
        (["search", "--set", "populatio=3"], "did you mean 'population'"),
    ],
)
def test_bad_input_is_one_line_and_status_one(arguments, message):
    done = call(*arguments)
    assert done.returncode == 1
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_unknown_option_is_a_usage_error():
    done = call("search", "--bugdet", "3")
    assert done.returncode == 2
    assert "--budget" in done.stderr


def test_the_version():
    done = RUNNER.invoke(app, ["--version"])
    assert (done.exit_code, done.output) == (0, f"blox-env {blox_env.__version__}\n")


@pytest.mark.extra
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search", "--seed", "-1"], "error: --seed must be at least 0, got -1"),
        (["search", "--budget", "0"], "error: --budget must be at least 1, got 0"),
        (
            ["search", "--out", "file/h.csv"],
            "error: --out: cannot write file/h.csv: {here}/file is not a folder",
        ),
        (["search", "--out", "."], "error: --out must be a file, got the folder ."),
        (["compare", "--seed", "-1"], "error: --seed must be at least 0, got -1"),
        (["compare", "--out", "file"], "error: --out: cannot write file: file is not a folder"),
        (
            ["rewards", "--out", "file/x"],
            "error: --out: cannot write file/x: {here}/file is not a folder",
        ),
        (["--plugin", "nowhere", "info"], "error: --plugin nowhere: ModuleNotFoundError"),
    ],
)
def test_options_are_checked_before_any_work_and_named(tmp_path, arguments, message):
    (tmp_path / "file").touch()
    done = call(*arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith(message.format(here=tmp_path)), done.stderr
    assert done.stdout == ""


@pytest.mark.extra  # compare
def test_no_file_of_the_working_directory_runs(tmp_path):
    """The command of the package's entry point, which has no such place on its path by itself."""
    for name in ("yaml", "jinja2", "pyarrow", "matplotlib", "openvino"):
        (tmp_path / f"{name}.py").write_text("import pathlib; pathlib.Path('ran').touch()")
    (tmp_path / "mine.py").write_text("import pathlib; pathlib.Path('mine-ran').touch()")
    entry = "import sys; sys.path.remove(''); from blox_env.cli import main; main()"
    small = ("--agents", "random-search", "--seeds", "1", "--budget", "5", "--workers", "0")
    environment = {**os.environ, "PYTHONPATH": str(Path(blox_env.__file__).parents[1])}
    for arguments in (
        ("compare", *small, "--out", "out"),
        ("validate", "out"),
        ("--plugin", "mine", "report", "out"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", entry, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert not (tmp_path / "ran").exists(), arguments
        assert (tmp_path / "mine-ran").exists() == ("mine" in arguments)


def test_the_working_directory_is_a_place_for_plugins_alone(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(filter(None, sys.path)))
    (tmp_path / "mine_alone.py").touch()
    assert CliRunner().invoke(app, ["info"]).exit_code == 0
    assert str(tmp_path) not in sys.path
    assert CliRunner().invoke(app, ["--plugin", "mine_alone", "info"]).exit_code == 0
    assert sys.path[-1] == str(tmp_path)


def test_no_file_of_the_working_directory_runs_before_the_command(tmp_path):
    for name in ("numpy", "gymnasium", "typer", "rich"):
        (tmp_path / f"{name}.py").write_text("import pathlib; pathlib.Path('ran').touch()")
    environment = {**os.environ, "PYTHONPATH": str(Path(blox_env.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-m", "blox_env", "--version"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not (tmp_path / "ran").exists()


@pytest.mark.extra  # the extra that is named is the one that is missing
@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        ("compare --agents random-search --seeds 1 --budget 3 --workers 0 --out out", "experiment"),
        ("report out", "experiment"),
        ("rewards --out out", "experiment"),
        ("search --agent tpe --budget 3", "bo"),
        ("search --agent smac --budget 3", "smac"),
    ],
)
def test_what_needs_an_extra_says_which(tmp_path, arguments, extra):
    entry = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("scipy", "matplotlib", "jinja2", "pyarrow", "optuna", "dask"):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
sys.argv[1:] = {arguments.split()!r}
from blox_env.cli import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", entry], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert f"pip install 'blox-env[{extra}]'" in done.stderr


@pytest.mark.extra  # compare
def test_a_reader_that_goes_away_loses_nothing(tmp_path):
    small = "--agents random-search --seeds 2 --budget 5 --workers 0 --out c"
    for command in (
        "search --agent random-search --budget 5 --out history.csv",
        f"compare {small}",
    ):
        running = subprocess.Popen(
            [sys.executable, "-m", "blox_env", *command.split()],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(blox_env.__file__).parents[1])},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.stdout.close()
        assert running.wait(timeout=120) == 0, running.stderr.read()
        running.stderr.close()
    assert (tmp_path / "history.csv").exists()
    assert len(list((tmp_path / "c" / "runs").glob("*.parquet"))) == 2
    assert (tmp_path / "c" / "report.html").exists()


@pytest.mark.extra
@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_outputs_that_are_not_utf_8(tmp_path, encoding):
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    small = "--agents random-search --seeds 1 --budget 5 --workers 0 --out"
    for command in (f"compare {small} {tmp_path}", "devices", "search --budget 3"):
        done = subprocess.run(
            [sys.executable, "-m", "blox_env", *command.split()],
            env=environment,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["[exp1]", "a[/b]c", "sub" * 30])
def test_paths_are_printed_as_they_are(tmp_path, name):
    out = tmp_path / name / "h.csv"
    done = RUNNER.invoke(app, ["search", "--budget", "3", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert f"history: {out}" in done.output.splitlines()


@pytest.mark.extra
def test_json_for_scripts(tmp_path):
    found = json.loads(RUNNER.invoke(app, ["info", "--json"]).stdout)
    assert "digits" in found["benchmarks"]
    devices = json.loads(RUNNER.invoke(app, ["devices", "--json"]).stdout)
    assert [each["device"] for each in devices] == blox_env.list_devices()
    arguments = ["--budget", "5", "--agent", "random-search", "--json"]
    (best,) = json.loads(RUNNER.invoke(app, ["search", *arguments]).stdout)
    assert len(best["architecture"]) == 3
    small = ["--agents", "random-search", "--seeds", "1", "--budget", "5", "--workers", "0"]
    (row,) = json.loads(
        RUNNER.invoke(app, ["compare", *small, "--out", str(tmp_path), "--json"]).stdout
    )
    assert (row["agent"], row["runs"]) == ("random-search", 1)


def test_a_target_that_was_not_met_is_said():
    arguments = ["--agent", "random-search", "--budget", "5", "--reward", "constraint"]
    arguments += ["--device", "x86-ort-1t"]
    done = RUNNER.invoke(app, ["search", *arguments, "--target", "2.0"])
    assert done.exit_code == 0
    assert "2.000 ms, NOT MET" in done.stdout
    assert "no architecture meets it: the fastest takes 2.5" in done.stderr
    done = RUNNER.invoke(app, ["search", *arguments, "--target", "9"])
    assert "9.000 ms, met" in done.stdout
    assert done.stderr == ""
