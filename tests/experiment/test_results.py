import json
from dataclasses import replace

import pytest

pytest.importorskip("pyarrow")

from pyarrow import parquet

from blox_env.experiment.results import read_facts, read_run, read_runs, run_digest, sealed
from tests.experiment.made_up import write_runs


@pytest.fixture
def path(tmp_path):
    write_runs(tmp_path, agents=("first",), seeds=1)
    return next(tmp_path.glob("runs/*.parquet"))


def rewritten(path, metadata):
    table = parquet.read_table(path)
    parquet.write_table(table.replace_schema_metadata({**table.schema.metadata, **metadata}), path)


def test_run_files_of_schema_2_are_read(path):
    new = read_run(path)
    said = json.loads(parquet.read_schema(path).metadata[b"blox_env"])
    names = {"seed": "random", "repeat": "seed", "agent_settings": "settings"}
    old = {names.get(name, name): value for name, value in said.items()}
    del old["trials_sha256"], old["noise_seed"]
    text = json.dumps({**old, "schema": 2}).encode()
    rewritten(path, {b"blox_env": text, b"blox_env.sha256": b""})
    run = read_run(path)
    assert (run.facts.repeat, run.facts.seed) == (new.facts.repeat, new.facts.seed) == (0, 77)
    assert read_facts(path) == run.facts
    assert (run.x == new.x).all()


def test_a_fact_that_was_changed_is_found(path):
    said = json.loads(parquet.read_schema(path).metadata[b"blox_env"])
    rewritten(path, {b"blox_env": json.dumps({**said, "test_acc": 0.99}).encode()})
    for read in (read_run, read_facts):
        with pytest.raises(ValueError, match="its facts are not those that its digest is of"):
            read(path)


def test_a_trial_that_was_changed_is_found(path):
    table = parquet.read_table(path)
    values = table["reward"].to_numpy().copy()
    values[3] += 1e-9
    place = table.column_names.index("reward")
    parquet.write_table(table.set_column(place, "reward", [values]), path)
    with pytest.raises(ValueError, match="its trials are not those that its digest is of"):
        read_run(path)


def test_equal_runs_have_equal_digests(tmp_path, path):
    write_runs(tmp_path / "again", agents=("first",), seeds=1)
    (again,) = tmp_path.glob("again/runs/*.parquet")
    assert run_digest(again) == run_digest(path)
    assert len(run_digest(path)) == 64


def test_pages_have_checksums_and_they_are_looked_at(path):
    """Before anything is decompressed: each bit of a page is under its checksum."""
    whole = path.read_bytes()
    column = parquet.ParquetFile(path).metadata.row_group(0).column(0)
    first = column.dictionary_page_offset or column.data_page_offset
    last = first + column.total_compressed_size - 1
    changed = bytearray(whole)
    changed[last] ^= 4
    path.write_bytes(bytes(changed))
    with pytest.raises(ValueError, match="could not verify page"):
        read_run(path)


def test_a_best_trial_that_is_not_there_is_named(path):
    run = read_run(path)
    columns = run.columns | {f"x{slot}": run.x[:, slot] for slot in range(run.x.shape[1])}
    for best in (len(run), -1):
        rewritten(path, sealed(replace(run.facts, best=best), columns))
        with pytest.raises(ValueError, match=rf"its best is row {best} of {len(run)} trials"):
            read_runs(path.parents[1])


def test_facts_that_are_nested_too_deeply_are_named(path):
    rewritten(path, {b"blox_env": b"[" * 100_000 + b"]" * 100_000})
    for read in (read_run, read_facts):
        with pytest.raises(ValueError, match=r"\.parquet is not a run file: it is nested too deep"):
            read(path)
