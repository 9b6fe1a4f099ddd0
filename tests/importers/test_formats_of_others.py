"""Which importer reads which file, one of one's own among them."""

import numpy as np
import pytest
from typer.testing import CliRunner

import blox_env
from blox_env.cli import app
from blox_env.importers.formats import RELEASE, format_of
from blox_env.importers.importing import import_files


def test_files_are_known_by_their_looks(tmp_path):
    for name, content in (
        ("renamed.csv", "---\n"),  # of a release, by its header
        ("blox-info.pickle", "damaged"),
        ("mine.csv", "architecture\n"),
        ("hw.pickle", "x"),
        ("b.blox", "x"),
    ):
        (tmp_path / name).write_text(content)
    (tmp_path / "nats").mkdir()
    (tmp_path / "nats" / "meta.pickle.pbz2").touch()
    assert {path.name: format_of(path) for path in tmp_path.iterdir()} == {
        "renamed.csv": RELEASE,
        "blox-info.pickle": RELEASE,
        "mine.csv": "csv",
        "hw.pickle": "hw-nas-bench",
        "b.blox": RELEASE,
        "nats": "nats-topology",
    }
    assert format_of(tmp_path) == RELEASE
    with pytest.raises(ValueError, match=r"b\.blox cannot be imported together with .*mine\.csv"):
        import_files([tmp_path / "b.blox", tmp_path / "mine.csv"], tmp_path / "store")


def test_an_importer_of_ones_own(tmp_path):
    (tmp_path / "a.txt").write_text("3 0.5\n1 0.25\n")
    arguments = ["import", str(tmp_path / "a.txt"), "--out", str(tmp_path / "store")]
    done = CliRunner().invoke(app, [*arguments, "--format", "tests.importers.mine:read"])
    assert done.exit_code == 0, done.output
    benchmark = blox_env.load_benchmark(str(tmp_path / "store"))
    known = benchmark.space.from_index([1, 3])
    np.testing.assert_array_equal(benchmark.evaluate(known).val_acc, [0.25, 0.5])
    with pytest.raises(ValueError, match="did you mean 'csv'"):
        import_files(tmp_path / "a.txt", tmp_path / "other", form="cvs")
