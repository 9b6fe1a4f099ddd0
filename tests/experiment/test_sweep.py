import csv
import importlib.util
import io
from pathlib import Path

import numpy as np
import pytest

import blox_env
from blox_env import SearchSpace
from blox_env.experiment.sweep import LISTING, read_targets, sweep
from blox_env.problem.reward import REWARDS
from blox_env.report.sweep_figure import sweep_figure
from blox_env.report.vector import to_png
from tests.toys import ToyBenchmark, ToyDevice, huge_space

ROOT = Path(__file__).resolve().parents[2]
SMALL = SearchSpace((6, 5, 4), name="small")


class SmallBenchmark(ToyBenchmark):
    def __init__(self):
        super().__init__(SMALL)


class SmallDevice(ToyDevice):
    def __init__(self):
        super().__init__(SMALL)


class HugeBenchmark(ToyBenchmark):
    def __init__(self):
        super().__init__(huge_space())


class HugeDevice(ToyDevice):
    def __init__(self):
        super().__init__(huge_space())


def small(*targets, **arguments):
    here = "tests.experiment.test_sweep"
    return sweep(f"{here}:SmallBenchmark", f"{here}:SmallDevice", targets, **arguments)


def test_optima_are_those_of_the_whole_space():
    found = small("0.1", "0.5", "2.2ms")
    assert found.exact
    assert len(found.optima) == 3 * len(REWARDS)
    every = SMALL.all()
    latency, val_acc = SmallDevice().latency_ms(every), SmallBenchmark().evaluate(every).val_acc
    for each in found.optima:
        values = REWARDS[each.reward](val_acc, latency, each.target_ms)
        row = SMALL.index(np.array([[int(v) for v in each.arch.split("-")]]))[0]
        assert each.value == values[row] == values.max()
        assert (each.latency_ms, each.val_acc) == (latency[row], val_acc[row])
        assert each.meets_target == (latency[row] <= each.target_ms)
        better = (latency <= latency[row]) & (val_acc >= val_acc[row])
        strictly = better & ((latency < latency[row]) | (val_acc > val_acc[row]))
        assert each.on_front == (not strictly.any())
        assert (each.place is not None) == each.on_front
        assert (each.found_by, each.seed, each.regret) == (LISTING, None, 0.0)
        assert (each.source, each.measured) == ("trained", False)
        if each.on_front:
            assert found.front[each.place - 1].tolist() == [each.latency_ms, each.val_acc]
    by = {(e.reward, e.target): e for e in found.optima}
    assert by["constraint", "2.2 ms"].meets_target
    assert by["accuracy", "quantile 0.1"].arch == by["accuracy", "2.2 ms"].arch


def test_searches_stand_beside_the_optima():
    found = small("0.5", rewards=["mnasnet", "tunas"], agent="random-search", budget=20, seeds=3)
    searches = [each for each in found.optima if each.found_by == "random-search"]
    assert [each.seed for each in searches] == [0, 1, 2] * 2
    assert all(each.regret >= 0 for each in searches)
    assert any(each.regret > 0 for each in searches)
    again = small("0.5", rewards=["mnasnet", "tunas"], agent="random-search", budget=20, seeds=3)
    assert again.to_csv() == found.to_csv()


@pytest.mark.extra
def test_spaces_too_large_to_list_are_searched():
    here = "tests.experiment.test_sweep"
    found = sweep(
        f"{here}:HugeBenchmark", f"{here}:HugeDevice", ["0.5"], ["tunas"], budget=30, seeds=2
    )
    assert not found.exact
    assert found.agent == "regularized-evolution"
    assert [(each.seed, each.regret) for each in found.optima] == [(0, None), (1, None)]
    assert len(found.latency_ms) == 60
    assert to_png(sweep_figure(found), dpi=40).startswith(b"\x89PNG")


def test_functions_and_parameters():
    def mine(acc, latency, target):
        return -np.abs(latency - target)

    found = small("2.2ms", rewards=[mine, "mnasnet(exponent=-0.5)"])
    assert found.rewards[1] == "mnasnet(exponent=-0.5)"
    assert found.optima[0].reward.endswith(":test_functions_and_parameters.<locals>.mine")
    assert found.optima[0].latency_ms == pytest.approx(2.2, abs=0.02)


def test_targets():
    device = SmallDevice()
    targets = read_targets(["0.25", "3.5ms", "1"], device)
    np.testing.assert_allclose(
        [target.ms for target in targets],
        [device.quantiles_ms((0.25,))[0], 3.5, device.quantiles_ms((1.0,))[0]],
    )
    assert [target.label for target in targets] == ["quantile 0.25", "3.5 ms", "quantile 1"]


@pytest.mark.parametrize("word", ["3", "-0.1", "ms", "0ms", "fast", "nan", "infms"])
def test_bad_targets(word):
    with pytest.raises(ValueError, match=r"quantiles .* or milliseconds"):
        read_targets([word], SmallDevice())


def test_table_can_be_read_back():
    found = small("0.5")
    rows = list(csv.DictReader(io.StringIO(found.to_csv())))
    assert [row["reward"] for row in rows] == list(REWARDS)
    assert [float(row["value"]) for row in rows] == [each.value for each in found.optima]


@pytest.mark.extra
def test_picture_has_a_panel_for_each_formula_and_a_ring_for_each_target():
    found = small("0.1", "0.5", "0.9")
    figure = sweep_figure(found)
    panels = [axes for axes in figure.axes if axes.get_title()]
    assert [axes.get_title() for axes in panels] == list(REWARDS)
    for axes, name in zip(panels, REWARDS, strict=True):
        rings = [
            (line.get_xdata()[0], line.get_ydata()[0] / 100)
            for line in axes.lines
            if line.get_marker() == "o" and len(line.get_xdata())
        ]
        expected = [(e.latency_ms, e.val_acc) for e in found.optima if e.reward == name]
        np.testing.assert_allclose(rings, expected)
        low, high = axes.get_ylim()
        assert all(low < 100 * y < high for _, y in rings)


@pytest.mark.extra
def test_the_text_shows_what_the_sweep_gives():
    spec = importlib.util.spec_from_file_location("rewards", ROOT / "docs" / "rewards.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = (ROOT / "docs" / "rewards.md").read_text()
    assert module.filled(text, module.optima()) == text, "run `python docs/rewards.py`"
    code = text.split("```python\n")[1].split("```")[0]
    exec(compile(code, "rewards.md", "exec"), {})
    assert set(module.WORDS) == {*REWARDS, "cost"}


@pytest.mark.extra
def test_command(tmp_path):
    from typer.testing import CliRunner

    from blox_env.cli import app

    done = CliRunner().invoke(
        app,
        [
            *("rewards", "--targets", "3ms,0.5", "--out", str(tmp_path)),
            *("--benchmark", "digits", "--device", "x86-ort-1t"),
            *("--agent", "random-search", "--budget", "10", "--seeds", "2"),
        ],
    )
    assert done.exit_code == 0, done.output
    for name in ("mnasnet-hard", "3.00 ms", "11-11-11", "2 of 2", "random-search, 10 evaluations"):
        assert name in done.output
    rows = list(csv.DictReader((tmp_path / "rewards.csv").open()))
    assert len(rows) == len(REWARDS) * 2 * 3
    assert (tmp_path / "rewards.png").read_bytes().startswith(b"\x89PNG")
    device = blox_env.load_device("x86-ort-1t")
    assert float(rows[3]["target_ms"]) == device.median_ms()
