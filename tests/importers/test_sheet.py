import numpy as np
import pytest

from blox_env.importers.sheet import read_sheet


def sheet(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    return read_sheet(tmp_path / "a.csv")


def test_cells_and_lines(tmp_path):
    found = sheet(tmp_path, 'a,b\n1,"x\ny"\n\n2,\n')
    assert found.cells == {"a": ["1", "2"], "b": ["x\ny", ""]}
    assert found.lines == [3, 5]  # where a row ends, as an editor counts
    np.testing.assert_array_equal(found.numbers("a", 0, 2, "a number"), [1, 2])


@pytest.mark.parametrize("cell", ["", "nan", "None", "N/A", "-"])
def test_ways_to_say_nothing(tmp_path, cell):
    found = sheet(tmp_path, f"a,b\n1,1\n{cell},1\n").numbers("a", 0, 2, "a number")
    np.testing.assert_array_equal(found, [1, np.nan])


def test_units_of_latency(tmp_path):
    found = sheet(tmp_path, "latency_ms,latency_us:npu,latency_s_pi\n5,5000,0.005\n").latencies()
    assert {name: values.tolist() for name, values in found.items()} == {
        "device": [5.0],
        "npu": [5.0],
        "pi": [5.0],
    }
