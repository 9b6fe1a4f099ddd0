import json

import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from blox_env.importers.importing import import_files
from tests.benchmarks.test_yahpo import made_up_folder, made_up_model
from tests.spaces.darts.test_notation import made_up_settings


def test_what_is_imported_says_where_it_is_from(tmp_path):
    source = made_up_folder(tmp_path / "nb301")
    report = import_files(source, tmp_path / "store", name="mine")
    assert report.manifest["name"] == "mine"
    assert "Apache-2.0" in report.manifest["description"]
    sources = {entry["file"]: entry["bytes"] for entry in report.manifest["sources"]}
    assert sources == {file.name: file.stat().st_size for file in source.iterdir()}
    again = import_files(source, tmp_path / "again", name="mine")
    for file in (tmp_path / "store").iterdir():
        assert file.read_bytes() == (tmp_path / "again" / file.name).read_bytes()
    assert again.manifest == report.manifest


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("encoding_v2.json", None, "encoding_v2.json is missing"),
        ("encoding_v2.json", b"[1, 2", "encoding_v2.json: "),
        ("encoding_v2.json", b"[" * 100_000, "encoding_v2.json: "),
        ("encoding_v2.json", b"{}", "encoding_v2.json: .*edge_normal_0"),
        ("encoding_v2.json", b" " * (2**20 + 1), "at most 1048576 bytes"),
        ("model_v2.onnx", b"", "model_v2.onnx is no model"),
        ("model_v2.onnx", b"cos\nsystem\n(S'touch here'\ntR.", "model_v2.onnx is no model"),
        ("model_v2.onnx", made_up_model(("x", "y")), "expected inputs x_cat"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_left(tmp_path, file, content, message):
    source = made_up_folder(tmp_path / "nb301")
    if content is None:
        (source / file).unlink()
    else:
        (source / file).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        import_files(source, tmp_path / "store")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["nb301"]


def test_a_model_that_points_at_other_files_is_refused(tmp_path):
    import onnx

    source = made_up_folder(tmp_path / "nb301")
    model = onnx.load(source / "model_v2.onnx")
    weights = model.graph.initializer[0]
    secret = tmp_path / "secret"
    secret.write_bytes(b"\0" * len(weights.raw_data))
    weights.ClearField("raw_data")
    weights.data_location = onnx.TensorProto.EXTERNAL
    entry = weights.external_data.add()
    entry.key, entry.value = "location", str(secret)
    (source / "model_v2.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ValueError, match=r"model_v2\.onnx is no model"):
        import_files(source, tmp_path / "store")


def test_settings_of_another_order_are_other_data(tmp_path):
    from blox_env.benchmarks.yahpo import YahpoBenchmark

    source = made_up_folder(tmp_path / "nb301")
    import_files(source, tmp_path / "one")
    turned = dict(reversed(made_up_settings().items()))
    (source / "encoding_v2.json").write_text(json.dumps(turned))
    import_files(source, tmp_path / "two")
    one, two = YahpoBenchmark(tmp_path / "one"), YahpoBenchmark(tmp_path / "two")
    assert one.checksum() != two.checksum()
    row = one.space.from_index([12345])
    assert (one.settings(row)[0] == two.settings(row)[0][::-1]).all()
