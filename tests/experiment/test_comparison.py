import pytest

pytest.importorskip("pyarrow")

import blox_env

blox_env.register_benchmark("toy", "tests.toys:ToyBenchmark")
blox_env.register_device("toy-device", "tests.toys:ToyDevice")

TOY = {"benchmarks": ["toy"], "devices": ["toy-device"], "budget": 12, "workers": 0}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("comparison")
    return blox_env.compare(["random-search", "local-search"], seeds=2, **TOY, out=folder)


def test_the_results_of_all_searches_are_at_hand(done):
    assert len(done) == len(done.runs) == 4
    assert done.failed == []
    assert repr(done).startswith("<Comparison: 4 of 4 searches in ")
    again = blox_env.compare(["random-search"], seeds=2, **TOY, out=done.folder)
    assert (len(again), len(again.runs)) == (0, 2)


@pytest.mark.extra
def test_a_data_frame_has_one_row_a_trial(done):
    frame = done.to_pandas()
    assert len(frame) == sum(len(run) for run in done.runs)
    assert list(frame.columns[:5]) == ["agent", "benchmark", "device", "repeat", "trial"]
    own = frame[(frame["agent"] == "local-search") & (frame["repeat"] == 1)]
    run = next(r for r in done.runs if (r.facts.agent, r.facts.repeat) == ("local-search", 1))
    assert own["reward"].tolist() == run.columns["reward"].tolist()
    assert own["x1"].tolist() == run.x[:, 1].tolist()


@pytest.mark.extra
def test_plot_and_report(done):
    (axes,) = done.plot().axes
    labels = axes.get_legend_handles_labels()[1]
    assert labels == ["local-search (2 runs)", "random-search (2 runs)"]
    assert done.report()[-1] == done.folder / "report.html"


def test_a_notebook_shows_the_best_of_each_agent(done):
    text = done._repr_html_()
    best = max(float(r.columns["reward"].max()) for r in done.runs)
    assert f"<td>{best:.4f}</td>" in text
    assert text.count("<tr>") == 3
