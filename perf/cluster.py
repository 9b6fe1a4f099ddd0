"""Is ``compare`` on a Ray cluster equal to a local one, also when nodes go and come meanwhile?

    python perf/cluster.py [--seeds 30] [--budget 200] [--keep FOLDER]

Starts three nodes on this machine with ``ray start``, each with its own ports, folder and processes
and one core, and runs the same experiment three times with the command ``blox-env compare``: local,
on the cluster with ``--address``, and on the cluster while the last node is killed (its processes
get SIGKILL) after a fifth of the searches, a new one with two cores is added after two fifths, and
another node is asked to end (SIGTERM) after three fifths. Prints which node did how many searches,
how long it took, and whether run files, plan and digests are equal byte for byte; the status is 1
if they are not. Ends its own processes alone, not every Ray of the machine as ``ray stop`` does.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType

import psutil

from blox_env.experiment.results import parse_json
from blox_env.ground.parallel import available_cores

HOST = "127.0.0.1"
AGENTS = "random-search,regularized-evolution,ppo"
PATIENCE_S = 120.0  # for a node to start or to end
# Ray 2.60 wants a token of who joins a cluster; each of its processes has to know it
SECRET = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
OWN_PORTS = (
    "node-manager-port",
    "object-manager-port",
    "dashboard-agent-listen-port",
    "dashboard-agent-grpc-port",
    "runtime-env-agent-port",
    "metrics-export-port",
)


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody listens at now."""
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in found:
            each.bind((HOST, 0))
        return [int(each.getsockname()[1]) for each in found]


class Node:
    """A node of a cluster: what ``ray start`` starts, with ports and a folder of its own.

    Args:
        name: of the node.
        folder: for its sockets and logs; Ray wants short ones.
        cores: that it offers.
        address: of the cluster, a new one if not given.
    """

    def __init__(self, name: str, folder: Path, cores: int, address: str | None = None) -> None:
        self.name, self._folder = name, folder / name
        ports = free_ports(len(OWN_PORTS) + 1)
        self.address = address or f"{HOST}:{ports[-1]}"
        options = [f"--{key}={port}" for key, port in zip(OWN_PORTS, ports, strict=False)]
        if address is None:
            options += ["--head", f"--port={ports[-1]}", "--include-dashboard=false"]
        else:
            options += [f"--address={address}"]
        options += [
            f"--node-ip-address={HOST}",
            f"--num-cpus={cores}",
            f"--temp-dir={self._folder}",
        ]
        self._folder.mkdir()
        self._log = (folder / f"{name}.log").open("w")
        ray = "import sys; from ray.scripts.scripts import main; sys.exit(main())"
        self._process = subprocess.Popen(
            [sys.executable, "-c", ray, "start", "--block", "--disable-usage-stats", *options],
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **SECRET},
            start_new_session=True,
        )
        self._wait()

    def _wait(self) -> None:
        """Wait until it belongs to the cluster."""
        until = time.monotonic() + PATIENCE_S
        while "Ray runtime started" not in (
            text := Path(self._log.name).read_text(encoding="utf-8")
        ):
            if self._process.poll() is not None or time.monotonic() > until:
                self.end(signal.SIGKILL)
                raise RuntimeError(f"node {self.name} did not start:\n{text}")
            time.sleep(0.1)

    def processes(self) -> list[psutil.Process]:
        """All that belong to it and live."""
        with contextlib.suppress(psutil.NoSuchProcess):
            own = psutil.Process(self._process.pid)
            return [own, *own.children(recursive=True)]
        return []

    def end(self, number: signal.Signals) -> None:
        """End it: all at once by SIGKILL, or orderly by SIGTERM."""
        processes = self.processes()
        if number == signal.SIGTERM:
            self._process.terminate()
            _, processes = psutil.wait_procs(processes, timeout=PATIENCE_S)
        for each in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        self._process.wait()
        self._log.close()


class Cluster:
    """Nodes on this machine, which end with the block.

    Args:
        folder: for their sockets and logs.
        cores: of the nodes at the start, the head first.
    """

    def __init__(self, folder: Path, cores: tuple[int, ...] = (1, 1, 1)) -> None:
        self._folder, self._wanted = folder, cores
        self.nodes: dict[str, Node] = {}
        self.workers: dict[int, str] = {}  # name of the node by number of the process
        self._made = 0

    def __enter__(self) -> Cluster:
        """Start the nodes."""
        try:
            for cores in self._wanted:
                self.add(cores)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End what still lives, the head last."""
        for name in reversed(list(self.nodes)):
            self.remove(name, signal.SIGKILL)

    @property
    def address(self) -> str:
        """Where a driver connects."""
        return next(iter(self.nodes.values())).address

    def add(self, cores: int) -> str:
        """Start another node; its name."""
        name = "head" if not self.nodes else f"node-{self._made}"
        address = self.address if self.nodes else None
        self.nodes[name] = Node(name, self._folder, cores, address)
        self._made += 1
        return name

    def remove(self, name: str, number: signal.Signals) -> None:
        """End a node.

        Args:
            name: of the node.
            number: SIGKILL or SIGTERM.
        """
        self.nodes.pop(name).end(number)

    def look(self) -> None:
        """Take note of which process belongs to which node."""
        for name, node in self.nodes.items():
            for process in node.processes():
                self.workers.setdefault(process.pid, name)


def compare(
    out: Path, options: list[str], watch: Callable[[int], None] = lambda done: None
) -> float:
    """Run ``blox-env compare``; its seconds.

    Args:
        out: folder for results.
        options: of the command.
        watch: is told again and again how many searches have a file.

    Returns:
        Wall time in seconds.

    Raises:
        SystemExit: when a search failed.
    """
    began = time.perf_counter()
    with (
        (out.parent / f"{out.name}.log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "blox_env", "compare", "--out", str(out), *options],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **SECRET},
        ) as process,
    ):
        try:
            while process.poll() is None:
                watch(len(list(out.glob("runs/*.parquet"))))
                time.sleep(0.2)
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        raise SystemExit(f"compare failed:\n{Path(log.name).read_text(encoding='utf-8')}")
    return time.perf_counter() - began


def results(folder: Path) -> dict[str, bytes]:
    """What has to be equal wherever it ran: run files, plan and digests."""
    paths = [*folder.glob("runs/*.parquet"), *folder.glob("*.json")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def disturbances(cluster: Cluster, searches: int) -> Callable[[int], None]:
    """What happens to a cluster while an experiment runs on it, as its watcher.

    Args:
        cluster: with three nodes.
        searches: of the experiment.

    Returns:
        A function of how many searches have ended.
    """
    began = time.perf_counter()

    def events() -> Iterator[tuple[int, str, Callable[[], object]]]:
        _, second, last = list(cluster.nodes)
        kill, end = signal.SIGKILL, signal.SIGTERM
        yield searches // 5, f"{last} killed", lambda: cluster.remove(last, kill)
        yield 2 * searches // 5, "one of two cores added", lambda: cluster.add(2)
        yield 3 * searches // 5, f"{second} asked to end", lambda: cluster.remove(second, end)

    waiting = list(events())

    def watch(done: int) -> None:
        cluster.look()
        if waiting and done >= waiting[0][0]:
            _, text, happen = waiting.pop(0)
            happen()
            print(f"    {time.perf_counter() - began:6.1f} s, {done} searches: {text}", flush=True)

    return watch


def shares(folder: Path, cluster: Cluster) -> str:
    """Words for which node did how many of the searches."""
    metas = [parse_json(path.read_text()) for path in folder.glob("runs/*.meta.json")]
    counts = Counter(cluster.workers.get(meta["pid"], "unknown") for meta in metas)
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def main() -> None:
    """Run the three, print what is equal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agents", default=AGENTS)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--budget", type=int, default=200)
    parser.add_argument("--keep", type=Path, help="where results stay; else they are deleted")
    given = parser.parse_args()
    options = ["--agents", given.agents, "--seeds", str(given.seeds), "--budget", str(given.budget)]
    searches = len(given.agents.split(",")) * given.seeds
    same = []
    with (
        tempfile.TemporaryDirectory() as temporary,
        tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as sockets,
    ):
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        print(f"{searches} searches of {given.budget} evaluations, {available_cores()} cores")
        seconds = compare(folder / "local", [*options, "--workers", "2"])
        expected = results(folder / "local")
        print(f"  local, two workers: {seconds:.1f} s, {len(expected)} files")
        for name, disturbed in (("cluster", False), ("disturbed", True)):
            own = Path(sockets) / name[0]
            own.mkdir()
            with Cluster(own) as cluster:
                began = time.perf_counter()
                print(f"  {name}: three nodes with one core each, at {cluster.address}", flush=True)
                watch = disturbances(cluster, searches)
                seconds = compare(
                    folder / name,
                    [*options, "--address", cluster.address],
                    watch if disturbed else lambda done: cluster.look(),
                )
                same.append(results(folder / name) == expected)
                print(f"    {time.perf_counter() - began:6.1f} s, {shares(folder / name, cluster)}")
            failed = len(list((folder / name).glob("runs/*.failed.json")))
            print(f"    {failed} failed; equal to local: {'yes' if same[-1] else 'NO'}", flush=True)
    raise SystemExit(0 if all(same) else 1)


if __name__ == "__main__":
    main()
