"""The page in a real browser: what its script does, with the mouse and with the keyboard."""

import json
import shutil
from importlib import import_module

import pytest

from blox_env.report.themes import DARK, LIGHT
from tests.report import browser

pytest.importorskip("pyarrow")
pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chrome():
    driver = browser.start()
    driver.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})
    yield driver
    folder = driver.capabilities["chrome"]["userDataDir"]
    driver.quit()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def page(chrome, folder):
    """The page, freshly loaded, wide and light."""
    show(chrome, dark=False)
    chrome.get((folder / "report.html").as_uri())
    chrome.execute_script("try { localStorage.clear() } catch {}")
    chrome.refresh()
    return chrome


def show(driver, *, dark, width=1400):
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def find(driver, selector):
    return driver.find_element("css selector", selector)


def every(driver, selector):
    return driver.find_elements("css selector", selector)


def press(driver, key):
    """A key for whatever has the keyboard."""
    driver.switch_to.active_element.send_keys({"Tab": "\ue004", "Right": "\ue014", "Left": "\ue012",
        "End": "\ue010", "Home": "\ue011", "Enter": "\ue007", "Space": " "}[key])  # fmt: skip


def colour(driver, selector, name="background-color"):
    text = find(driver, selector).value_of_css_property(name)
    numbers = text[text.index("(") + 1 : -1].split(",")[:3]
    return "#" + "".join(f"{int(float(n)):02x}" for n in numbers)


def focused(driver):
    return driver.switch_to.active_element


# -- by itself -----------------------------------------------------------------------------


def test_nothing_is_logged_and_nothing_is_asked_for(chrome, folder):
    for kind in ("browser", "performance"):
        chrome.get_log(kind)  # what came before
    chrome.get((folder / "report.html").as_uri())
    for point in every(chrome, ".point")[:3]:
        chrome.execute_script("arguments[0].focus()", point)
    find(chrome, "#theme").click()
    assert chrome.get_log("browser") == []
    asked = []
    for entry in chrome.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.append(message["params"]["request"]["url"])
    others = [url for url in asked if not url.startswith("data:")]
    assert others == [(folder / "report.html").as_uri()]
    loaded = chrome.execute_script(
        "return performance.getEntriesByType('resource').map((e) => e.name)"
    )
    assert [name for name in loaded if not name.startswith("data:")] == []


def test_a_script_that_is_not_its_own_would_be_stopped(page):
    """The test of the log can fail."""
    page.execute_script(
        "const s = document.createElement('script'); s.textContent = 'window.bad = 1';"
        "document.body.append(s);"
    )
    assert page.execute_script("return window.bad") is None
    assert any("Content Security Policy" in entry["message"] for entry in page.get_log("browser"))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [1400, 400])
def test_the_page_fits_the_window(page, dark, width):
    show(page, dark=dark, width=width)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    for figure in every(page, "svg.figure"):
        assert 0 < figure.size["width"] <= width
        assert figure.size["height"] > 50


# -- the theme -----------------------------------------------------------------------------


def test_colours_follow_the_system(page):
    assert colour(page, "body") == LIGHT.paper
    assert colour(page, "body", "color") == LIGHT.ink
    show(page, dark=True)
    assert colour(page, "body") == DARK.paper
    assert colour(page, "body", "color") == DARK.ink
    assert colour(page, ".soft", "color") == DARK.soft


def test_the_button_turns_the_theme_around(page):
    button = find(page, "#theme")
    assert button.text == "Dark colours"
    button.click()
    assert colour(page, "body") == DARK.paper
    assert button.text == "Light colours"
    page.refresh()  # it is kept
    assert colour(page, "body") == DARK.paper
    page.execute_script("document.getElementById('theme').focus()")
    press(page, "Enter")
    assert colour(page, "body") == LIGHT.paper
    show(page, dark=True)  # the button has the last word
    assert colour(page, "body") == LIGHT.paper


def test_lines_of_pictures_have_the_colours_of_the_theme(page):
    script = (
        "const p = [...document.querySelectorAll('svg.figure path')].find((e) =>"
        "(e.getAttribute('style') || '').includes('--agent-0') &&"
        "getComputedStyle(e).stroke !== 'none'); return getComputedStyle(p).stroke"
    )
    first = page.execute_script(script)
    find(page, "#theme").click()
    assert page.execute_script(script) != first


# -- tables --------------------------------------------------------------------------------


def column(driver, number):
    script = (
        "return [...document.querySelectorAll('table')[0].tBodies[0].rows]"
        f".map((row) => row.cells[{number}].dataset.v ?? row.cells[{number}].textContent)"
    )
    return driver.execute_script(script)


def test_a_click_on_a_heading_sorts_and_a_second_one_turns_around(page):
    heads = every(page, "table:first-of-type thead th")
    (button,) = heads[2].find_elements("css selector", "button")
    button.click()
    values = [float(value) for value in column(page, 2)]
    assert values == sorted(values)
    assert heads[2].get_attribute("aria-sort") == "ascending"
    button.click()
    assert [float(value) for value in column(page, 2)] == sorted(values, reverse=True)
    assert heads[2].get_attribute("aria-sort") == "descending"
    heads[0].find_element("css selector", "button").click()
    assert heads[2].get_attribute("aria-sort") is None
    assert column(page, 0) == sorted(column(page, 0))


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_keyboard_sorts(page, key):
    (head, *_) = every(page, "table thead th:nth-child(3)")
    page.execute_script("arguments[0].querySelector('button').focus()", head)
    press(page, key)
    assert head.get_attribute("aria-sort") == "ascending"
    values = [float(value) for value in column(page, 2)]
    assert values == sorted(values)
    press(page, "Tab")
    assert focused(page).tag_name == "button"  # the next heading


# -- fronts --------------------------------------------------------------------------------


def shown(driver):
    panel = find(driver, ".panel")
    return panel.find_element("css selector", ".found").text, panel.find_element(
        "css selector", ".values"
    ).text


def test_a_point_under_the_mouse_shows_its_architecture(page):
    assert not find(page, ".panel").is_displayed()
    points = every(page, ".point")
    point = points[-1]
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", point)
    import_module("selenium.webdriver").ActionChains(page).move_to_element(point).perform()
    assert find(page, ".panel").is_displayed()
    top = [p for p in points if "shown" in p.get_attribute("class")]
    assert len(top) == 1  # where several lie on each other, the one on top
    assert shown(page) == (
        top[0].get_attribute("data-found"), top[0].get_attribute("data-values")
    )  # fmt: skip
    drawing = find(page, ".panel svg.architecture")
    assert drawing.is_displayed()
    assert drawing.size["width"] > 300
    words = [e.text for e in every(page, ".panel svg.architecture text")]
    assert {"input", "classifier"} <= set(words)
    assert set(words) & {"conv", "mbconv", "bconv"}


def test_fronts_are_one_stop_of_the_keyboard_and_arrows_go_along(page):
    points = every(page, ".point")
    assert [p.get_attribute("tabindex") for p in points].count("0") == 1
    page.execute_script("arguments[0].focus()", points[0])
    seen = []
    for key, number in (("Right", 1), ("Right", 2), ("Left", 1), ("End", -1), ("Home", 0)):
        press(page, key)
        assert focused(page) == points[number]
        assert points[number].get_attribute("tabindex") == "0"
        assert shown(page)[1] == points[number].get_attribute("data-values")
        seen.append(find(page, ".panel .drawing").get_attribute("innerHTML"))
    assert [p.get_attribute("tabindex") for p in points].count("0") == 1
    assert seen[0] == seen[2]
    assert len(set(seen)) >= 3
    press(page, "Tab")
    assert focused(page) not in points


def test_every_point_says_what_it_is(page):
    for point in every(page, ".point"):
        name = point.accessible_name
        assert "validation accuracy" in name
        assert "latency" in name
        assert "(measured)" in name or "(predicted)" in name
        assert point.aria_role == "button"


def test_everything_that_can_be_used_can_have_the_keyboard(page):
    """Tab reaches the link that skips, the button, all headings, one point, all details."""
    wanted = page.execute_script(
        "return [...document.querySelectorAll('a, button, summary, [tabindex=\"0\"]')]"
        ".filter((e) => e.checkVisibility()).length"
    )
    page.execute_script("document.activeElement.blur()")
    reached = set()
    find(page, "body").send_keys("\ue004")
    for _ in range(wanted + 20):
        element = focused(page)
        if element.id in reached or element.tag_name == "body":
            break
        reached.add(element.id)
        press(page, "Tab")
    assert len(reached) == wanted
    assert wanted > 15


def test_another_space_without_a_drawing_of_stages(chrome, two_problems):
    chrome.get((two_problems / "report.html").as_uri())
    point = every(chrome, ".point")[0]
    chrome.execute_script("arguments[0].focus()", point)
    assert find(chrome, ".panel svg.architecture").is_displayed()
    assert chrome.get_log("browser") == []
