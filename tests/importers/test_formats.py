"""The three formats of a release file give the same values; what is damaged is named."""

import json

import numpy as np
import pytest

from blox_env.importers.made_up import SUFFIXES, expected
from tests.importers.files_of import FILES, FORMATS, PARTS, SPACE, files, plain, read, write


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("part", PARTS)
def test_every_format_gives_what_was_written(form, part, tmp_path):
    file = FILES[part]
    found = read(write(tmp_path, file, form))
    assert found["model_hash"] == file.hashes
    assert list(found)[1:] == list(file.columns)
    for name, values in file.columns.items():
        if name == "arch_vec":
            rows = SPACE.from_flat(found[name])
            assert SPACE.model_hash(rows) == file.hashes
        elif part == "env":
            assert found[name] == values
        else:
            np.testing.assert_array_equal(found[name], expected(file, name))


def test_more_rows_than_are_read_at_once(tmp_path):
    many = files(n=1500, epochs=2)
    for part in ("base", "env"):
        found = [read(write(tmp_path, many[part], form)) for form in FORMATS]
        for other in found[1:]:
            for name, values in found[0].items():
                np.testing.assert_array_equal(other[name], values)


@pytest.mark.parametrize(
    "stem",
    [
        *("base-0", "base-1", "ext-0", "ext-1", "env-0", "env-1", "info"),
        *("bench-desktop-gpu", "bench-mobile-cpu"),
    ],
)
def test_sample_of_the_release_equals_a_plain_reading(reference, stem):
    folder = reference / "blox-release-sample"
    rows = plain(folder / f"blox-{stem}.csv")
    for suffix in SUFFIXES.values():
        found = read(folder / f"blox-{stem}.{suffix}")
        assert found.pop("model_hash") == [row[0] for row in rows]
        for i, (name, values) in enumerate(found.items(), 1):
            cells = [row[i] for row in rows]
            if isinstance(values, list):
                assert values == cells
            elif name == "arch_vec":
                vectors = [json.loads(cell) for cell in cells]
                flat = [[v for (a,), rest in vec for v in (a, *rest)] for vec in vectors]
                assert values.tolist() == flat
            else:
                assert values.tolist() == [json.loads(cell) for cell in cells]
