"""The page: one HTML file that needs no other and no network."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

from blox_env.ground.extras import extra
from blox_env.report.content import Again, Section, Together
from blox_env.report.themes import DARK, LIGHT


def render(
    sections: Sequence[Section],
    whole: Together | None,
    *,
    agents: Sequence[str],
    cards: Mapping[str, str],
    missing: Sequence[str],
    how: Again,
) -> str:
    """The page as HTML.

    Args:
        sections: one a problem.
        whole: about all problems, None for one.
        agents: names for the title.
        cards: what benchmarks and devices say about themselves, by name.
        missing: what is not shown and why, in sentences.
        how: to get the same runs.
    """
    script = part("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return str(
        template("report.html.j2").render(
            agents=agents,
            sections=sections,
            whole=whole,
            cards=cards,
            missing=missing,
            how=how,
            style=part("report.css"),
            script=script,
            script_hash=digest,
            light=LIGHT.variables(),
            dark=DARK.variables(),
        )
    )


def part(name: str) -> str:
    """The text of a file of ``templates/``."""
    folder = resources.files("blox_env.report") / "templates"
    return (folder / name).read_text(encoding="utf-8")


def template(name: str) -> Any:
    """A page's template, which escapes what is put into it."""
    with extra("experiment", "a report"):
        import jinja2
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("blox_env.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
