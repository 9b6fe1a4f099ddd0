"""Executes the notebooks of ``examples/notebooks/`` and keeps their outputs.

    python docs/notebooks.py [NAME …]

``make notebooks`` executes them, too, and compares what they print with what was kept. Cells with
the tag ``varies`` print what depends on the machine. Needs the extra ``docs``.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "notebooks"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))


def executed(name: str) -> Any:
    """A notebook after all of its cells have run, in a folder of its own.

    Args:
        name: of the notebook, without its ending.
    """
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        client = NotebookClient(
            notebook, timeout=600, kernel_name="python3", resources=resources, record_timing=False
        )
        client.execute()
    return notebook


def printed(notebook: Any) -> list[str]:
    """What each cell of code printed or gave as text, "" for those that vary.

    Args:
        notebook: as nbformat has it.
    """
    return [
        "" if "varies" in cell["metadata"].get("tags", ()) else "".join(map(_text, cell["outputs"]))
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]


def _text(output: Any) -> str:
    """An output as text; of pictures what they are."""
    if output["output_type"] == "stream":
        text = output["text"]
    else:
        text = output.get("data", {}).get("text/plain", output.get("ename", ""))
    return text if isinstance(text, str) else "".join(text)


def main() -> None:
    """Execute and keep."""
    import nbformat

    for name in sys.argv[1:] or NAMES:
        began = time.perf_counter()
        notebook = executed(name)
        notebook["metadata"] = {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
        path = FOLDER / f"{name}.ipynb"
        nbformat.write(notebook, path)
        print(f"{name}: {time.perf_counter() - began:.0f} s, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
