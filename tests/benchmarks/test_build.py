"""The way from raw trainings to a table, on trainings with a known truth."""

import numpy as np
import pytest

from blox_env import BloxSpace, SearchSpace
from blox_env.benchmarks.build import build_benchmark, judge_benchmark, shrink
from blox_env.benchmarks.grouping import group, noise_table
from blox_env.benchmarks.surrogate import CurveEnsemble
from blox_env.benchmarks.table import TableBenchmark
from blox_env.benchmarks.trainings import Trainings, read

pytestmark = pytest.mark.extra
SPACE = SearchSpace((12, 12, 12))
NOISE = 0.02
EPOCHS = 3


def truth(x):
    """Final accuracy: additive plus an interaction."""
    a = 0.55 + 0.012 * (x @ [1, 1.5, -1]) + 0.02 * np.sin(x[:, 0] * x[:, 1] / 20)
    return np.clip(a, 0.05, 0.95)


def made_up(n=150, repeated=60, seed=0):
    rng = np.random.default_rng(seed)
    x = SPACE.from_index(rng.permutation(SPACE.size)[:n])
    x = np.concatenate([x, x[:repeated], x[:repeated]])
    seeds = np.repeat([0, 1, 2], [n, repeated, repeated])
    common = NOISE * rng.normal(size=(len(x), 1))
    curve = truth(x)[:, None] * np.array([0.6, 0.9, 1.0]) + common
    test = truth(x) - 0.01 + common[:, 0] + 0.005 * rng.normal(size=len(x))
    time = 3 + x.sum(axis=1) / 30 + 0.05 * rng.normal(size=len(x))
    header = {"description": "made up", "task": "none", "recipe": {"epochs": EPOCHS}}
    return Trainings(
        header, x, seeds, curve, test, time, np.full(len(x), "uniform"), np.full(len(x), "cpu")
    )


def write(raw, path):
    import csv
    import json

    with path.open("w") as file:
        head = {**raw.header, "schema": 1, "val_images": 1000, "test_images": 1000}
        file.write(f"# {json.dumps(head)}\n")
        rows = csv.writer(file)
        rows.writerow(["arch", "seed", "val_correct", "test_correct", "train_time_s", "asked_by"])
        for i in range(len(raw)):
            val = " ".join(str(round(v * 1000)) for v in raw.val_acc[i])
            arch = "-".join(map(str, raw.x[i]))
            test, time = round(raw.test_acc[i] * 1000), raw.train_time_s[i]
            rows.writerow([arch, raw.seed[i], val, test, time, raw.asked_by[i]])


def test_shrinking_brings_values_nearer_to_the_truth():
    raw = made_up(seed=1)
    grouped = group(raw, noise_table(raw))
    held_out = CurveEnsemble(SPACE).fit(grouped.x, grouped.mean, grouped.noise_of_mean)
    value, std = shrink(grouped, held_out.mean, held_out.std)
    true = truth(grouped.x)

    def error(column):
        return np.sqrt(((column - true) ** 2).mean())

    assert error(value[:, -1]) < error(grouped.mean[:, -1])
    assert error(value[:, -1]) < error(held_out.mean[:, -1])
    assert (std <= np.sqrt(grouped.noise / grouped.count[:, None])).all()


def test_the_folder_is_a_benchmark_and_the_same_each_time(tmp_path):
    raw = made_up()
    write(raw, tmp_path / "trainings.csv")
    assert len(read(tmp_path / "trainings.csv")) == len(raw)
    first = build_benchmark(tmp_path / "trainings.csv", tmp_path / "a", SPACE, name="made-up")
    second = build_benchmark(tmp_path / "trainings.csv", tmp_path / "b", SPACE, name="made-up")
    assert first == second
    benchmark = TableBenchmark(tmp_path / "a", SPACE)
    benchmark.verify()
    value = benchmark.evaluate(SPACE.all())
    assert (value.source == "trained").sum() == 150
    assert np.corrcoef(value.val_acc, truth(SPACE.all()))[0, 1] > 0.97
    assert first["held_out"]["uniform"]["val_acc"]["r2"] > 0.9
    assert 0.85 < first["held_out"]["uniform"]["val_acc"]["coverage_95"] <= 1.0


def test_later_trainings_judge_what_optimisers_found_and_uniform_ones_apart(tmp_path):
    raw = made_up()
    raw.header.update(task_sha256="none")
    write(raw, tmp_path / "trainings.csv")
    build_benchmark(tmp_path / "trainings.csv", tmp_path / "built", SPACE, name="made-up")
    later = made_up(n=40, repeated=20, seed=1)
    later.header.update(task_sha256="none")
    later.asked_by[:] = np.where(later.x[:, 0] < 6, "uniform", "later:top")
    write(later, tmp_path / "later.csv")
    card = judge_benchmark(tmp_path / "built", tmp_path / "later.csv", SPACE)
    found = later.x[:, 0] >= 6
    assert card["fresh"]["trainings"] == found.sum()
    assert card["fresh"]["architectures"] == len(np.unique(later.x[found], axis=0))
    assert card["fresh_uniform"]["trainings"] == (~found).sum()
    page = (tmp_path / "built" / "CARD.md").read_text()
    assert f"({found.sum()} trainings, never fitted on" in page
    assert f"({(~found).sum()} trainings, never fitted on" in page
    judged = TableBenchmark(tmp_path / "built", SPACE)
    at = judged.evaluate(np.unique(later.x[found], axis=0)).val_acc
    noise = np.sqrt(judged.noise_variance(at).mean())  # that of the table, at their accuracies
    assert card["fresh"]["std_of_one_training"] == pytest.approx(noise)
    assert "tenths" not in card["fresh_uniform"]  # too few


def test_too_few_trainings_are_an_error_that_says_how_many_are_needed(tmp_path):
    write(made_up(n=8, repeated=4), tmp_path / "few.csv")
    message = "at least 20 different architectures, some of them trained twice, got 8 in 16"
    with pytest.raises(ValueError, match=message):
        build_benchmark(tmp_path / "few.csv", tmp_path / "out", SPACE, name="few")


def test_predicting_before_fitting_is_an_error():
    with pytest.raises(RuntimeError, match="call fit"):
        CurveEnsemble(BloxSpace()).predict(np.zeros((1, 3), int))
