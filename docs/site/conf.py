"""Settings of the documentation site: ``make docs`` builds it from the root of the checkout.

Pages stand where they belong (README.md, ``docs/``, the data's cards), so that a link between two
files is a link between two pages. Nothing is fetched: theme, fonts and search are local.
"""

from __future__ import annotations

import re
import sys
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


class _Once:
    """Describes each object once, on the first page that offers it; later pages link there."""

    def __init__(self) -> None:
        self.first: dict[int, tuple[str, str]] = {}  # of an object: the page, its name

    def skip(self, app: Any, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool:
        """Whether to leave out a member of a package."""
        del options
        page = app.env.current_document.docname
        if skip or what != "module" or not callable(obj):
            return skip
        title = page.rpartition("/")[2]
        known = self.first.setdefault(id(obj), (page, f"{title}.{name}"))
        return bool(known[0] != page)

    def also(
        self, app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]
    ) -> None:
        """Name in a package's own words what an earlier page describes."""
        del options
        if what == "module":
            page = app.env.current_document.docname
            known = (self.first.get(id(getattr(obj, one))) for one in getattr(obj, "__all__", ()))
            names = [f":py:obj:`{one[1]}`" for one in known if one and one[0] != page]
            if names:
                lines += ["", f"Also here: {', '.join(names)}.", ""]
        lines[:] = _HEADING.sub(r".. rubric:: \1\n", "\n".join(lines)).split("\n")


def setup(app: Any) -> None:
    """Connect."""
    once = _Once()
    app.connect("source-read", _no_folders)
    app.connect("autodoc-skip-member", once.skip)
    app.connect("autodoc-process-docstring", once.also, priority=100)
