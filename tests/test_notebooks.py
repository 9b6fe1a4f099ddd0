"""The notebooks: outputs are kept, and are what the cells give today."""

import json

import pytest

from tests.test_pages import loaded

SCRIPT = loaded("notebooks")


@pytest.mark.parametrize("name", SCRIPT.NAMES)
def test_outputs_are_kept(name):
    path = SCRIPT.FOLDER / f"{name}.ipynb"
    assert path.stat().st_size < 400_000
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    kinds = {output["output_type"] for cell in cells for output in cell["outputs"]}
    assert kinds
    assert "error" not in kinds
    warned = [o for cell in cells for o in cell["outputs"] if o.get("name") == "stderr"]
    assert warned == []


@pytest.mark.notebooks
@pytest.mark.parametrize("name", SCRIPT.NAMES)
def test_cells_give_what_was_kept(name):
    pytest.importorskip("nbclient")
    import nbformat

    kept = nbformat.read(SCRIPT.FOLDER / f"{name}.ipynb", as_version=4)
    assert SCRIPT.printed(SCRIPT.executed(name)) == SCRIPT.printed(kept)


def test_what_varies_is_not_compared():
    stream = {"output_type": "stream", "text": ["a", "b"]}
    data = {"output_type": "display_data", "data": {"text/plain": "<Figure>"}}
    cells = [
        {"cell_type": "code", "metadata": {}, "outputs": [stream, data]},
        {"cell_type": "code", "metadata": {"tags": ["varies"]}, "outputs": [stream]},
        {"cell_type": "markdown", "metadata": {}},
    ]
    assert SCRIPT.printed({"cells": cells}) == ["ab<Figure>", ""]


def test_there_are_notebooks():
    assert {"first_search", "my_device", "rl_controller"} <= set(SCRIPT.NAMES)
