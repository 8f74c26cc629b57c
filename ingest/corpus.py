"""A corpus while it is being read: each post once, under an id of its own."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from ingest.address import without_locale
from ingest.article import Article
from ingest.problem import Problem


class Corpus:
    """Keeps articles in the order in which they come, and knows again what it has seen.

    Attributes:
        articles: The articles so far; their ids are unique.
        files: The file that each article came from.
        problems: The posts that were left out because their id was taken by another text.
        notes: The posts that were left out because they were there already, as whole sentences.
    """

    def __init__(self) -> None:
        self.articles: list[Article] = []
        self.files: list[str] = []
        self.problems: list[Problem] = []
        self.notes: list[str] = []
        self._names: list[str] = []
        self._by_id: dict[str, int] = {}
        self._by_words: dict[bytes, list[int]] = {}

    def add(self, article: Article, *, name: str, line: int | None, is_anonymous: bool) -> None:
        """Keep an article, or merge it with the same post read before.

        Args:
            article: The article.
            name: The source it comes from.
            line: The line of the source, when it holds several.
            is_anonymous: Its id is only the place of its file, so that any post with its words is the same.
        """
        where = name if line is None else f"{name}, line {line}"
        words = _digest(article)
        same = self._same_post(article, words, is_anonymous=is_anonymous)
        taken = self._by_id.get(article.id)
        if same is not None:
            self._merge(same, article)
            self.notes.append(f"{where}: the same post as {self._names[same]}; kept once.")
        elif taken is not None:
            reason = f"has another text under the id {article.id!r}, which {self._names[taken]} has already"
            self.problems.append(
                Problem(name, reason, "Leave one of the two out, or give it another id.", line)
            )
        else:
            self._by_id[article.id] = len(self.articles)
            self._by_words.setdefault(words, []).append(len(self.articles))
            self.articles.append(article)
            self.files.append(name)
            self._names.append(where)

    def _same_post(self, article: Article, words: bytes, *, is_anonymous: bool) -> int | None:
        address = without_locale(article.id)
        for position in self._by_words.get(words, []):
            if is_anonymous or without_locale(self.articles[position].id) == address:
                return position
        return None

    def _merge(self, position: int, article: Article) -> None:
        """Of two copies of a post keep the address without a language, and the longer list of comments."""
        kept = self.articles[position]
        if article.url and article.id not in self._by_id and len(article.id) < len(kept.id):
            self._by_id[article.id] = position
            kept = replace(kept, id=article.id, url=article.url)
        if len(article.comments) > len(kept.comments):
            kept = replace(kept, comments=article.comments)
        self.articles[position] = kept


def _digest(article: Article) -> bytes:
    """Equal for equal words, however they are spaced."""
    words = " ".join(f"{article.title}\n{article.text}".split())
    return hashlib.blake2b(words.encode("utf-8", "replace"), digest_size=16).digest()
