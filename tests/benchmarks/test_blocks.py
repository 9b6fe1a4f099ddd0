import json

import numpy as np
import pytest

from blox_env import load_benchmark
from blox_env.benchmarks.blocks import FILE, read_blocks, write_blocks
from tests.toys import toy_blocks


def test_what_is_written_is_read_with_seconds_of_the_table(tmp_path):
    before = toy_blocks()
    write_blocks(tmp_path, before, 2.0, {"task": "toy"})
    after = read_blocks(tmp_path / FILE)
    assert [each.name for each in after] == ["round0", "round1", "mediocre"]
    for old, new in zip(before, after, strict=True):
        assert new.blocks_s == new.seconds == 2 * old.blocks_s
        np.testing.assert_allclose(new.signatures.nsr, old.signatures.nsr, atol=1e-6)
        assert not new.signatures.nsr.flags.writeable
    text = (tmp_path / FILE).read_bytes()
    write_blocks(tmp_path, before, 2.0, {"task": "toy"})
    assert (tmp_path / FILE).read_bytes() == text


@pytest.mark.parametrize("change", ["number", "schema", "cut"])
def test_a_damaged_file_is_named(tmp_path, change):
    write_blocks(tmp_path, toy_blocks(), 2.0, {})
    path = tmp_path / FILE
    content = json.loads(path.read_text())
    if change == "number":
        content["teachers"][1]["nsr"][0][0] += 0.1
    content["schema"] += change == "schema"
    text = json.dumps(content)
    path.write_text(text[: len(text) // 2] if change == "cut" else text)
    with pytest.raises(ValueError, match=r"blocks\.json is damaged or no file of blocks"):
        read_blocks(path)


@pytest.mark.parametrize("name", ["digits"])
def test_the_embedded_blocks(name):
    benchmark = load_benchmark(name)
    assert "blocks" in benchmark.provides
    every = {each.name: each for each in benchmark.blocks()}
    assert {"good", "mediocre", "round0", "round1"} <= every.keys()
    assert every["mediocre"].val_acc < every["good"].val_acc
    mean = benchmark.evaluate(benchmark.space.all()).train_time_s.mean()
    for each in every.values():
        assert 3 * mean < each.blocks_s < 135 * mean  # a block is a part of a network
        assert ((each.signatures.nsr > 0) & (each.signatures.swap_acc < 1)).all()


def test_a_benchmark_without_says_so():
    assert load_benchmark("digits").blocks()
    from tests.toys import ToyBenchmark, huge_space

    bare = ToyBenchmark(huge_space())
    assert bare.blocks() == ()
    assert "blocks" not in bare.provides
