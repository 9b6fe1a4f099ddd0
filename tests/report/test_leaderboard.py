import math
import re
from pathlib import Path

import pytest

pytest.importorskip("jinja2")

from blox_env.analysis.leaderboard import PROTOCOL, boards
from blox_env.report.leaderboard import number, write_leaderboard
from tests.analysis.test_leaderboard import searches

ROOT = Path(__file__).resolve().parents[2]


def test_the_page(tmp_path):
    found, left_out = boards(
        {"<b>mine</b>": searches("x", 1.0), "few": searches("y", 0.5, n=2)}, seeds=8
    )
    path = tmp_path / "page.html"
    refused = {"theirs": "not valid & more"}
    write_leaderboard(path, found, seeds=8, refused=refused, left_out=left_out)
    page = path.read_text(encoding="utf-8")
    assert "&lt;b&gt;mine&lt;/b&gt;" in page
    assert "<b>mine" not in page
    assert "theirs: not valid &amp; more" in page
    assert "few: y has 2 searches, fewer than 8" in page
    assert "<td>0.0008</td>" in page  # the middle half of 0, 0.001, 0.002, 0, …
    assert "<td>38%</td>" in page
    assert not re.search(r"<script|https?://|src=", page)


def test_an_empty_page(tmp_path):
    path = tmp_path / "page.html"
    write_leaderboard(path, [], seeds=20, refused={}, left_out=[])
    assert "Nothing counts yet" in path.read_text(encoding="utf-8")


def test_numbers():
    assert [number(math.nan), number(0.25), number(0.25, ".0%")] == ["–", "0.2500", "25%"]


def test_the_protocol_is_written_down():
    text = (ROOT / "docs" / "leaderboard.md").read_text(encoding="utf-8")
    rules = re.findall(r"^\d+\. (.*(?:\n   .*)*)", text, re.MULTILINE)
    assert [" ".join(rule.split()) for rule in rules] == list(PROTOCOL)
