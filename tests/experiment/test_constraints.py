"""Experiments with constraints: searches, run files, plans, validation and reports."""

import json
from dataclasses import replace

import numpy as np
import pytest

import blox_env
from blox_env.analysis.background import load_background
from blox_env.analysis.fronts import Points, found_front
from blox_env.analysis.scores import inference_reward, yardstick
from blox_env.analysis.statistics import reference, summary
from blox_env.analysis.targets import broken_constraints
from blox_env.experiment.planfile import read_plan
from blox_env.experiment.results import encode_run, read_run, read_runs, write_run
from blox_env.experiment.validate import validate_run
from blox_env.experiment.validate_folder import validate_folder
from blox_env.report import content, tables, write_report
from tests.experiment.made_up import make_run

LIMITS = {"params": 2.3e6, "latency_ms": 1.5}
AGENTS = ["random-search", "regularized-evolution"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("constraints")
    given = {"seeds": 2, "budget": 12, "reward": "accuracy", "constraints": LIMITS, "workers": 0}
    done = blox_env.compare(AGENTS, ["cifar10"], ["x86-ort-int8-1t"], out=out, **given)
    assert not done.failed
    return out


@pytest.fixture(scope="module")
def truth():
    """Every architecture: whether it keeps to the limits, its reward, test accuracy, latency."""
    problem = blox_env.Problem("cifar10", "x86-ort-int8-1t", "accuracy")
    rows = problem.space.all()
    trials = problem.peek(rows)
    kept = (problem.space.params(rows) <= LIMITS["params"]) & (
        trials.latency_ms <= LIMITS["latency_ms"]
    )
    assert 10 < kept.sum() < len(kept) / 10
    return kept, trials.reward, problem.test_acc(rows), trials.latency_ms


def test_searches_keep_to_them_and_regret_is_to_the_best_that_does(folder, truth):
    kept, reward, *_ = truth
    runs = read_runs(folder)
    assert reward[kept].max() < reward.max()
    for run in runs:
        assert run.columns["feasible"].all()
        assert kept[blox_env.BloxSpace().index(run.x)].all()
        assert run.facts.constraints == LIMITS
        assert run.facts.optimum == reward[kept].max()
        best = run.x[run.facts.best][None]
        assert run.facts.best_values == {
            "params": blox_env.BloxSpace().params(best)[0],
            "latency_ms": run.columns["latency_ms"][run.facts.best],
        }
    rows = summary(runs)
    assert [(row.constraints, row.within) for row in rows] == [(LIMITS, 2)] * 2
    assert all(row.regret.low >= 0 for row in rows)


def test_the_references_of_a_report_are_among_what_keeps_to_them(folder, truth, monkeypatch):
    kept, _, test, latency = truth
    runs = read_runs(folder)
    background = load_background(runs[0])
    assert len(background.whole) == kept.sum()
    assert background.whole.latency_ms.max() <= LIMITS["latency_ms"]
    assert all(point.latency_ms <= LIMITS["latency_ms"] for point in background.front)
    to = yardstick(
        runs,
        whole=background.whole,
        whole_test=background.whole_test,
        corner=background.corner,
    )
    problem = blox_env.Problem("cifar10", "x86-ort-int8-1t", "accuracy")
    assert to.test_best == problem.rewards(test[kept], latency[kept]).max()
    for name in ("progress", "compared"):  # drawing them takes seconds
        monkeypatch.setattr(content.pictures, name, lambda *_: [])
    monkeypatch.setattr(content.pictures, "front", lambda *_: None)
    page = write_report(folder)[-1].read_text()
    assert "among what keeps to latency_ms &lt;= 1.5, params &lt;= 2.3e+06" in page
    assert "random-search 2 of 2" in page
    assert "constraints={&#39;latency_ms&#39;: 1.5, &#39;params&#39;: 2300000.0}" in page
    header = (folder / "tables" / "runs.csv").read_text().splitlines()[0]
    assert header.endswith(",params")


def test_a_folder_has_one_set_of_them(folder):
    given = {"seeds": 2, "budget": 12, "reward": "accuracy", "workers": 0, "out": folder}
    with pytest.raises(ValueError, match=r"constraints is \{.*expected None"):
        blox_env.compare(AGENTS, ["cifar10"], ["x86-ort-int8-1t"], **given)
    turned = dict(reversed(LIMITS.items()))
    again = blox_env.compare(AGENTS, ["cifar10"], ["x86-ort-int8-1t"], constraints=turned, **given)
    assert len(again) == 0  # the same in another order
    with pytest.raises(
        ValueError, match=r"unknown constraint .latency., .* did you mean .latency_ms"
    ):
        blox_env.compare(AGENTS, constraints={"latency": 1}, **{**given, "out": folder / "other"})


def test_validation_confirms_them(folder, tmp_path):
    files = sorted(folder.glob("runs/*.parquet"))
    verdict = validate_run(files[0])
    assert verdict.valid, verdict
    assert validate_folder(folder).valid
    run, changed = read_run(files[0]), tmp_path / "run.parquet"
    history = replace(run.facts, best_values={**run.facts.best_values, "params": 1.0})
    write_run(changed, _encoded(run, history), {})
    assert [m.column for m in validate_run(changed).mismatches] == ["best_values"]
    loose = replace(run.facts, constraints={**LIMITS, "params": 2.6e6})
    write_run(changed, _encoded(run, loose), {})
    assert not validate_run(changed).valid


def test_plans_from_before_there_were_any_are_read(folder, tmp_path):
    said = json.loads((folder / "plan.json").read_text())
    assert said.pop("constraints") == LIMITS
    (tmp_path / "plan.json").write_text(json.dumps(said))
    assert read_plan(tmp_path / "plan.json")["constraints"] is None


def test_in_spaces_too_large_to_list_what_breaks_them_is_no_answer():
    kept = np.array([True, False, True, False])
    run = make_run(
        [0.5, 0.4, 0.6, 0.1], optimum=None, extra={"feasible": kept}, constraints={"params": 9.0}
    )
    broken = make_run(
        [0.2, 0.3], seed=1, agent="b", optimum=None, extra={"feasible": np.zeros(2, bool)},
        constraints={"params": 9.0}, budget=4,
    )  # fmt: skip
    assert reference([run, broken]) == (0.6, False)
    assert len(Points.of([run, broken])) == 2
    assert {point.row[0] for point in found_front([run, broken])} <= {0, 2}
    assert broken_constraints([run, broken]) == {"b": (1, 1)}
    assert content.story.broken([run, broken]) == [
        "Runs whose best architecture does not keep to params <= 9: b 1 of 1."
    ]
    assert inference_reward(broken) == 0.3  # its accuracy does not count
    assert [row.within for row in summary([run, broken])] == [1, 0]
    assert tables.limited(run) == ["params"]


def _encoded(run, facts):
    class Recorded:
        x, train_time_s = run.x, run.columns["train_time_s"]

        def columns(self):
            return {name: v for name, v in run.columns.items() if not name.startswith("sim_")}

    return encode_run(Recorded(), facts)
