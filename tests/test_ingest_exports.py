"""Exports as shops and blogs write them: every published post, nothing else, and what is missing is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest.sources import Ingested, read_sources

PARAGRAPH = "The piriformis turns the hip outwards, and the sciatic nerve passes below it in most people. "
BODY = (
    f"<meta charset='utf-8'><p>{PARAGRAPH * 2}</p><h2>Origin</h2><ul><li>Sacrum</li></ul><p>It is short.</p>"
)
TEXT = f"{PARAGRAPH * 2}".strip() + "\n\n## Origin\n\n- Sacrum\n\nIt is short."


def read(tmp_path: Path, name: str, content: object) -> Ingested:
    text = content if isinstance(content, str) else json.dumps(content)
    (tmp_path / name).write_text(text, encoding="utf-8")
    return read_sources([tmp_path / name])


def rest(handle: str = "psoas", **fields: object) -> dict[str, object]:
    return {
        "id": 1, "title": "Psoas &", "body_html": BODY, "blog_id": 7, "author": "Rosa Field",
        "created_at": "2026-01-01T10:00:00-05:00", "published_at": "2026-01-02T10:00:00-05:00",
        "updated_at": "2026-02-01T10:00:00-05:00", "handle": handle, "tags": "hip, back", "user_id": None,
        "summary_html": "<p>Short.</p>", "template_suffix": "", **fields,
    }  # fmt: skip


def graphql(handle: str = "psoas", **fields: object) -> dict[str, object]:
    return {
        "id": f"gid://shopify/Article/{handle}", "handle": handle, "title": "Psoas &", "body": BODY,
        "author": {"name": "Rosa Field"}, "blog": {"handle": "m"}, "tags": ["hip", "back"],
        "isPublished": True,
        "publishedAt": "2026-01-02T15:00:00Z", "updatedAt": "2026-02-01T15:00:00Z", **fields,
    }  # fmt: skip


def test_rest(tmp_path: Path) -> None:
    found = read(tmp_path, "a.json", {"articles": [rest(), rest("draft", published_at=None)]})
    (article,) = found.articles
    assert (article.id, article.title, article.author) == ("psoas", "Psoas &", "Rosa Field")
    assert (article.text, article.tags) == (TEXT, ("hip", "back"))
    assert article.published == "2026-01-02T10:00:00-05:00"
    assert found.notes == (f"{tmp_path / 'a.json'}: 1 of its posts are not published; left out.",)
    assert found.origins[0].kind == "export"
    assert found.covers("export", "psoas-old")


def test_rest_with_its_blogs(tmp_path: Path) -> None:
    content = {"blogs": [{"id": 7, "handle": "m"}], "articles": [rest()]}
    assert [one.id for one in read(tmp_path, "a.json", content).articles] == ["/blogs/m/psoas"]


def test_a_full_page_of_rest_is_no_proof(tmp_path: Path) -> None:
    posts = [rest(f"post-{n}", body_html=f"<p>{PARAGRAPH} {n}</p>") for n in range(250)]
    found = read(tmp_path, "a.json", {"articles": posts})
    assert len(found.articles) == 250
    assert not found.covers("export", "another")
    assert "part of an export" in found.notes[0]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda posts: {"data": {"articles": {"nodes": posts}}},
        lambda posts: {"data": {"articles": {"edges": [{"cursor": "x", "node": post} for post in posts]}}},
        lambda posts: {"data": {"blogs": {"nodes": [{"handle": "m", "articles": {"nodes": posts}}]}}},
        lambda posts: [{"data": {"articles": {"nodes": [post]}}} for post in posts],
        lambda posts: posts,
    ],
)
def test_graphql(tmp_path: Path, wrap) -> None:  # type: ignore[no-untyped-def]
    comments = {"nodes": [
        {"bodyHtml": "<p>It helped.</p>", "status": "PUBLISHED", "createdAt": "2026-03-01T00:00:00Z"},
        {"bodyHtml": "<p>Buy pills</p>", "status": "SPAM"},
    ]}  # fmt: skip
    content = wrap([graphql(comments=comments), graphql("draft", isPublished=False)])
    (article,) = read(tmp_path, "a.json", content).articles
    assert (article.id, article.text, article.tags) == ("/blogs/m/psoas", TEXT, ("hip", "back"))
    assert [comment.text for comment in article.comments] == ["It helped."]


def test_graphql_that_has_a_next_page_is_no_proof(tmp_path: Path) -> None:
    answer = {"data": {"articles": {"nodes": [graphql()], "pageInfo": {"hasNextPage": True}}}}
    assert not read(tmp_path, "a.json", answer).covers("export", "another")


def test_a_bulk_operation(tmp_path: Path) -> None:
    lines = [
        graphql(),
        {"id": "gid://shopify/Comment/1", "body": "It helped.", "status": "PUBLISHED",
         "__parentId": "gid://shopify/Article/psoas"},
        graphql("hip", body=f"<p>{PARAGRAPH}</p>"),
    ]  # fmt: skip
    found = read(tmp_path, "a.jsonl", "\n".join(map(json.dumps, lines)) + "\nbroken\n")
    assert [one.id for one in found.articles] == ["/blogs/m/psoas", "/blogs/m/hip"]
    assert [one.text for one in found.articles[0].comments] == ["It helped."]
    assert [problem.line for problem in found.problems] == [4]
    assert not found.covers("export", "another")


def cells(*values: str) -> str:
    return ",".join('"' + value.replace('"', '""') + '"' for value in values)


def test_a_table_of_matrixify(tmp_path: Path) -> None:
    head = (
        "ID,Handle,Command,Title,Author,Body HTML,Tags,Published,Published At,Blog: Handle,"
        "Comment: Body HTML,Comment: Status"
    )
    rows = [
        cells("1", "psoas", "MERGE", "Psoas &", "Rosa Field", BODY.replace("</p>", "</p>\n"), "hip, back",
              "TRUE", "2026-01-02 10:00:00 -0500", "m", "<p>It helped.</p>", "published"),
        cells("1", "psoas", "MERGE", "", "", "", "", "", "", "", "Me too.", "published"),
        cells("1", "psoas", "MERGE", "", "", "", "", "", "", "", "Spam.", "spam"),
        cells("2", "draft", "MERGE", "Draft", "Rosa", BODY, "", "FALSE", "", "m", "", ""),
        cells("3", "old", "DELETE", "Old", "Rosa", BODY, "", "TRUE", "", "m", "", ""),
        cells("4", "empty", "MERGE", "Empty", "Rosa", "", "", "TRUE", "", "m", "", ""),
    ]  # fmt: skip
    found = read(tmp_path, "posts.csv", "\ufeff" + "\r\n".join([head, *rows]))
    (article,) = found.articles
    assert (article.id, article.text, article.tags) == ("/blogs/m/psoas", TEXT, ("hip", "back"))
    assert article.published == "2026-01-02T10:00:00-05:00"
    assert [one.text for one in article.comments] == ["It helped.", "Me too."]
    assert [problem.reason for problem in found.problems] == ["has no text"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_plain_table(tmp_path: Path, delimiter: str) -> None:
    body = PARAGRAPH.replace(",", "") + "\n\n" + "A second paragraph."
    content = f'title{delimiter}content{delimiter}url\nPsoas{delimiter}"{body}"{delimiter}https://a.example/m/psoas?utm_x=1\n'
    (article,) = read(tmp_path, "posts.csv", content).articles
    assert article.id == "/m/psoas"
    assert article.text.split("\n\n") == [PARAGRAPH.replace(",", "").strip(), "A second paragraph."]


def test_tables_of_other_things(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, "stock.csv", "sku,price\n1,2\n").problems
    assert "no columns for a title and a body" in problem.reason
    (tmp_path / "feed.xml").write_text("<sitemapindex/>")
    (tmp_path / "a.txt").write_text("Piriformis\n\n" + PARAGRAPH * 3)
    found = read_sources([tmp_path])  # in a folder they are nobody's business
    assert (len(found.articles), found.problems) == (1, ())


WXR = """<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:wp="http://wordpress.org/export/1.2/"><channel><title>Blog</title>
<wp:wxr_version>1.2</wp:wxr_version>{items}</channel></rss>"""


def wp_item(
    content: str, *, kind: str = "post", status: str = "publish", name: str = "psoas", extra: str = ""
) -> str:
    return f"""<item><title>Psoas &amp; back</title><link>https://a.example/2026/{name}/</link>
<dc:creator><![CDATA[rosa]]></dc:creator><excerpt:encoded><![CDATA[Short.]]></excerpt:encoded>
<content:encoded><![CDATA[{content}]]></content:encoded><wp:post_id>1</wp:post_id>
<wp:post_date_gmt>2026-01-02 15:00:00</wp:post_date_gmt>
<wp:post_modified_gmt>2026-02-01 15:00:00</wp:post_modified_gmt>
<wp:post_name>{name}</wp:post_name><wp:status>{status}</wp:status><wp:post_type>{kind}</wp:post_type>
<category domain="post_tag" nicename="hip"><![CDATA[hip]]></category>
<category domain="category" nicename="uncategorized"><![CDATA[Uncategorized]]></category>{extra}</item>"""


def comment(text: str, approved: str = "1", kind: str = "comment") -> str:
    return f"""<wp:comment><wp:comment_author><![CDATA[Ann]]></wp:comment_author>
<wp:comment_date_gmt>2026-03-01 00:00:00</wp:comment_date_gmt>
<wp:comment_content><![CDATA[{text}]]></wp:comment_content>
<wp:comment_approved>{approved}</wp:comment_approved><wp:comment_type>{kind}</wp:comment_type></wp:comment>"""


def test_wordpress(tmp_path: Path) -> None:
    classic = (
        f'{PARAGRAPH}\n\n[caption id="x" width="3"]<img src=\'a.png\'/> Where it sits[/caption]\n\n'
        '<h2>Origin</h2>\n<ul>\n<li>Sacrum</li>\n</ul>\n[gallery ids="1,2"]\nA line\nand another [sic].\n\n'
        "<!-- wp:paragraph -->It is short.<!-- /wp:paragraph -->"
    )
    said = (
        comment("It helped.\n\nA lot.")
        + comment("Spam", "spam")
        + comment("ping", kind="pingback")
        + comment("wait", "0")
    )
    items = (
        wp_item(classic, extra=said) + wp_item(BODY, kind="page") + wp_item(BODY, status="draft", name="d")
        + wp_item("x.png", kind="attachment")
        + wp_item(BODY, name="secret", extra="<wp:post_password>x</wp:post_password>")
    )  # fmt: skip
    found = read(tmp_path, "blog.xml", WXR.format(items=items))
    (article,) = found.articles
    assert (article.id, article.url) == ("/2026/psoas/", "https://a.example/2026/psoas/")
    assert (article.title, article.author, article.tags) == ("Psoas & back", "rosa", ("hip",))
    assert (article.published, article.updated) == ("2026-01-02T15:00:00+00:00", "2026-02-01T15:00:00+00:00")
    assert article.text.split("\n\n") == [
        PARAGRAPH.strip(), "Where it sits", "## Origin", "- Sacrum", "A line\nand another [sic].",
        "It is short.",
    ]  # fmt: skip
    assert [one.text for one in article.comments] == ["It helped.\n\nA lot."]
    assert found.problems == ()
    assert "2 of its posts are not published" in found.notes[0]
    assert found.covers("export", "/2026/other/")


def test_gutenberg(tmp_path: Path) -> None:
    blocks = (
        "<!-- wp:heading -->\n<h2>Origin</h2>\n<!-- /wp:heading -->\n\n"
        f"<!-- wp:paragraph -->\n<p>{PARAGRAPH}</p>\n<!-- /wp:paragraph -->"
    )
    (article,) = read(tmp_path, "blog.xml", WXR.format(items=wp_item(blocks))).articles
    assert article.text == f"## Origin\n\n{PARAGRAPH.strip()}"


def test_a_saved_feed_is_no_proof(tmp_path: Path) -> None:
    feed = (
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>Psoas</title>"
        "<link href='https://a.example/m/psoas'/><id>x</id>"
        f"<content type='html'><![CDATA[{BODY}]]></content></entry></feed>"
    )
    found = read(tmp_path, "m.atom", feed)
    assert [(one.id, one.text) for one in found.articles] == [("/m/psoas", TEXT)]
    assert found.origins[0].key == "https://a.example/m/psoas"
    assert not found.covers("https://a.example/m/other", "/m/other")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.xml", "<html><p>Not a feed.</p></html>", "neither a WordPress export nor a feed"),
        ("a.xml", "not XML at all", "is not XML"),
        ("a.xml", "<!DOCTYPE r [<!ENTITY a 'b'>]><rss>&a;</rss>", "declares entities"),
        ("a.xml", "<urlset><url><loc>https://a.example/b</loc></url></urlset>", "is a sitemap"),
        ("a.json", '{"articles": [{"title": "A", "body_html": "", "handle": "a"}]}', "has no text"),
        ("a.json", "[" * 100_000, "nested too deep"),
        ("a.csv", "title,content\n", "holds no posts"),
        ("a.jsonl", '{"id": "gid://shopify/Product/1"}\n', "holds no posts"),
    ],
)
def test_refusals_are_named(tmp_path: Path, name: str, content: str, reason: str) -> None:
    found = read(tmp_path, name, content)
    assert found.articles == ()
    assert reason in " / ".join(problem.reason for problem in found.problems)
    assert not found.covers("export", "another")
