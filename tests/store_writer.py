"""A program that writes one generation after another into a store, for tests that kill it."""

from __future__ import annotations

import sys
from pathlib import Path

from index.generation import Sourced
from index.store import Store
from ingest.article import Article
from tests.plain_encoder import PlainEncoder


def corpus(turn: int) -> list[Sourced]:
    """The articles of a turn, each of which names the turn."""
    articles = [
        Article(
            f"a{number:02}", f"Title {number}", f"This is turn {turn}. The hip bends {number} times.\n\n" * 3
        )
        for number in range(20 + turn % 5)
    ]
    return [Sourced(one, "export") for one in articles]


def turn_of(article: Article) -> int:
    return int(article.text.split("turn ")[1].split(".")[0])


def main(folder: Path, turn: int) -> None:
    store, encoder = Store(folder), PlainEncoder()
    while True:
        turn += 1
        store.write(corpus(turn), encoder)
        print(turn, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
