"""docs/devices.md holds what the cards say."""

import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.mark.extra
def test_the_page_is_that_of_the_cards():
    spec = importlib.util.spec_from_file_location("devices_page", DOCS / "devices.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (DOCS / "devices.md").read_text()
    assert module.text() == page, "run `python docs/devices.py`"
    for name in module.cards():
        assert (module.PICTURES / f"{name}.png").is_file()


@pytest.mark.parametrize("name", ["devices.md"])
def test_links_point_at_something(name):
    for link in re.findall(r"\]\(([^)#]+)\)", (DOCS / name).read_text()):
        assert link.startswith("https://") or (DOCS / link).exists(), link
