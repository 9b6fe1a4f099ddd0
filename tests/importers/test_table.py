import numpy as np
import pytest

import blox_env
from blox_env.benchmarks.imported import from_folder
from blox_env.importers.importing import import_files
from blox_env.spaces import BloxSpace, MacroBenchSpace
from blox_env.testing import check_benchmark, check_device

SPACE = BloxSpace()


def store_of(tmp_path, text, **arguments):
    path = tmp_path / "mine.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    report = import_files(path, tmp_path / "store", **arguments)
    return from_folder(tmp_path / "store"), report


def test_numbers_of_ones_own(tmp_path):
    text = """\
arch,seed,val_acc,test_acc,train_time_s,params,latency_ms:pi4,latency_us:npu,who
3-17-44,0,0.7,0.69,60,1000,12.5,800,me
3-17-44,1,0.72,,61,1000,13.5,,me
"0, 0, 1",0,0.5,0.49,55,900,8,500,me
"""
    benchmark, report = store_of(tmp_path, text, name="mine")
    x = [[3, 17, 44], [0, 0, 1], [5, 5, 5]]
    assert (benchmark.name, benchmark.space, benchmark.seeds) == ("mine", SPACE, (0, 1))
    value = benchmark.evaluate(x)
    np.testing.assert_allclose(value.val_acc, [0.71, 0.5, np.nan])
    np.testing.assert_allclose(value.test_acc, [0.69, 0.49, np.nan])
    np.testing.assert_allclose(benchmark.evaluate(x, seed=1).val_acc, [0.72, np.nan, np.nan])
    np.testing.assert_array_equal(benchmark.column("params", x), [1000, 900, np.nan])
    np.testing.assert_array_equal(benchmark.latency_ms(x, "pi4"), [13, 8, np.nan])  # the median
    np.testing.assert_allclose(benchmark.latency_ms(x, "npu"), [0.8, 0.5, np.nan])
    assert report.found == ["mine.csv: 3 rows, 2 architectures"]
    assert report.notes == ["space: blox", "columns not read: who"]
    assert report.missing[0] == "architectures: 2 of 91125 are there"
    assert "as given in mine.csv" in (tmp_path / "store" / "CARD.md").read_text()


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfarch;val_acc_percent\r\n3-17-44;71\r\n",  # as spreadsheets write it
        "x0\tx1\tx2\tval_acc\n3\t17\t44\t0.71\n",
        f'arch_vec,val_acc\n"{SPACE.to_arch_vec([3, 17, 44])}",0.71\n',
        f"model_hash,val_acc\n{SPACE.model_hash([3, 17, 44])[0]},0.71\n",
        "architecture,epochs,val_acc\n3-17-44,4,0.6\n3-17-44,9,0.71\n1-1-1,4,0.5\n",
    ],
)
def test_ways_to_write_it(tmp_path, text):
    benchmark, _ = store_of(tmp_path, text)
    np.testing.assert_allclose(benchmark.evaluate([[3, 17, 44], [1, 1, 1]]).val_acc, [0.71, np.nan])


def test_a_history_is_such_a_table(tmp_path):
    problem = blox_env.Problem("digits", "x86-ort-1t", budget=20)
    history = blox_env.search(problem, "random-search", seed=0)
    benchmark, report = store_of(tmp_path, history.to_csv())
    np.testing.assert_array_equal(benchmark.evaluate(history.x).val_acc, history.val_acc)
    np.testing.assert_array_equal(benchmark.latency_ms(history.x, "device"), history.latency_ms)
    assert any("columns not read: " in note and "reward" in note for note in report.notes)


def test_a_table_of_a_whole_space_is_a_benchmark_like_any(tmp_path):
    space = MacroBenchSpace()
    x = space.all()
    rows = zip(space.to_keys(x), np.linspace(0.2, 0.9, len(x)), 1 + x.sum(axis=1), strict=True)
    text = "key,val_acc,latency_ms:board\n" + "".join(f"{k},{acc},{ms}\n" for k, acc, ms in rows)
    benchmark, report = store_of(tmp_path, text)
    assert report.missing == []
    check_benchmark(benchmark)
    check_device(benchmark.device("board"))
    problem = blox_env.Problem(
        str(tmp_path / "store"), str(tmp_path / "store" / "devices" / "board"), budget=30
    )
    assert len(blox_env.search(problem, "regularized-evolution", seed=0)) == 30
    with pytest.raises(
        ValueError, match=r"expected no device \('none'\) or one of .*/devices/board"
    ):
        blox_env.Problem(str(tmp_path / "store"), "x86-ort-1t")
    assert "table" in benchmark.provides


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("architecture,val_acc\n3-17-44,93.1\n", r"row 2, column 'val_acc': .* 'val_acc_percent'"),
        ("architecture,val_acc\n3-17-44,0.5\n\n3-17-45,0.5\n", "row 4, column 'architecture': no"),
        ("architecture,val_acc\n3-17-44,0.5\n3-17-44,0.6\n", "row 3: .* in row 2; .* 'seed'"),
        ("architecture,seed,val_acc\n3-17-44,1,0.5\n3-17-44,1,0.6\n", "the same seed as in row 2"),
        ("architecture,seed,val_acc\n3-17-44,1.5,0.5\n", "column 'seed': expected a whole number"),
        ("architecture,val_ac\n3-17-44,0.5\n", "column 'val_ac'; did you mean 'val_acc'"),
        ("architecturee,val_acc\n3-17-44,0.5\n", "did you mean 'architecture'"),
        ("network,val_acc\n3-17-44,0.5\n", "expected a column 'architecture', or x0"),
        ("architecture,score\n3-17-44,0.5\n", "expected a column val_acc"),
        ("architecture,latency\n3-17-44,5\n", "the unit of a latency is in the name"),
        ("architecture,latency_ms\n3-17-44,0\n", "column 'latency_ms': expected a latency above 0"),
        ("architecture,latency_ms\n3-17-44,inf\n", "expected a latency above 0"),
        ("architecture,latency_ms:a b\n3-17-44,5\n", "a device's name is of letters"),
        ("architecture,latency_ms,latency_s\n3-17-44,5,1\n", "two columns of latency for"),
        ("architecture,val_acc,val_acc\n3-17-44,0.5,0.5\n", "two columns are called 'val_acc'"),
        ("architecture,val_acc,val_acc_percent\n3-17-44,0.5,50\n", "say the same"),
        ("architecture;val_acc\n3-17-44;0,5\n", "decimals are written with a point"),
        ("architecture,val_acc\n3-17-44,0.5,1\n", "row 2: expected 2 cells"),
        ("architecture,val_acc\n3-17,0.5\n", "is an architecture of no space: name the space"),
        ("architecture,val_acc\n", "a row for each architecture, got none"),
        ("", "got none"),
        (b"architecture,val_acc\n3-17-44,\xff\n", "mine.csv: .*utf-8"),
        (b"architecture,val_acc\n3-17-44,0.5\x00\n", "mine.csv"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, message):
    with pytest.raises(ValueError, match=message) as error:
        store_of(tmp_path, text)
    assert str(error.value).startswith(str(tmp_path / "mine.csv"))
    assert not (tmp_path / "store").exists()


def test_the_space_may_be_named(tmp_path):
    text = "architecture,val_acc\n1-1-1,0.5\n"
    with pytest.raises(ValueError, match="did you mean 'macrobench'"):
        store_of(tmp_path, text, space="macrobenh")
    with pytest.raises(ValueError, match="no architecture of the space 'macrobench'"):
        store_of(tmp_path, text, space="macrobench")
    assert store_of(tmp_path, text, space="blox")[0].space == SPACE
