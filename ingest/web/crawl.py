"""An address -> the articles behind it: of one page, of a feed page by page, or of a sitemap.

A page that is gone is told apart from one that is only no longer listed: of those that a source named
before and names no more, a few are asked for in each run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import urljoin, urlsplit

from lxml import html

from ingest.address import clean_url
from ingest.article import Article, path_id
from ingest.decoding import decode
from ingest.feed import Entry, is_feed, read_feed
from ingest.finding import is_page
from ingest.fragment import Post, read_post
from ingest.html_page import read_html
from ingest.problem import NoArticleError, Problem, UnreadableError
from ingest.sitemap import Listed, is_sitemap, may_be_post, read_sitemap, without_regional_copies
from ingest.web.cache import Known, Page
from ingest.web.fetch import Fetcher, FetchError, joined, same_host
from ingest.xml_text import parse_xml

log = logging.getLogger(__name__)

Kind = Literal["page", "feed", "sitemap"]
Told = Callable[[int, int], None]

_MOST_FEED_PAGES = 1000
_MOST_SITEMAPS = 500
# A run that was cut short is gone on with for this long; later the blog may have changed.
_RESUMED_SECONDS = 3600.0
# However a sitemap dates a page, it is asked for again after this long: comments change, dates lie.
_TRUSTED_SECONDS = 86_400.0
# Of the pages that are no longer listed, how many are asked for in one run.
_CHECKED_A_RUN = 25
# After so many pages in a row that the host did not give, it is not troubled further.
_MOST_FAILURES = 5
_GZIP = b"\x1f\x8b"


@dataclass(slots=True)
class Harvest:
    """What was found behind an address.

    Attributes:
        kind: What it turned out to be.
        results: For each page or entry its address and what it gave.
        notes: What was rightly left out, as whole sentences.
        gone: Pages that the host says are no more, 404 or 410, each with the id of its article.
    """

    kind: Kind = "page"
    results: list[tuple[str, Article | Problem]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    gone: list[tuple[str, str]] = field(default_factory=list)


class Crawler:
    """Reads what is behind addresses of the web.

    Args:
        fetcher: Asks the hosts.
        is_served: Whether an article is served already, just as it was read. A feed is not walked on below
            a page of nothing but such articles, except once a day.
        told: Told after each page how many of how many are done; the second is 0 while it is not known.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        *,
        is_served: Callable[[Article], bool] = lambda _article: False,
        told: Told = lambda _done, _total: None,
    ) -> None:
        self._fetcher = fetcher
        self._cache = fetcher.cache
        self._is_served = is_served
        self._told = told

    def read(self, source: str) -> Harvest:
        """Every article behind an address.

        Raises:
            UnreadableError: Nothing can be read from there.
        """
        run = _Run(source, self._cache.begin(source, self._fetcher.clock.now(), _RESUMED_SECONDS))
        try:
            page = self._fetcher.fetch(source)
        except FetchError as error:
            gone = [(source, article) for article in self._cache.articles_of(source)]
            if not (error.is_gone and gone):
                raise
            self._cache.drop(source, source)
            return Harvest(notes=[f"{source}: {error.reason}; its article is gone."], gone=gone)
        self._read_as_what_it_is(run, page)
        failed = any(isinstance(result, Problem) for _, result in run.harvest.results)
        self._cache.finish(source, self._fetcher.clock.now(), is_whole=not (run.is_cut or failed))
        return run.harvest

    def fetch(self, url: str) -> str:
        """The text of one page, as it is now.

        Raises:
            UnreadableError: It can not be had, or is no text.
        """
        return _text(self._fetcher.fetch(url))

    def _read_as_what_it_is(self, run: _Run, page: Page) -> None:
        kind = _kind(page)
        if kind == "feed":
            self._feed(run, page)
        elif kind == "sitemap":
            self._sitemap(run, page)
        else:
            self._page_or_list(run, page)

    # --- one page ------------------------------------------------------------------------------------

    def _page_or_list(self, run: _Run, page: Page) -> None:
        """The article of a page, or all those behind the feed or sitemap of a page that lists them."""
        is_home = not urlsplit(page.final_url).path.strip("/")
        if is_home and self._listed_elsewhere(run, page, is_home=True):
            return
        try:
            article = self._article(page)
        except NoArticleError:
            if is_home or not self._listed_elsewhere(run, page, is_home=False):
                raise
            return
        run.harvest.results.append((page.url, article))
        self._note_seen(run, page.url, article)

    def _listed_elsewhere(self, run: _Run, page: Page, *, is_home: bool) -> bool:
        feeds = [(url, self._feed, is_feed) for url in _feeds_named(page)]
        maps = [(url, self._sitemap, is_sitemap) for url in self._sitemaps_of(page)] if is_home else []
        for url, read, fits in (*maps, *feeds):
            try:
                found = self._fetcher.fetch(url)
                if not _is_packed(found) and not fits(parse_xml(found.body)):
                    continue
            except UnreadableError as error:
                log.info("%s %s", url, error.reason)
                continue
            run.harvest.notes.append(f"{page.url}: is a list of posts; they were read from {url}.")
            read(run, found)
            return True
        return False

    def _sitemaps_of(self, page: Page) -> list[str]:
        named = [url for url in self._fetcher.sitemaps(page.final_url) if same_host(url, page.final_url)]
        return named or [urljoin(page.final_url, "/sitemap.xml")]

    def _article(self, page: Page) -> Article:
        address = clean_url(page.final_url)
        article = read_html(_text(page), fallback_id=path_id(address) or address)
        return article if article.url else replace(article, url=address)

    # --- feeds ---------------------------------------------------------------------------------------

    def _feed(self, run: _Run, page: Page) -> None:
        run.harvest.kind = "feed"
        since_whole = self._fetcher.clock.now() - self._cache.last_whole(run.source)
        seen: set[str] = set()
        others = 0
        for _ in range(_MOST_FEED_PAGES):
            feed = read_feed(page.body, page.final_url)
            new = [entry for entry in feed.entries if (entry.url or entry.title) not in seen]
            seen.update(entry.url or entry.title for entry in new)
            others += feed.passed_over
            read = len(run.harvest.results)
            for entry in new:
                self._entry(run, entry)
            if not new or not feed.next_url:
                break
            if since_whole < _TRUSTED_SECONDS and self._are_served(run.harvest.results[read:]):
                run.is_cut = True
                break
            following = self._feed_page(run, page, feed.next_url)
            if following is None:
                break
            page = following
        if others:
            run.harvest.notes.append(f"{run.source}: {others} of its entries are no posts.")
        self._check_unlisted(run, seen)

    def _are_served(self, results: Sequence[tuple[str, Article | Problem]]) -> bool:
        return all(isinstance(result, Article) and self._is_served(result) for _, result in results)

    def _feed_page(self, run: _Run, page: Page, url: str) -> Page | None:
        """The next page of a feed; None when there is none, which a host tells in many ways."""
        if not same_host(url, page.final_url):
            run.harvest.notes.append(f"{run.source}: goes on at another host, which was not asked.")
            return None
        try:
            following = self._fetcher.fetch(url)
        except FetchError as error:
            if error.status is None or error.status >= 500 or error.status == 429:
                run.harvest.results.append((url, Problem(url, error.reason, error.next_step)))
            return None
        return following if _kind(following) == "feed" else None

    def _entry(self, run: _Run, entry: Entry) -> None:
        """The article of one entry: from the feed when it holds it whole, or else from its page."""
        place = entry.url or entry.title
        if entry.url and not may_be_post(entry.url):
            run.harvest.notes.append(f"{place}: is no post's address.")
            return
        if not entry.is_whole and entry.url:
            if same_host(entry.url, run.source):
                self._read_page(run, entry.url)
            else:
                run.harvest.notes.append(f"{place}: is on another host, which was not asked.")
            return
        post = Post(
            title=entry.title, url=entry.url, author=entry.author, published=entry.published,
            updated=entry.updated, tags=entry.tags,
        )  # fmt: skip
        try:
            article = read_post(entry.markup, post, fallback_id=entry.title)
        except UnreadableError as error:
            run.harvest.results.append((place, Problem(place, error.reason, error.next_step)))
            return
        self._keep(run, place, article)

    # --- sitemaps ------------------------------------------------------------------------------------

    def _sitemap(self, run: _Run, page: Page) -> None:
        run.harvest.kind = "sitemap"
        listed = [one for one in self._listed(run, page) if same_host(one.url, run.source)]
        pages = without_regional_copies([replace(one, url=clean_url(one.url)) for one in listed])
        for number, one in enumerate(pages, start=1):
            self._read_page(run, one.url, since=self._trusted_since(run, one))
            self._told(number, len(pages))
            if run.failures >= _MOST_FAILURES:
                reason = f"gave no page {_MOST_FAILURES} times in a row, so the rest was not asked for"
                run.harvest.results.append((run.source, Problem(run.source, reason, "Run it again later.")))
                return
        self._check_unlisted(run, {one.url for one in pages})

    def _listed(self, run: _Run, page: Page) -> Iterable[Listed]:
        """The pages of a sitemap and of those it names, each sitemap once."""
        waiting, seen, others = [page], {page.url}, 0
        while waiting:
            current = waiting.pop(0)
            try:
                found = read_sitemap(current.body)
            except UnreadableError as error:
                problem = Problem(current.url, error.reason, error.next_step)
                run.harvest.results.append((current.url, problem))
                continue
            others += found.passed_over
            yield from found.pages
            for url in found.maps:
                if url in seen or len(seen) >= _MOST_SITEMAPS or not same_host(url, run.source):
                    continue
                seen.add(url)
                try:
                    waiting.append(self._fetcher.fetch(url))
                except UnreadableError as error:
                    run.harvest.results.append((url, Problem(url, error.reason, error.next_step)))
        if others:
            run.harvest.notes.append(f"{run.source}: {others} of its addresses are no posts.")

    def _trusted_since(self, run: _Run, listed: Listed) -> float:
        """The moment after which a page that was fetched needs no asking."""
        if listed.modified is None:
            return run.started
        try:
            modified = datetime.fromisoformat(listed.modified)
        except ValueError:
            return run.started
        # A day alone may mean its last second.
        modified += timedelta(days=1) if len(listed.modified) == 10 else timedelta(minutes=1)
        moment = modified.replace(tzinfo=modified.tzinfo or UTC).timestamp()
        return min(max(moment, self._fetcher.clock.now() - _TRUSTED_SECONDS), run.started)

    # --- pages of a list -----------------------------------------------------------------------------

    def _read_page(self, run: _Run, url: str, since: float | None = None) -> None:
        try:
            page = self._fetcher.fetch(url, fresh_since=run.started if since is None else since)
            run.failures = 0
            article = self._article(page)
            if page.final_url != url:
                self._note_moved(run, url, article)
            self._keep(run, url, article)
        except NoArticleError as error:
            run.harvest.notes.append(f"{url}: {error.reason}.")
        except FetchError as error:
            run.failures += not error.is_gone
            if error.is_gone:
                self._note_gone(run, url)
            else:
                run.harvest.results.append((url, Problem(url, error.reason, error.next_step)))
        except UnreadableError as error:
            run.harvest.results.append((url, Problem(url, error.reason, error.next_step)))

    def _keep(self, run: _Run, place: str, article: Article) -> None:
        run.harvest.results.append((place, article))
        self._note_seen(run, place, article)

    def _note_seen(self, run: _Run, url: str, article: Article) -> None:
        seen = Known(url, article.id, self._fetcher.clock.now(), article.published or "")
        self._cache.note(run.source, [seen])

    def _note_gone(self, run: _Run, url: str) -> None:
        ids = [known.article for known in self._cache.known(run.source) if known.url == url]
        run.harvest.gone.extend((url, one) for one in ids or [path_id(clean_url(url))])
        run.harvest.notes.append(f"{url}: the host says that it is gone.")
        self._cache.drop(run.source, url)
        self._cache.forget(url)

    def _note_moved(self, run: _Run, url: str, article: Article) -> None:
        """A page that now leads to another: the article that it had is there, under another id."""
        for known in self._cache.known(run.source):
            if known.url == url and known.article != article.id:
                run.harvest.gone.append((url, known.article))
                run.harvest.notes.append(f"{url}: has moved to {article.url}.")

    def _check_unlisted(self, run: _Run, listed: set[str]) -> None:
        """Ask for some of the pages that are no longer listed: they are gone, or only too old for a feed."""
        unlisted = [one for one in self._cache.known(run.source) if one.url not in listed]
        if run.is_cut:
            # Below the place where a feed was left everything is unlisted, and nothing follows from it.
            days = [
                one.published for _, one in run.harvest.results if isinstance(one, Article) and one.published
            ]
            unlisted = [one for one in unlisted if days and one.published > min(days)]
        for one in unlisted[:_CHECKED_A_RUN]:
            if run.failures >= _MOST_FAILURES or not one.url.startswith(("http://", "https://")):
                continue
            if same_host(one.url, run.source):
                self._read_page(run, one.url)
                still = [known for known in self._cache.known(run.source) if known.url == one.url]
                self._cache.note(run.source, [replace(k, checked=self._fetcher.clock.now()) for k in still])


@dataclass(slots=True)
class _Run:
    """One reading of one source.

    Attributes:
        source: Its address.
        started: When it began, in seconds since 1970; what was fetched since then is not asked for again.
        harvest: What was found so far.
        failures: How many pages in a row the host did not give.
        is_cut: A feed was not walked to its end, since nothing was new.
    """

    source: str
    started: float
    harvest: Harvest = field(default_factory=Harvest)
    failures: int = 0
    is_cut: bool = False


def _is_packed(page: Page) -> bool:
    return page.body.startswith(_GZIP)


def _kind(page: Page) -> Kind:
    """What a document is, by what it holds: hosts send feeds as HTML and pages as XML."""
    if _is_packed(page) or urlsplit(page.url).path.endswith((".txt", ".gz")):
        return "sitemap"
    head = page.body[:2000].lstrip(b"\xef\xbb\xbf \r\n\t")
    if not head.startswith(b"<") or is_page(head.decode("utf-8", "replace")):
        return "page"
    try:
        root = parse_xml(page.body)
    except UnreadableError:
        if "xml" in page.media:
            raise
        return "page"
    return "feed" if is_feed(root) else "sitemap" if is_sitemap(root) else "page"


def _text(page: Page) -> str:
    declared = page.media.lower().partition("charset=")[2].partition(";")[0].strip(" \"'")
    text = decode(page.body, declared=declared)
    if not text.strip():
        raise UnreadableError("is empty", "Look at it in a browser.")
    return text


def _feeds_named(page: Page) -> list[str]:
    """The feeds that a page names in its head, on its own host; those of comments left out."""
    try:
        root = html.document_fromstring(page.body)
    except (ValueError, html.etree.ParserError):
        return []
    found = []
    for link in root.iter("link"):
        kind = (link.get("type") or "").lower()
        is_named = "alternate" in (link.get("rel") or "") and kind in (
            "application/atom+xml",
            "application/rss+xml",
        )
        if is_named and "comment" not in f"{link.get('title')} {link.get('href')}".lower():
            found.append(joined(page.final_url, link.get("href") or ""))
    return [url for url in found if same_host(url, page.final_url)]
