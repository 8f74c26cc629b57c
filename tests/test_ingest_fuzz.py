"""Whatever is given to a reader: an Article or a named Problem, soon, and in little memory."""

from __future__ import annotations

import gzip
import json
import random
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from ingest import sample
from ingest.article import Article
from ingest.explain import as_text, explain
from ingest.feed import read_feed
from ingest.finding import Source
from ingest.problem import Problem, UnreadableError
from ingest.sitemap import read_sitemap
from ingest.sources import read_source
from tests.test_ingest_exports import BODY, PARAGRAPH, WXR, comment, graphql, rest, wp_item

LONGEST_SECONDS = 5.0
MOST_GROWTH = 600_000_000  # bytes
SHORT, LONG = 150, 10_000

FEED = (
    "<?xml version='1.0' encoding='utf-8'?><feed xmlns='http://www.w3.org/2005/Atom'><title>Blog</title>"
    + "".join(
        f"<entry><id>{n}</id><link rel='alternate' href='https://a.example/m/{n}'/><title>Post {n}</title>"
        f"<updated>2026-01-0{n}T00:00:00Z</updated><content type='html'><![CDATA[{BODY}]]></content></entry>"
        for n in range(1, 6)
    )
    + "</feed>"
)
MAP = (
    "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>"
    + "".join(f"<url><loc>https://a.example/m/{n}</loc><lastmod>2026-01-01</lastmod></url>" for n in range(9))
    + "</urlset>"
)
DUMP = (
    f"Menu\nCart 0\n\nPsoas\n\nPosted by Rosa Field on March 3, 2014\n\n{PARAGRAPH}\n\nOrigin\n\n• Sacrum\n\n"
    f"{PARAGRAPH}\n\nLeave a comment\n"
)
TABLE = f'Handle,Title,Body HTML,Tags\npsoas,Psoas,"{BODY}",hip\nhip,Hip,"{BODY}",back\n'


def seeds() -> list[tuple[str, bytes]]:
    pages = sorted(sample.FOLDER.glob("*.html"))[:4]
    return [
        *(("page.html", page.read_bytes()) for page in pages),
        ("dump.txt", DUMP.encode()),
        ("feed.atom", FEED.encode()),
        ("blog.xml", WXR.format(items=wp_item(BODY, extra=comment("Yes."))).encode()),
        ("posts.csv", TABLE.encode()),
        ("posts.json", json.dumps({"articles": [rest()]}).encode()),
        ("bulk.jsonl", json.dumps(graphql()).encode()),
        ("post.md", f"---\ntitle: Psoas\n---\n{PARAGRAPH}\n\n- one\n".encode()),
        ("map.xml", MAP.encode()),
    ]


NASTY = [
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"&#0;",
    b"&#xD800;",
    b"&#99999999;",
    b"&bogus;",
    b"<![CDATA[",
    b"]]>",
    b"<!--",
    b"-->",
    b"<script>",
    b"</html>",
    b"<table><tr><td>",
    b"<div>" * 300,
    b"<ul><li>" * 200,
    b"</p>" * 200,
    b"<a href='",
    b"<p " + b"a=1 " * 500,
    b"<!DOCTYPE x [<!ENTITY a 'b'>]>",
    b"&a;",
    b"<style>.a{display:none}</style>",
    b"style='" + b"x" * 3000,
    b"<h1>" * 100,
    b"{" * 400,
    b"[" * 400,
    b'"',
    b"\\u0000",
    b"<meta charset='utf-7'>",
    b"<meta charset='utf-16'>",
    b"<?xml version='1.0' encoding='bogus'?>",
    b"xmlns:x='",
    b"<link rel=canonical href='http://['>",
    "\u202e\u200b\u00ad\u2028\U0001f9d8".encode(),
    b"a" * 20_000,
    b"a, " * 8_000,
    b"No. " * 8_000,
    b"!" * 5_000,
    b"\n" * 5_000,
    b" " * 20_000,
    b"| " * 5_000,
    b"-" * 5_000,
    b"This is not medical advice and is for information only " * 200,
    b"posted by " * 500,
    b"March 3, 2014 " * 300,
]


def flipped(data: bytes, dice: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(dice.randint(1, 40)):
        changed[dice.randrange(len(changed))] = dice.randrange(256)
    return bytes(changed)


def cut(data: bytes, dice: random.Random) -> bytes:
    return data[: dice.randrange(len(data)) + 1]


def doubled(data: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(data))
    piece = data[start : start + dice.randint(1, 2000)]
    return data[:start] + piece * dice.randint(2, 30) + data[start:]


def poisoned(data: bytes, dice: random.Random) -> bytes:
    for _ in range(dice.randint(1, 6)):
        start = dice.randrange(len(data) + 1)
        data = data[:start] + dice.choice(NASTY) + data[start:]
    return data


def shuffled(data: bytes, dice: random.Random) -> bytes:
    parts = data.split(b"<")
    dice.shuffle(parts)
    return b"<".join(parts)


def recoded(data: bytes, dice: random.Random) -> bytes:
    text = data.decode("utf-8", "replace")
    return text.encode(
        dice.choice(["utf-16", "utf-16-le", "utf-32", "utf-7", "cp1252", "koi8-r", "shift_jis"]), "replace"
    )


def dropped(data: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(data))
    return data[:start] + data[start + dice.randint(1, 500) :] or b"x"


MUTATIONS: Sequence[Callable[[bytes, random.Random], bytes]] = (
    flipped, cut, doubled, poisoned, shuffled, recoded, dropped,
)  # fmt: skip


def cases(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    dice = random.Random(seed)
    given = seeds()
    for _ in range(count):
        name, data = dice.choice(given)
        for _ in range(dice.randint(1, 3)):
            data = dice.choice(MUTATIONS)(data, dice)[:400_000] or b"x"
        yield name, data


def survive(name: str, data: bytes, folder: Path) -> None:
    """Read it every way that fits; the only exceptions are refusals with a reason and a next step."""
    path = folder / name
    path.write_bytes(data)
    for _, result in read_source(Source(path, name, "id")):
        if isinstance(result, Problem):
            assert result.reason
            assert result.next_step.endswith(".")
        else:
            assert isinstance(result, Article)
            assert result.title.strip()
            assert result.text.strip()
            result.text.encode("utf-8")
    with suppress(UnreadableError):
        read_feed(data, "https://a.example/feed")
    with suppress(UnreadableError):
        read_sitemap(data)


def run(count: int, seed: int, folder: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    for number, (name, data) in enumerate(cases(count, seed)):
        start = time.process_time()
        try:
            survive(name, data, folder)
        except BaseException:
            (folder / f"failed-{number}-{name}").write_bytes(data)
            raise
        taken = time.process_time() - start
        if taken > LONGEST_SECONDS:
            (folder / f"slow-{number}-{name}").write_bytes(data)
            pytest.fail(f"case {number} ({name}, {len(data)} bytes) took {taken:.1f} s; it is in {folder}")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    assert grown < MOST_GROWTH


def test_mutated_sources(tmp_path: Path) -> None:
    run(SHORT, 1, tmp_path)


@pytest.mark.stress
@pytest.mark.timeout(3600)
def test_ten_thousand_mutated_sources(tmp_path: Path) -> None:
    run(LONG, 2, tmp_path)


def nested(tag: str, depth: int) -> str:
    return f"<html><body>{f'<{tag}>' * depth}{PARAGRAPH * 3}{f'</{tag}>' * depth}</body></html>"


BOMBS = {
    "laughs.xml": "<?xml version='1.0'?><!DOCTYPE l [<!ENTITY a 'ha'>"
    + "".join(f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(12))
    + "]><rss><channel><item><title>&m;</title></item></channel></rss>",
    "external.xml": "<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><rss><channel><item><title>&x;"
    "</title></item></channel></rss>",
    "parameter.xml": "<!DOCTYPE r [<!ENTITY % x SYSTEM 'http://127.0.0.1:9/x'> %x;]><rss/>",
    "control.html": f"<p>{PARAGRAPH * 3}</p>\x01<script></script>\x02&#1;&#xFFFE;<svg></svg>&#xD800; behind",
    "surrogate.xml": "<rss><channel><item><title>a&#xD800;b</title></item></channel></rss>",
    "address.xml": WXR.format(items=wp_item(BODY)).replace("https://a.example/", "http://["),
    "deep.xml": "<rss>" + "<a>" * 100_000,
    "attributes.xml": "<rss " + " ".join(f"a{n}='1'" for n in range(100_000)) + "/>",
    "deep-div.html": nested("div", 20_000),
    "deep-b.html": nested("b", 20_000),
    "deep-list.html": nested("ul><li", 5_000),
    "deep-table.html": nested("table><tr><td", 3_000),
    "deep-quote.html": nested("blockquote", 20_000),
    "wide.html": "<html><body>" + "<p>A sentence that stands here.</p>" * 40_000 + "</body></html>",
    "links.html": "<html><body>" + "<a href=x>word</a> " * 60_000 + "</body></html>",
    "headings.html": "<html><body><article>" + "<h2><a href=x>Post</a></h2>" * 20_000,
    "comments.html": "<html><body><div class=comments>" + "<div class=comment>" * 3_000 + "Said. " * 2_000,
    "style.html": f"<html><body><p style='{'x:y;' * 100_000}'>{PARAGRAPH * 3}</p></body></html>",
    "css.html": "<html><style>" + "@media a{" * 50_000 + "</style><body><p>" + PARAGRAPH * 3,
    "spaces.txt": " " * 2_000_000,
    "one-line.txt": "word " * 400_000,
    "no-space.txt": "a" * 2_000_000,
    "lines.txt": "Short line\n" * 200_000,
    "commas.txt": "a, " * 500_000,
    "dashes.md": "- " * 20_000 + "x",
    "brackets.md": "[" * 20_000,
    "stars.md": "*" * 50_000 + "a" + "*" * 50_000,
    "quotes.md": "> " * 5_000 + "x",
    # Just below the limits.
    "under-wide.html": "<html><body>" + "<p>A sentence here.</p>" * 14_000 + "</body></html>",
    "under-links.html": "<html><body><p>" + "<a href=x>word</a> " * 14_000 + "</body></html>",
    "under-deep.html": nested("div", 140),
    "under-line.txt": "word " * 79_000,
    "under-lines.txt": "Short line\n" * 7_900,
    "under-sentences.txt": "Psoas\n\n" + "A sentence that stands here, and goes on a while.\n\n" * 3_900,
    "under-commas.txt": "a, " * 130_000,
    "under-capitals.txt": "A B " * 99_000,
    "under-headings.html": "<html><body><article>" + "<h2><a href=x>Post</a></h2>" * 7_000,
    "under-comments.html": "<html><body><div class=comments>" + "<div class=comment>Said.</div>" * 14_000,
    "under-furniture.html": "<html><body><article>" + "<div class=share>Share</div>" * 14_000,
    "deep.json": "[" * 200_000 + "]" * 200_000,
    "keys.json": '{"a":' * 100_000,
    "number.json": "1" * 100_000,
    "cells.csv": "title,content\n" + '"' * 100_001,
    "columns.csv": ",".join(["title", "content", *["x"] * 100_000]) + "\na,b\n",
}  # fmt: skip


# Those just below the limits take a second each.
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.stress] * name.startswith("under-")) for name in BOMBS]
)
def test_bombs(tmp_path: Path, name: str) -> None:
    start = time.process_time()
    survive(name, BOMBS[name].encode(), tmp_path)
    assert time.process_time() - start < LONGEST_SECONDS


def test_packed_bombs() -> None:
    for packed in (gzip.compress(b" " * 200_000_000, 1), gzip.compress(gzip.compress(b"<" * 90_000_000, 1))):
        with pytest.raises(UnreadableError):
            read_sitemap(packed)


def test_every_explanation_ends(tmp_path: Path) -> None:
    for _, data in cases(15, 3):
        text = data.decode("utf-8", "replace")
        assert "words kept" in as_text(explain(text, name="x", fallback_id="x"))
