"""A headless browser for the page, driven through selenium."""

import os
import shutil
import tempfile
from importlib import import_module

import pytest

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def start():
    """A browser with a folder of its own that records what it logs and asks for.

    Skips the test where there is no Chromium, driver or selenium; fails it if the environment
    variable BLOX_ENV_BROWSER is "require".
    """
    chromium = next((path for path in map(shutil.which, NAMES) if path), None)
    driver = shutil.which("chromedriver")
    try:
        webdriver = import_module("selenium.webdriver")
        service = import_module("selenium.webdriver.chrome.service")
    except ImportError:
        webdriver = None
    missing = [
        what
        for what, there in (
            ("chromium (Debian package chromium)", chromium),
            ("chromedriver (Debian package chromium-driver)", driver),
            ("selenium (extra dev)", webdriver),
        )
        if not there
    ]
    if missing:
        text = f"no browser to test the page in: {', '.join(missing)} not found"
        if os.environ.get("BLOX_ENV_BROWSER") == "require":
            pytest.fail(text)
        pytest.skip(text)
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tempfile.mkdtemp()}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=service.Service(driver))
