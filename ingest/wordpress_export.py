"""A WordPress export (WXR) -> Articles: its published posts, with the comments that were let through."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ingest.address import web_address
from ingest.article import Comment
from ingest.characters import one_line
from ingest.export import Export
from ingest.fragment import Post, comment_text, feed_time, read_post, with_paragraphs
from ingest.problem import Problem, UnreadableError
from ingest.xml_text import name_of, space_of, text_of

_WORDPRESS = "wordpress.org/export"
_CAPTION = re.compile(r"\[/?caption\b[^\]]{0,300}\]", re.I)
# "[gallery ids=1,2]", "[vc_row]...[/vc_row]"; "[sic]" is the author's.
_SHORT_CODE = re.compile(
    r"\[/[a-z][\w-]*\]|\[(?:gallery|embed|audio|video|playlist|contact-form[\w-]*|vc_\w+|et_pb_\w+)\b[^\]]{0,2000}\]|"
    r"\[[a-z][\w-]*(?:\s+[\w-]+=(?:\"[^\"]{0,500}\"|'[^']{0,500}'|[^\s\]]{1,500})){1,40}\s*/?\]",
    re.I,
)
_PAIRED = re.compile(r"\[([a-z][\w-]*)\](?=.*?\[/\1\])", re.I | re.S)


def is_wordpress_export(root: Any) -> bool:
    """Whether an XML document is a WordPress export."""
    return name_of(root) == "rss" and any(_WORDPRESS in (uri or "") for uri in _spaces(root))


def _spaces(root: Any) -> list[str]:
    return list(root.nsmap.values()) + [space_of(one) for one in root.iter("{*}wxr_version")]


def read_wordpress(root: Any, *, name: str, fallback_id: str) -> Export:
    """Read every published post.

    Args:
        root: The parsed document.
        name: How the user would name the file.
        fallback_id: With the post's place behind it, the id of one without an address.
    """
    export = Export()
    for number, item in enumerate(root.iter("{*}item", "item"), start=1):
        fields = {name_of(child): child for child in reversed(item) if _is_field(child)}
        if text_of(fields.get("post_type")) not in ("post", ""):
            continue
        if text_of(fields.get("status")) not in ("publish", "") or text_of(fields.get("post_password")):
            export.drafts += 1
            continue
        try:
            article = read_post(
                plain_markup(text_of(fields.get("encoded"))),
                _post(item, fields),
                fallback_id=f"{fallback_id}/{number}",
            )
            export.results.append((number, article))
        except UnreadableError as error:
            title = one_line(text_of(fields.get("title")))
            export.results.append((number, Problem(f"{name}, post {title!r}", error.reason, error.next_step)))
    return export


def plain_markup(content: str) -> str:
    """A post as WordPress stores it, as HTML: paragraphs marked, short codes out, captions apart."""
    content = _CAPTION.sub("\n\n", content)
    content = _SHORT_CODE.sub("", _PAIRED.sub("", content))
    content = re.sub(r"<!--.*?-->", "", content, flags=re.S)
    return with_paragraphs(content) if not re.search(r"<p[\s>]", content, re.I) else content


def _is_field(child: Any) -> bool:
    """Not the excerpt, which is called `encoded` as the content is."""
    return not (name_of(child) == "encoded" and "excerpt" in space_of(child))


def _post(item: Any, fields: dict[str, Any]) -> Post:
    url = web_address(text_of(fields.get("link")))
    parts = urlsplit(url)
    # "?p=12" is where a post without a permanent address is shown.
    if not (parts.path.strip("/") or dict(parse_qsl(parts.query)).get("p")):
        url = ""
    return Post(
        title=one_line(text_of(fields.get("title"))),
        id="" if parts.path.strip("/") else text_of(fields.get("post_name")),
        url=url,
        author=one_line(text_of(fields.get("creator"))),
        published=_time(fields, "post_date_gmt") or feed_time(text_of(fields.get("pubdate"))),
        updated=_time(fields, "post_modified_gmt"),
        tags=tuple(
            dict.fromkeys(
                one_line(text_of(one))
                for one in item.iterchildren("{*}category", "category")
                if text_of(one) and one.get("nicename") != "uncategorized"
            )
        ),
        comments=_comments(item),
    )


def _time(fields: dict[str, Any], name: str) -> str | None:
    text = text_of(fields.get(name))
    found = re.fullmatch(r"([12]\d{3}-\d\d-\d\d) (\d\d:\d\d:\d\d)", text)
    return f"{found[1]}T{found[2]}+00:00" if found else None


def _comments(item: Any) -> tuple[Comment, ...]:
    comments = []
    for comment in item.iterchildren("{*}comment"):
        fields = {name_of(child): child for child in comment}
        approved = text_of(fields.get("comment_approved")) == "1"
        kind = text_of(fields.get("comment_type"))
        if approved and kind in ("", "comment"):
            text = comment_text(text_of(fields.get("comment_content")))
            if text:
                comments.append(Comment(text, _time(fields, "comment_date_gmt")))
    return tuple(comments)
