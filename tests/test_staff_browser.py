"""The staff's morning in a browser, by the keyboard: why an answer, a golden question, two runs, a report."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT
from tests.signed_in import PASSWORD

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.browser

GRAVE = {"serious", "critical"}
QUESTION = "Can psoas trouble mimic abdomnal pain?"
PAGES = ("", "/golden", "/golden/new", "/runs", "/flags", "/coverage")
WIDTHS = (320, 390, 768, 1440)


@pytest.fixture(scope="module")
def address(sample_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the server is, over a store of its own with one account."""
    store = tmp_path_factory.mktemp("staff") / "store"
    shutil.copytree(sample_store, store)
    at = ["--store", str(store)]
    add = [sys.executable, "app.py", "account", "add", "ann", "--role", "staff", "--password-stdin", *at]
    subprocess.run(add, cwd=ROOT, input=PASSWORD, text=True, check=True, env=dict(os.environ))
    command = [sys.executable, "app.py", "serve", *at, "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        said = next((one for one in server.stdout if "http://" in one), "")
        found = re.search(r"http://127\.0\.0\.1:\d+", said)
        assert found, "the server ended before it told its address"
        yield found[0]
        server.terminate()


def sign_in(page: Page, address: str) -> None:
    page.goto(f"{address}/staff")
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Workbench").wait_for()


@pytest.fixture(scope="module")
def signed_in(chromium: Browser, address: str) -> Iterator[BrowserContext]:
    context = chromium.new_context(color_scheme="dark")
    sign_in(context.new_page(), address)
    yield context
    context.close()


@pytest.fixture
def page(signed_in: BrowserContext) -> Iterator[Page]:
    """A window of somebody who has signed in; it must complain of nothing."""
    opened, complaints = signed_in.new_page(), []
    opened.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    opened.close()
    assert complaints == []


def press(page: Page, name: str) -> None:
    """Go to a button or a link by the keyboard, and press it."""
    page.locator(f"button:has-text('{name}'), a:has-text('{name}')").last.focus()
    page.keyboard.press("Enter")


def test_from_a_question_to_a_report(page: Page, address: str, tmp_path: Path) -> None:
    page.goto(f"{address}/staff")
    page.keyboard.type(QUESTION)  # the box has the focus
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="3. Hits").wait_for()
    assert page.locator(".weighed s").count() > 0
    assert page.get_by_text("Not kept: ").count() > 0
    bars = [one.bounding_box() for one in page.locator(".stage[open] meter").all()]
    assert all(box and box["width"] > 30 for box in bars)
    columns = [one.bounding_box() for one in page.locator(".pipeline > section").all()]
    lefts = [box["x"] for box in columns if box]
    assert lefts == sorted(lefts)
    assert len(set(lefts)) == 6

    press(page, "Add as a golden question")
    page.get_by_text("Added.").wait_for()
    page.get_by_label("It says each of these").fill("the articles")
    press(page, "Keep")
    page.get_by_text("Kept.").wait_for()
    for _ in range(2):
        page.goto(f"{address}/staff/runs")
        press(page, "Run all")
        page.locator(".measures").wait_for()  # its script loads the page anew when the run is done
    page.goto(f"{address}/staff/runs")
    press(page, "Compare")
    page.locator("tr.same").wait_for()
    with page.expect_download() as download:
        press(page, "Download a report")
    download.value.save_as(tmp_path / "report.html")
    page.goto((tmp_path / "report.html").as_uri())
    page.get_by_role("heading", name="Golden questions, run 2").wait_for()
    assert page.locator("svg .dot").first.is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.dot')).fill") != "rgb(0, 0, 0)"


def test_everything_works_without_javascript(chromium: Browser, address: str) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, address)
    page.get_by_label("Question", exact=True).fill(QUESTION)
    page.get_by_role("button", name="Ask and see why").click()
    page.get_by_text("abdominal").first.wait_for()
    page.get_by_role("button", name="Add as a golden question").click()
    page.goto(f"{address}/staff/runs")
    page.get_by_role("button", name="Run all").click()
    page.locator(".measures").wait_for()  # the page loads itself anew until then
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_grave_fault_or_is_too_wide(page: Page, address: str, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 (only this test needs it)

    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for path in PAGES:
        page.goto(f"{address}/staff{path}")
        if not path:
            page.keyboard.type(QUESTION)
            page.keyboard.press("Enter")
            page.get_by_role("heading", name="3. Hits").wait_for()
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (path, width)
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        grave = [(path, one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in GRAVE]
        assert grave == []
