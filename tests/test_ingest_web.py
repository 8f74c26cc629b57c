"""A live blog, well and badly behaved: what is asked for, how politely, and what is made of the answers."""

from __future__ import annotations

import gzip
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from ingest.article import Article, Comment
from ingest.problem import Problem, UnreadableError
from ingest.sources import Ingested, read_sources
from ingest.web.cache import Cache
from ingest.web.crawl import Crawler, Harvest
from ingest.web.fetch import Clock, Fetcher, FetchError, Manners, same_host
from ingest.web.guard import is_public
from tests.blog_server import Answer, Blog, Pages, serving, with_etag

PARAGRAPH = "The piriformis turns the hip outwards, and the sciatic nerve passes below it in most people. "
START = datetime(2026, 3, 1, tzinfo=UTC).timestamp()


@dataclass
class Time:
    """A clock that stands still until somebody sleeps."""

    seconds: float = START
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 2))
        self.seconds += seconds

    def clock(self) -> Clock:
        return Clock(now=lambda: self.seconds, sleep=self.sleep)


@dataclass
class World:
    """A blog, a clock, and readers of the one by the other."""

    blog: Blog
    time: Time
    stack: ExitStack
    folder: Path

    def fetcher(self, *, allow: bool = True, **manners: float) -> Fetcher:
        self.time.seconds += 10  # between two runs
        cache = Cache(self.folder / "web.sqlite")
        self.stack.callback(cache.close)
        hosts = ("127.0.0.1",) if allow else ()
        fetcher = Fetcher(cache, Manners(**{"timeout": 2.0, **manners}), allow=hosts, clock=self.time.clock())  # type: ignore[arg-type]
        self.stack.callback(fetcher.close)
        return fetcher

    def crawl(self, path: str, is_served: Callable[[Article], bool] = lambda _article: False) -> Harvest:
        return Crawler(self.fetcher(), is_served=is_served).read(self.blog.url + path)

    def ingest(self, path: str, **options: object) -> Ingested:
        return read_sources([self.blog.url + path], crawler=Crawler(self.fetcher()), **options)  # type: ignore[arg-type]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    pages: Pages = {}
    with serving(pages) as blog, ExitStack() as stack:
        yield World(blog, Time(), stack, tmp_path)


def post(name: str, *, url: str = "", text: str = PARAGRAPH * 3, body_class: str = "template-article") -> str:
    link = f'<link rel="canonical" href="{url}">' if url else ""
    return (
        f"<!doctype html><html><head><meta charset=utf-8>{link}<title>{name}</title></head>"
        f"<body class='{body_class}'><article><h1>{name}</h1><div class='rte'><p>{text} Of {name}.</p></div>"
        "</article></body></html>"
    )


def atom(entries: list[tuple[str, str]], *, updated: str = "2026-01-01T00:00:00Z", tail: str = "") -> str:
    shown = "".join(
        f"<entry><id>{url}</id><published>{updated}</published><updated>{updated}</updated>"
        f"<link rel='alternate' type='text/html' href='{url}'/>"
        f"<title>{url.rsplit('/', 1)[-1].title()}</title>"
        f"<author><name>Rosa Field</name></author><content type='html'><![CDATA[{body}]]></content></entry>"
        for url, body in entries
    )
    return f"<?xml version='1.0'?><feed xmlns='http://www.w3.org/2005/Atom'><title>Blog</title>{tail}{shown}</feed>"


def entry(blog: Blog, name: str, extra: str = "") -> tuple[str, str]:
    return f"{blog.url}/blogs/m/{name}", f"<p>{PARAGRAPH * 3}</p><p>Of {name}. {extra}</p>"


def articles(harvest: Harvest) -> list[str]:
    return [result.id for _, result in harvest.results if isinstance(result, Article)]


def problems(harvest: Harvest) -> list[str]:
    return [result.reason for _, result in harvest.results if isinstance(result, Problem)]


# --- which machines may be spoken to -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True),
        ("127.0.0.1", False), ("10.1.2.3", False), ("192.168.0.1", False), ("172.16.5.4", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False),
        ("::1", False), ("fe80::1%eth0", False), ("fc00::1", False), ("::ffff:127.0.0.1", False),
        ("64:ff9b::7f00:1", False), ("2002:7f00:1::", False), ("::ffff:8.8.8.8", True),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_no_inner_address_unless_told(world: World) -> None:
    world.blog.pages["/a"] = post("A")
    with pytest.raises(UnreadableError, match=r"127\.0\.0\.1, which is no address of the open internet"):
        world.fetcher(allow=False).fetch(world.blog.url + "/a")
    assert world.blog.asked == []


def test_a_name_is_judged_by_where_it_leads(world: World) -> None:
    fetcher = Fetcher(
        Cache(), Manners(timeout=1), clock=world.time.clock(), resolve=lambda _h, _p: ["8.8.8.8", "10.0.0.1"]
    )
    with pytest.raises(UnreadableError, match=r"10\.0\.0\.1"):
        fetcher.fetch("http://blog.example/a")
    fetcher.close()


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://blog.example/a", "http://", "http://[::1", "http://user:secret@127.0.0.1/", "gopher://x/"],
)  # fmt: skip
def test_what_is_no_address_of_the_web(world: World, url: str) -> None:
    with pytest.raises(UnreadableError):
        world.fetcher().fetch(url)


def test_no_redirect_off_the_host(world: World) -> None:
    world.blog.pages["/a"] = Answer(status=302, headers={"Location": "http://elsewhere.example/a"})
    with pytest.raises(FetchError, match="redirected to another host"):
        world.fetcher().fetch(world.blog.url + "/a")


def test_redirects_on_the_host_are_followed_and_end(world: World) -> None:
    world.blog.pages["/a"] = Answer(status=301, headers={"Location": "/b"})
    world.blog.pages["/b"] = post("B")
    world.blog.pages["/round"] = Answer(status=302, headers={"Location": "/round"})
    assert world.fetcher().fetch(world.blog.url + "/a").final_url.endswith("/b")
    with pytest.raises(FetchError, match="redirected more than 5 times"):
        world.fetcher().fetch(world.blog.url + "/round")


def test_the_same_host() -> None:
    assert same_host("https://www.a.example/x", "http://a.example/y")
    assert not same_host("https://a.example", "https://b.example")
    assert not same_host("https://a.example", "https://a.example:8443")
    assert not same_host("https://a.example.evil.example", "https://a.example")


# --- manners -----------------------------------------------------------------------------------------


def test_robots_txt_is_obeyed(world: World) -> None:
    world.blog.pages |= {"/robots.txt": "User-agent: *\nDisallow: /private\nAllow: /private/open\n",
                         "/private/a": post("A"), "/private/open": post("B")}  # fmt: skip
    with pytest.raises(FetchError, match=r"robots\.txt forbids it"):
        world.fetcher().fetch(world.blog.url + "/private/a")
    assert world.fetcher().fetch(world.blog.url + "/private/open").body
    assert world.blog.paths() == ["/private/open"]


def test_a_broken_robots_txt_forbids_and_a_missing_one_allows(world: World) -> None:
    world.blog.pages |= {"/robots.txt": Answer("", 503), "/a": post("A")}
    with pytest.raises(FetchError, match=r"robots\.txt answers 503"):
        world.fetcher().fetch(world.blog.url + "/a")
    world.blog.pages["/robots.txt"] = Answer("", 404)
    assert world.fetcher().fetch(world.blog.url + "/a").body


def test_one_request_a_second_or_as_robots_txt_asks(world: World) -> None:
    world.blog.pages |= {"/robots.txt": "User-agent: *\nCrawl-delay: 7", "/a": "a", "/b": "b"}
    fetcher = world.fetcher()
    for path in ("/a", "/b"):
        fetcher.fetch(world.blog.url + path)
    assert world.time.slept == [7.0, 7.0]
    assert all("Referral" in asked.headers["user-agent"] for asked in world.blog.asked)


def test_a_busy_host_is_asked_again_when_it_says(world: World) -> None:
    later = datetime.fromtimestamp(START + 101, UTC)
    answers = [
        Answer("", 429, {"Retry-After": "30"}),
        Answer("", 503, {"Retry-After": format_datetime(later, usegmt=True)}),
        Answer(post("A")),
    ]  # fmt: skip
    world.blog.pages["/a"] = lambda _asked: answers.pop(0)
    assert world.fetcher(delay=0).fetch(world.blog.url + "/a").body
    assert world.time.slept == [30.0, 61.0]


def test_a_host_that_stays_busy_is_left_alone(world: World) -> None:
    world.blog.pages["/a"] = Answer("", 503)
    world.blog.pages["/b"] = Answer("", 429, {"Retry-After": "86400"})
    with pytest.raises(FetchError, match=r"answers 503 \(asked 4 times") as raised:
        world.fetcher(delay=0).fetch(world.blog.url + "/a")
    assert not raised.value.is_gone
    assert len(world.time.slept) == 3
    with pytest.raises(FetchError, match=r"answers 429 \(asked 1 times"):
        world.fetcher(delay=0).fetch(world.blog.url + "/b")


def test_what_has_not_changed_is_not_sent_again(world: World) -> None:
    world.blog.pages["/a"] = with_etag(post("A"), '"1"')
    first = world.fetcher().fetch(world.blog.url + "/a")
    again = world.fetcher().fetch(world.blog.url + "/a")
    assert again.body == first.body
    assert world.blog.asked[-1].headers["if-none-match"] == '"1"'
    world.blog.pages["/a"] = with_etag(post("A2"), '"2"')
    assert b"A2" in world.fetcher().fetch(world.blog.url + "/a").body


def test_a_damaged_cache_is_begun_anew(world: World) -> None:
    world.blog.pages["/a"] = post("A")
    (world.folder / "web.sqlite").write_bytes(b"SQLite format 3\0 and then rubbish" * 100)
    assert world.fetcher().fetch(world.blog.url + "/a").body
    with sqlite3.connect(world.folder / "web.sqlite") as db:
        assert db.execute("select count(*) from pages").fetchone() == (1,)
    db.close()


# --- hosts that behave badly -------------------------------------------------------------------------


def bomb(size: int = 30_000_000) -> bytes:
    return gzip.compress(b"\0" * size)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(bomb(), headers={"Content-Encoding": "gzip"}), "larger than 20,000,000 bytes when unpacked"),
        (Answer(b"x" * 21_000_000), "larger than"),
        (Answer(b"", headers={"Content-Length": "99999999999"}), "larger than"),
        (Answer(b"not gzip", headers={"Content-Encoding": "gzip"}), "damaged gzip"),
        (Answer(gzip.compress(b"x" * 9999)[:-30], headers={"Content-Encoding": "gzip"}), "breaks off"),
        (Answer(b"x", headers={"Content-Encoding": "br"}), "packed as br"),
        (Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nshort"), "breaks off its answer"),
        (Answer(raw=b"this is not HTTP\r\n\r\n"), "can not be reached"),
        (Answer(raw=b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000 + b"\r\n\r\n"), "can not be reached"),
        (Answer("", 403), "answers 403"),
        (Answer("", 404), "there is no such page"),
        (Answer("", 304), "not modified"),
    ],
)  # fmt: skip
def test_bad_answers_are_named(world: World, answer: Answer, reason: str) -> None:
    world.blog.pages["/a"] = answer
    with pytest.raises(UnreadableError, match=reason):
        world.fetcher(tries=2).fetch(world.blog.url + "/a")


def test_packed_twice_and_deflated(world: World) -> None:
    world.blog.pages["/a"] = Answer(
        gzip.compress(gzip.compress(b"words")), headers={"Content-Encoding": "gzip, gzip"}
    )
    world.blog.pages["/b"] = Answer(zlib.compress(b"words"), headers={"Content-Encoding": "deflate"})
    assert world.fetcher().fetch(world.blog.url + "/a").body == b"words"
    assert world.fetcher().fetch(world.blog.url + "/b").body == b"words"


def test_nobody_there(world: World) -> None:
    with pytest.raises(FetchError, match="can not be reached"):
        world.fetcher(tries=2).fetch("http://127.0.0.1:9/a")


# --- pages -------------------------------------------------------------------------------------------


def test_a_page_and_then_it_is_gone(world: World) -> None:
    world.blog.pages["/blogs/m/psoas"] = post("Psoas")
    read = world.ingest("/blogs/m/psoas")
    assert [(one.id, one.url) for one in read.articles] == [
        ("/blogs/m/psoas", world.blog.url + "/blogs/m/psoas")
    ]
    assert (read.origins[0].kind, read.origins[0].key) == ("page", world.blog.url + "/blogs/m/psoas")
    del world.blog.pages["/blogs/m/psoas"]
    read = world.ingest("/blogs/m/psoas")
    assert (read.articles, read.problems) == ((), ())
    assert read.covers(world.blog.url + "/blogs/m/psoas", "/blogs/m/psoas")
    assert read.covers("export", "/blogs/m/psoas")
    assert not read.covers("export", "/blogs/m/other")


def test_a_page_that_fails_is_not_gone(world: World) -> None:
    world.blog.pages["/blogs/m/psoas"] = post("Psoas")
    world.ingest("/blogs/m/psoas")
    for status in (403, 500):
        world.blog.pages["/blogs/m/psoas"] = Answer("", status)
        read = world.ingest("/blogs/m/psoas")
        assert [problem.source for problem in read.problems] == [world.blog.url + "/blogs/m/psoas"]
        assert not read.covers(world.blog.url + "/blogs/m/psoas", "/blogs/m/psoas")


def test_a_list_of_posts_leads_to_its_feed(world: World) -> None:
    link = '<link rel="alternate" type="application/atom+xml" href="/blogs/m.atom">'
    world.blog.pages["/blogs/m"] = post("Blog", body_class="template-blog").replace("<meta", link + "<meta")
    world.blog.pages["/blogs/m.atom"] = atom([entry(world.blog, "psoas")])
    assert articles(world.crawl("/blogs/m")) == ["/blogs/m/psoas"]


def test_the_first_page_leads_to_the_sitemap(world: World) -> None:
    world.blog.pages |= {"/": "<html><body><p>Welcome.</p></body></html>", "/blogs/m/psoas": post("Psoas"),
                         "/sitemap.xml": sitemap(f"{world.blog.url}/blogs/m/psoas")}  # fmt: skip
    assert articles(world.crawl("/")) == ["/blogs/m/psoas"]


@pytest.mark.parametrize("charset", ["windows-1252", "iso-8859-15"])
def test_the_encoding_of_the_header(world: World, charset: str) -> None:
    body = post("Psoas", text="Naïve café’s words. ".replace("’", "'") + PARAGRAPH * 3).replace(
        "<meta charset=utf-8>", ""
    )
    world.blog.pages["/a/psoas"] = Answer(
        body.encode(charset), headers={"Content-Type": f"text/html; charset={charset}"}
    )
    assert world.ingest("/a/psoas").articles[0].text.startswith("Naïve café's words.")


# --- feeds -------------------------------------------------------------------------------------------


def shop_feed(blog: Blog, names: list[str], size: int = 2) -> None:
    """A feed as Shopify pages it: `?page=2` and on, and an empty one behind the last."""
    pages = [names[start : start + size] for start in range(0, len(names), size)]
    for number in range(1, len(pages) + 2):
        path = "/blogs/m.atom" if number == 1 else f"/blogs/m.atom?page={number}"
        shown = pages[number - 1] if number <= len(pages) else []
        blog.pages[path] = with_etag(
            atom([entry(blog, name) for name in shown]), f'"{"-".join(shown)}"', "application/atom+xml"
        )


def test_a_paged_feed_of_a_shop(world: World) -> None:
    shop_feed(world.blog, ["e", "d", "c", "b", "a"])
    harvest = world.crawl("/blogs/m.atom")
    assert articles(harvest) == [f"/blogs/m/{name}" for name in "edcba"]
    assert harvest.kind == "feed"
    first = harvest.results[0][1]
    assert isinstance(first, Article)
    assert (first.author, first.published, first.title) == ("Rosa Field", "2026-01-01T00:00:00+00:00", "E")


def test_only_the_new_page_of_a_feed_is_read_again(world: World) -> None:
    shop_feed(world.blog, ["e", "d", "c", "b", "a"])
    served = {result.id for _, result in world.crawl("/blogs/m.atom").results if isinstance(result, Article)}
    world.blog.asked.clear()
    shop_feed(world.blog, ["f", "e", "d", "c", "b", "a"])
    harvest = world.crawl("/blogs/m.atom", lambda one: one.id in served)
    assert articles(harvest) == [f"/blogs/m/{name}" for name in "fedc"]
    assert world.blog.paths() == ["/blogs/m.atom", "/blogs/m.atom?page=2"]
    world.time.seconds += 90_000
    world.blog.asked.clear()
    world.crawl("/blogs/m.atom", lambda _one: True)
    assert len(world.blog.paths()) == 4  # once a day to its end


def test_a_feed_is_no_proof_of_deletion_and_404_is(world: World) -> None:
    shop_feed(world.blog, ["b", "a"])
    for name in "ab":
        world.blog.pages[f"/blogs/m/{name}"] = post(name)
    assert len(world.ingest("/blogs/m.atom").articles) == 2
    shop_feed(world.blog, ["c"])
    read = world.ingest("/blogs/m.atom")
    # Both are no longer in the feed; both were asked for and are there.
    assert sorted(one.id for one in read.articles) == ["/blogs/m/a", "/blogs/m/b", "/blogs/m/c"]
    del world.blog.pages["/blogs/m/a"]
    read = world.ingest("/blogs/m.atom")
    key = world.blog.url + "/blogs/m/"
    assert read.covers(key + "a", "/blogs/m/a")
    assert not read.covers(key + "b", "/blogs/m/b")
    assert not read.covers(key + "never-seen", "/blogs/m/never-seen")


def test_a_feed_that_never_ends_ends(world: World) -> None:
    same = atom([entry(world.blog, "a")], tail=f"<link rel='next' href='{world.blog.url}/feed?n=1'/>")
    world.blog.pages |= {"/feed": same, "/feed?n=1": same}
    assert articles(world.crawl("/feed")) == ["/blogs/m/a"]
    assert world.blog.paths() == ["/feed", "/feed?n=1"]


def test_a_feed_that_goes_on_elsewhere(world: World) -> None:
    world.blog.pages["/feed"] = atom(
        [entry(world.blog, "a")], tail="<link rel='next' href='http://evil.example/2'/>"
    )
    harvest = world.crawl("/feed")
    assert "another host" in " ".join(harvest.notes)
    assert articles(harvest) == ["/blogs/m/a"]


RSS = """<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>Blog</title>
<generator>https://wordpress.org/?v=6.4</generator>{items}</channel></rss>"""


def item(url: str, body: str = "", summary: str = "", title: str = "Psoas &amp; back") -> str:
    content = f"<content:encoded><![CDATA[{body}]]></content:encoded>" if body else ""
    return (
        f"<item><title>{title}</title><link>{url}?utm_source=rss</link>"
        f"<guid isPermaLink='false'>{url}?p=1</guid>"
        f"<dc:creator><![CDATA[Rosa Field]]></dc:creator><pubDate>Tue, 03 Mar 2026 10:00:00 +0000</pubDate>"
        f"<category>hip</category><category>Uncategorized</category>"
        f"<description><![CDATA[{summary}]]></description>{content}</item>"
    )


def test_wordpress_whole_posts_paged(world: World) -> None:
    stamp = "<p>The post <a href='x'>Psoas</a> appeared first on <a href='y'>Blog</a>.</p>"
    world.blog.pages["/feed/"] = RSS.format(
        items=item(f"{world.blog.url}/2026/psoas/", f"<p>{PARAGRAPH * 3}</p>{stamp}")
    )
    world.blog.pages["/feed/?paged=2"] = RSS.format(
        items=item(f"{world.blog.url}/2026/hip/", f"<p>{PARAGRAPH * 3}</p>")
    )
    harvest = world.crawl("/feed/")
    first = harvest.results[0][1]
    assert isinstance(first, Article)
    assert first.text == (PARAGRAPH * 3).strip()
    assert (first.title, first.author, first.published, first.tags) == (
        "Psoas & back", "Rosa Field", "2026-03-03T10:00:00+00:00", ("hip",),
    )  # fmt: skip
    assert articles(harvest) == ["/2026/psoas/", "/2026/hip/"]
    assert world.blog.paths()[-1] == "/feed/?paged=3"


def test_a_feed_of_summaries_leads_to_the_pages(world: World) -> None:
    url = f"{world.blog.url}/2026/psoas/"
    world.blog.pages["/feed/"] = RSS.format(items=item(url, summary="The piriformis turns [&#8230;]"))
    world.blog.pages["/2026/psoas/"] = post("Psoas", url=url)
    assert articles(world.crawl("/feed/")) == ["/2026/psoas/"]


def test_what_a_feed_does_not_tell_stays(world: World) -> None:
    shop_feed(world.blog, ["a"])
    (read,) = world.ingest("/blogs/m.atom").articles
    served = replace(read, comments=(Comment("Thanks."),), tags=("hip",))
    (again,) = world.ingest("/blogs/m.atom", last_good={read.id: served}.get).articles
    assert (again.comments, again.tags) == (served.comments, ("hip",))


def test_broken_feeds(world: World) -> None:
    url = f"{world.blog.url}/blogs/m/a"
    world.blog.pages["/feed"] = atom([(url, f"<p>{PARAGRAPH * 3}</p>")]).replace(
        "<title>Blog</title>", "<title>A & B &nbsp;</titel>"
    )
    assert articles(world.crawl("/feed")) == ["/blogs/m/a"]
    world.blog.pages["/feed"] = "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'aaaa'>]><feed>&a;</feed>"
    with pytest.raises(UnreadableError):
        world.crawl("/feed")


# --- sitemaps ----------------------------------------------------------------------------------------


def sitemap(*urls: str, modified: str = "") -> str:
    last = f"<lastmod>{modified}</lastmod>" if modified else ""
    listed = "".join(f"<url><loc>{url}</loc>{last}</url>" for url in urls)
    return (
        f"<?xml version='1.0'?><urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{listed}</urlset>"
    )


def index_of(*urls: str) -> str:
    listed = "".join(f"<sitemap><loc>{url}</loc></sitemap>" for url in urls)
    return f"<sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{listed}</sitemapindex>"


def test_a_nested_packed_sitemap_of_a_shop(world: World) -> None:
    url = world.blog.url
    world.blog.pages |= {
        "/sitemap.xml": index_of(f"{url}/sitemap_products_1.xml", f"{url}/sitemap_blogs_1.xml",
                                 f"{url}/sitemap.xml", "http://elsewhere.example/sitemap.xml"),
        "/sitemap_products_1.xml": sitemap(f"{url}/products/ball"),
        "/sitemap_blogs_1.xml": index_of(f"{url}/blogs.xml.gz"),
        "/blogs.xml.gz": Answer(gzip.compress(sitemap(
            f"{url}/blogs/m", f"{url}/blogs/m/psoas", f"{url}/en-gb/blogs/m/psoas",
            f"{url}/blogs/m/tagged/hip", f"{url}/cart", f"{url}/blogs/m/hip?utm_source=x", "http://elsewhere.example/blogs/m/far",
        ).encode())),
        "/blogs/m/psoas": post("Psoas"), "/blogs/m/hip": post("Hip"),
    }  # fmt: skip
    harvest = world.crawl("/sitemap.xml")
    assert articles(harvest) == ["/blogs/m/psoas", "/blogs/m/hip"]
    assert problems(harvest) == []
    assert world.blog.paths() == [
        "/sitemap.xml",
        "/sitemap_blogs_1.xml",
        "/blogs.xml.gz",
        "/blogs/m/psoas",
        "/blogs/m/hip",
    ]


def test_pages_that_are_no_posts_are_passed_over(world: World) -> None:
    url = world.blog.url
    listed = [f"{url}/a/{name}" for name in ("psoas", "list", "gone", "off")]
    world.blog.pages |= {"/sitemap.xml": sitemap(*listed),
                         "/a/psoas": post("Psoas"), "/a/list": post("List", body_class="template-blog"),
                         "/a/off": Answer("", 403)}  # fmt: skip
    read = world.ingest("/sitemap.xml")
    assert [one.id for one in read.articles] == ["/a/psoas"]
    assert [problem.source for problem in read.problems] == [f"{url}/a/off"]
    assert read.covers(f"{url}/a/gone", "/a/gone")
    assert not read.covers(f"{url}/a/off", "/a/off")


def test_what_a_sitemap_dates_before_the_last_visit_is_not_asked_for(world: World) -> None:
    url = world.blog.url
    world.blog.pages |= {
        "/sitemap.xml": sitemap(f"{url}/a/psoas", modified="2026-01-01"),
        "/a/psoas": post("Psoas"),
    }
    world.crawl("/sitemap.xml")
    world.blog.asked.clear()
    world.time.seconds += 7200
    assert articles(world.crawl("/sitemap.xml")) == ["/a/psoas"]
    assert world.blog.paths() == ["/sitemap.xml"]
    world.time.seconds += 90_000
    world.crawl("/sitemap.xml")
    assert world.blog.paths()[-1] == "/a/psoas"


def test_a_run_that_was_cut_short_goes_on_where_it_stopped(world: World) -> None:
    url = world.blog.url
    world.blog.pages |= {f"/a/{n}": post(f"Post {n}") for n in range(4)}
    world.blog.pages["/sitemap.xml"] = sitemap(*(f"{url}/a/{n}" for n in range(4)))

    def stop(done: int, _total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Crawler(world.fetcher(), told=stop).read(url + "/sitemap.xml")
    world.blog.asked.clear()
    assert len(articles(world.crawl("/sitemap.xml"))) == 4
    assert world.blog.paths() == ["/sitemap.xml", "/a/2", "/a/3"]
    world.blog.asked.clear()
    world.crawl("/sitemap.xml")  # a new run asks for everything
    assert len(world.blog.paths()) == 5


def test_a_host_that_falls_over_is_left_alone(world: World) -> None:
    url = world.blog.url
    world.blog.pages["/sitemap.xml"] = sitemap(*(f"{url}/a/{n}" for n in range(40)))
    for n in range(40):
        world.blog.pages[f"/a/{n}"] = Answer("", 500)
    read = world.ingest("/sitemap.xml")
    assert "5 times in a row" in read.problems[-1].reason
    assert len(set(world.blog.paths())) == 6
    assert not any(read.covers(f"{url}/a/{n}", f"/a/{n}") for n in range(40))


def test_a_post_that_moved_is_there_once(world: World) -> None:
    url = world.blog.url
    world.blog.pages |= {"/sitemap.xml": sitemap(f"{url}/a/old"), "/a/old": post("Psoas", url=f"{url}/a/old")}
    world.ingest("/sitemap.xml")
    world.blog.pages |= {"/sitemap.xml": sitemap(f"{url}/a/new"), "/a/new": post("Psoas", url=f"{url}/a/new"),
                         "/a/old": Answer(status=301, headers={"Location": "/a/new"})}  # fmt: skip
    read = world.ingest("/sitemap.xml")
    assert [one.id for one in read.articles] == ["/a/new"]
    assert read.covers(f"{url}/a/old", "/a/old")
    assert not read.covers(f"{url}/a/new", "/a/new")


def test_the_same_post_under_hosts_locales_and_tracking_is_one(world: World) -> None:
    url = world.blog.url
    canonical = "https://www.blog.example/blogs/m/psoas"
    world.blog.pages |= {
        path: post("Psoas", url=canonical) for path in ("/blogs/m/psoas", "/fr/blogs/m/psoas")
    }
    world.blog.pages["/sitemap.xml"] = sitemap(
        f"{url}/blogs/m/psoas?fbclid=1", f"{url}/blogs/m/psoas", f"{url}/fr/blogs/m/psoas"
    )
    read = world.ingest("/sitemap.xml")
    assert [(one.id, one.url) for one in read.articles] == [("/blogs/m/psoas", canonical)]
    assert read.problems == ()


def test_a_packed_sitemap_that_explodes(world: World) -> None:
    world.blog.pages["/sitemap.xml.gz"] = Answer(gzip.compress(b"<" + b" " * 60_000_000))
    harvest = world.crawl("/sitemap.xml.gz")
    assert "larger than" in problems(harvest)[0]


def test_a_new_post_that_was_withdrawn_is_noticed_without_reading_the_whole_feed(world: World) -> None:
    names = ["d", "c", "b", "a"]

    def publish(shown: list[str]) -> None:
        for number, some in enumerate((shown[:2], shown[2:4], []), start=1):
            path = "/blogs/m.atom" if number == 1 else f"/blogs/m.atom?page={number}"
            parts = [
                atom([entry(world.blog, one)], updated=f"2026-01-0{ord(one) - 96}T00:00:00Z") for one in some
            ]
            joined = "".join(part[part.index("<entry>") : -len("</feed>")] for part in parts)
            world.blog.pages[path] = atom([]).replace("</feed>", f"{joined}</feed>")

    publish(names)
    for name in names:
        world.blog.pages[f"/blogs/m/{name}"] = post(name)
    world.crawl("/blogs/m.atom")
    publish(["d", "b", "a"])
    del world.blog.pages["/blogs/m/c"]
    world.blog.asked.clear()
    harvest = world.crawl("/blogs/m.atom", lambda _one: True)
    assert harvest.gone == [(world.blog.url + "/blogs/m/c", "/blogs/m/c")]
    assert world.blog.paths() == ["/blogs/m.atom", "/blogs/m/c"]


def test_a_page_of_a_feed_that_the_maintainer_names_is_proof(world: World) -> None:
    shop_feed(world.blog, ["a"])
    world.crawl("/blogs/m.atom")
    assert world.ingest("/blogs/m/a").covers("export", "/blogs/m/a")
    (problem,) = world.ingest("/blogs/m/never-there").problems
    assert "there is no such page" in problem.reason
