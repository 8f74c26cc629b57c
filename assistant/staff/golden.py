"""Golden questions: what they are, keeping them, and what an answer to one lacks."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.answer import Answer, AnswerKind
from assistant.staff.tables import GoldenRow
from index import gate

KINDS: tuple[str, ...] = get_args(AnswerKind)
# Kinds that need not quote, so neither an article nor a sentence is looked for.
QUOTING = frozenset({"answer", "related", "abstention"})

_Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4_000)]
_Lines = Annotated[tuple[_Line, ...], Field(max_length=50)]


class Golden(BaseModel):
    """A question and what its answer must be.

    Attributes:
        name: Its id in files; one is made for a question that has none.
        history: What the visitor asked before, oldest first.
        kinds: Any of these is right.
        article: The id of an article that the answer must cite; empty for any.
        sentences: One of them must be quoted, if there are any.
        must_say: Each must stand in the answer.
        must_not_say: None may stand in it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    question: _Line
    history: Annotated[tuple[_Line, ...], Field(max_length=30)] = ()
    kinds: tuple[AnswerKind, ...] = ("answer",)
    article: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)] = ""
    sentences: _Lines = ()
    must_say: _Lines = ()
    must_not_say: _Lines = ()
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=4_000)] = ""

    @field_validator("kinds")
    @classmethod
    def _some_kind(cls, kinds: tuple[AnswerKind, ...]) -> tuple[AnswerKind, ...]:
        if not kinds:
            raise ValueError(f"name at least one kind: {', '.join(KINDS)}")
        return tuple(dict.fromkeys(kinds))

    @property
    def for_the_gate(self) -> gate.Golden:
        """What the store's gate knows of it: everything but `must_say`."""
        return gate.Golden(
            id=self.name,
            question=self.question,
            history=self.history,
            kinds=self.kinds,
            article=self.article,
            must_quote_any=self.sentences,
            must_not_quote=self.must_not_say,
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """What an answer to a golden question lacks.

    Attributes:
        faults: In whole words; empty when nothing.
        right_article: None when no article was expected, or the answer's kind need not quote.
        right_sentence: Likewise for the sentences.
    """

    faults: tuple[str, ...]
    right_article: bool | None
    right_sentence: bool | None


def judge(golden: Golden, answer: Answer) -> Judged:
    """Hold an answer against what it must be: by the gate's own rule first, then by what it must say."""
    articles = tuple(one.article_id for one in answer.citations)
    quotes = tuple(one.quote for one in answer.citations)
    # What it must not say is looked for in the whole text, which holds the quotes too.
    asked = golden.for_the_gate.model_copy(update={"must_not_quote": ()})
    first = gate.fault(asked, gate.Shown(answer.kind, articles, quotes))
    text = _plain(answer.text)
    faults = [first] if first else []
    faults += [f"it does not say {one!r}" for one in golden.must_say if _plain(one) not in text]
    faults += [f"it says {one!r}" for one in golden.must_not_say if _plain(one) in text]
    wanted = bool(set(golden.kinds) & QUOTING)
    quoted = [_plain(one) for one in quotes]
    sentence = any(_plain(one) in quote for one in golden.sentences for quote in quoted)
    return Judged(
        tuple(faults),
        golden.article in articles if golden.article and wanted else None,
        sentence if golden.sentences and wanted else None,
    )


def _plain(text: str) -> str:
    return " ".join(text.split()).lower()


def of_row(row: GoldenRow) -> Golden:
    """The question that a row holds."""
    return Golden.model_validate({name: getattr(row, name) for name in Golden.model_fields})


def every(session: Session) -> list[GoldenRow]:
    """All of them, oldest first."""
    return list(session.scalars(select(GoldenRow).order_by(GoldenRow.id)))


def put(session: Session, golden: Golden, author: str, row: GoldenRow | None = None) -> GoldenRow:
    """Keep a question: in a row that there is, or in a new one."""
    now = datetime.now(UTC)
    if row is None:
        row = GoldenRow(author=author, created=now)
        session.add(row)
    named = golden if golden.name else golden.model_copy(update={"name": f"q-{secrets.token_hex(4)}"})
    for name, value in named.model_dump().items():
        setattr(row, name, list(value) if isinstance(value, tuple) else value)
    row.changed = now
    session.flush()
    return row


def name_is_taken(session: Session, name: str, row_id: int | None = None) -> bool:
    """Whether another question has this name."""
    found = session.scalar(select(GoldenRow.id).where(GoldenRow.name == name)) if name else None
    return found is not None and found != row_id


def take_in(session: Session, questions: Sequence[Golden], author: str) -> tuple[int, int]:
    """Keep many at once: those whose name is known replace the ones that are there.

    Returns:
        How many were added, and how many replaced.
    """
    known = {row.name: row for row in every(session)}
    replaced = 0
    for one in questions:
        row = known.get(one.name) if one.name else None
        replaced += row is not None
        put(session, one, author, row)
    return len(questions) - replaced, replaced
