import pytest

pytest.importorskip("pyarrow")

from rich.console import Console

import blox_env
from blox_env.cli.views.comparison import Crew
from blox_env.cli.views.progress import duration
from blox_env.experiment.plan import make_plan
from blox_env.experiment.settings import ExperimentSettings
from blox_env.ground.parallel import Worker

blox_env.register_benchmark("toy", "tests.toys:ToyBenchmark")
blox_env.register_device("toy-device", "tests.toys:ToyDevice")


def text(renderable):
    console = Console(width=120)
    with console.capture() as capture:
        console.print(renderable)
    return capture.get()


def test_what_runs_where_and_what_is_left(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    settings = ExperimentSettings(
        agents=["random-search", "local-search"],
        benchmarks=["toy"],
        devices=["toy-device"],
        seeds=3,
        budget=5,
    )
    plan = make_plan(settings, tmp_path)
    crew, first, second = Crew(plan), Worker("here", 11), Worker("there", 12)
    crew.started(plan[0], first)
    crew.started(plan[1], second)
    assert crew.left() == ""  # nothing is known yet
    now[0] = 10.0
    shown = text(crew.table())
    assert "here 11 random-search toy toy-device s000 0:10" in " ".join(shown.split())
    assert "2 at work" in shown
    assert "4 waiting" in shown
    crew.ended(plan[0])
    crew.started(plan[2], first)
    now[0] = 14.0  # five are left, 10 s each as far as is known; 4 s and 14 s of two are over
    assert crew.left() == "about 0:18 left"  # (50 - 4 - 10) / 2
    crew.started(plan[2], second)  # its worker died, and the search it had waits again
    assert "here 11" not in text(crew.table())


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0:00"), (-1, "0:00"), (7.4, "0:07"), (754, "12:34"), (3723, "1:02:03")],
)
def test_durations(seconds, shown):
    assert duration(seconds) == shown
