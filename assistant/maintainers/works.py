"""What maintainers can have done, handed in by whoever starts the server: reading sources is not ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from index.errors import UnusableError
from index.runs import Run
from index.updating import Order, Reading, Watcher
from ingest.article import Article


class PreviewError(UnusableError):
    """There is nothing to preview; the message says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line that a page shows.

    Attributes:
        text: As it stands there.
        kept_as: Which part of the article it became; empty when it was dropped.
        why: Why it was dropped; empty when it was kept.
    """

    text: str
    kept_as: str
    why: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be made of a page or a file.

    Attributes:
        name: Of the page or file.
        raw: As it came.
        article: What was made of it; None when it was refused.
        refusal: Why it was refused, or empty.
        lines: In the order of the page; empty where there is no page around the article.
        warnings: What a person should look at, each the end of a sentence "The article ...".
        faults: Why it would be held back, likewise.
    """

    name: str
    raw: str
    article: Article | None
    refusal: str = ""
    lines: tuple[Line, ...] = ()
    warnings: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Works:
    """What can be done.

    Attributes:
        store: The folder of the store.
        look_at: Previews an address of the web; raises PreviewError when it gives nothing.
        look_into: Previews a file by its name and its bytes; likewise.
        run: Reads the sources of an order and indexes them; raises UnusableError when it fails.
        apply: Indexes what is handed to it in place of reading anything; likewise.
    """

    store: Path
    look_at: Callable[[str], Preview]
    look_into: Callable[[str, bytes], Preview]
    run: Callable[[Order, Watcher], Run]
    apply: Callable[[Reading, Order, Watcher], Run]
