from blox_env.store.card import write_card

MANIFEST = {
    "name": "mine", "description": "made up", "writer": "blox-env 0", "space": "blox", "rows": 3,
    "epochs": 7, "dataset": None, "seeds": [0, 1], "missing": ["no env files"],
    "devices": {"phone": {"measured": 3, "description": "as released"}},
    "sources": [{"file": "a.csv", "part": "base", "rows": 3, "bytes": 9, "sha256": "ab"}],
    "columns": {
        "seed-0/val_top1": {"encoding": "count", "examples": 5000, "sha256": "cd"},
        "info/params": {"encoding": "int", "sha256": "ef"},
    },
}  # fmt: skip


def test_every_figure_is_in_the_card(tmp_path):
    write_card(tmp_path, MANIFEST)
    text = (tmp_path / "CARD.md").read_text()
    for line in (
        "# Benchmark `mine`",
        "- Seeds: 0, 1;",
        "- Dataset: not stated",
        "- Device `phone`: 3 architectures, as released",
        "- Missing: no env files",
        "| a.csv | base | 3 | 9 | ab |",
        "| seed-0/val_top1.npy | correct answers out of 5000 | cd |",
        "| info/params.npy | int | ef |",
    ):
        assert line in text
