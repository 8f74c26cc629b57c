"""The gate: golden questions are asked of the served generation and of the new one before they change places.

The maintainer keeps the questions in the store, in golden.jsonl, one a line: `question`, and what its answer
must be: `kinds` (by default an answer), the id of an `article` that it cites, `must_quote_any` and
`must_not_quote`. Asking is somebody else's work, handed in, since this package knows nothing of answering.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from index.errors import StoreError
from index.generation import Generation

GOLDEN_FILE = "golden.jsonl"


class Golden(BaseModel):
    """A question and what its answer must be."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    question: str
    id: str = ""
    history: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("answer",)
    article: str = ""
    must_quote_any: tuple[str, ...] = ()
    must_not_quote: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """What was answered."""

    kind: str
    articles: tuple[str, ...]
    quotes: tuple[str, ...]


Ask = Callable[[Golden], Shown]


class Fall(BaseModel):
    """A golden question that was answered well before and is not any more."""

    id: str
    question: str
    why: str


class Score(BaseModel):
    """How the golden questions fare with a generation, and which of them fell."""

    questions: int
    passed: int
    before: int | None = None  # of the generation that was served then; None when there was none
    fell: list[Fall] = []

    @property
    def told(self) -> str:
        """In a few words."""
        before = "" if self.before is None else f", {self.before} before"
        return f"{self.passed} of {self.questions} golden questions{before}"


class GateError(StoreError):
    """The new generation answers the golden questions worse.

    Attributes:
        score: What was found.
    """

    def __init__(self, score: Score, margin: float) -> None:
        lines = "\n".join(f"  {one.id}: {one.question!r}: {one.why}" for one in score.fell)
        super().__init__(
            f"The new generation passes {score.told}: a fall of more than {margin:.0%}, so the one before "
            f"stays. These fell:\n{lines}\nPut the articles right, or the questions in {GOLDEN_FILE}; "
            "to go on all the same, run it again with --accept-fall."
        )
        self.score = score


@dataclass(frozen=True, slots=True)
class Gate:
    """Compares generations by golden questions.

    Attributes:
        golden: The questions.
        asker: Makes what asks a generation.
        margin: The share of the questions by which the new one may be worse.
        strict: Whether a greater fall is an error, or only told.
    """

    golden: Sequence[Golden]
    asker: Callable[[Generation], Ask]
    margin: float = 0.05
    strict: bool = True

    def compare(self, before: Generation | None, after: Generation) -> Score:
        """How both fare.

        Raises:
            GateError: The new one is worse by more than the margin.
        """
        new = self._faults(after)
        old = self._faults(before) if before else None
        fell = [
            Fall(id=one.id, question=one.question, why=why)
            for place, (one, why) in enumerate(zip(self.golden, new, strict=True))
            if why and old is not None and not old[place]
        ]
        passed = new.count("")
        passed_before = None if old is None else old.count("")
        score = Score(questions=len(new), passed=passed, before=passed_before, fell=fell)
        if self.strict and passed_before is not None and passed_before - passed > self.margin * len(new):
            raise GateError(score, self.margin)
        return score

    def _faults(self, generation: Generation) -> list[str]:
        ask = self.asker(generation)
        return [fault(one, ask(one)) for one in self.golden]


def read_golden(path: Path) -> list[Golden]:
    """The golden questions of a file; none when there is no file.

    Raises:
        StoreError: A line is not a golden question; names it.
    """
    if not path.is_file():
        return []
    golden = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            one = Golden.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise StoreError(
                f"{path}, line {number} is not a golden question ({where}: {first['msg']}). "
                "Put it right, or take it out."
            ) from error
        golden.append(one if one.id else one.model_copy(update={"id": f"line {number}"}))
    return golden


def fault(golden: Golden, shown: Shown) -> str:
    """What an answer lacks of what it must be; empty when nothing."""
    if shown.kind not in golden.kinds:
        return f"its kind is {shown.kind}, not {' or '.join(golden.kinds)}"
    quotes = [_plain(one) for one in shown.quotes]
    wanted = [_plain(one) for one in golden.must_quote_any]
    # a refusal or an urgent notice need not quote
    if shown.kind in {"answer", "related", "abstention"}:
        if golden.article and golden.article not in shown.articles:
            return f"it does not cite {golden.article}"
        if wanted and not any(one in quote for one in wanted for quote in quotes):
            return "none of the sentences that answer it is quoted"
    for one in golden.must_not_quote:
        if any(_plain(one) in quote for quote in quotes):
            return f"it quotes {one!r}"
    return ""


def _plain(text: str) -> str:
    return " ".join(text.split())
