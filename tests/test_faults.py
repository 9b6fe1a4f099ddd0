"""Kills an experiment at random moments and compares what is left in the end: `make faults`."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from blox_env.experiment.plan import make_plan
from blox_env.experiment.planfile import claim
from blox_env.experiment.runner import run_plan
from blox_env.experiment.settings import ExperimentSettings

pytestmark = pytest.mark.faults
KILLS = 30
WORKER_KILLS = 10
SEARCHES = 200
AGENTS = "random-search,regularized-evolution"
SIZE = {"seeds": SEARCHES // 2, "budget": 200}
COMMAND = [
    *(sys.executable, "-m", "blox_env", "compare", "--agents", AGENTS),
    *("--seeds", str(SIZE["seeds"]), "--budget", str(SIZE["budget"]), "--workers", "2", "--out"),
]
PATIENCE = 120  # seconds in which what is orphaned has to end; two of Ray's look once a minute


def files(folder):
    return {p.name: p.read_bytes() for p in folder.glob("runs/*.parquet")}


def note(text):
    sys.stderr.write(f"{text}\n")  # seen with -s


def start(folder):
    return subprocess.Popen(
        [*COMMAND, str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def family(process):
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def nobody_left(processes):
    _, alive = psutil.wait_procs(processes, timeout=PATIENCE)
    return [process.name() for process in alive]


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """The files of an undisturbed run, and how long it took."""
    folder = tmp_path_factory.mktemp("calm")
    began = time.monotonic()
    subprocess.run([*COMMAND, str(folder)], check=True, capture_output=True)
    assert len(files(folder)) == SEARCHES
    return files(folder), time.monotonic() - began


def test_workers_killed_equals_undisturbed(tmp_path, calm):
    rng = np.random.default_rng(1)
    process = start(tmp_path)
    killed = 0
    while process.poll() is None:
        at_work = [p for p in family(process) if is_worker(p)]
        if at_work and killed < WORKER_KILLS and files(tmp_path):
            at_work[rng.integers(len(at_work))].kill()
            killed += 1
        time.sleep(rng.uniform(0, 1))
    assert killed >= 3
    note(f"{killed} workers killed, then status {process.returncode}")
    subprocess.run([*COMMAND, str(tmp_path)], check=True, capture_output=True)
    assert files(tmp_path) == calm[0]
    assert not list(tmp_path.glob("runs/*.failed.json"))


def is_worker(process):
    try:
        return process.name().startswith("ray::_in_worker") or "ray::_in_worker" in " ".join(
            process.cmdline()
        )
    except psutil.Error:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopping_leaves_nothing_behind_and_says_how_to_go_on(tmp_path, calm, number):
    process = subprocess.Popen(
        [*COMMAND, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while process.poll() is None and not files(tmp_path):
        time.sleep(0.05)
    children = family(process)
    assert children
    if number == signal.SIGINT:  # the terminal sends it to everybody
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, err
    assert "The same command goes on where this one ended" in " ".join(err.split())
    assert "Traceback" not in err
    assert nobody_left(children) == []
    assert 0 < len(files(tmp_path)) < SEARCHES
    assert not list(tmp_path.glob("runs/.*"))  # half-written files
    subprocess.run([*COMMAND, str(tmp_path)], check=True, capture_output=True)
    assert files(tmp_path) == calm[0]


def test_a_node_of_a_cluster_is_removed(tmp_path, calm):
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    try:
        settings = ExperimentSettings(agents=AGENTS.split(","), **SIZE)
        plan = make_plan(settings, tmp_path)
        claim(plan, settings.seed)
        ended = []
        for progress in run_plan(plan, address=cluster.address):
            ended.append(progress)
            if len(ended) == SEARCHES // 5:
                cluster.remove_node(nodes.pop(), allow_graceful=False)
        assert [progress.error for progress in ended if progress.error] == []
        assert len(ended) == SEARCHES
    finally:
        cluster.shutdown()
    assert files(tmp_path) == calm[0]


def test_nodes_that_join_a_cluster_get_searches(tmp_path, calm):
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        settings = ExperimentSettings(agents=AGENTS.split(","), **SIZE)
        plan = make_plan(settings, tmp_path)
        claim(plan, settings.seed)
        ended = []
        for progress in run_plan(plan, address=cluster.address):
            ended.append(progress.error)
            if len(ended) == SEARCHES // 5:
                cluster.add_node(num_cpus=1)
        assert ended == [None] * SEARCHES
    finally:
        cluster.shutdown()
    pids = {json.loads(path.read_text())["pid"] for path in tmp_path.glob("runs/*.meta.json")}
    assert len(pids) == 2
    assert files(tmp_path) == calm[0]


def test_a_cluster_of_ray_start_whose_nodes_go_and_come(request):
    done = subprocess.run(
        [sys.executable, "perf/cluster.py", "--seeds", "10"],
        capture_output=True,
        text=True,
        check=False,
        cwd=request.config.rootpath,
    )
    note(done.stdout)
    assert done.returncode == 0, done.stderr
    for what in ("killed", "added", "asked to end"):
        assert what in done.stdout
    assert done.stdout.count("0 failed; equal to local: yes") == 2


def test_driver_killed_and_resumed_equals_undisturbed(tmp_path, calm):
    """A third of the moments are random times, so also before Ray runs; the others lie within."""
    rng = np.random.default_rng(0)
    expected, seconds = calm
    goals = np.sort(rng.choice(np.arange(1, 3 * SEARCHES // 4), KILLS, replace=False))
    searching, orphans = 0, []
    for number, goal in enumerate(goals):
        process = start(tmp_path)
        if number % 3 == 0:
            until = time.monotonic() + rng.uniform(0, seconds / 2)
            while process.poll() is None and time.monotonic() < until:
                time.sleep(0.01)
        else:
            while process.poll() is None and len(files(tmp_path)) < goal:
                time.sleep(0.01)
            time.sleep(rng.uniform(0, 0.3))
        children = family(process)
        searching += process.poll() is None and 0 < len(files(tmp_path)) < SEARCHES
        process.kill()  # the driver alone: Ray has to notice
        process.wait()
        orphans += children
        there = files(tmp_path)
        assert there == {name: expected[name] for name in there}
        note(f"kill {number + 1}: {len(there)} of {SEARCHES} files")
    assert searching >= KILLS / 2
    subprocess.run([*COMMAND, str(tmp_path)], check=True, capture_output=True)
    assert files(tmp_path) == expected
    assert nobody_left(orphans) == []
