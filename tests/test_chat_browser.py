"""The visitor's page as a visitor uses it: the real server and the real command, in a real Chromium."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Route

pytestmark = pytest.mark.browser

PSOAS = "Can psoas trouble mimic abdominal pain?"
URGENT = "my chest feels crushed and my left arm is numb, sweating"
TURN = "**/gradio_api/component_server/"
PHONE = {"width": 320, "height": 640}
WIDE = {"width": 1440, "height": 900}

Visit = Callable[..., "Page"]


@pytest.fixture(scope="module")
def address(sample_store: Path) -> Iterator[str]:
    """Where `referral serve` says that it is, with British numbers to call."""
    command = [sys.executable, "app.py", "serve", "--store", str(sample_store), "--port", "0"]
    environment = {**os.environ, "REFERRAL_COUNTRY": "GB"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        said = next((line for line in server.stdout if "http://" in line), "")
        found = re.search(r"http://127\.0\.0\.1:\d+/", said)
        assert found, "the server ended before it told its address"
        yield found[0]
        server.terminate()


@pytest.fixture
def visit(chromium: Browser, address: str) -> Iterator[Visit]:
    """Opens the page in a window of its own; a request to another host, or a complaint, fails the test."""
    contexts = []
    foreign: list[str] = []
    complaints: list[str] = []

    def watch(page: Page) -> None:
        page.on("request", lambda asked: foreign.append(asked.url) if is_foreign(asked.url) else None)
        page.on("console", lambda said: complaints.append(said.text) if is_complaint(said) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))

    def opened(viewport: dict[str, int] | None = None, **options: Any) -> Page:
        context = chromium.new_context(viewport=viewport or WIDE, **options)
        contexts.append(context)
        context.on("page", watch)
        page = context.new_page()
        page.goto(address)
        page.locator("#question").wait_for()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert foreign == []
    assert complaints == []


def is_foreign(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme not in {"data", "blob"} and parts.hostname != "127.0.0.1"


def is_complaint(said: ConsoleMessage) -> bool:
    """Whether the page reports an error; that a call to the server failed is told to the visitor instead."""
    url = said.location.get("url", "")
    return said.type == "error" and not fnmatch(url, TURN) and not fnmatch(url, "**/feedback")


def ask(page: Page, question: str) -> Locator:
    """Type a question and press Enter; the turn with its reply."""
    turns = page.locator(".turn")
    number = turns.count()
    page.locator("#question").fill(question)
    page.keyboard.press("Enter")
    turn = turns.nth(number)
    turn.locator(".disclaimer, .failed").wait_for()
    return turn


def words(text: str | None) -> str:
    return " ".join((text or "").split())


def overflows(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


# ---------------------------------------------------------------- asking


def test_the_psoas_question_gets_quotes_sources_and_the_disclaimer(visit: Visit) -> None:
    page = visit()
    turn = ask(page, PSOAS)
    assert words(turn.locator(".asked").text_content()) == f"You asked: {PSOAS}"
    quotes = turn.locator("blockquote")
    assert quotes.count() >= 1
    assert "psoas" in turn.locator(".quotes").first.inner_text().lower()
    for number, card in enumerate(turn.locator(".card").all(), start=1):
        assert card.locator(".number").inner_text() == f"[{number}]"
        assert card.locator("mark").first.is_visible()
        marked = words(" ".join(card.locator("mark").all_inner_texts()))
        quoted = turn.locator(f"blockquote[data-n='{number}'] :is(p, li)").first.inner_text()
        assert words(quoted).strip("“”").split("”")[0].split(" … ")[0] in marked
    disclaimer = turn.locator(".disclaimer")
    assert "not medical advice" in disclaimer.inner_text()
    assert not disclaimer.locator("p").first.is_visible()
    disclaimer.locator("summary").click()
    assert disclaimer.locator("p").first.is_visible()
    assert "not medical advice" in page.locator("form.ask").inner_text()


def test_open_at_this_sentence_opens_the_page_at_the_sentence(visit: Visit) -> None:
    from playwright.sync_api import expect  # noqa: PLC0415 (only the browser's tests need it)

    page = visit()
    card = ask(page, "Where is pain from the infraspinatus felt?").locator(".card").last
    marked = words(card.locator("mark").first.inner_text())
    with page.context.expect_page() as opening:
        card.locator("a.open").click()
    article = opening.value
    article.wait_for_load_state()
    assert "/sample/blogs/trigger-points/" in article.url
    sentence = article.get_by_text(marked[:60]).first
    article.wait_for_function("scrollY > 0")
    expect(sentence).to_be_in_viewport(timeout=20_000)  # waits: the browser scrolls there in its own time


def test_a_marker_and_its_card_light_up_together(visit: Visit) -> None:
    page = visit()
    turn = ask(page, "Where is pain from the infraspinatus felt?")
    marker, card = turn.locator("a.marker").first, turn.locator(".card").first
    marker.hover()
    assert "lit" in str(card.get_attribute("class"))
    page.locator("h1").hover()
    assert "lit" not in str(card.get_attribute("class"))
    card.locator("summary").focus()
    assert "lit" in str(turn.locator("blockquote").first.get_attribute("class"))


def test_an_urgent_message_gets_the_notice_alone(visit: Visit) -> None:
    page = visit()
    turn = ask(page, URGENT)
    alert = turn.get_by_role("alert")
    assert alert.is_visible()
    number = alert.get_by_role("link", name="999")
    assert number.get_attribute("href") == "tel:999"
    assert alert.locator(".donts li").count() >= 3
    assert turn.locator(".sources, blockquote, .questions").count() == 0
    assert alert.get_by_role("button").all_inner_texts() == ["I have been seen by a doctor"]


def test_an_urgent_notice_stays_until_the_visitor_has_been_seen(visit: Visit) -> None:
    page = visit()
    ask(page, URGENT)
    turn = ask(page, "Where is pain from the infraspinatus felt?")
    assert turn.get_by_role("alert").is_visible()
    assert page.locator(".urgent").count() == 1
    turn.get_by_role("button").click()
    page.locator(".turn").nth(2).locator(".disclaimer").wait_for()
    assert page.locator(".turn").nth(2).get_by_role("alert").count() == 0
    assert ask(page, "Where is pain from the infraspinatus felt?").locator("blockquote").count() >= 1


def test_starter_questions_are_really_answered(visit: Visit) -> None:
    page = visit()
    starters = page.locator(".welcome button")
    assert starters.count() >= 2
    question = starters.first.inner_text()
    starters.first.click()
    turn = page.locator(".turn").first
    turn.locator(".card").first.wait_for()
    assert question in str(turn.locator(".asked").text_content())
    assert not page.locator(".welcome").is_visible()


def test_markup_in_a_question_stays_text(visit: Visit) -> None:
    page = visit()
    turn = ask(page, "<img src=x onerror=\"document.title='broken'\"> what is a <b>trigger point</b>?")
    assert "<b>trigger point</b>" in turn.locator(".asked").inner_text()
    assert turn.locator("img, b").count() == 0
    assert page.title() == "Ask the articles"


def test_each_question_of_a_message_has_its_own_heading_and_quotes(visit: Visit) -> None:
    page = visit(permissions=["clipboard-read", "clipboard-write"])
    turn = ask(page, "What causes tennis elbow? Where is pain from the infraspinatus felt?")
    headings = turn.locator("h3.part").all_inner_texts()
    assert headings == [
        "What causes tennis elbow?",
        "Where is pain from the infraspinatus felt?",
    ]
    orders = turn.locator(".said").evaluate(
        "(said) => [...said.children].map((one) => one.className).filter((one) => /part|quotes/.test(one))"
    )
    assert orders[0] == "part"
    assert orders.count("quotes") >= 2
    assert orders.index("part", 1) > orders.index("quotes")
    turn.get_by_role("button", name="Copy with sources").click()
    turn.get_by_text("Copied.").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    first, second = (
        copied.index("1. What causes tennis elbow?"),
        copied.index("2. Where is pain from the infraspinatus felt?"),
    )
    assert first < copied.index("[1]") < second


# ---------------------------------------------------------------- the body map


def test_the_body_map_works_with_the_keyboard_alone(visit: Visit) -> None:
    page = visit()
    figure = page.get_by_role("radiogroup")
    figure.wait_for()
    page.locator("#map-title").focus()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "radio"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    region = page.get_by_role("radio", name=re.compile(r"^Neck, \d+ articles"))
    assert region.get_attribute("aria-checked") == "true"
    assert figure.locator("[aria-checked=true]").count() == 1
    width = region.locator("path").first.evaluate("(path) => parseFloat(getComputedStyle(path).strokeWidth)")
    assert width > 3  # where the focus is can be seen
    assert page.locator("details[open] > summary").first.inner_text().startswith("Neck")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.dataset.muscle") == "levator scapulae"
    page.keyboard.press("Enter")
    page.locator(".chosen h3").first.wait_for()
    page.wait_for_function("document.activeElement.textContent === 'Levator scapulae'")
    link = page.locator(".listed a").first
    assert "Levator scapulae" in link.inner_text()
    assert str(link.get_attribute("href")).startswith("sample/blogs/")
    question = page.locator(".chosen .onward button").first
    question.wait_for()
    question.press("Enter")
    page.locator(".turn .card").first.wait_for()


def test_the_list_and_the_drawing_say_the_same(visit: Visit) -> None:
    page = visit()
    page.get_by_role("radiogroup").wait_for()
    page.locator("details[data-region=calf] summary").click()
    page.wait_for_function("document.querySelector('[aria-checked=true]')?.dataset.region === 'calf'")
    page.locator("[role=radio][data-region=knee] path").first.click()
    page.wait_for_function("!document.querySelector('details[data-region=calf]').open")
    assert page.locator("details[data-region=knee]").get_attribute("open") is not None


def test_in_a_conversation_the_map_opens_over_it(visit: Visit) -> None:
    page = visit(PHONE, has_touch=True, is_mobile=True)
    ask(page, "What causes tennis elbow?")
    page.get_by_role("button", name="Browse by body map").click()
    dialog = page.get_by_role("dialog", name="Browse by body map")
    assert not overflows(page)
    page.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    page.get_by_role("button", name="Browse by body map").click()
    dialog.locator("details[data-region=calf] summary").click()
    dialog.get_by_role("button", name="Soleus").click()
    dialog.locator(".onward button").first.click()
    page.locator(".turn").nth(1).locator(".disclaimer").wait_for()
    assert not dialog.is_visible()
    page.get_by_role("button", name="Start over").click()
    assert page.locator(".welcome .map").is_visible()


# ---------------------------------------------------------------- feedback


def test_a_thumb_sends_nothing_of_the_question_without_a_tick(visit: Visit) -> None:
    page = visit()
    sent: list[tuple[str, Any]] = []
    page.on("request", lambda one: sent.append((one.url, one.post_data)) if "/feedback" in one.url else None)
    turn = ask(page, "What causes tennis elbow?")
    turn.locator("[data-verdict=yes]").click()
    form = turn.locator("form.why")
    assert not form.locator("textarea").is_visible()
    form.get_by_label("It is easy to understand").check()
    form.get_by_role("button", name="Send").click()
    turn.locator(".kept").wait_for()
    told = [json.loads(body) for _, body in sent]
    assert told == [{"verdict": "yes"}, {"verdict": "yes", "reason": "clear"}]


def test_with_a_tick_it_is_kept_and_can_be_deleted_at_once_or_later(visit: Visit) -> None:
    from playwright.sync_api import expect  # noqa: PLC0415 (only the browser's tests need it)

    page = visit()
    for later in (False, True):
        turn = ask(page, "What causes tennis elbow?")
        turn.locator("[data-verdict=no]").click()
        turn.locator(".consent input").check()
        turn.locator(".own textarea").fill("It says little about rackets.")
        turn.get_by_role("button", name="Send").click()
        code = turn.locator(".kept code").inner_text()
        if later:
            with page.context.expect_page() as opening:
                turn.get_by_role("link", name="Delete it later").click()
            opened = opening.value
            expect(opened.locator("#code")).to_have_value(code)
            assert code not in opened.url
            opened.get_by_role("button", name="Delete").click()
            opened.get_by_text("It is deleted.").wait_for()
        else:
            turn.get_by_role("button", name="Delete it now").click()
            turn.get_by_text("It is deleted.").wait_for()


def test_an_urgent_notice_is_not_asked_about(visit: Visit) -> None:
    page = visit()
    turn = ask(page, URGENT)
    assert turn.locator("[data-verdict], .judge").count() == 0


# ---------------------------------------------------------------- when something is wrong


@pytest.mark.parametrize("late", ["chat.js", "chat.css", "bodymap.js"])
def test_a_slow_file_delays_but_breaks_nothing(visit: Visit, late: str) -> None:
    page = visit()

    held: list[Route] = []
    with page.expect_request(f"**/pages/{late}*"):
        page.route(f"**/pages/{late}*", lambda route, _: held.append(route))
        page.reload(wait_until="commit")
    page.wait_for_function("document.querySelector('gradio-app')")
    for route in held:
        route.continue_()
    assert ask(page, "What causes tennis elbow?").locator("blockquote").count() >= 1


def test_without_the_map_the_chat_works(visit: Visit) -> None:
    page = visit()
    page.route("**/bodymap", lambda route: route.fulfill(status=200, body=""))
    page.reload()
    assert ask(page, "What causes tennis elbow?").locator("blockquote").count() >= 1
    assert not page.locator("button.browse").is_visible()


def test_feedback_that_was_not_sent_can_be_sent_again(visit: Visit) -> None:
    page = visit()
    turn = ask(page, "What causes tennis elbow?")
    turn.locator("[data-verdict=no]").click()
    turn.locator(".why input[value=part]").check()
    page.context.set_offline(True)
    turn.get_by_role("button", name="Send").click()
    turn.get_by_text("It could not be sent.").wait_for()
    page.context.set_offline(False)
    turn.get_by_role("button", name="Send").click()
    turn.locator(".kept").wait_for()


@pytest.mark.parametrize("failure", ["network", "server"])
def test_a_failure_keeps_the_question_and_can_be_tried_again(visit: Visit, failure: str) -> None:
    page = visit()

    def fail(route: Route) -> None:
        if failure == "network":
            route.abort()
        else:
            route.fulfill(status=500, body="Internal Server Error")

    page.route(TURN, fail)
    turn = ask(page, "What causes tennis elbow?")
    assert "Something went wrong on our side; your question was not lost." in turn.inner_text()
    assert page.locator("#question").input_value() == "What causes tennis elbow?"
    page.unroute(TURN)
    turn.get_by_role("button", name="Try again").click()
    turn.locator(".disclaimer").wait_for()
    assert page.locator("#question").input_value() == ""
    assert page.locator(".turn").count() == 1


def test_nothing_typed_is_told_and_nothing_is_sent(visit: Visit) -> None:
    page = visit()
    page.locator("#question").fill("   ")
    page.keyboard.press("Enter")
    assert page.locator("#hint").inner_text() == "Type a question first."
    assert page.locator(".turn").count() == 0
    page.locator("#question").press_sequentially("x")
    assert page.locator("#hint").inner_text() == ""


def test_a_long_message_is_told_to_be_cut_and_its_end_is_read(visit: Visit) -> None:
    page = visit()
    page.locator("#question").fill("It all began years ago. " * 300 + URGENT)
    assert "Only the first and the last 2,000" in page.locator("#hint").inner_text()
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    assert len(page.locator(".asked .words").inner_text()) <= 4000


def test_no_more_than_thirty_messages_are_sent(visit: Visit) -> None:
    page = visit()
    sent: list[Any] = []

    def note(route: Route) -> None:
        sent.append(route.request.post_data_json["data"])
        route.fulfill(json={"html": "<p class='disclaimer'>Noted.</p>", "urgent": False})

    page.route(TURN, note)
    for number in range(33):
        ask(page, f"question {number}") if number < 30 else page.evaluate(
            """(text) => { const box = document.querySelector('#question'); box.value = text;
            box.form.requestSubmit(); return new Promise((done) => setTimeout(done)); }""",
            f"question {number}",
        )
        page.wait_for_function("!document.querySelector('[aria-busy=true]')")
    assert [one["turn"] for one in sent] == list(range(1, 34))
    assert sent[1]["history"] == ["question 0"]
    assert len(sent[-1]["history"]) == 30
    assert sent[-1]["history"][-1] == "question 31"
    assert page.locator(".turn").count() == 30


def test_nothing_is_kept_in_the_browser(visit: Visit) -> None:
    page = visit()
    ask(page, "What causes tennis elbow?")
    kept = page.evaluate(
        """async () => [Object.values(localStorage), Object.values(sessionStorage),
        (await indexedDB.databases()).map((one) => one.name)].flat()"""
    )
    assert [one for one in kept if "tennis" in str(one)] == []
    assert page.context.cookies() == []
    page.reload()
    page.locator("#question").wait_for()
    assert page.locator(".turn").count() == 0


# ---------------------------------------------------------------- for everyone


def test_it_works_with_the_keyboard_alone(visit: Visit) -> None:
    page = visit()
    page.wait_for_function("document.activeElement.id === 'question'")
    page.keyboard.type("Where is pain from the infraspinatus felt?")
    page.keyboard.press("Enter")
    page.locator(".card").first.wait_for()
    page.wait_for_function("document.activeElement.id === 'question'")
    assert page.locator("#question").input_value() == ""
    seen = set()
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        seen.add(
            page.evaluate(
                """() => { const one = document.activeElement;
                const ring = getComputedStyle(one).outlineStyle !== 'none';
                return (one.classList[0] || one.tagName.toLowerCase()) + (ring ? '' : ' without a ring'); }"""
            )
        )
        if "skip" in seen:
            break
    assert {"open", "summary", "marker", "skip"} <= seen
    assert not [one for one in seen if "without" in one]
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.id === 'question'")
    page.locator("a.marker").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.closest('.card')?.dataset.n === '1'")
    assert "lit" in str(page.locator("blockquote").first.get_attribute("class"))


def test_landmarks_names_and_live_regions(visit: Visit) -> None:
    page = visit()
    turn = ask(page, "Where is pain from the infraspinatus felt?")
    assert page.get_by_role("main").count() == 1
    assert page.get_by_role("heading", level=1).all_inner_texts() == ["Ask the articles"]
    assert page.get_by_role("textbox", name="Your question").is_visible()
    assert page.get_by_role("form", name="Ask a question").is_visible()
    assert page.get_by_role("complementary", name="Sources of answer 1").is_visible()
    assert turn.locator(".reply").get_attribute("aria-live") == "polite"
    assert turn.locator(".sources").get_attribute("aria-live") == "off"
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.locator("footer, .built-with, a[href*='gradio.app']").count() == 0


@pytest.mark.parametrize("question", [None, "Where is pain from the infraspinatus felt?", URGENT])
def test_a_phone_scrolls_one_way_only(visit: Visit, question: str | None) -> None:
    page = visit(PHONE, has_touch=True, is_mobile=True)
    assert not overflows(page)
    if question:
        turn = ask(page, question)
        assert not overflows(page)
        for summary in turn.locator("summary").all():
            summary.click()
        assert not overflows(page)


def test_sources_fold_on_a_phone_and_open_by_their_marker(visit: Visit) -> None:
    page = visit(PHONE, has_touch=True, is_mobile=True)
    turn = ask(page, "Where is pain from the infraspinatus felt?")
    card = turn.locator(".card").first
    assert not card.locator("mark").first.is_visible()
    box = card.bounding_box()
    assert box
    assert box["height"] < 60
    turn.locator("a.marker").first.tap()
    assert card.locator("mark").first.is_visible()
    assert "lit" in str(card.get_attribute("class"))


def test_the_box_does_not_cover_a_low_window(visit: Visit) -> None:
    page = visit({"width": 640, "height": 360})  # 1280 by 720 at 200 %
    ask(page, "Where is pain from the infraspinatus felt?")
    assert not overflows(page)
    assert page.locator("form.ask").evaluate("(one) => getComputedStyle(one).position") == "static"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_can_be_read(visit: Visit, scheme: str) -> None:
    page = visit(color_scheme=scheme)
    background = colour(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert (luminance(background) < 0.1) is (scheme == "dark")
    parts = [".about", ".small", ".top p", ".ask button", ".welcome button"]
    low = [part for part in parts if contrast(page, part) < 4.5]
    ask(page, "Where is pain from the infraspinatus felt?")
    parts = [
        "blockquote p",
        "figcaption",
        ".marker",
        ".disclaimer summary",
        ".card mark",
        ".by",
        ".context",
        ".open",
    ]
    low += [part for part in parts if contrast(page, part) < 4.5]
    ask(page, URGENT)
    parts = [".urgent .opening", ".urgent a", ".urgent li", ".seen"]
    low += [part for part in parts if contrast(page, part) < 4.5]
    assert low == []


def contrast(page: Page, part: str) -> float:
    """WCAG 2's contrast of a part's words with what lies behind them."""
    fore, behind = page.locator(f"#referral {part}").first.evaluate(
        """(one) => { const fore = getComputedStyle(one).color; let back;
        for (; one; one = one.parentElement) { back = getComputedStyle(one).backgroundColor;
        if (!/, 0\\)$/.test(back)) break; } return [fore, back]; }"""
    )
    light, dark = sorted((luminance(colour(fore)), luminance(colour(behind))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def colour(css: str) -> list[float]:
    return [int(part) / 255 for part in re.findall(r"\d+", css)[:3]]


def luminance(rgb: list[float]) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_nothing_moves(visit: Visit) -> None:
    page = visit(reduced_motion="reduce")
    ask(page, "Where is pain from the infraspinatus felt?")
    moving = page.evaluate("document.getAnimations().filter((one) => one.playState === 'running').length")
    assert moving == 0


def test_an_answer_is_there_soon(visit: Visit) -> None:
    """No figure for the bench, but a turn that waits for a timer anywhere would take longer than this."""
    page = visit()
    ask(page, "What causes tennis elbow?")
    took = []
    for question in (
        "What helps piriformis syndrome?",
        "What strains the soleus?",
        "What is a trigger point?",
    ):
        page.evaluate("window.began = performance.now()")
        ask(page, question)
        took.append(page.evaluate("performance.now() - window.began"))
    assert min(took) < 1500
