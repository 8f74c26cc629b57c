"""Signing in and out in a real browser: by the keyboard alone, on a phone, and under axe-core's rules."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import uvicorn
from starlette.staticfiles import StaticFiles

from assistant.accounts.roles import Role
from assistant.pages.assets import HERE
from assistant.pages.server import listen
from assistant.state.database import Database
from tests.signed_in import PASSWORD, add_account
from tests.signing_in_app import signing_in_app

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('accounts') / 'referral.db'}")
    database.migrate()
    add_account(database, "ann", Role.STAFF)
    app = signing_in_app(database)
    app.mount("/pages", StaticFiles(directory=HERE))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    with listen("127.0.0.1", 0) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(params=["light", "dark"])
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    with chromium.new_context(color_scheme=request.param, viewport={"width": 320, "height": 640}) as context:
        page = context.new_page()
        page.set_default_timeout(20_000)
        yield page


def violations(page: Page) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 (only the browser's tests need it)

    return [one["id"] for one in Axe().run(page).response["violations"]]


def test_somebody_signs_in_and_out_by_the_keyboard(page: Page, address: str) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(f"{address}/staff")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert violations(page) == []
    page.get_by_label("Name").focus()
    page.keyboard.type("ann")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{address}/staff")
    assert complaints == []  # the page's own policy was kept
    page.goto(f"{address}/maintain")  # refused, with the menu of the office
    assert page.get_by_role("link", name="Workbench").is_visible()
    assert page.get_by_role("link", name="Maintain").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert violations(page) == []
    page.get_by_role("button", name="Sign out").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Password").wait_for()
    page.goto(f"{address}/staff")
    assert "/login" in page.url


def test_a_wrong_password_is_told_to_a_screen_reader(page: Page, address: str) -> None:
    page.goto(f"{address}/login")
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Sign in").click()
    told = page.get_by_role("alert")
    told.wait_for()
    assert "not right" in told.inner_text()
    assert page.get_by_label("Name").input_value() == "ann"
    assert page.get_by_label("Password").input_value() == ""
    assert violations(page) == []
