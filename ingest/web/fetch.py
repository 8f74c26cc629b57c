"""One address -> its bytes, politely: robots.txt, one host, a stated name, one request at a time, no haste.

What fails is tried again as long as it makes sense; what must not be done is refused with its reason.
The home of httpx and of protego.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpcore
import httpx
from protego import Protego

from ingest.problem import UnreadableError
from ingest.web.cache import Cache, Page
from ingest.web.guard import GuardedNetwork, GuardedTransport, Resolve, system_resolve
from ingest.web.unpack import too_large, unpack

log = logging.getLogger(__name__)

_ROBOTS_BYTES = 500_000
_MOST_REDIRECTS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_PASSING = (429, 500, 502, 503, 504)
_GONE = (404, 410)
# A robots.txt that asks for more than this between two requests is not meant for a blog.
_LONGEST_DELAY = 30.0


def _user_agent() -> str:
    try:
        return f"Referral/{version('referral')} (reads this blog for its own search)"
    except PackageNotFoundError:
        return "Referral (reads this blog for its own search)"


@dataclass(frozen=True, slots=True)
class Manners:
    """How a host is asked.

    Attributes:
        user_agent: The name that is stated.
        delay: Seconds between two requests; more when robots.txt asks for more.
        timeout: Seconds until a connection opens, or without a byte.
        longest: Seconds that one response may take as a whole.
        most_bytes: Of one response, unpacked.
        most_requests: Of one run.
        tries: How often one address is asked when the host fails in passing.
        longest_wait: The most seconds to wait before asking again, whatever Retry-After says.
    """

    user_agent: str = field(default_factory=_user_agent)
    delay: float = 1.0
    timeout: float = 15.0
    longest: float = 60.0
    most_bytes: int = 20_000_000
    most_requests: int = 50_000
    tries: int = 4
    longest_wait: float = 120.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, so that tests need not wait for it."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep


class FetchError(UnreadableError):
    """An address gave no page.

    Attributes:
        status: The answer's number, or None when there was no answer.
    """

    def __init__(self, reason: str, next_step: str, status: int | None = None) -> None:
        super().__init__(reason, next_step)
        self.status = status

    @property
    def is_gone(self) -> bool:
        """Whether the host says that there is no such page: the only proof of a removal."""
        return self.status in _GONE


class Fetcher:
    """Fetches the pages of blogs, one request at a time.

    Args:
        cache: Where pages and their validators are kept.
        manners: How a host is asked.
        allow: Hosts that may be on an inner network.
        clock: The time.
        resolve: How names are looked up.
    """

    def __init__(
        self,
        cache: Cache,
        manners: Manners | None = None,
        *,
        allow: tuple[str, ...] = (),
        clock: Clock | None = None,
        resolve: Resolve = system_resolve,
    ) -> None:
        self.cache = cache
        self.clock = clock or Clock()
        self.requests = 0
        self._manners = manners or Manners()
        self._client = GuardedTransport(GuardedNetwork(allow, resolve))
        self._robots: dict[str, Protego] = {}
        self._last: dict[str, float] = {}

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def fetch(self, url: str, *, fresh_since: float | None = None) -> Page:
        """What an address answers now, or what it answered before when that still holds.

        Args:
            url: An http or https address.
            fresh_since: What was fetched after this moment is taken without asking again.

        Raises:
            UnreadableError: It gives no page; a FetchError when the host itself says so.
        """
        cached = self.cache.page(url)
        if cached and fresh_since is not None and cached.fetched >= fresh_since:
            return cached
        final, where = url, url
        for _ in range(_MOST_REDIRECTS + 1):
            self._refuse(final, url)
            answer = self._ask(final, cached)
            if isinstance(answer, _Redirect):
                where, final = final, answer.url
                continue
            if answer is None and cached:
                self.cache.confirm(url, self.clock.now())
                return cached
            if answer is None:
                raise FetchError("answers “not modified” to a first request", "Look at it in a browser.", 304)
            page = Page(
                url, final, answer.media, answer.etag, answer.last_modified, self.clock.now(), answer.data
            )
            self.cache.keep(page)
            return page
        raise FetchError(
            f"is redirected more than {_MOST_REDIRECTS} times (last by {where})", "Look at it in a browser."
        )

    def sitemaps(self, url: str) -> list[str]:
        """The sitemaps that the robots.txt of an address's host names."""
        return list(self._rules(url).sitemaps)

    # --- may it be asked -----------------------------------------------------------------------------

    def _refuse(self, url: str, first: str) -> None:
        host = _host(url)
        parts = urlsplit(url if host else "")
        if host is None or not host[0] or parts.scheme not in ("http", "https"):
            raise FetchError(f"leads to {url}, which is no address of the web", "Check the address.")
        if parts.username or parts.password:
            raise FetchError("holds a name or a password", "Leave them out of the address.")
        if not same_host(url, first):
            raise FetchError(
                f"is redirected to another host, {host[0]}",
                "Give that address itself, if it is meant.",
            )
        if not self._rules(url).can_fetch(url, self._manners.user_agent):
            raise FetchError(
                "may not be read: the host's robots.txt forbids it",
                "Ask the blog's owner, or use an export of the articles.",
            )

    def _rules(self, url: str) -> Protego:
        parts = urlsplit(url)
        root = urlunsplit((parts.scheme, parts.netloc, "", "", ""))
        if root not in self._robots:
            self._robots[root] = self._read_robots(f"{root}/robots.txt")
        return self._robots[root]

    def _read_robots(self, url: str) -> Protego:
        """The rules of a host, as RFC 9309 has it: none when there is no file, no entry when it is broken."""
        target = url
        for _ in range(_MOST_REDIRECTS + 1):
            try:
                answer = self._ask(target, None, limit=_ROBOTS_BYTES)
            except FetchError as error:
                if error.status is not None and 400 <= error.status < 500 and error.status != 429:
                    return Protego.parse("")
                raise FetchError(
                    f"can not be read: the host's robots.txt {error.reason}", error.next_step
                ) from error
            if not isinstance(answer, _Redirect):
                return Protego.parse(answer.data.decode("utf-8", "replace") if answer else "")
            if not same_host(answer.url, url):
                break
            target = answer.url
        return Protego.parse("")

    # --- asking --------------------------------------------------------------------------------------

    def _ask(self, url: str, cached: Page | None, *, limit: int | None = None) -> _Redirect | _Body | None:
        """What one address answers; None for "not modified".

        Raises:
            UnreadableError: None of these, after as many tries as make sense.
        """
        for attempt in range(1, self._manners.tries + 1):
            self._wait_for_turn(url)
            try:
                return self._ask_once(url, cached, limit or self._manners.most_bytes)
            except _PassingError as error:
                if attempt == self._manners.tries or error.wait > self._manners.longest_wait:
                    raise FetchError(
                        f"{error} (asked {attempt} times)", "Try again later.", error.status
                    ) from error
                wait = error.wait or 2 ** (attempt - 1) * random.uniform(0.75, 1.25)
                log.info("%s %s; asking again in %.0f s", url, error, wait)
                self.clock.sleep(min(wait, self._manners.longest_wait))
        raise AssertionError("unreachable: the last try returns or raises")

    def _wait_for_turn(self, url: str) -> None:
        self.requests += 1
        if self.requests > self._manners.most_requests:
            raise FetchError(
                f"was not asked: a run makes at most {self._manners.most_requests:,} requests",
                "Run it again; it goes on where it stopped.",
            )
        host = urlsplit(url).netloc
        asked = self._robots.get(urlunsplit((urlsplit(url).scheme, host, "", "", "")))
        wanted = (asked.crawl_delay(self._manners.user_agent) if asked else None) or 0.0
        delay = max(self._manners.delay, min(float(wanted), _LONGEST_DELAY))
        wait = self._last.get(host, 0.0) + delay - self.clock.now()
        if wait > 0:
            self.clock.sleep(wait)
        self._last[host] = self.clock.now()

    def _ask_once(self, url: str, cached: Page | None, limit: int) -> _Redirect | _Body | None:
        try:
            request = httpx.Request("GET", url, headers=self._headers(cached), extensions=self._timeouts())
            response = self._client.handle_request(request)
        except httpcore.UnsupportedProtocol as error:
            raise FetchError("is no address of the web", "Check the address.") from error
        except httpcore.TimeoutException as error:
            raise _PassingError("does not answer in time") from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise _PassingError(f"can not be reached ({error})") from error
        except UnreadableError:
            raise
        except (httpx.InvalidURL, ValueError) as error:
            raise FetchError(f"is no address of the web ({error})", "Check the address.") from error
        try:
            return self._read(url, response, limit)
        except httpcore.TimeoutException as error:
            raise _PassingError("stops in the middle of its answer") from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise _PassingError(f"breaks off its answer ({error})") from error
        finally:
            response.close()

    def _headers(self, cached: Page | None) -> dict[str, str]:
        headers = {
            "User-Agent": self._manners.user_agent,
            "Accept": "text/html, application/xhtml+xml, application/atom+xml, application/rss+xml, "
            "application/xml;q=0.9, */*;q=0.5",
            "Accept-Encoding": "gzip",
        }
        if cached and cached.etag:
            headers["If-None-Match"] = cached.etag
        if cached and cached.last_modified:
            headers["If-Modified-Since"] = cached.last_modified
        return headers

    def _timeouts(self) -> dict[str, dict[str, float]]:
        seconds = self._manners.timeout
        return {"timeout": {"connect": seconds, "read": seconds, "write": seconds, "pool": seconds}}

    def _read(self, url: str, response: httpx.Response, limit: int) -> _Redirect | _Body | None:
        status, headers = response.status_code, response.headers
        if status == 304:
            return None
        if status in _REDIRECTS and headers.get("location"):
            return _Redirect(joined(url, headers["location"]).partition("#")[0])
        if status in _PASSING:
            raise _PassingError(f"answers {status}", status, _retry_after(headers, self.clock.now()))
        if status != 200:
            what = "there is no such page" if status in _GONE else "it is not given out"
            raise FetchError(f"answers {status}: {what}", "Look at it in a browser.", status)
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > limit:
            raise too_large(limit)
        body = unpack(self._in_time(response), headers.get("content-encoding", ""), limit)
        media, etag, modified = (headers.get(name, "") for name in ("content-type", "etag", "last-modified"))
        return _Body(media, etag, modified, body)

    def _in_time(self, response: httpx.Response) -> Iterator[bytes]:
        """The pieces of a response, as long as it does not take longer than a page may."""
        end = time.monotonic() + self._manners.longest
        for chunk in response.iter_raw():
            if time.monotonic() > end:
                raise FetchError(
                    f"takes longer than {self._manners.longest:.0f} seconds to come", "Try again later."
                )
            yield chunk


@dataclass(frozen=True, slots=True)
class _Redirect:
    url: str


@dataclass(frozen=True, slots=True)
class _Body:
    media: str
    etag: str
    last_modified: str
    data: bytes


class _PassingError(Exception):
    """The host fails in a way that may pass."""

    def __init__(self, reason: str, status: int | None = None, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.status = status
        self.wait = wait


def _retry_after(headers: httpx.Headers, now: float) -> float:
    """Seconds that a host asks to wait, or 0 when it says nothing that can be read."""
    given = headers.get("retry-after", "").strip()
    if given.isdigit():
        return float(given[:9])
    try:
        return max(parsedate_to_datetime(given).timestamp() - now, 0.0) if given else 0.0
    except (ValueError, OverflowError):
        return 0.0


def joined(base: str, url: str) -> str:
    """An address as a page at another address names it; what can not be understood stays as it is."""
    try:
        return urljoin(base, url.strip())
    except ValueError:
        return url


def same_host(one: str, other: str) -> bool:
    """Whether two addresses are of one host; with `www.` or without, plain or encrypted, is the same."""
    host = _host(one)
    return host is not None and host == _host(other)


def _host(url: str) -> tuple[str, int | None] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    name = (parts.hostname or "").lower().removeprefix("www.")
    return name, None if port in (80, 443) else port
