import pytest

from blox_env.importers.header import read_header
from tests.importers.files_of import FILES, refused, write


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("---\n", "", "expected a first line of '---'"),
        ("version: 1", "version: 2", "expected version 1, got '2'"),
        ("seed: 3", "seed: -3", "seed must be a whole number, got '-3'"),
        ("seed: 3", "seed: 99999999999", "seed must be in"),
        ("seed: 3", "seed: [3]", "seed must be a whole number"),
        ("epochs: 7", "epochs: 0", "epochs must be in 1"),
        ("part: base", "part: bast", "unknown dataset_type 'training' with part 'bast'"),
        ("format: csv", "format: cvs", "did you mean 'csv'"),
        ("- val_top1", "- val_top", "did you mean 'val_top1'"),
        ("- val_top1", "- ../evil", "columns must be a list of names"),
        ("- val_top1", "- test_top1", "columns must be distinct"),
        ("- model_hash\n", "", "columns must begin with 'model_hash'"),
        ("  - conv\n  - mbconv\n", "  - mbconv\n  - conv\n", "expected operations"),
        ("dataset: cifar100", "dataset: {a: b}", "dataset must be a word"),
        ("version: 1", "version: 1\nx: [", "no YAML"),
        ("version: 1", "version: 1\nx: " + "[" * 100, "more than 64 brackets"),
        ("version: 1", "version: 1\n" + "- " * 500, "no YAML|nested"),
        ("version: 1", "version: 1\nx:\n  " + "- " * 3000 + "y", "nested too deeply"),
        ("version: 1", "version: 1\nx: " + "y" * 20_000, "no closing line"),
    ],
)
def test_damaged_headers(tmp_path, old, new, message):
    path = write(tmp_path, FILES["base"], "csv", head=lambda t: t.replace(old, new, 1))
    refused(path, message)


def test_device_names_cannot_leave_the_store(tmp_path):
    for name in ("../../evil", "/etc", ".hidden", "a/b", "a..b", "", "x" * 80, "é"):
        path = write(
            tmp_path,
            FILES["bench"],
            "csv",
            head=lambda t, name=name: t.replace("device: phone", f"device: '{name}'"),
        )
        refused(path, "device must be of letters")


def test_alias_bombs_stay_small(tmp_path):
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{c}: &{c} [{','.join(['*' + chr(ord(c) - 1)] * 9)}]\n" for c in "bcdefghijklmnopq"
    )
    path = write(tmp_path, FILES["base"], "csv", head=lambda t: t.replace("seed: 3\n", bomb))
    refused(path, "seed must be a whole number, got None")
    path = write(tmp_path, FILES["base"], "csv", head=lambda t: t.replace("seed: 3\n", bomb[:-90]))
    refused(path, "seed must be|no YAML")
    merges = "a: &a {k: v}\n" + "".join(
        f"{c}: &{c} {{<<: [{','.join(['*' + chr(ord(c) - 1)] * 9)}]}}\n" for c in "bcdefghijklm"
    )
    path = write(tmp_path, FILES["base"], "csv", head=lambda t: t.replace("seed: 3\n", merges))
    refused(path, "seed must be a whole number, got None")


def test_a_header_says_what_is_in_the_file(tmp_path):
    path = write(tmp_path, FILES["base"], "custom")
    with path.open("rb") as file:
        header = read_header(file, path)
    assert (header.part, header.seed, header.epochs, header.device) == ("base", 3, 7, None)
    assert header.dataset == "cifar100"
    assert header.types["model_hash"] == "hash"
