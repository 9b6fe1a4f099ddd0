"""Settings of the documentation site: ``make docs`` builds it from the root of the checkout.

Pages stand where they belong (README.md, ``docs/``, the data's cards), so that a link between two
files is a link between two pages. Nothing is fetched: theme, fonts and search are local.
"""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from blox_env.version import __version__  # noqa: E402

project = "blox-env"
author = "the blox-env developers"
copyright = "the blox-env developers, Apache-2.0"  # noqa: A001
release = version = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
]
root_doc = "docs/site/index"
include_patterns = [
    "*.md",
    "docs/*.md",
    "docs/environments/*.md",
    "docs/site/**.md",
    "blox_env/data/**.md",
    "examples/notebooks/*.ipynb",
]
exclude_patterns = [".*", "build", "dist", "docs/_site", "runs", "tests", "*.egg-info"]
exclude_patterns += ["blox_env/agents", "blox_env/wrappers", "**.ipynb_checkpoints"]

html_theme = "furo"
html_title = f"blox-env {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_extra_path = ["top"]  # index.html: from / to the start page
html_copy_source = html_show_sourcelink = False
html_theme_options: dict[str, Any] = {"navigation_with_keys": True}

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
nb_execution_mode = "off"  # outputs are kept in the notebooks; `make notebooks` runs them

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # signatures have them; arguments are told in words
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_attr_annotations = False
suppress_warnings = ["myst.header"]  # cards begin their parts with third headings

_FENCED = re.compile(r"(^```.*?^```)", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]\n]+)\]\(([\w./-]+)\)")


def _no_folders(app: Any, name: str, source: list[str]) -> None:
    """Say the name of a linked folder of the checkout; a site has no page for it."""
    here = Path(app.env.doc2path(name)).parent

    def plain(match: re.Match[str]) -> str:
        return match[1] if (here / match[2]).is_dir() else match[0]

    if not name.startswith("examples/"):
        parts = _FENCED.split(source[0])
        source[0] = "".join(
            part if part.startswith("```") else _LINK.sub(plain, part) for part in parts
        )


def _home(obj: Any, page: str) -> str | None:
    """Where another page describes an object: the name there, None if it is for this page.

    Args:
        obj: offered by the package of the page.
        page: name of that package. Pages come in the order of their names.
    """
    for path in sorted(Path(__file__).with_name("api").glob("*.md")):
        if path.stem == page:
            return None
        package = import_module(path.stem)
        for name in getattr(package, "__all__", ()):
            if getattr(package, name) is obj:
                return f"{path.stem}.{name}"
    return None


def _once(app: Any, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool:
    """Leave out of a package what an earlier page describes."""
    del name, options
    page = app.env.current_document.docname.rpartition("/")[2]
    return skip or (what == "module" and callable(obj) and _home(obj, page) is not None)


def _words(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Let ``## Headings`` be headings, and say what of a package is described elsewhere."""
    del name, options
    if what == "module":
        page = app.env.current_document.docname.rpartition("/")[2]
        homes = (_home(getattr(obj, each), page) for each in getattr(obj, "__all__", ()))
        if names := [f":py:obj:`{home}`" for home in homes if home]:
            lines += ["", f"Also here: {', '.join(names)}.", ""]
    lines[:] = _HEADING.sub(r".. rubric:: \1\n", "\n".join(lines)).split("\n")


def setup(app: Any) -> None:
    """Connect."""
    app.connect("source-read", _no_folders)
    app.connect("autodoc-skip-member", _once)
    app.connect("autodoc-process-docstring", _words, priority=100)
