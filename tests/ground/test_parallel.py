import os
import signal
import time
from pathlib import Path

import pytest

from blox_env.ground.parallel import Outcome, _Cores, _Queue, ray_session, run_tasks, time_limit


def square(x):
    if x == 3:
        raise ValueError("three is not wanted")
    return x * x


def die_once(folder):
    """Kills its own process the first time."""
    marker = Path(folder) / "tried"
    if not marker.exists():
        marker.touch()
        os._exit(1)
    return "survived"


def die_always(_):
    os._exit(1)


def dispatch(payload):
    name, argument = payload
    return globals()[name](argument)


def fail_twice(folder):
    tries = len(list(Path(folder).iterdir()))
    (Path(folder) / str(tries)).touch()
    if tries < 2:
        raise OSError("not yet")
    return tries


def batches(queue, seconds):
    """Sizes of the batches that a queue hands out if tasks take so long."""
    sizes = []
    while batch := queue.take():
        sizes.append(len(batch.left))
        for index in batch.left:
            queue.took(index, seconds[queue.kinds[index]])
    return sizes


def test_errors_are_reported_and_stop_nothing():
    outcomes = {o.index: o for o in run_tasks(square, [1, 2, 3, 4], workers=0)}
    assert {i: o.result for i, o in outcomes.items() if o.error is None} == {0: 1, 1: 4, 3: 16}
    assert "three is not wanted" in outcomes[2].error


@pytest.mark.extra
def test_on_ray_too_and_dead_workers_are_tried_again(tmp_path):
    pytest.importorskip("ray")
    payloads = [
        ("square", 2),
        ("die_once", str(tmp_path)),
        ("square", 3),
        ("die_always", None),
        ("square", 5),
    ]
    outcomes = {o.index: o for o in run_tasks(dispatch, payloads, workers=2, retries=1)}
    assert len(outcomes) == 5
    assert [outcomes[i].result for i in (0, 1, 4)] == [4, "survived", 25]
    assert "three is not wanted" in outcomes[2].error
    assert "WorkerCrashed" in outcomes[3].error


def test_errors_are_tried_again_too(tmp_path):
    (outcome,) = run_tasks(fail_twice, [tmp_path], workers=0)
    assert (outcome.result, outcome.error, outcome.tries) == (2, None, 3)
    (outcome,) = run_tasks(square, [3], workers=0, retries=1)
    assert outcome.tries == 2


def test_short_tasks_go_to_a_worker_together():
    sizes = batches(_Queue(["short"] * 100, 2), {"short": 0.1})
    assert sizes[0] == 1  # nothing is known yet
    assert sizes[1] == 10
    assert sum(sizes) == 100
    assert sizes[-3:] == [1, 1, 1]  # so that nobody waits for a long batch in the end
    assert batches(_Queue(["long"] * 10, 2), {"long": 2.0}) == [1] * 10
    mixed = batches(_Queue(["long", "short"] * 50, 2), {"long": 2.0, "short": 0.1})
    assert max(mixed) == 1


def test_what_failed_goes_alone():
    queue = _Queue(["short"] * 100, 2)
    for index in queue.take().left:
        queue.took(index, 0.01)
    second = list(queue.take().left)
    assert len(second) > 10
    assert queue.ended(Outcome(second[0], error="dead"), retries=2) is None
    assert list(queue.take().left) == second[:1]
    assert queue.ended(Outcome(second[0], error="dead"), retries=2) is None
    assert queue.ended(Outcome(second[0], error="dead"), retries=2).tries == 3


@pytest.mark.extra
def test_many_short_tasks_on_ray_and_a_death_among_them(tmp_path):
    pytest.importorskip("ray")
    payloads = [("square", 5)] * 30 + [("die_once", str(tmp_path))] + [("square", 6)] * 30
    begun = []
    outcomes = list(
        run_tasks(dispatch, payloads, workers=1, started=lambda *what: begun.append(what))
    )
    assert sorted(o.index for o in outcomes) == list(range(61))
    assert {o.result for o in outcomes} == {25, 36, "survived"}
    assert {index for index, _ in begun} == set(range(61))
    assert len({worker.pid for _, worker in begun}) >= 2


@pytest.mark.parametrize("workers", [-1, 1.5])
def test_bad_number_of_workers(workers):
    with pytest.raises((ValueError, TypeError), match="workers must be"):
        list(run_tasks(square, [1], workers=workers))


@pytest.mark.extra
def test_an_address_where_nothing_is_is_an_error_at_once():
    began = time.monotonic()
    with pytest.raises(RuntimeError, match=r"Ray did not start .*nothing answers there"):
        list(run_tasks(abs, [1], address="127.0.0.1:9"))
    assert time.monotonic() - began < 60


@pytest.mark.extra
@pytest.mark.parametrize(("mode", "hinted"), [(None, True), ("token", False)])
def test_a_cluster_that_may_want_a_token(monkeypatch, mode, hinted):
    ray = pytest.importorskip("ray")

    def refuse(**arguments):
        raise ConnectionError("not connected")

    monkeypatch.setattr(ray, "init", refuse)
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    if mode is not None:
        monkeypatch.setenv("RAY_AUTH_MODE", mode)
    with pytest.raises(RuntimeError, match="not connected") as caught, ray_session("auto"):
        pass
    assert ("RAY_AUTH_MODE=token" in str(caught.value)) == hinted


def test_cores_of_a_cluster_that_grows_and_shrinks(monkeypatch):
    class Ray:
        cores = 2.0

        def cluster_resources(self):
            return {"CPU": self.cores} if self.cores else {}

    ray, now = Ray(), [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    as_asked, all_there_are = _Cores(ray, 3), _Cores(ray, None)
    seen = []
    for ray.cores in (2.0, 4.0, 0.0, 1.0):
        seen.append((as_asked.now(), all_there_are.now()))
        now[0] += 10
    assert seen == [(3, 2), (3, 4), (3, 1), (3, 1)]
    ray.cores = 8.0
    now[0] -= 9  # it is not asked at every turn
    assert all_there_are.now() == 1


def test_a_time_limit():
    with pytest.raises(TimeoutError, match=r"the time limit of 0\.05 s is over"), time_limit(0.05):
        time.sleep(5)
    with time_limit(0.05):
        pass
    with time_limit(None):
        time.sleep(0.06)


def leave(payload):
    raise SystemExit(payload)


def test_a_task_that_leaves_has_failed_and_stops_nothing():
    outcomes = list(run_tasks(leave, [0, 3], workers=0, retries=0))
    assert [outcome.index for outcome in outcomes] == [0, 1]
    assert all("SystemExit" in outcome.error for outcome in outcomes)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs alarms")
def test_an_alarm_that_comes_with_the_end_sets_no_other(monkeypatch):
    """Its handler may run when the timer is off; one set anew would end the process."""
    off, set_timer = [], signal.setitimer

    def timer(which, seconds, *more):
        set_timer(which, seconds, *more)
        if seconds == 0 and not off:
            off.append(True)
            signal.raise_signal(signal.SIGALRM)

    monkeypatch.setattr(signal, "setitimer", timer)
    with time_limit(60, busy=lambda: True):
        pass
    assert off
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
