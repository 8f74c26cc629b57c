"""Questions as a bridge: for each passage the lay questions that it answers, written by a language model.

They are searched and never shown as an answer, so a wrong one can cost rank but not truth. They stand beside
the generations, by the hash of the passage they were written for, so that each is paid for once:

questions.jsonl    what was written for each passage, one a line, added as it comes
vectors.npz        the questions' vectors, and of which model
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from index.errors import ModelMismatchError
from index.generation import Generation
from index.passage import Passage, embedding_text
from index.vectors import Vectors

if TYPE_CHECKING:
    from index.encoded import Floats
    from index.encoder import Encoder

# Of what a writer gives: more questions a passage, or longer ones, are most likely not questions.
_MOST, _LONGEST = 8, 200


class Writer(Protocol):
    """What writes questions: a language model, or a script in a test."""

    @property
    def name(self) -> str:
        """Which model it is: kept beside what it wrote."""

    def writes(self, passage: str) -> list[str]:
        """Questions in lay words that a passage answers; empty when there are none."""


class _Written(BaseModel):
    """One line of questions.jsonl."""

    passage: str
    writer: str
    questions: list[str]


@dataclass(frozen=True, slots=True)
class Bridged:
    """A passage and the questions that lead to it."""

    passage: Passage
    questions: tuple[str, ...]


class BridgeStore:
    """The questions of a store.

    Args:
        folder: Need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._questions = folder / "questions.jsonl"
        self._vectors = folder / "vectors.npz"

    @classmethod
    def of(cls, generation: Generation) -> BridgeStore:
        """The questions of the store that a generation is in."""
        return cls.within(generation.folder.parents[1])

    @classmethod
    def within(cls, store: Path) -> BridgeStore:
        """The questions of the store in a folder, in which nothing needs to be indexed yet."""
        return cls(store / "bridge")

    def write(
        self,
        generation: Generation,
        writer: Writer,
        progress: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> int:
        """Have questions written for every passage of an article that has none; how many passages that were.

        Whatever interrupts it, what is written stays and is not asked for again.
        """
        known = self._read()
        rows = {value: row for value, row in _rows(generation).items() if value not in known}
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._questions.open("a", encoding="utf-8") as file:
            if file.tell():
                file.write("\n")  # the last line may have been cut off
            for done, (value, row) in enumerate(rows.items(), start=1):
                passage = generation.passage(row)
                title = generation.article(int(generation.passage_articles[row])).title
                questions = _cleaned(writer.writes(embedding_text(title, passage)[0]))
                line = _Written(passage=value, writer=writer.name, questions=questions)
                file.write(line.model_dump_json() + "\n")
                file.flush()
                progress(done, len(rows))
        return len(rows)

    def adopt(self, questions: Path) -> None:
        """Take over the questions of another questions.jsonl, for passages that have none here."""
        known = self._read()
        found = {value: one for value, one in _lines(questions).items() if value not in known}
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._questions.open("a", encoding="utf-8") as file:
            file.writelines(f"\n{one.model_dump_json()}\n" for one in found.values())

    def embed(self, encoder: Encoder) -> None:
        """Write the vectors of all questions, those of passages that are not served just now among them."""
        known = self._read()
        partial = self._vectors.with_name(".vectors.partial.npz")
        np.savez(
            partial,
            vectors=encoder.encode_texts([one for every in known.values() for one in every]).astype(
                np.float16
            ),
            passages=np.array([value for value, every in known.items() for _ in every], "U32"),
            model=np.array(encoder.identity.checksum),
        )
        partial.replace(self._vectors)

    def open(self, generation: Generation) -> Bridge | None:
        """What searches by the questions; None when there are none.

        Raises:
            ModelMismatchError: Their vectors are of another model than the generation's.
        """
        if not self._vectors.is_file():
            return None
        with np.load(self._vectors) as kept:
            vectors, passages, model = kept["vectors"], kept["passages"], str(kept["model"])
        rows = _rows(generation)
        found = np.array([rows.get(value, -1) for value in passages.tolist()], np.int64)
        served = np.flatnonzero(found >= 0)
        order = served[np.argsort(found[served], kind="stable")]
        if not len(order):
            return None
        if model != generation.manifest.model_checksum:
            raise ModelMismatchError(
                f"The questions in {self._folder} were embedded by another model than the store's. "
                f"Run `referral store bridge --write`, or remove {self._vectors}."
            )
        return Bridge(np.asarray(vectors[order], np.float32), found[order])

    def shown(self, generation: Generation) -> Iterator[Bridged]:
        """For maintainers: every passage that has questions, in the order of the articles."""
        for row, questions in sorted(self._by_row(generation).items()):
            yield Bridged(generation.passage(row), questions)

    def _by_row(self, generation: Generation) -> dict[int, tuple[str, ...]]:
        known = self._read()
        return {row: known[value] for value, row in _rows(generation).items() if known.get(value)}

    def _read(self) -> dict[str, tuple[str, ...]]:
        """Questions by the hash of their passage."""
        if not self._questions.is_file():
            return {}
        return {value: tuple(one.questions) for value, one in _lines(self._questions).items()}


class Bridge:
    """Searches passages by the questions that lead to them.

    Args:
        vectors: Of the questions, shape (questions, dimension), unit length, in the order of their passages.
        rows: For each question the row of its passage, rising.
    """

    def __init__(self, vectors: Floats, rows: NDArray[np.int64]) -> None:
        self._vectors = Vectors.build(vectors)
        self._rows = rows

    def nearest(self, query: Floats, top: int) -> NDArray[np.int64]:
        """The passages of the `top` questions that are nearest to a query."""
        return np.unique(self._rows[self._vectors.nearest(query, top, range(len(self._rows)))[1]])

    def scores(self, query: Floats, rows: NDArray[np.int64]) -> Floats:
        """For each passage the best cosine of its questions, 0 where it has none: shape (passages,)."""
        low, high = np.searchsorted(self._rows, rows), np.searchsorted(self._rows, rows, "right")
        out = np.zeros(len(rows), np.float32)
        has = np.flatnonzero(high > low)
        counts = (high - low)[has]
        if len(has):
            places = np.concatenate([np.arange(low[one], high[one]) for one in has])
            cosines = self._vectors.take(places) @ query
            out[has] = np.maximum.reduceat(cosines, np.concatenate([[0], np.cumsum(counts)[:-1]]))
        return np.maximum(out, 0)


def _lines(questions: Path) -> dict[str, _Written]:
    """What was written, by the hash of the passage; the end of a line that was cut off is passed over."""
    found = {}
    for line in questions.read_text(encoding="utf-8").splitlines():
        with suppress(ValidationError):
            written = _Written.model_validate_json(line)
            found[written.passage] = written
    return found


def _rows(generation: Generation) -> dict[str, int]:
    """Articles' passages by the hash of what was read for them; of two that are alike, one is enough."""
    return {
        value.hex(): row for value, row in generation.embedded().items() if row < generation.article_passages
    }


def _cleaned(questions: Sequence[str]) -> list[str]:
    """Each on one line and once, without what is too long to be a question."""
    lines = (" ".join(one.split()) for one in questions)
    return [one for one in dict.fromkeys(lines) if 0 < len(one) <= _LONGEST][:_MOST]
