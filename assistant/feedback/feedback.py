"""Feedback that a visitor has allowed to be kept: redacted, for a purpose, for a month, and deletable."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from assistant.answer import AnswerKind
from assistant.api.desk import LONGEST
from assistant.feedback.tables import FeedbackRow
from assistant.safety.redaction import redacted
from assistant.state.database import Database

KEPT_DAYS = 30
LONGEST_WORDS = 600  # characters

Verdict = Literal["yes", "no"]

# For each verdict on "was this helpful?" the reasons that can be given, by their keys.
REASONS: dict[Verdict, dict[str, str]] = {
    "yes": {
        "answered": "It answers my question",
        "clear": "It is easy to understand",
        "nearby": "It led me to the right article",
    },
    "no": {
        "other": "It is about something else",
        "part": "It answers only a part",
        "unclear": "It is hard to understand",
        "wrong": "I think it is wrong",
        "unsafe": "It could harm somebody",
    },
}

_Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST_WORDS)]
_Id = Annotated[str, StringConstraints(max_length=2_000)]


class Consented(BaseModel):
    """What is kept when the visitor has ticked the box, once for this answer.

    Attributes:
        question: As it was understood.
        articles: Ids of those that the answer quotes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: _Words = ""
    question: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST * 2)]
    kind: AnswerKind
    articles: Annotated[tuple[_Id, ...], Field(max_length=20)] = ()
    generation: Annotated[str, StringConstraints(max_length=64)]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the visitor gets for what is kept.

    Attributes:
        code: Deletes it; it is known to nobody else.
    """

    code: str
    expires: datetime


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


class Keeper:
    """Keeps feedback in a database.

    Args:
        database: Migrated.
        clock: Tells the moment.
    """

    def __init__(self, database: Database, clock: Callable[[], datetime] = now) -> None:
        self._database = database
        self._clock = clock

    def keep(self, verdict: Verdict, reason: str, given: Consented) -> Receipt:
        """Keep it, without what tells who the visitor is."""
        code, created = _new_code(), self._clock()
        expires = created + timedelta(days=KEPT_DAYS)
        row = FeedbackRow(
            created=created,
            expires=expires,
            verdict=verdict,
            reason=reason,
            words=redacted(given.words),
            question=redacted(given.question),
            kind=given.kind,
            articles=list(given.articles),
            generation=given.generation,
            deletion=_digest(code),
        )
        with self._database.begin() as session:
            session.add(row)
        return Receipt(code, expires)

    def delete(self, code: str) -> bool:
        """Delete what a code was given for; whether there was anything."""
        with self._database.begin() as session:
            found = session.scalars(
                delete(FeedbackRow).where(FeedbackRow.deletion == _digest(code)).returning(FeedbackRow.id)
            ).all()
        if found:
            self._wipe()
        return bool(found)

    def purge(self) -> int:
        """Delete what has expired; how many there were."""
        with self._database.begin() as session:
            gone = delete(FeedbackRow).where(FeedbackRow.expires <= self._clock()).returning(FeedbackRow.id)
            count = len(session.scalars(gone).all())
        if count:
            self._wipe()
        return count

    def _wipe(self) -> None:
        """Take what was deleted out of SQLite's log too, as far as nobody reads from it at this moment."""
        if self._database.engine.dialect.name == "sqlite":
            with self._database.engine.connect() as connection:
                connection.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def kept(session: Session, moment: datetime) -> Sequence[FeedbackRow]:
    """What may still be read at a moment, newest first."""
    rows = select(FeedbackRow).where(FeedbackRow.expires > moment).order_by(FeedbackRow.id.desc())
    return session.scalars(rows).all()


def _new_code() -> str:
    """Twenty letters and digits in fours: a hundred bits, and no 0, 1, 8 or 9 to be misread."""
    letters = base64.b32encode(secrets.token_bytes(13)).decode().lower()[:20]
    return "-".join(re.findall(".{4}", letters))


def _digest(code: str) -> str:
    return hashlib.sha256(re.sub(r"[^a-z2-7]", "", code.lower()).encode()).hexdigest()
