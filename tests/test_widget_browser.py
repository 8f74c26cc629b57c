"""The widget on a page of the sample theme, from another origin; and every page under axe-core's rules."""

from __future__ import annotations

import functools
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ingest import sample
from tests.conftest import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FrameLocator, Page, Route

pytestmark = pytest.mark.browser

ARTICLE = "blogs/trigger-points/abdominal-wall-pain"
QUESTION = "Where is pain from the infraspinatus felt?"
URGENT = "my chest feels crushed and my left arm is numb, sweating"
LABEL = "Ask the articles"


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, int]]:
    """A folder of pages that another server shows, and its port."""
    folder = tmp_path_factory.mktemp("shop")
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def address(sample_store: Path, shop: tuple[Path, int]) -> Iterator[str]:
    """Where the chat is, which the shop may frame when it is called by `localhost`, and by no other name."""
    folder, port = shop
    command = [sys.executable, "app.py", "serve", "--store", str(sample_store), "--port", "0"]
    allowed = {"REFERRAL_COUNTRY": "GB", "REFERRAL_WIDGET_ORIGINS": f"http://localhost:{port}"}
    environment = {**os.environ, **allowed}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        said = next((line for line in server.stdout if "http://" in line), "")
        found = re.search(r"http://127\.0\.0\.1:\d+/", said)
        assert found, "the server ended before it told its address"
        page = (sample.FOLDER / f"{Path(ARTICLE).name}.html").read_text(encoding="utf-8")
        line = f'<script src="{found[0]}widget.js" defer data-accent="#7a1f5c"></script>'
        target = folder / f"{ARTICLE}.html"
        target.parent.mkdir(parents=True)
        target.write_text(page.replace("</body>", f"{line}</body>"), encoding="utf-8")
        shutil.copy(sample.FOLDER / "theme.css", folder / "theme.css")
        shutil.copy(sample.FOLDER / "theme.css", folder / "blogs" / "theme.css")
        yield found[0]
        server.terminate()


@pytest.fixture
def window(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a window; whatever a page complains of is on its list `complaints`."""
    contexts = []

    def opened(**options: Any) -> Page:
        context = chromium.new_context(**options)
        contexts.append(context)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def shop_page(window: Callable[..., Page], shop: tuple[Path, int], address: str) -> Page:
    page = window()
    page.goto(f"http://localhost:{shop[1]}/{ARTICLE}.html")
    return page


def opened(page: Page) -> FrameLocator:
    page.get_by_role("button", name=LABEL).click()
    frame = page.frame_locator(f"iframe[title='{LABEL}']")
    frame.locator("#question").wait_for()
    return frame


def ask(place: Page | FrameLocator, question: str) -> None:
    turns = place.locator(".turn")
    number = turns.count()
    place.locator("#question").fill(question)
    place.locator("#question").press("Enter")
    turns.nth(number).locator(".disclaimer").wait_for()


# ---------------------------------------------------------------- on a shop's page


def test_one_line_puts_the_chat_on_a_page_of_another_origin(shop_page: Page) -> None:
    assert shop_page.locator("iframe").count() == 0  # nothing is loaded before it is wanted
    frame = opened(shop_page)
    assert "You are reading “Abdominal wall pain" in frame.locator(".welcome").inner_text()
    ask(frame, QUESTION)
    assert frame.locator("blockquote").count() >= 1
    assert "not medical advice" in frame.locator(".disclaimer").inner_text()
    ask(frame, URGENT)
    assert frame.get_by_role("link", name="999").get_attribute("href") == "tel:999"
    assert shop_page.context.cookies() == []


def test_it_answers_from_the_article_that_is_read_first(shop_page: Page) -> None:
    frame = opened(shop_page)
    ask(frame, "What does this article say about sit-ups?")
    assert "the article “Abdominal wall pain" in frame.locator(".understood").inner_text()
    titles = frame.locator(".card .title").all_inner_texts()
    assert titles
    assert {title.split(":")[0] for title in titles} == {"Abdominal wall pain"}


def test_a_frame_that_was_open_for_long_gets_a_new_token_by_itself(shop_page: Page) -> None:
    frame = opened(shop_page)
    statuses: list[int] = []
    shop_page.on("response", lambda got: statuses.append(got.status) if "widget/ask" in got.url else None)
    shop_page.route("**/widget/ask", lambda route: route.continue_(headers=without_token(route)), times=1)
    ask(frame, URGENT)
    assert statuses == [401, 200]
    assert frame.get_by_role("alert").is_visible()


def without_token(route: Route) -> dict[str, str]:
    """The headers of a request whose token has run out."""
    return {**route.request.headers, "x-referral-session": "1.old.0"}


def test_the_host_page_stays_as_quick_as_it_was(shop_page: Page, address: str) -> None:
    """The script is small, runs for a moment, and moves nothing."""
    told = shop_page.evaluate(
        """() => new Promise((done) => {
        let shifts = 0;
        const count = (list) => { for (const one of list.getEntries()) shifts += one.value; };
        new PerformanceObserver(count).observe({ type: "layout-shift", buffered: true });
        const loaded = performance.getEntriesByType("resource").map((one) => one.name);
        requestAnimationFrame(() => setTimeout(() => done({ shifts, loaded })));
        })"""
    )
    assert told["shifts"] == 0
    ours = [url for url in told["loaded"] if url.startswith(address)]
    assert ours == [f"{address}widget.js"]  # the frame is not loaded before it is wanted


def test_it_closes_by_escape_and_gives_the_focus_back(shop_page: Page) -> None:
    frame = opened(shop_page)
    frame.locator("#question").press("Escape")
    button = shop_page.get_by_role("button", name=LABEL)
    button.wait_for()
    assert not shop_page.locator("iframe").is_visible()
    assert button.get_attribute("aria-expanded") == "false"
    assert shop_page.evaluate("document.activeElement.shadowRoot.activeElement.className") == "open"


def test_a_site_that_is_not_allowed_shows_no_chat(
    window: Callable[..., Page], shop: tuple[Path, int], address: str
) -> None:
    page = window()
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text) if "frame-ancestors" in said.text else None)
    page.goto(f"http://127.0.0.1:{shop[1]}/{ARTICLE}.html")
    with page.expect_event("console", lambda said: "frame-ancestors" in said.text):
        page.get_by_role("button", name=LABEL).click()
    assert refused
    assert not [frame.url for frame in page.frames if frame.url.startswith(f"{address}widget")]


# ---------------------------------------------------------------- for everyone


def serious(page: Page) -> list[str]:
    """What axe-core calls serious or critical."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 (only this file needs it)

    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['target']}" for one in found if one["impact"] in GRAVE]


GRAVE = {"serious", "critical"}
PHONE = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}
ZOOMED = {"viewport": {"width": 640, "height": 360}}  # 1280 by 720 at 200 %


@pytest.mark.parametrize(
    "options",
    [{"color_scheme": "light"}, {"color_scheme": "dark"}, {**PHONE, "color_scheme": "dark"}, ZOOMED],
    ids=["light", "dark", "phone", "zoomed"],
)
@pytest.mark.parametrize("path", ["", f"widget?article=https://x.example/{ARTICLE}&accent=%237a1f5c"])
def test_no_page_breaks_a_rule_that_matters(
    window: Callable[..., Page], address: str, path: str, options: dict[str, Any]
) -> None:
    page = window(**options)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto(address + path)
    page.locator("#question").wait_for()
    assert serious(page) == []
    for question in (QUESTION, "How do I fix a bicycle tyre?", URGENT):
        ask(page, question)
    assert serious(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert complaints == []  # the policy forbids nothing that the page does


@pytest.mark.parametrize(
    "options",
    [{"color_scheme": "light"}, {**PHONE, "color_scheme": "dark"}, ZOOMED],
    ids=["light", "phone", "zoomed"],
)
def test_the_body_map_and_the_feedback_break_no_rule_either(
    window: Callable[..., Page], address: str, options: dict[str, Any]
) -> None:
    page = window(reduced_motion="reduce", **options)
    page.goto(address)
    page.locator(".map details[data-region=neck] summary").click()
    page.locator(".map details[data-region=neck] button").first.click()
    page.locator(".chosen .onward button").first.wait_for()
    assert serious(page) == []
    ask(page, QUESTION)
    page.locator("[data-verdict=no]").click()
    page.locator(".why .consent input").check()
    page.locator(".why input[value=part]").check()
    assert serious(page) == []
    page.get_by_role("button", name="Send").click()
    page.locator(".kept code").wait_for()
    assert serious(page) == []
    page.get_by_role("button", name="Browse by body map").click()
    page.locator("dialog[open]").wait_for()
    assert serious(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    page.goto(f"{address}feedback")
    assert serious(page) == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_what_to_ask_next_is_offered_and_it_can_begin_anew(window: Callable[..., Page], address: str) -> None:
    page = window(permissions=["clipboard-read", "clipboard-write"])
    page.goto(address)
    ask(page, QUESTION)
    page.locator(".onward button").first.wait_for()
    offered = page.locator(".onward button").all_inner_texts()
    assert QUESTION not in offered
    page.get_by_role("button", name="Copy with sources").click()
    page.get_by_text("Copied.").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "[1]" in copied
    assert "not medical advice" in copied
    page.locator(".onward button").first.click()
    page.locator(".turn").nth(1).locator(".card").first.wait_for()
    page.get_by_role("button", name="Start over").click()
    assert page.locator(".turn").count() == 0
    assert page.locator(".welcome").is_visible()


def test_being_offline_is_told_as_such(window: Callable[..., Page], address: str) -> None:
    page = window()
    page.goto(address)
    page.locator("#question").wait_for()
    page.context.set_offline(True)
    page.locator("#question").fill(QUESTION)
    page.keyboard.press("Enter")
    page.get_by_text("You seem to be offline. Your question was not lost.").wait_for()
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    page.locator(".disclaimer").wait_for()


def test_on_paper_every_source_is_open_and_named(window: Callable[..., Page], address: str) -> None:
    page = window(viewport={"width": 390, "height": 800})
    page.goto(address)
    ask(page, QUESTION)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.locator(".card mark").first.is_visible()
    assert not page.locator("form.ask").is_visible()
    assert not page.locator(".tools").first.is_visible()
