"""The language-model engine: writes from numbered evidence, and shows a sentence only once it is checked.

The one home of LlamaIndex's language-model clients and of the OpenAI client below them. Any server that
speaks the OpenAI protocol will do. Whatever it does, slow, silent, wrong or talkative, `write` comes back in
time with sentences that passed, or with the reason why there are none; the caller then quotes.
"""

from __future__ import annotations

import logging
import queue
import re
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

import httpx
import openai
from llama_index.core.llms import ChatMessage, MessageRole
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel, ConfigDict

from assistant.answer import Citation, Claim
from assistant.support.model import Judge
from assistant.support.rules import Sources, sources_of
from index.sentences import sentences

_log = logging.getLogger(__name__)

PROMPTS_FILE = Path(__file__).with_name("prompts.toml")

UrgencyLevel = Literal["emergency_now", "same_day", "soon", "none"]
_LEVELS: dict[str, UrgencyLevel] = {
    "emergency_now": "emergency_now",
    "same_day": "same_day",
    "soon": "soon",
    "none": "none",
}


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Which model writes, and how long it may take.

    Attributes:
        url: The server's base URL, such as `http://127.0.0.1:8080/v1`.
        model: The model's name as the server knows it.
        key: The key itself; empty for a server that asks for none.
        first_seconds: The longest wait for the first word, and for each further one.
        total_seconds: For the whole answer, retries included.
        most_tokens: Asked of the server; `most_characters` holds also where a server ignores it.
        most_characters: At which a text is cut off.
        tries: For a request that failed before its first word.
    """

    url: str
    model: str
    key: str = ""
    first_seconds: float = 10.0
    total_seconds: float = 30.0
    most_tokens: int = 320
    most_characters: int = 2400
    tries: int = 2


@dataclass(frozen=True, slots=True)
class Dropped:
    """A sentence that was written and is not shown, and why."""

    text: str
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """What the model wrote that may be shown.

    Attributes:
        claims: In order; empty when `reason` says why the quoting engine has to answer.
        citations: Those that a claim uses, numbered anew by first use.
        dropped: For staff.
        reason: For staff; empty when the model's answer stands.
    """

    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    dropped: tuple[Dropped, ...]
    reason: str


class Prompt(BaseModel):
    """What one kind of request says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    system: str
    user: str
    nothing: str = ""


@lru_cache(maxsize=1)
def prompts() -> dict[str, Prompt]:
    """The prompts of prompts.toml by kind: `answer`, `urgency`, `bridge`."""
    file = tomllib.loads(PROMPTS_FILE.read_text(encoding="utf-8"))
    return {name: Prompt.model_validate(table) for name, table in file.items()}


class ModelFailedError(Exception):
    """The server did not give what was asked for; the message says how, for staff."""


class LanguageModel:
    """Writes answers by a model behind an OpenAI-compatible server.

    Args:
        settings: Where it is, and its limits.
        judge: Checks every sentence against those that it cites.
    """

    def __init__(self, settings: ModelSettings, judge: Judge) -> None:
        self.settings = settings
        self.judge = judge
        self.name = f"llm:{settings.model}"

    def write(
        self,
        question: str,
        citations: Sequence[Citation],
        show: Callable[[Claim], None] = lambda _: None,
    ) -> Written:
        """Answer a question from evidence.

        Args:
            question: The standalone question.
            citations: The evidence; their numbers are what the model cites.
            show: Called with each sentence as soon as it has passed, while the model still writes. Its
                citations carry the numbers of `citations`.
        """
        numbered = _numbered(citations)
        if not numbered:
            return Written((), (), (), "no evidence that may be given to a model")
        editor = _Editor(numbered, self.judge)
        reason = ""
        try:
            for claim in editor.edit(_cut(self._answer(question, numbered))):
                show(claim)
        except ModelFailedError as error:
            reason = str(error)
        # What had passed before a server died stands, if it is enough to be an answer.
        reason = editor.too_little() and (reason or editor.too_little())
        if reason:
            _log.warning("the quoting engine answers for %s: %s", self.name, reason)
            return Written((), (), tuple(editor.dropped), reason)
        return Written(*_renumbered(editor.kept, citations), tuple(editor.dropped), "")

    @staticmethod
    def render(claims: Sequence[Claim]) -> str:
        """Written claims as the visitor reads them, with [1] markers."""
        return " ".join(
            f"{claim.text} {''.join(f'[{number}]' for number in claim.citations)}" for claim in claims
        )

    def urgency(self, message: str) -> UrgencyLevel | None:
        """How urgent a message is in the model's opinion; None when it does not say so in one word, in time.

        Only ever to be joined with the program's own reading, by the more urgent of the two.
        """
        prompt = prompts()["urgency"]
        asked = [prompt.system.strip(), prompt.user.format(message=_plain(message)[:_QUESTION]).strip()]
        limits = replace(self.settings, most_tokens=12, most_characters=80, tries=1)
        limits = replace(limits, total_seconds=min(_URGENCY_SECONDS, limits.total_seconds))
        try:
            said = "".join(_chat(limits, asked))
        except ModelFailedError as error:
            _log.warning("%s gave no level of urgency: %s", self.name, error)
            return None
        return _LEVELS.get(said.strip().strip(".\"'`").lower())

    def writes(self, passage: str) -> list[str]:
        """Questions in visitors' words that a passage answers: what `index.bridge.Writer` asks for.

        Raises:
            ModelFailedError: The model gave no text.
        """
        prompt = prompts()["bridge"]
        user = prompt.user.format(passage=_plain(passage)[:_EVIDENCE]).strip()
        lines = "".join(_chat(self.settings, [prompt.system.strip(), user])).splitlines()
        plain = (re.sub(r"^\W*(?:\d+[.)])?\s*", "", line).strip() for line in lines)
        return [line for line in plain if line.endswith("?")]

    def _answer(self, question: str, numbered: dict[int, Sources]) -> Iterator[str]:
        prompt = prompts()["answer"]
        listed = "\n".join(
            f"[{number}] ({_plain(sources.context)}) {_plain(' '.join(sources.sentences))}"
            for number, sources in numbered.items()
        )
        user = prompt.user.format(evidence=listed[:_EVIDENCE], question=_plain(question)[:_QUESTION])
        return _chat(self.settings, [prompt.system.strip(), user.strip()])


_URGENCY_SECONDS = 4.0
_EVIDENCE, _QUESTION = 8000, 1000  # characters


def _plain(text: str) -> str:
    """Text as material: on one line, without marks that a model or our numbering would take for its own."""
    return " ".join(re.sub(r"<\|[^|>]*\|>|\[/?INST\]|\[\d+\]|```", " ", text).split())


def _numbered(citations: Sequence[Citation]) -> dict[int, Sources]:
    """The quotes by their numbers, without those of which nothing may be given to a model."""
    given = {one.number: sources_of([one.quote], [one.title]) for one in citations if one.kind == "text"}
    return {number: sources for number, sources in given.items() if sources.sentences}


def _renumbered(
    claims: Sequence[Claim], citations: Sequence[Citation]
) -> tuple[tuple[Claim, ...], tuple[Citation, ...]]:
    used = list(dict.fromkeys(number for claim in claims for number in claim.citations))
    new = {old: place for place, old in enumerate(used, start=1)}
    by_number = {one.number: one for one in citations}
    return (
        tuple(replace(claim, citations=tuple(new[old] for old in claim.citations)) for claim in claims),
        tuple(replace(by_number[old], number=new[old]) for old in used),
    )


# ---------------------------------------------------------------- checking what is written

_MOST_SENTENCES = 8
_GIVE_UP = 4  # sentences that fail before one passes


class _Editor:
    """Keeps the sentences that pass."""

    def __init__(self, numbered: dict[int, Sources], judge: Judge) -> None:
        self._numbered = numbered
        self._judge = judge
        self.kept: list[Claim] = []
        self.dropped: list[Dropped] = []

    def edit(self, written: Iterator[str]) -> Iterator[Claim]:
        """The claims that pass, as they come; what is said twice comes once."""
        seen: set[str] = set()
        for sentence in written:
            text, numbers = _without_marks(sentence)
            if text == prompts()["answer"].nothing:
                raise ModelFailedError("the model finds no answer in the evidence")
            if not text or text.lower() in seen:
                continue
            seen.add(text.lower())
            claim = self._claim(text, numbers)
            if claim:
                self.kept.append(claim)
                yield claim
            if len(self.kept) == _MOST_SENTENCES or (not self.kept and len(self.dropped) >= _GIVE_UP):
                return

    def too_little(self) -> str:
        """Why what is left is no answer; empty when it is one."""
        if not self.kept:
            return f"none of {len(self.dropped)} sentences passed the check"
        if len(self.dropped) > 2 * len(self.kept):
            return f"only {len(self.kept)} of {len(self.kept) + len(self.dropped)} sentences passed the check"
        return ""

    def _claim(self, text: str, numbers: tuple[int, ...]) -> Claim | None:
        unknown = set(numbers) - self._numbered.keys()
        if unknown or text.endswith(_UNFINISHED):
            self.dropped.append(Dropped(text, ("citation",) if unknown else ("unfinished",)))
            return None
        # Without a number the sentence is held against each quote; it then cites the one that bears it out.
        tried = [numbers] if numbers else [(number,) for number in self._numbered]
        verdicts = [(self._judge.judge(text, self._sources(one)), one) for one in tried]
        verdict, cited = max(verdicts, key=lambda pair: pair[0].support)
        if verdict.passed:
            return Claim(text, cited, round(verdict.support, 3))
        self.dropped.append(Dropped(text, verdict.faults or (f"support {verdict.support:.2f}",)))
        return None

    def _sources(self, numbers: Sequence[int]) -> Sources:
        return joined([self._numbered[number] for number in numbers])


def joined(sources: Sequence[Sources]) -> Sources:
    """Several quotes as one."""
    return Sources(
        tuple(sentence for one in sources for sentence in one.sentences),
        ". ".join(dict.fromkeys(one.context for one in sources)),
    )


_MARKS = re.compile(r"\s*\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")
_DRESS = re.compile(r"^\s*(?:[-*•–]\s+|\d{1,2}[.)]\s+|#+\s*|>\s*)|\*\*|__|`")


def _without_marks(sentence: str) -> tuple[str, tuple[int, ...]]:
    """A written sentence without its citation marks and its dress, and the numbers that it cites."""
    numbers = [int(one) for marks in _MARKS.findall(sentence) for one in re.findall(r"\d+", marks)]
    text = _DRESS.sub("", _MARKS.sub("", sentence))
    return " ".join(text.split()).replace(" .", ".").strip(), tuple(dict.fromkeys(numbers))


# ---------------------------------------------------------------- cutting the stream

_OPENING_MARKS = re.compile(r"^\s*(?:\[[\d,;\s]*\]?\s*)+")
_LONGEST = 600  # characters without an end: no sentence that a reader could use


def _cut(stream: Iterator[str]) -> Iterator[str]:
    """Whole sentences, each as soon as the next has begun, with the citation marks that follow its stop."""
    rest = ""
    for piece in stream:
        rest += piece
        *lines, last = rest.split("\n")
        for line in lines:
            yield from _sentences(line)
        found = _sentences(last)
        yield from found[:-1]
        rest = found[-1] if found else ""
        # Blanks at the end of what has come so far are needed to tell words apart.
        rest += last[len(last.rstrip()) :] if rest else ""
        if len(rest) > _LONGEST:
            raise ModelFailedError("the model rambles: a sentence that does not end")
    *whole, last = _sentences(rest) or [""]
    yield from whole
    if last:
        yield last if _ENDED.search(last) or last == prompts()["answer"].nothing else f"{last} {_UNFINISHED}"


_ENDED = re.compile(r"[.!?:;)\]\"”’]\s*$")
_UNFINISHED = "…"


def _sentences(line: str) -> list[str]:
    out: list[str] = []
    for start, end in sentences(line):
        part = line[start:end]
        marks = _OPENING_MARKS.match(part)
        if marks and out:
            out[-1] = f"{out[-1]} {marks.group().strip()}"
            part = part[marks.end() :]
        if part:
            out.append(part)
    return out


# ---------------------------------------------------------------- talking to the server

_END = object()
_RETRIED = frozenset({408, 409, 429, 500, 502, 503, 504})
_PAUSE = 0.3  # seconds before another try
# What a client raises for an answer that is not of the protocol depends on where it is not.
_NOT_THE_PROTOCOL = (ValueError, TypeError, AttributeError, KeyError, IndexError)


class _RetryError(ModelFailedError):
    """Worth another try."""


def _chat(settings: ModelSettings, asked: Sequence[str]) -> Iterator[str]:
    """What the model says to a system's and a user's message, piece by piece.

    Raises:
        ModelFailedError: The server failed, or was too slow.
    """
    deadline = time.monotonic() + settings.total_seconds
    for left in reversed(range(settings.tries)):
        begun = False
        try:
            for piece in _one_try(settings, asked, deadline):
                begun = True
                yield piece
        except _RetryError:
            if begun or not left or deadline - time.monotonic() < _PAUSE:
                raise
            time.sleep(_PAUSE)
        else:
            return


def _one_try(settings: ModelSettings, asked: Sequence[str], deadline: float) -> Iterator[str]:
    """Read in a thread of its own, so that no server can hold the caller up past its deadline."""
    pieces: queue.Queue[object] = queue.Queue()
    client = httpx.Client(timeout=httpx.Timeout(settings.first_seconds))
    reader = threading.Thread(
        target=_read, args=(settings, asked, client, pieces), name="language-model", daemon=True
    )
    reader.start()
    characters = 0
    try:
        while (piece := _next(pieces, settings, deadline)) is not _END:
            if isinstance(piece, ModelFailedError):
                raise piece
            characters += len(str(piece))
            yield str(piece)
            if characters > settings.most_characters:
                return
    finally:
        client.close()  # ends the reading, and tells the server to stop writing


def _next(pieces: queue.Queue[object], settings: ModelSettings, deadline: float) -> object:
    left = deadline - time.monotonic()
    try:
        return pieces.get(timeout=max(0.0, min(left, settings.first_seconds)))
    except queue.Empty:
        slow = "in all" if left < settings.first_seconds else "for the next word"
        limit = settings.total_seconds if left < settings.first_seconds else settings.first_seconds
        raise ModelFailedError(f"the server took more than {limit:g} s {slow}") from None


def _read(
    settings: ModelSettings, asked: Sequence[str], client: httpx.Client, pieces: queue.Queue[object]
) -> None:
    """Put every piece of the answer into the queue, then `_END` or what went wrong."""
    system, user = asked
    messages = [
        ChatMessage(role=MessageRole.SYSTEM, content=system),
        ChatMessage(role=MessageRole.USER, content=user),
    ]
    try:
        model = OpenAILike(
            model=settings.model,
            api_base=settings.url,
            api_key=settings.key or "none",
            is_chat_model=True,
            max_tokens=settings.most_tokens,
            temperature=0.0,
            timeout=settings.first_seconds,
            max_retries=0,
            http_client=client,
        )
        for response in model.stream_chat(messages):
            if response.delta:
                pieces.put(response.delta)
        pieces.put(_END)
    except openai.APIStatusError as error:
        kind = _RetryError if error.status_code in _RETRIED else ModelFailedError
        pieces.put(kind(f"the server answered {error.status_code}"))
    except (openai.OpenAIError, httpx.HTTPError, httpx.StreamError) as error:
        pieces.put(_RetryError(f"the connection failed: {type(error).__name__}"))
    except _NOT_THE_PROTOCOL as error:
        pieces.put(ModelFailedError(f"the server's answer is not of the protocol: {type(error).__name__}"))
    finally:
        with suppress(RuntimeError):
            client.close()
