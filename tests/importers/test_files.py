import numpy as np
import pytest

from blox_env.importers.files import find, read_table
from blox_env.importers.made_up import write_release
from blox_env.spaces import BloxSpace

SPACE = BloxSpace()


@pytest.fixture
def folder(tmp_path):
    x = SPACE.from_index(np.array([50, 3, 700]))
    write_release(tmp_path, x, epochs=2, formats=("csv", "pickle"), parts=("base", "bench"), rng=0)
    return tmp_path


def test_one_format_of_each_file_is_taken(folder):
    sources, left_out = find([folder])
    assert [s.words for s in sources] == ["base 0", "bench phone"]
    assert {s.path.suffix for s in sources} == {".pickle"}
    assert {p.suffix for p in left_out} == {".csv"}
    assert {s.path.suffix for s in find([folder], prefer="csv")[0]} == {".csv"}
    with pytest.raises(ValueError, match="did you mean 'csv'"):
        find([folder], prefer="cvs")


def test_rows_come_in_order_of_their_numbers(folder):
    told = []
    table = read_table(find([folder])[0][0], told.append)
    assert table.numbers.tolist() == [3, 50, 700]
    values, encoding = table.columns["val_top1"]
    assert (values.shape, encoding) == ((3, 2), "count")
    assert told[-1] == 1.0


def test_a_name_that_contradicts_the_header(folder):
    (folder / "blox-base-0.csv").rename(folder / "blox-base-1.csv")
    with pytest.raises(ValueError, match="the name says 'base 1', the header 'base 0'"):
        find([folder / "blox-base-1.csv"])


def test_a_folder_without_any(tmp_path):
    with pytest.raises(ValueError, match="no release file in"):
        find([tmp_path])
