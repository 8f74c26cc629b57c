"""What a page says of its article in JSON-LD, the description that search engines read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any

from ingest.characters import fold, one_line, word_set

_ARTICLE_TYPES = word_set(
    """
    Article BlogPosting NewsArticle TechArticle ScholarlyArticle MedicalScholarlyArticle Report
    SocialMediaPosting
    """
)


@dataclass(frozen=True, slots=True)
class LinkedData:
    """The article as JSON-LD describes it; empty where it says nothing."""

    headline: str = ""
    author: str = ""
    published: str = ""
    updated: str = ""
    tags: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()


def read_linked_data(root: Any) -> LinkedData | None:
    """The description of the page's one article; None when it describes none, or several."""
    nodes: list[Mapping[str, Any]] = []
    for script in root.iter("script"):
        if "ld+json" in (script.get("type") or "").lower():
            try:
                nodes.extend(_article_nodes(json.loads(script.text or "", strict=False)))
            except (json.JSONDecodeError, RecursionError):
                # A theme that breaks its own JSON-LD still has a page to read.
                continue
    headlines = {fold(_headline(node)) for node in nodes}
    if len(headlines) != 1:
        return None
    node = nodes[0]
    return LinkedData(
        headline=_headline(node),
        author=_names(node.get("author")),
        published=_text(node.get("datePublished")),
        updated=_text(node.get("dateModified")),
        tags=_tags(node.get("keywords")),
        urls=tuple(url for key in ("mainEntityOfPage", "url") if (url := _text(node.get(key)))),
    )


def _article_nodes(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, list):
        for part in node:
            yield from _article_nodes(part)
    elif isinstance(node, dict):
        kinds = node.get("@type")
        kinds = kinds if isinstance(kinds, list) else [kinds]
        if any(isinstance(kind, str) and kind.rsplit("/", 1)[-1] in _ARTICLE_TYPES for kind in kinds):
            yield node
        else:
            yield from _article_nodes(node.get("@graph"))
            yield from _article_nodes(node.get("mainEntity"))


def _headline(node: Mapping[str, Any]) -> str:
    return _text(node.get("headline") or node.get("name"))


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, dict):
        value = value.get("@id") or value.get("name") or ""
    return one_line(unescape(value)) if isinstance(value, str) else ""


def _names(value: Any) -> str:
    people = value if isinstance(value, list) else [value]
    names = (_text(person.get("name") if isinstance(person, dict) else person) for person in people)
    return ", ".join(name for name in names if name and not name.startswith("http"))


def _tags(value: Any) -> tuple[str, ...]:
    listed = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(tag for tag in map(_text, listed) if tag)
