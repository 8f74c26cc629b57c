"""Answers as HTML and as text, notices with their numbers, and the plain routes of the server."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from lxml import html as lxml_html

from assistant.answer import Answer, Citation, Claim, Part, ShownNotice
from assistant.api.desk import LONGEST, TURNS
from assistant.assistant import Assistant
from assistant.pages.cards import Cards, human_date
from assistant.pages.notice_panel import Piece, panel
from assistant.pages.plain import as_text
from assistant.pages.server import AddressError, Discreet, create_app, listen
from assistant.safety.check import Decision, SafetyCheck
from assistant.safety.notices import countries, notice
from index.encoder import Encoder
from index.generation import Generation, Sourced
from index.query import QueryMaker
from index.retriever import Retriever
from index.store import Store
from ingest.article import Article

EVIL = '<script>alert("x")</script><img src=x onerror=alert(1)>'

TEXT = f"""The psoas lies deep. It bends the hip {EVIL} and more. It is long. Nobody sees it.

## What helps

1. Lie on your back.
2. Pull one knee up.
3. Breathe & wait.

- Rest
- Walk a little"""

PLAIN = Article(
    id="/blogs/a/psoas",
    title=f"The psoas {EVIL}",
    text=TEXT,
    url="https://blog.example/blogs/a/psoas",
    author="Ann O'Dwyer",
    published="2017-03-04T09:00:00+00:00",
)
NAMELESS = Article(id="b", title="No address", text="The calf is at the back of the leg. It lifts the heel.")
SAMPLE = Article(
    id="/blogs/trigger-points/hamstrings",
    title="Hamstrings, tight or just tired?",
    text="The hamstrings bend the knee. They are at the back of the thigh.",
    url="https://sample-blog.example/blogs/trigger-points/hamstrings",
)
HOSTED = ("https://sample-blog.example/", "sample/")


@pytest.fixture(scope="module")
def retriever(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Encoder) -> Retriever:
    folder = tmp_path_factory.mktemp("pages") / "store"
    Store(folder).write([Sourced(one, "test") for one in (PLAIN, NAMELESS, SAMPLE)], tiny_encoder)
    return Retriever(Store(folder).open(tiny_encoder.identity), tiny_encoder)


@pytest.fixture(scope="module")
def safety() -> SafetyCheck:
    return SafetyCheck()


@pytest.fixture(scope="module")
def assistant(retriever: Retriever, tiny_encoder: Encoder, safety: SafetyCheck) -> Assistant:
    queries = QueryMaker.of(retriever.generation, tiny_encoder)
    return Assistant(retriever, safety, queries, country="GB")


@pytest.fixture
def generation(retriever: Retriever) -> Generation:
    return retriever.generation


@pytest.fixture(scope="module")
def client(assistant: Assistant) -> Iterator[TestClient]:
    with TestClient(made(assistant)) as client:
        yield client


def made(assistant: Assistant) -> FastAPI:
    """The application, made inside an event loop: outside of one, Gradio opens some and leaves them open."""

    async def make() -> FastAPI:
        return create_app(assistant)

    return asyncio.run(make())


def cite(article: Article, quote: str, number: int = 1, **changes: Any) -> Citation:
    start = article.text.index(quote)
    made = Citation(
        number=number,
        article_id=article.id,
        title=article.title,
        url=article.url,
        link=f"{article.url}#:~:text=here" if article.url else "",
        author=article.author,
        published=article.published,
        kind="text",
        quote=quote,
        start=start,
        end=start + len(quote),
        passage_id="",
    )
    return replace(made, **changes)


def answer(*pairs: tuple[Citation, list[str]], **changes: Any) -> Answer:
    """An answer in which each citation carries the claims that are listed with it."""
    made = Answer(
        id="",
        question="What bends the hip?",
        standalone_question="What bends the hip?",
        kind="answer",
        notice=None,
        text="The articles say:\n\n“It is long.” [1]",
        claims=tuple(Claim(text, (cited.number,), 1.0) for cited, texts in pairs for text in texts),
        citations=tuple(cited for cited, _ in pairs),
        disclaimer="Not medical advice.\n\nThe blog's own words.",
        suggestions=(),
        engine="quote",
        generation="g",
        lead="The articles say:",
    )
    return replace(made, **changes)


def shown(cards: Cards, one: Answer, turn: int = 1) -> Any:
    return lxml_html.fragment_fromstring(cards.html(one, turn), create_parent="div")


def find(node: Any, simple: str) -> list[Any]:
    """The elements of a tag, of a class, or of a tag with a class."""
    tag, _, kind = simple.partition(".")
    test = f"[contains(concat(' ', @class, ' '), ' {kind} ')]" if kind else ""
    return list(node.xpath(f".//{tag or '*'}{test}"))


def words(node: Any) -> str:
    return " ".join(node.text_content().split())


# ---------------------------------------------------------------- answers


def test_a_card_shows_the_quote_in_its_paragraph_and_a_link_to_it(generation: Generation) -> None:
    page = shown(Cards(generation), answer((cite(PLAIN, "It is long."), ["It is long."])))
    (card,) = find(page, ".card")
    assert words(find(card, "mark")[0]) == "It is long."
    assert words(find(card, ".context")[0]).endswith("and more. It is long. Nobody sees it.")
    assert words(find(card, ".context")[0]).startswith("… It bends")
    assert words(find(card, ".by")[0]) == "Ann O'Dwyer · 4 March 2017"
    (link,) = find(card, "a.open")
    assert link.get("href") == "https://blog.example/blogs/a/psoas#:~:text=here"
    assert (link.get("target"), link.get("rel")) == ("_blank", "noopener")


def test_markers_lead_to_cards_and_ids_differ_between_turns(generation: Generation) -> None:
    one = answer((cite(PLAIN, "It is long."), ["It is long."]))
    for turn in (1, 2):
        page = shown(Cards(generation), one, turn)
        (marker,) = find(page, "a.marker")
        assert marker.text == "[1]"
        (card,) = find(page, "li.card")
        assert marker.get("href") == "#" + card.get("id")
        assert marker.get("data-n") == card.get("data-n") == "1"
        assert marker.get("href") == f"#t{turn}-s1"


def test_the_disclaimer_is_a_line_with_the_blogs_own_behind_it(generation: Generation) -> None:
    page = shown(Cards(generation), answer(kind="abstention", lead="The articles here don't cover this."))
    (disclaimer,) = find(page, "details.disclaimer")
    assert words(find(disclaimer, "summary")[0]) == "Not medical advice. Full text"
    assert words(find(disclaimer, "p")[0]) == "The blog's own words."
    assert disclaimer.get("open") is None
    assert not find(page, ".sources")


def test_steps_stay_steps_with_their_numbers(generation: Generation) -> None:
    quote = "Pull one knee up.\n3. Breathe & wait."
    page = shown(Cards(generation), answer((cite(PLAIN, quote), ["Pull one knee up.", "Breathe & wait."])))
    (steps,) = find(find(page, "blockquote")[0], "ol")
    assert steps.get("start") == "2"
    assert [words(step) for step in find(steps, "li")] == ["Pull one knee up.", "Breathe & wait. [1]"]
    assert [words(mark) for mark in find(page, "mark")] == ["Pull one knee up.", "Breathe & wait."]


def test_one_step_alone_is_no_list(generation: Generation) -> None:
    page = shown(Cards(generation), answer((cite(PLAIN, "Breathe & wait."), ["Breathe & wait."])))
    assert words(find(page, "blockquote")[0]) == "“Breathe & wait.” [1]"
    assert words(find(page, ".context")[0]) == "Breathe & wait."


def test_a_gap_between_claims_is_marked(generation: Generation) -> None:
    quote = "The calf is at the back of the leg. It lifts the heel."
    page = shown(Cards(generation), answer((cite(NAMELESS, quote), ["It lifts the heel."])))
    assert words(find(page, "blockquote")[0]) == "“It lifts the heel.” [1]"
    longer = TEXT[: TEXT.index("\n")]
    claims = ["The psoas lies deep.", "It is long."]
    page = shown(Cards(generation), answer((cite(PLAIN, longer), claims)))
    assert words(find(page, "blockquote")[0]) == "“The psoas lies deep. … It is long.” [1]"


def test_neighbouring_quotes_of_one_article_share_its_title(generation: Generation) -> None:
    page = shown(
        Cards(generation),
        answer(
            (cite(SAMPLE, "The hamstrings bend the knee."), ["The hamstrings bend the knee."]),
            (cite(SAMPLE, "They are at the back of the thigh.", 2), ["They are at the back of the thigh."]),
            (cite(NAMELESS, "It lifts the heel.", 3), ["It lifts the heel."]),
        ),
    )
    assert [words(one) for one in find(page, "figcaption")] == [SAMPLE.title, NAMELESS.title]
    assert [one.get("data-n") for one in find(page, "blockquote")] == ["1", "2", "3"]


def test_what_a_quote_speaks_of_stands_beside_it_and_not_in_it(generation: Generation) -> None:
    pair = (cite(NAMELESS, "It lifts the heel."), ["It lifts the heel."])
    page = shown(Cards(generation), answer(pair, labels={1: "The calf"}))
    assert words(find(page, "p.subject")[0]) == "[The calf]"
    assert words(find(page, "blockquote")[0]) == "“It lifts the heel.” [1]"
    assert words(find(page, "figcaption")[0]) == NAMELESS.title
    titled = shown(Cards(generation), answer(pair, labels={1: NAMELESS.title}))
    assert words(find(titled, "p.subject")[0]) == f"[{NAMELESS.title}]"
    assert not find(titled, "figcaption")  # once is enough


def test_several_questions_each_have_a_heading_and_their_own_quotes(generation: Generation) -> None:
    one = answer(
        (cite(NAMELESS, "It lifts the heel."), ["It lifts the heel."]),
        (cite(SAMPLE, "The hamstrings bend the knee.", 2), ["The hamstrings bend the knee."]),
        question="What lifts the heel, what bends the knee, and who won?",
        lead="1. What lifts the heel? [1]",
        closing="Have it checked.",
        parts=(
            Part("What lifts the heel?", "answer", "The articles say this directly:", (1,), ""),
            Part("What bends the knee?", "related", "The nearest:", (2,), "Or ask somebody."),
            Part("Who won?", "abstention", "The articles here don't cover this.", (), ""),
        ),
    )
    (said,) = find(shown(Cards(generation), one), "div.said")
    told = [words(child) for child in said]
    assert told[:10] == [
        "What lifts the heel?",
        "The articles say this directly:",
        f"“It lifts the heel.” [1] {NAMELESS.title}",
        "What bends the knee?",
        "The nearest:",
        f"“The hamstrings bend the knee.” [2] {SAMPLE.title}",
        "Or ask somebody.",
        "Who won?",
        "The articles here don't cover this.",
        "Have it checked.",
    ]
    assert said[0].tag == "h3"


@pytest.mark.parametrize("kind", ["answer", "related", "abstention", "refusal"])
def test_whether_it_helped_is_asked_under_a_calm_answer(generation: Generation, kind: Any) -> None:
    page = shown(Cards(generation), answer(kind=kind))
    assert [one.get("data-verdict") for one in find(page, "button")] == ["yes", "no"]


def test_whether_it_helped_is_never_asked_under_an_urgent_one(generation: Generation) -> None:
    urgent = answer(kind="urgent", notice=shown_notice("emergency_now", "heart", "GB"), lead="")
    assert "data-verdict" not in Cards(generation, "GB").html(urgent, 1)
    assert "data-verdict" not in Cards(generation).html(answer(kind="smalltalk", lead="Hello."), 1)


def test_absent_parts_of_a_source_are_left_out(generation: Generation) -> None:
    page = shown(Cards(generation), answer((cite(NAMELESS, "It lifts the heel."), ["It lifts the heel."])))
    assert find(page, "li.card")
    assert not find(page, "p.by") + find(page, "a.open")


def test_only_web_addresses_become_links(generation: Generation) -> None:
    cited = cite(PLAIN, "It is long.", link="javascript:alert(1)")
    assert not find(shown(Cards(generation), answer((cited, ["It is long."]))), "a.open")


def test_a_byline_is_told_in_the_programs_words_and_opens_the_article(generation: Generation) -> None:
    cited = replace(cite(PLAIN, ""), kind="byline", link=PLAIN.url, quote=PLAIN.title)
    page = shown(Cards(generation), answer((cited, ["It was written by Ann O'Dwyer."])))
    assert not find(page, "blockquote") + find(page, "mark")
    assert words(find(page, "p.voice")[-1]) == "It was written by Ann O'Dwyer. [1]"
    assert words(find(page, "a.open")[0]).startswith("Open the article")


def test_links_to_the_sample_blog_open_its_pages_here(generation: Generation) -> None:
    one = answer((cite(SAMPLE, "They are at the back of the thigh."), ["They are at the back of the thigh."]))
    (link,) = find(shown(Cards(generation, hosted=HOSTED), one), "a.open")
    assert link.get("href") == "sample/blogs/trigger-points/hamstrings#:~:text=here"
    (link,) = find(shown(Cards(generation), one), "a.open")
    assert link.get("href") == "https://sample-blog.example/blogs/trigger-points/hamstrings#:~:text=here"


def test_the_question_that_was_answered_is_told_when_it_is_another(generation: Generation) -> None:
    cards = Cards(generation)
    other = answer(question="and what helps it?", standalone_question="what helps the psoas?")
    assert words(find(shown(cards, other), ".understood")[0]) == "Understood as: what helps the psoas?"
    same = answer(question="What  bends the hip", standalone_question="what bends the hip?")
    assert not find(shown(cards, same), ".understood")


def test_suggestions_can_be_asked(generation: Generation) -> None:
    page = shown(Cards(generation), answer(suggestions=("What helps?", EVIL)))
    asked = [one.get("data-ask") for one in find(page, "button") if one.get("data-ask")]
    assert asked == ["What helps?", EVIL]


def test_nothing_of_an_article_or_a_message_becomes_markup(generation: Generation) -> None:
    sentence = f"It bends the hip {EVIL} and more."
    evil = answer(
        (cite(PLAIN, sentence, author=EVIL, published=EVIL), [sentence]),
        question=EVIL,
        standalone_question=f"and {EVIL}",
        lead=EVIL,
        closing=EVIL,
        disclaimer=f"{EVIL}\n\n{EVIL}",
        notice=ShownNotice("soon", "tumour", EVIL),
        suggestions=(EVIL,),
    )
    markup = Cards(generation).html(evil, 1)
    page = lxml_html.fragment_fromstring(markup, create_parent="div")
    assert not find(page, "script") + find(page, "img")
    assert not re.search(r"<(?:script|img)", markup)
    assert sentence in words(find(page, "mark")[0])


@pytest.mark.parametrize(
    ("published", "shown_as"),
    [
        ("2017-03-04", "4 March 2017"),
        ("2024-02-26T09:00:00+00:00", "26 February 2024"),
        (None, ""),
        ("March 2017", "March 2017"),
    ],
)
def test_human_date(published: str | None, shown_as: str) -> None:
    assert human_date(published) == shown_as


# ---------------------------------------------------------------- notices


def shown_notice(level: Any, category: str, country: str) -> ShownNotice:
    made = notice(Decision(level, category), country)
    assert made
    return ShownNotice(made.level, made.category, made.text)


def text_of(pieces: tuple[Piece, ...]) -> str:
    return "".join(piece.text for piece in pieces)


@pytest.mark.parametrize("country", countries())
@pytest.mark.parametrize("category", ["heart", "suicidal", "abuse", "poisoning", "tumour"])
@pytest.mark.parametrize("level", ["emergency_now", "same_day", "soon", "safety_net"])
def test_no_word_of_a_notice_is_lost(level: str, category: str, country: str) -> None:
    one = shown_notice(level, category, country)
    made = panel(one, country)
    lines = [made.opening, *(line for group in made.groups for line in group)]
    texts = [
        " ".join(filter(None, [text_of(line.pieces), "; ".join(map(text_of, line.items))])) for line in lines
    ]
    assert "\n".join(texts) == one.text


def test_numbers_can_be_dialled() -> None:
    made = panel(shown_notice("emergency_now", "suicidal", "GB"), "GB")
    pieces = [piece for group in made.groups for line in group for item in line.items for piece in item]
    calls = [line for group in made.groups for line in group]
    hrefs = {piece.text: piece.href for piece in pieces if piece.href}
    assert hrefs == {
        "116 123": "tel:116123",
        "111": "tel:111",
        "85258": "sms:85258",
        "0800 068 4141": "tel:08000684141",
    }
    assert Piece("999", "tel:999") in calls[0].pieces


@pytest.mark.parametrize("country", [code for code in countries() if code != "other"])
def test_every_countrys_emergency_number_is_a_link(country: str) -> None:
    made = panel(shown_notice("emergency_now", "heart", country), country)
    assert [piece.href for piece in made.groups[0][0].pieces if piece.href.startswith("tel:")]


def test_without_a_country_nothing_pretends_to_be_a_number() -> None:
    made = panel(shown_notice("emergency_now", "heart", ""), "")
    assert not [piece for group in made.groups for line in group for piece in line.pieces if piece.href]


def test_an_urgent_notice_stands_alone(generation: Generation) -> None:
    urgent = answer(kind="urgent", notice=shown_notice("emergency_now", "heart", "GB"), lead="")
    page = shown(Cards(generation, "GB"), urgent)
    (alert,) = page.xpath(".//*[@role='alert']")
    assert [link.get("href") for link in find(alert, "a")] == ["tel:999"]
    assert all(words(line).startswith("Don't") for line in find(find(alert, "ul.donts")[0], "li"))
    assert len(find(find(alert, "ul.donts")[0], "li")) >= 3
    (button,) = find(page, "button")
    assert words(button) == "I have been seen by a doctor"
    assert not find(page, ".sources") + find(page, ".voice") + find(page, "blockquote")
    assert find(page, ".disclaimer")


def test_the_button_of_an_urgent_notice_ends_it(generation: Generation, safety: SafetyCheck) -> None:
    urgent = answer(kind="urgent", notice=shown_notice("emergency_now", "heart", "GB"), lead="")
    (button,) = find(shown(Cards(generation, "GB"), urgent), "button")
    before = ["my chest feels crushed and my left arm is numb, sweating"]
    assert safety.check("What bends the hip?", before).level == "emergency_now"
    assert safety.check(button.get("data-ask"), before).level not in {"emergency_now", "same_day"}


@pytest.mark.parametrize(("level", "leads"), [("soon", True), ("safety_net", False)])
def test_lesser_notices_stand_above_or_below(generation: Generation, level: str, leads: bool) -> None:
    page = shown(Cards(generation, "GB"), answer(notice=shown_notice(level, "tumour", "GB")))
    said = list(find(page, ".said")[0])
    places = [
        next(i for i, one in enumerate(said) if kind in one.get("class", "")) for kind in ("notice", "voice")
    ]
    assert (places[0] < places[1]) is leads


# ---------------------------------------------------------------- plain text


def test_plain_text_has_the_answer_its_sources_and_the_disclaimer() -> None:
    text = as_text(answer((cite(PLAIN, "It is long.", title="The psoas"), ["It is long."])))
    assert text.splitlines() == [
        "The articles say:",
        "",
        "“It is long.” [1]",
        "",
        "Sources",
        "[1] The psoas · Ann O'Dwyer · 4 March 2017",
        "    https://blog.example/blogs/a/psoas#:~:text=here",
        "",
        "Not medical advice.",
        "",
        "The blog's own words.",
    ]


def test_plain_text_without_sources_or_address() -> None:
    assert "Sources" not in as_text(answer(kind="abstention"))
    text = as_text(answer((cite(NAMELESS, "It lifts the heel."), ["It lifts the heel."])))
    assert "[1] No address\n\nNot medical" in text


# ---------------------------------------------------------------- routes


def test_the_page_is_served_and_names_no_other_host(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    loaded = re.findall(r"<(?:script|link)[^>]+(?:src|href)=\"?(https?://[^\"\s>]+)", page.text)
    assert loaded == []
    assert client.get("/pages/chat.css").headers["cache-control"].startswith("public")
    assert client.get("/pages/chat.js").status_code == 200
    assert client.get("/pages/cards.py").status_code == 404


def test_health(client: TestClient, generation: Generation) -> None:
    assert client.get("/healthz").json() == {"status": "ok", "generation": generation.name}


def test_ask_answers_as_the_contract_says(client: TestClient) -> None:
    got = client.post("/api/v1/ask", json={"question": "What lifts the heel?"}).json()
    assert list(got) == [
        *("id", "question", "standalone_question", "kind", "notice", "text", "claims", "citations"),
        *("disclaimer", "suggestions", "engine", "generation", "seconds"),
    ]
    assert got["question"] == "What lifts the heel?"


def test_ask_reads_the_history_for_safety(client: TestClient) -> None:
    asked = {"question": "What lifts the heel?", "history": ["crushing chest pain and my arm is numb"]}
    got = client.post("/api/v1/ask", json=asked).json()
    assert got["kind"] == "urgent"
    assert got["notice"]["level"] == "emergency_now"
    assert got["citations"] == []


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"question": 5},
        {"question": "x" * (LONGEST + 1)},
        {"question": "x", "history": ["x"] * (TURNS + 1)},
        {"question": "x", "history": ["x" * (LONGEST + 1)]},
    ],
)
def test_what_is_not_a_message_is_refused(client: TestClient, asked: Any) -> None:
    assert client.post("/api/v1/ask", json=asked).status_code == 422


def test_an_empty_question_gets_a_reply(client: TestClient) -> None:
    assert client.post("/api/v1/ask", json={"question": "  "}).json()["kind"] == "smalltalk"


def test_the_sample_blogs_pages_are_served(client: TestClient) -> None:
    page = client.get("/sample/blogs/trigger-points/hamstrings")
    assert "Hamstrings, tight or just tired?" in page.text
    assert client.get("/sample/theme.css").headers["content-type"].startswith("text/css")
    assert client.get("/sample/blogs/trigger-points/nothing").status_code == 404
    assert client.get("/sample/blogs/trigger-points/..%2F__init__.py").status_code == 404


def test_another_blog_gets_no_sample_pages(
    tmp_path: Path, tiny_encoder: Encoder, safety: SafetyCheck
) -> None:
    Store(tmp_path).write([Sourced(PLAIN, "test")], tiny_encoder)
    retriever = Retriever(Store(tmp_path).open(), tiny_encoder)
    queries = QueryMaker.of(retriever.generation, tiny_encoder)
    with TestClient(made(Assistant(retriever, safety, queries))) as client:
        assert client.get("/sample/blogs/trigger-points/hamstrings").status_code == 404


@pytest.mark.parametrize("door", ["upload", "queue/join", "run/ask", "info", "file=/etc/hostname"])
def test_the_doors_of_gradio_that_are_not_used_are_closed(client: TestClient, door: str) -> None:
    assert client.post(f"/gradio_api/{door}").status_code == 404
    assert client.get(f"/gradio_api/{door}").status_code == 404


# ---------------------------------------------------------------- running


def test_a_busy_port_is_told_with_the_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressError, match=rf"port {port}.*--port 0"):
            listen("127.0.0.1", port)


def test_port_zero_takes_a_free_one() -> None:
    with listen("127.0.0.1", 0) as one:
        assert one.getsockname()[1] > 0


def test_errors_are_logged_without_the_visitors_words() -> None:
    words = "my left arm is numb"
    with pytest.raises(KeyError) as raised:
        {}[words]
    given = (raised.type, raised.value, raised.tb)
    record = logging.LogRecord("uvicorn", logging.ERROR, "", 0, "failed", (), given)
    line = Discreet("%(message)s").format(record)
    assert "KeyError" in line
    assert "test_errors_are_logged" in line
    assert words not in line
