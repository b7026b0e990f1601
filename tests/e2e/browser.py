"""A real browser on the documentation page: Chromium without a screen."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.service import WAIT_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver.remote.webelement import WebElement

FLAGS = [
    "--headless=new",
    "--no-sandbox",  # there is none for root, who runs tests in containers
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-component-update",
    "--disable-background-networking",
    "--no-first-run",
    "--window-size=1280,900",
]
OPEN = ".opblock.is-open"
ANSWER = f"{OPEN} .live-responses-table"


class Shown(NamedTuple):
    """What the page shows of an answer."""

    status: int
    body: str
    text: str
    """All of it: body, headers and duration."""


@contextlib.contextmanager
def chromium(folder: Path) -> Iterator[webdriver.Chrome]:
    """The browser with an empty profile; a test that asks for it is skipped where it is not installed."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (binary and driver):
        give_up = pytest.fail if os.environ.get("CI_CHROMIUM") == "required" else pytest.skip
        give_up("Chromium is not installed: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in [*FLAGS, f"--user-data-dir={folder}"]:
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(folder / "saved")})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
    try:
        yield browser
    finally:
        browser.quit()


class Page:
    """The documentation page of a service.

    Args:
        browser: What it is shown in.
        url: Of the service.
    """

    def __init__(self, browser: webdriver.Chrome, url: str) -> None:
        self.browser = browser
        self.url = url

    def open(self, place: str = "") -> None:
        """Load the page anew, at an operation when one is named, and wait until it is shown."""
        self.browser.get("about:blank")  # where only the place differs nothing would be loaded
        self.browser.get(f"{self.url}/v1/py/docs{place}")
        self.one(f"{OPEN} .execute" if place else ".opblock-summary")

    def authorize(self, token: str) -> None:
        """Give the page a bearer token, as a person does."""
        self.press(".auth-wrapper .authorize")
        self.one(".auth-container input").send_keys(token)
        self.press(".auth-container .authorize")
        self.press(".auth-container .btn-done")

    def log_out(self) -> None:
        """Have the page forget the token."""
        self.press(".auth-wrapper .authorize")
        self.press('.auth-container button[aria-label="Remove authorization"]')
        self.press(".auth-container .btn-done")

    def choose(self, example: str) -> None:
        """Choose a named example of the body."""
        Select(self.one(f"{OPEN} .opblock-section-request-body .examples-select-element")).select_by_value(
            example
        )

    def fill(self, parameter: str, value: object) -> None:
        """Type a parameter's value in place of the one that is there."""
        field = self.one(f'{OPEN} tr[data-param-name="{parameter}"] input')
        self.browser.execute_script("arguments[0].select()", field)
        field.send_keys(str(value), Keys.TAB)  # the page takes the value when the field is left

    def execute(self) -> Shown:
        """Send the request, and give what is shown of the answer."""
        self.press(f"{OPEN} .execute")
        text = self.one(ANSWER).text
        status = self.one(f"{ANSWER} tbody .response-col_status").text
        body = self.one(f"{ANSWER} .response-col_description > div:has(> h5)").text
        return Shown(int(status.split()[0]), body, text)

    def press(self, selector: str) -> None:
        """Click an element, wherever on the page it is: a page opened at an operation scrolls for a while."""
        self.browser.execute_script("arguments[0].click()", self.one(selector))

    def one(self, selector: str) -> WebElement:
        """The first element that is there and seen, once there is one."""

        def seen(_browser: object) -> Any:
            return next((element for element in self.all(selector) if element.is_displayed()), None)

        # An element may be drawn anew between the two questions.
        wait = WebDriverWait(self.browser, WAIT_S, 0.05, [StaleElementReferenceException])
        found: WebElement = wait.until(seen, selector)
        return found

    def told(self, selector: str, attribute: str) -> list[str]:
        """An attribute of every such element, all of one moment."""
        script = "return [...document.querySelectorAll(arguments[0])].map(e => e.getAttribute(arguments[1]))"
        values: list[str] = self.browser.execute_script(script, selector, attribute)
        return values

    def all(self, selector: str) -> list[WebElement]:
        """Every element that is there."""
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def complaints(self) -> list[str]:
        """What the browser's console says, but for the statuses of answers that refused."""
        lines = [entry["message"] for entry in self.browser.get_log("browser")]  # type: ignore[no-untyped-call]
        return [line for line in lines if "the server responded with a status of" not in line]

    def asked(self) -> set[str]:
        """The URLs that pages have asked for over the network."""
        urls = set()
        for entry in self.browser.get_log("performance"):  # type: ignore[no-untyped-call]
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                urls.add(message["params"]["request"]["url"])
        return {url for url in urls if not url.startswith(("data:", "blob:", "chrome:", "about:"))}
