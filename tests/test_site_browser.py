"""The built site in Chromium, from the disk: its search finds pages, and they open."""

import json
import shutil
import time
from pathlib import Path

import pytest

from tests.report import browser

pytestmark = pytest.mark.browser

SITE = Path(__file__).resolve().parents[1] / "docs" / "_site"
START = SITE / "docs" / "site" / "index.html"


@pytest.fixture(scope="module")
def chrome():
    if not START.exists():
        pytest.skip("no site: make docs builds docs/_site")
    driver = browser.start()
    yield driver
    folder = driver.capabilities["chrome"]["userDataDir"]
    driver.quit()
    shutil.rmtree(folder, ignore_errors=True)


def wait(driver, script, *, seconds=20):
    """What a script gives once it gives something."""
    deadline = time.monotonic() + seconds
    while not (found := driver.execute_script(f"return {script}")):
        assert time.monotonic() < deadline, f"never: {script}"
        time.sleep(0.1)
    return found


def asked_for(driver):
    """Addresses that the pages asked for since this was last called."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]


def search(driver, words):
    """Type words into the field of the start page; the pages that are found, best first."""
    driver.get(START.as_uri())
    field = driver.find_element("css selector", "input[name=q]")
    field.send_keys(words, "\ue007")
    wait(driver, "document.querySelector('#search-results .search-summary, #search-results > p')"
         "?.textContent.match(/found/i)")  # fmt: skip
    wait(driver, "document.querySelectorAll('#search-results ul.search li a').length")
    links = driver.find_elements("css selector", "#search-results ul.search > li > a")
    return [link.get_attribute("href") for link in links], links


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("latency target", "environments/Blox-v0.html"),
        ("make_vec", "guides/train-cleanrl.html"),
        ("Problem", "api/blox_env.html"),
        ("hypervolume", "guides/multi-objective.html"),
        ("leaderboard", "docs/leaderboard.html"),
    ],
)
def test_the_search_finds_pages_that_open(chrome, words, page):
    addresses, links = search(chrome, words)
    places = [address.partition("?")[0].partition("#")[0] for address in addresses]
    assert all(place.startswith(SITE.as_uri()) for place in places)
    assert any(place.endswith(page) for place in places), places
    links[0].click()
    wait(chrome, "document.readyState == 'complete' && !location.href.includes('search.html')")
    assert chrome.find_element("css selector", "article h1").text
    assert words.split()[0].lower() in chrome.find_element("css selector", "body").text.lower()


def test_what_is_nowhere_is_not_found(chrome):
    chrome.get(START.as_uri())
    field = chrome.find_element("css selector", "input[name=q]")
    field.send_keys("xylophone", "\ue007")
    wait(chrome, "document.querySelector('#search-results')?.textContent.match(/did not match/)")


def test_nothing_is_asked_of_a_network(chrome):
    asked_for(chrome)
    for path in ("docs/site/index.html", "docs/environments/Blox-v0.html", "README.html"):
        chrome.get((SITE / path).as_uri())
    search(chrome, "reward")
    asked = asked_for(chrome)
    assert len(asked) > 5
    assert [a for a in asked if not a.startswith(("file:", "data:", "blob:"))] == []
