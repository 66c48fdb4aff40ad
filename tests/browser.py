"""A real Chromium for the tests marked `browser`, and what happens on a machine that has none."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import Client

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "No Chromium was found, so the browser tests were left out. Install chromium, or set CHROMIUM to its path."


@cache
def chromium() -> str | None:
    """The path of a Chromium: CHROMIUM, one on the PATH, or one that playwright has installed."""
    if found := os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None):
        return found
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if os.path.exists(path) else None


def pytest_configure(config: pytest.Config) -> None:
    """Where browser tests must run (ALMONER_REQUIRE_BROWSER=1), a missing Chromium is an error."""
    if os.environ.get("ALMONER_REQUIRE_BROWSER") == "1" and chromium() is None:
        raise pytest.UsageError("ALMONER_REQUIRE_BROWSER is set, and no Chromium was found.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the browser tests out where they cannot run."""
    marked = [item for item in items if item.get_closest_marker("browser")]
    if marked and chromium() is None:
        config.hook.pytest_deselected(items=marked)
        items[:] = [item for item in items if item not in marked]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say so at the end of the session."""
    if chromium() is None:
        terminalreporter.write_line(MISSING, yellow=True)


@pytest.fixture(scope="session")
def running_chromium() -> Iterator[Any]:
    """One Chromium for the session; ask for `page` instead."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=15_000)  # for machines that are busy with other tests
    # playwright runs an event loop in this thread, which Django takes for async code.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        window = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield window
        window.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def page(running_chromium: Any, live_server: Any) -> Iterator[Any]:
    """A fresh page that knows the live server's address; an error in the page's own scripts fails the test."""
    context = running_chromium.new_context(base_url=live_server.url, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(15_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert not errors, errors


@pytest.fixture
def log_in(page: Any) -> Any:
    """`log_in("ana@river.test", "password")` through the log-in page, as a person does it."""

    def as_person(email: str, password: str) -> None:
        page.goto("/admin/login/")
        page.fill("input[name=username]", email)
        page.fill("input[name=password]", password)
        page.locator("form [type=submit]").first.click()
        page.wait_for_url(lambda url: "/login/" not in url)

    return as_person


@dataclass
class Window:
    """A page in a browser of one width and colour scheme, and the errors that it has shown since they were cleared."""

    page: Any
    width: int
    is_dark: bool
    errors: list[str] = field(default_factory=list)

    def hear(self, said: Any) -> None:
        """Keep what the browser calls an error."""
        if said.type == "error":
            self.errors.append(f"console: {said.text}")

    def take_session(self, client: Client) -> None:
        """Be logged in as this client is."""
        name = settings.SESSION_COOKIE_NAME
        host = urlsplit(self.page.url).hostname
        self.page.context.add_cookies(
            [{"name": name, "value": client.cookies[name].value, "domain": host, "path": "/", "httpOnly": True}]
        )


@pytest.fixture
def look_at(running_chromium: Any, live_server: Any) -> Iterator[Callable[[int, bool], Window]]:
    """`look_at(390, True)`: a window on the live server, of that width, dark or light."""
    contexts = []

    def opened(width: int, is_dark: bool) -> Window:
        context = running_chromium.new_context(
            base_url=live_server.url, viewport={"width": width, "height": 900 if width > 640 else 844},
            color_scheme="dark" if is_dark else "light",
        )  # fmt: skip
        contexts.append(context)
        window = Window(context.new_page(), width, is_dark)
        window.page.set_default_timeout(15_000)
        window.page.on("pageerror", lambda error: window.errors.append(f"script: {error}"))
        window.page.on("console", window.hear)
        window.page.goto("/admin/login/")
        return window

    yield opened
    for context in contexts:
        context.close()
