"""Check the built site: no link leads nowhere, nothing is fetched, every public name has a place.

python .ci/check_site.py docs/_site
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[1]
FETCHED = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src"}


class Page(HTMLParser):
    """What a page links to, fetches, and calls by an id."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the attributes that count."""
        given = dict(attrs)
        if name := given.get("id"):
            self.ids.add(name)
        if tag == "a" and (link := given.get("href")):
            self.links.append(link)
        what = given.get(FETCHED.get(tag, ""))
        if what and given.get("rel") not in ("next", "prev", "index", "search", "canonical"):
            self.fetched.append(what)


def public_names() -> list[str]:
    """``package.name`` of all that ARCHITECTURE.md lists."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(blox_env[\w.]*)` \| (.*) \|$", text, re.MULTILINE)
    return [
        f"{package}.{name}" for package, names in rows for name in re.findall(r"`(\w+)`", names)
    ]


def faults(site: Path) -> list[str]:
    """What is wrong with a site, a line each.

    Args:
        site: the folder.
    """
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    found = [] if pages else [f"{site}: no page"]
    for path, page in pages.items():
        where = path.relative_to(site)
        for link in (*page.links, *page.fetched):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                found.append(f"{where}: {link} leads nowhere")
            elif target in pages and unquote(parts.fragment or "") not in pages[target].ids | {""}:
                found.append(f"{where}: {link}: no such place on that page")
        styles = re.findall(r"url\(['\"]?(https?:[^)]+)\)", path.read_text(encoding="utf-8"))
        outside = [what for what in page.fetched if urlsplit(what).netloc]
        found += [f"{where}: fetches {what}" for what in (*outside, *styles)]
    return found


def missing(site: Path) -> list[str]:
    """Public names without a description; a name that an earlier page has counts.

    Args:
        site: the folder.
    """
    folder = site / "docs" / "site" / "api"
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.html"))]
    there = {name for text in texts for name in re.findall(r'<dt[^>]* id="([\w.]+)"', text)}
    last = {name.rpartition(".")[2] for name in there if name.count(".") >= 1}
    return [
        name for name in public_names() if name not in there and name.rpartition(".")[2] not in last
    ]


def main() -> None:
    """Check; the exit status says whether all is well."""
    site = Path(sys.argv[1]).resolve()
    wrong = faults(site) + [f"{name} is described nowhere" for name in missing(site)]
    if wrong:
        sys.exit("\n".join(wrong))
    pages = len(list(site.rglob("*.html")))
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file()) / 1e6
    names = len(public_names())
    print(f"{site.name}: {pages} pages, {size:.0f} MB, {names} public names, no dead link")


if __name__ == "__main__":
    main()
