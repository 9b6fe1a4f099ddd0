"""The check of the built site finds what is wrong, in made-up sites."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def check():
    spec = importlib.util.spec_from_file_location("check_site", ROOT / ".ci" / "check_site.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<a href="b.html#here">', None),
        ('<a href="https://example.org/x">', None),
        ('<a href="b.html#there">', "no such place"),
        ('<a href="c.html">', "leads nowhere"),
        ('<img src="c.png">', "leads nowhere"),
        ('<script src="https://example.org/x.js">', "fetches"),
        ('<link rel="stylesheet" href="//example.org/x.css">', "fetches"),
        ('<style>a { background: url("https://example.org/x.png") }</style>', "fetches"),
    ],
)
def test_faults(check, tmp_path, body, fault):
    (tmp_path / "a.html").write_text(body)
    (tmp_path / "b.html").write_text('<p id="here">')
    found = check.faults(tmp_path)
    assert [fault in line for line in found] == [True] * (fault is not None)


def test_a_site_without_pages_is_none(check, tmp_path):
    assert "no page" in check.faults(tmp_path)[0]


def test_names_without_a_description(check, tmp_path):
    folder = tmp_path / "docs" / "site" / "api"
    folder.mkdir(parents=True)
    names = check.public_names()
    assert "blox_env.search" in names
    text = "".join(f'<dt class="sig" id="{name}">' for name in names if name != "blox_env.search")
    (folder / "a.html").write_text(text)
    assert check.missing(tmp_path) == ["blox_env.search"]
