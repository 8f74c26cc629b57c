"""What was kept of a page and what was dropped, line by line and side by side, with the reason.

Made by holding the finished article against everything that the page shows. It is no log of the steps in
between, so it tells the truth whatever they did.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from ingest.article import Article
from ingest.byline import parse_byline
from ingest.characters import fold, words
from ingest.chrome import NO_CHROME, Chrome, learn
from ingest.decoding import decode
from ingest.disclaimer import is_disclaimer
from ingest.finding import JSON, JSON_LINES, MARKDOWN, TABLES, XML, find_files, is_page
from ingest.furniture import ends_article, is_advert, is_furniture, is_section_name
from ingest.html_page import parse_page, read_html
from ingest.linearise import linearise
from ingest.page_trimming import is_furniture_element, remove_hidden, tokens
from ingest.problem import Problem, UnreadableError
from ingest.sources import dump_lines, filled, is_address, read_bytes, text_of_file, whole_address
from ingest.text_dump import lines_of, read_dump
from ingest.verdict import warnings


@dataclass(frozen=True, slots=True)
class Shown:
    """One line that a page shows.

    Attributes:
        text: As it stands there.
        kept_as: "text", "title", "disclaimer", "comment" or "byline"; empty when it was dropped.
        why: Why it was dropped; empty when it was kept.
    """

    text: str
    kept_as: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A page, line by line, and what became of it.

    Attributes:
        name: Of the source.
        article: What was made of it; None when it was refused.
        refusal: Why it was refused, or empty.
        lines: In the order of the page.
        warnings: What a person should look at.
    """

    name: str
    article: Article | None
    refusal: str
    lines: tuple[Shown, ...]
    warnings: tuple[str, ...] = ()


def explain(text: str, *, name: str, fallback_id: str, chrome: Chrome = NO_CHROME) -> Explanation:
    """Explain a page's markup, or the text of a page."""
    markup = is_page(text)
    article, refusal = None, ""
    try:
        if markup:
            article = read_html(text, fallback_id=fallback_id)
        else:
            article = read_dump(text, fallback_id=fallback_id, chrome=chrome)
    except UnreadableError as error:
        refusal = f"{error.reason}. {error.next_step}"
    shown, reasons = _of_page(text) if markup else (lines_of(text), {})
    return Explanation(
        name,
        article,
        refusal,
        tuple(_judge(shown, reasons, article, chrome)),
        warnings(article) if article else (),
    )


def explain_source(
    sources: Sequence[str], fetch: Callable[[str], str] | None
) -> Iterator[Explanation | Problem]:
    """Explain every page of files, folders and addresses.

    Args:
        sources: As the maintainer names them; of an export there is no page to explain.
        fetch: The text of an address.
    """
    files, problems = find_files([Path(source) for source in sources if not is_address(source)])
    yield from problems
    chrome = learn(dump_lines(files))
    for source in files:
        try:
            if source.ending in JSON | JSON_LINES | TABLES | XML | MARKDOWN:
                raise _nothing_to_explain()
            yield explain(
                text_of_file(source.path), name=source.name, fallback_id=source.fallback_id, chrome=chrome
            )
        except UnreadableError as error:
            yield Problem(source.name, error.reason, error.next_step)
        except OSError as error:
            yield Problem(
                source.name, f"can not be read ({error.strerror or error})", "Check that it is there."
            )
    for address in map(whole_address, filter(is_address, sources)):
        try:
            if fetch is None:
                raise _nothing_to_explain()
            yield explain_address(address, fetch(address))
        except UnreadableError as error:
            yield Problem(address, error.reason, error.next_step)


def explain_address(address: str, text: str) -> Explanation:
    """Explain the page that an address gave.

    Raises:
        UnreadableError: It is none.
    """
    if not is_page(text) and text.lstrip().startswith(("<?xml", "<rss", "<feed", "<urlset", "<sitemapindex")):
        raise UnreadableError("is a feed or a sitemap, and no page", "Name one of its posts.")
    return explain(text, name=address, fallback_id=address)


def explain_bytes(name: str, data: bytes) -> Explanation:
    """Explain a file that is held in memory; of an export, post by post.

    Raises:
        UnreadableError: Nothing can be read from it.
    """
    path = Path(name)
    if path.suffix.lower() not in JSON | JSON_LINES | TABLES | XML | MARKDOWN:
        return explain(filled(decode(data)), name=name, fallback_id=path.stem)
    read = [result for _, result in read_bytes(name, data)]
    articles = [one for one in read if isinstance(one, Article)]
    first = articles[0] if articles else None
    if len(read) == 1 and first:
        return Explanation(name, first, "", (), warnings(first))
    lines = [
        Shown(one.title, "article") if isinstance(one, Article) else Shown(one.source, why=one.reason)
        for one in read
    ]
    return Explanation(name, first, "" if first else "holds no article.", tuple(lines))


def _nothing_to_explain() -> UnreadableError:
    return UnreadableError("is not a page: all that it says of an article is kept", "Name a page.")


def as_text(explanation: Explanation, width: int = 120) -> str:
    """Two columns: what was kept, and what was dropped with the reason."""
    half = max((width - 3) // 2, 20)
    article = explanation.article
    head = [explanation.name]
    if article:
        said = (
            (article.title, "title"),
            (article.author, "author"),
            (article.published, "published"),
            (article.url, "url"),
        )
        head += [f"  {label:<10} {value}" for value, label in said if value]
    if explanation.refusal:
        head.append(f"  refused    {explanation.refusal}")
    head += [f"  warning    {warning}" for warning in explanation.warnings]
    rows = [f"{'KEPT':<{half}} | DROPPED", f"{'-' * half}-+-{'-' * half}"]
    for line in explanation.lines:
        label = "" if line.kept_as in ("", "text") else f"[{line.kept_as}] "
        left = textwrap.wrap(label + line.text, half) if line.kept_as else []
        right = [] if line.kept_as else textwrap.wrap(f"{line.text}  <- {line.why}", half)
        for number in range(max(len(left), len(right), 1)):
            one = left[number] if number < len(left) else ""
            other = right[number] if number < len(right) else ""
            rows.append(f"{one:<{half}} | {other}".rstrip())
    kept = sum(len(words(line.text)) for line in explanation.lines if line.kept_as)
    total = sum(len(words(line.text)) for line in explanation.lines)
    return "\n".join([*head, "", *rows, "", f"{kept} of {total} words kept."])


# --- what the page shows -----------------------------------------------------------------------------


def _of_page(markup: str) -> tuple[list[str], dict[str, str]]:
    """The lines of a page, hidden ones too, and for some of them what the markup says against them."""
    try:
        root = parse_page(markup)
    except UnreadableError:
        return [], {}
    body = next(root.iter("body"), root)
    everything = _lines(body)
    reasons: dict[str, str] = {}
    remove_hidden(root)
    seen = Counter(map(fold, _lines(body)))
    for line, count in Counter(map(fold, everything)).items():
        if count > seen[line]:
            reasons[line] = "hidden on the page"
    for element in body.iter(etree.Element):
        if is_furniture_element(element):
            for line in _lines(element):
                reasons.setdefault(fold(line), f"in {_named(element)}")
    return everything, reasons


def _lines(element: Any) -> list[str]:
    return [line for block in linearise(element) for line in block.text.split("\n") if words(line)]


def _named(element: Any) -> str:
    names = " ".join(tokens(element)[:2])
    return f"<{element.tag} {names}>" if names else f"<{element.tag}>"


# --- what became of it -------------------------------------------------------------------------------


def _judge(
    shown: Sequence[str], reasons: dict[str, str], article: Article | None, chrome: Chrome
) -> Iterable[Shown]:
    if article is None:
        yield from (Shown(line, why=reasons.get(fold(line)) or _reason(line, chrome)) for line in shown)
        return
    parts = _Parts(article)
    for line in shown:
        kept = parts.take(line, is_foreign=fold(line) in reasons)
        why = "" if kept else reasons.get(fold(line)) or parts.repeated(line) or _reason(line, chrome)
        yield Shown(line, kept, why)


class _Parts:
    """The lines of an article that no line of the page has been matched with yet."""

    def __init__(self, article: Article) -> None:
        said = {
            "text": article.text,
            "disclaimer": article.disclaimer,
            "comment": "\n".join(comment.text for comment in article.comments),
        }
        self._title = fold(article.title)
        self._left = {
            kind: Counter(fold(line) for line in text.split("\n") if words(line))
            for kind, text in said.items()
        }
        self._whole = {kind: f" {fold(text)} " for kind, text in said.items()}
        self._said = (article.author, article.published)

    def take(self, line: str, *, is_foreign: bool) -> str:
        """As what a line was kept, or empty; a foreign one only word for word."""
        key = fold(line)
        for kind, left in self._left.items():
            if left[key]:
                left[key] -= 1
                return kind
        if key == self._title:
            self._title = ""
            return "title"
        # A line that was joined with others, or of which a part was taken out.
        inside = () if is_foreign or len(key.split()) < 4 else self._whole.items()
        for kind, whole in inside:
            if key not in self._left[kind] and (f" {key} " in whole or _mostly(key, whole)):
                return kind
        found = parse_byline(line)
        return (
            "byline" if found and {found.author, found.published} & {one for one in self._said if one} else ""
        )

    def repeated(self, line: str) -> str:
        """The reason for a line that the article has already, or empty."""
        key = fold(line)
        again = any(key in left or f" {key} " in self._whole[kind] for kind, left in self._left.items())
        return "said already" if again else ""


def _mostly(key: str, whole: str) -> bool:
    """Whether half of a long line stands in a text: the line was parted there."""
    parts = key.split()
    half = len(parts) // 2
    return len(parts) >= 16 and (
        f" {' '.join(parts[:half])} " in whole or f" {' '.join(parts[-half:])} " in whole
    )


def _reason(line: str, chrome: Chrome) -> str:
    """Why a line that no markup speaks against was dropped."""
    pages = chrome.pages_with(line)
    if pages:
        return f"on {pages} of {chrome.pages} pages"
    for applies, reason in (
        (is_advert, "advert"),
        (ends_article, "below the article"),
        (is_furniture, "button or label"),
        (is_section_name, "menu"),
        (is_disclaimer, "disclaimer"),
        (parse_byline, "byline"),
    ):
        if applies(line):
            return reason
    return "outside the article"
