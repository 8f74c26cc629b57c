"""Markdown files: front matter, and the same blocks as from a page."""

from __future__ import annotations

import pytest

from ingest.markdown_file import read_markdown
from ingest.problem import UnreadableError

POST = """---
title: "Soleus: the second heart"
author: Rosa Field
published: 2021-03-14
updated: 14 April 2022
tags: [calf, heel, "low back"]
slug: soleus
layout: post
---
# Soleus: the second heart

The soleus works **whenever** you [stand](https://a.example "title").

## Where it *hurts*

1. The heel
2. The sacroiliac
   joint

- One
  - Deeper

| Muscle | Nerve |
|---|---|
| Soleus | Tibial |

> A quotation.

<span hidden>x</span>

---

This article is for information purposes only and is not medical advice.
"""
TEXT = """The soleus works whenever you stand.

## Where it hurts

1. The heel
2. The sacroiliac joint

- One
  - Deeper

Muscle | Nerve
Soleus | Tibial

A quotation."""


def test_a_post_with_front_matter() -> None:
    article = read_markdown(POST, fallback_id="posts/07-soleus")
    assert article.title == "Soleus: the second heart"
    assert (article.id, article.author, article.tags) == (
        "soleus",
        "Rosa Field",
        ("calf", "heel", "low back"),
    )
    assert (article.published, article.updated) == ("2021-03-14", "2022-04-14")
    assert article.text == TEXT
    assert article.disclaimer == "This article is for information purposes only and is not medical advice."


def test_a_post_without_front_matter() -> None:
    article = read_markdown("# The title\n\nOne paragraph.\n", fallback_id="posts/plain")
    assert (article.id, article.title, article.text) == ("posts/plain", "The title", "One paragraph.")


def test_an_address_gives_the_id_and_tags_may_be_a_list() -> None:
    source = "---\ntitle: T\nurl: https://a.example/blogs/m/t\ntags:\n  - calf\n  - 'low back'\n---\nText.\n"
    article = read_markdown(source, fallback_id="x")
    assert (article.id, article.url) == ("/blogs/m/t", "https://a.example/blogs/m/t")
    assert article.tags == ("calf", "low back")


def test_a_rule_at_the_top_is_no_front_matter() -> None:
    assert read_markdown("# T\n\n---\n\nText.\n", fallback_id="x").text == "Text."


@pytest.mark.parametrize(
    ("source", "reason"), [("Text only.", "title"), ("# T", "no text"), ("---\na: b\n---\n", "no text")]
)
def test_what_lacks_a_title_or_a_text(source: str, reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason):
        read_markdown(source, fallback_id="x")
