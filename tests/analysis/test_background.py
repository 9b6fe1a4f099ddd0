from dataclasses import replace

import numpy as np
import pytest

from blox_env.analysis import background
from blox_env.analysis.background import load_background, space_of, with_measured
from blox_env.analysis.fronts import Points
from blox_env.experiment.results import read_runs
from blox_env.spaces.blox import BloxSpace
from tests.experiment.made_up import SPACE, Board, Toy, make_run, write_runs

pytest.importorskip("pyarrow")


@pytest.fixture
def runs(tmp_path, names):
    write_runs(tmp_path, agents=("first",), seeds=1)
    return read_runs(tmp_path)


def test_the_whole_space_and_its_front(runs):
    found = load_background(runs[0])
    every = SPACE.all()
    assert found.whole is not None
    np.testing.assert_array_equal(found.whole.latency_ms, Board().latency_ms(every))
    np.testing.assert_array_equal(found.whole_test, Toy().evaluate(every).test_acc)
    line = Points(found.whole.latency_ms, found.whole.val_acc).front()
    assert [p.latency_ms for p in found.front] == line.latency_ms.tolist()
    x = np.array([p.row for p in found.front])
    np.testing.assert_array_equal(Board().latency_ms(x), line.latency_ms)
    assert [p.latency_source for p in found.front] == Board().provenance(x)
    assert found.missing == ()
    np.testing.assert_allclose(found.corner, found.whole.reference())  # one rule for both


def test_code_named_by_a_run_file_is_not_loaded(runs, monkeypatch):
    monkeypatch.setattr(background, "load_benchmark", lambda name: pytest.fail(f"loads {name}"))
    facts = replace(runs[0].facts, benchmark="evil:Code", device=None)
    found = load_background(replace(runs[0], facts=facts))
    assert "evil:Code is code" in found.missing[0]
    assert found.whole is None


def test_whether_the_best_was_measured_comes_from_the_device():
    run = make_run([0.5, 0.9])
    assert with_measured(run, None).facts.measured is None
    flag = bool(Board().measured(run.x[1][None])[0])
    assert with_measured(run, Board()).facts.measured is flag
    said = replace(run, facts=replace(run.facts, measured=not flag, latency_source="guessed"))
    assert with_measured(said, Board()) is said


def test_a_blox_architecture_can_be_drawn_without_its_benchmark(runs):
    nothing = replace(load_background(runs[0]), benchmark=None)
    assert space_of(runs[0], nothing) is None
    blox = make_run([0.5], space="blox")
    assert isinstance(space_of(blox, nothing), BloxSpace)
