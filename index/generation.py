"""A Generation: one complete, immutable index in a folder of its own, written once and then only read.

manifest.json      what it was built with, what it holds, the size and sha256 of every file
articles.jsonl     the articles, sorted by id          offsets.npy    where each line starts
catalogue.json     ids, the source each came from, and the hash of its line
facets.json        tags, authors and dates             words.json     how often each word occurs
passages.npy       one record a passage; rows of articles first, then rows of comments
sentences.npy      one record a sentence               sentences*.f16.npy  their vectors; see `index.segments`
tokens*.i8.npy     the short vectors of tokens
passages.faiss     the passages' vectors               keywords/      BM25

A generation is made from the one before: what an article that is unchanged was cut into, and how often which
word stands in it, is taken over, and a passage whose text was embedded before is not embedded again.
"""

from __future__ import annotations

import hashlib
import json
import mmap
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from tokenize import TokenError
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from index.encoded import TOKEN_WIDTH, Floats, PassageVectors, QueryVectors
from index.errors import GenerationError, StoreError
from index.filters import Facets
from index.keywords import Keywords, terms, words
from index.packaged import sha256
from index.passage import SPLITTER, Passage, Sentence, embedding_text, split
from index.segments import Segments, roomy, take_over
from index.sentences import BlockKind
from index.vectors import Vectors
from ingest.article import Article, from_json, to_json

if TYPE_CHECKING:
    from index.packaged import ModelIdentity

# Raised whenever the files change. Of an older generation the articles are kept, and all else is made anew.
FORMAT = 4

_PASSAGE = np.dtype(
    [
        ("article", "i4"),
        ("comment", "i2"),  # -1 in an article
        ("start", "i4"),
        ("end", "i4"),
        ("first", "i8"),  # row of its first sentence
        ("count", "i4"),  # of its sentences
        ("hash", "V16"),  # of what the encoder read
        ("vectors", "i8"),  # row of its first sentence's vector
        ("tokens", "i8"),  # row of its first token
        ("lead", "i2"),  # tokens before its first sentence: of its title and heading
    ]
)
_SENTENCE = np.dtype(
    [
        ("start", "i4"),
        ("end", "i4"),
        ("block", "i4"),
        ("kind", "u1"),
        ("heading", "i4", (2,)),
        ("tokens", "i2"),
    ]
)
_KINDS = tuple(BlockKind)
# What numpy, faiss and bm25s raise on files that were altered after they were written.
_DAMAGED = (OSError, ValueError, KeyError, TypeError, SyntaxError, TokenError, MemoryError)


class Counts(BaseModel):
    """What a generation holds."""

    articles: int
    passages: int
    comment_passages: int
    sentences: int


class FileRecord(BaseModel):
    """One file of a generation, as it was when it was complete."""

    size: int
    sha256: str


class Manifest(BaseModel):
    """What a generation was built with."""

    format: int
    created: str
    fingerprint: str
    model: str
    model_checksum: str
    dimension: int
    window: int
    counts: Counts
    files: dict[str, FileRecord]
    splitter: str = ""
    segments: tuple[str, ...] = ("sentences.f16.npy",)

    @property
    def shareable(self) -> tuple[str, ...]:
        """The files that the next generation may take over as they are."""
        return (*self.segments, *map(_of_tokens, self.segments))


@dataclass(frozen=True)
class Sourced:
    """An article and the source that brought it."""

    article: Article
    source: str

    @cached_property
    def line(self) -> bytes:
        """The article as it is written."""
        return to_json(self.article).encode()

    @cached_property
    def digest(self) -> str:
        """The same for the same article."""
        return line_digest(self.line)


class PassageEncoder(Protocol):
    """What a build needs of an encoder."""

    @property
    def identity(self) -> ModelIdentity:
        """What a store must agree on with it."""

    @property
    def window(self) -> int:
        """How many tokens it reads."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text."""

    def encode_passages(
        self,
        texts: Sequence[str],
        spans: Sequence[Sequence[tuple[int, int]]],
        *,
        progress: Callable[[int], None],
    ) -> list[PassageVectors]:
        """The vectors of passages, of their sentences and of their tokens."""


@dataclass(frozen=True, slots=True)
class PassageTerms:
    """The terms of a passage's parts, for holding a question against them.

    Attributes:
        title: Of the article's title.
        headings: For each sentence, of the heading above it.
        sentences: For each sentence, its own.
    """

    title: frozenset[str]
    headings: tuple[frozenset[str], ...]
    sentences: tuple[frozenset[str], ...]


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did."""

    manifest: Manifest
    embedded: int
    reused: int


class Generation:
    """An opened generation; safe to share between threads, since nothing of it changes.

    Raises:
        GenerationError: The folder is incomplete or of another format; says what to do.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name
        self.manifest = read_manifest(folder)
        try:
            self._offsets = np.load(folder / "offsets.npy")
            self._lines = _mapped(folder / "articles.jsonl")
            self._passages = np.load(folder / "passages.npy", mmap_mode="r")
            self._sentences = np.load(folder / "sentences.npy", mmap_mode="r")
            self.segments = Segments([folder / name for name in self.manifest.segments])
            self.tokens = Segments([folder / _of_tokens(name) for name in self.manifest.segments])
            self.vectors = Vectors.load(folder / "passages.faiss")
            self.keywords = Keywords.load(folder / "keywords")
            catalogue = json.loads((folder / "catalogue.json").read_bytes())
            self.ids: tuple[str, ...] = tuple(catalogue["ids"])
            self.sources: tuple[str, ...] = tuple(catalogue["sources"])
            self._digests: tuple[str, ...] = tuple(catalogue["digests"])
            self.passage_articles = np.asarray(self._passages["article"])  # shape (passages,): article rows
            self._vector_rows = self._passages["vectors"]
            self._token_counts = np.asarray(self._sentences["tokens"], np.int64)
        except _DAMAGED as error:
            raise GenerationError(
                f"The generation in {folder} cannot be opened: {error}. "
                "Run `referral store rollback` to serve the one before it, or index again."
            ) from error
        counts = self.manifest.counts
        self.article_passages = counts.passages - counts.comment_passages
        self.article = lru_cache(maxsize=4096)(self._article)
        self.passage = lru_cache(maxsize=16384)(self._passage)
        self.passage_terms = lru_cache(maxsize=16384)(self._passage_terms)

    def article_row(self, article_id: str) -> int:
        """The row of an article.

        Raises:
            KeyError: There is none with this id.
        """
        return self._rows_by_id[article_id]

    def passages_of(self, article_row: int) -> list[int]:
        """The rows of an article's own passages, in reading order."""
        rows = self.passage_articles[: self.article_passages]
        low, high = np.searchsorted(rows, [article_row, article_row + 1])
        return list(range(int(low), int(high)))

    def sentence_vectors(self, passage_row: int) -> Floats:
        """The vectors of a passage's sentences: shape (sentences, dimension), unit length."""
        low, count = int(self._vector_rows[passage_row]), int(self._passages["count"][passage_row])
        return np.asarray(self.segments.run(low, count), np.float32)

    def best_sentences(self, query: Floats, passage_rows: Sequence[int]) -> Floats:
        """For each passage the highest cosine of any of its sentences: shape (passages,)."""
        firsts = self._vector_rows[list(passage_rows)]
        counts = self._passages["count"][list(passage_rows)]
        cosines = np.asarray(self.segments.take(_runs(firsts, counts)), np.float32) @ query
        return np.maximum.reduceat(cosines, np.concatenate([[0], np.cumsum(counts)[:-1]]))

    def tokens_of(self, passage_row: int) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
        """The short vectors of a passage's tokens, and where each group of them starts.

        Returns:
            Shape (tokens, width), times 127; and shape (1 + sentences,): the first group is the passage's
            title and heading, then one for each sentence.
        """
        record = self._passages[passage_row]
        low, count = int(record["first"]), int(record["count"])
        counts = np.concatenate([[int(record["lead"])], self._token_counts[low : low + count]])
        return self.tokens.run(int(record["tokens"]), int(counts.sum())), _starts(counts)

    def late(self, query: QueryVectors, passage_rows: Sequence[int]) -> Floats:
        """Late interaction of a query with whole passages, titles included: shape (passages,), -1..1."""
        records = self._passages[list(passage_rows)]
        ends = self._token_ends
        counts = records["lead"] + ends[records["first"] + records["count"]] - ends[records["first"]]
        runs = [
            self.tokens.run(low, count)
            for low, count in zip(records["tokens"].tolist(), counts.tolist(), strict=True)
        ]
        return query.late(np.concatenate(runs), _starts(np.asarray(counts, np.int64)))

    @cached_property
    def _token_ends(self) -> NDArray[np.int64]:
        """How many tokens the sentences before each have together, leads not counted: (1 + sentences,)."""
        return np.concatenate([[0], np.cumsum(self._token_counts)])

    def word_counts(self) -> dict[str, int]:
        """How often each word occurs in the articles' texts and titles: what right spelling is here."""
        counts: dict[str, int] = json.loads((self.folder / "words.json").read_bytes())
        return counts

    @cached_property
    def facets(self) -> Facets:
        """What its articles can be chosen by."""
        return Facets.model_validate_json((self.folder / "facets.json").read_bytes())

    def digest(self, article_row: int) -> str:
        """The hash of an article's line, as it was when it was written."""
        return self._digests[article_row]

    @cached_property
    def article_rows(self) -> list[tuple[range, range]]:
        """For each article the rows of its own passages, and those of its comments."""
        edges = np.arange(len(self.ids) + 1)
        own = np.searchsorted(self.passage_articles[: self.article_passages], edges).tolist()
        comments = np.searchsorted(self.passage_articles[self.article_passages :], edges)
        said = (comments + self.article_passages).tolist()
        return [
            (range(own[row], own[row + 1]), range(said[row], said[row + 1])) for row in range(len(self.ids))
        ]

    def embedded(self) -> dict[bytes, int]:
        """Passages by the hash of what the encoder read for them."""
        hashes = np.ascontiguousarray(self._passages["hash"]).tobytes()
        size = len(hashes) // max(1, len(self._passages))
        return {hashes[row * size : (row + 1) * size]: row for row in range(len(self._passages))}

    def records(self, rows: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[Any]]:
        """The records of some passages, and those of their sentences one after another."""
        found = self._passages[rows]
        return found, self._sentences[_runs(found["first"], found["count"])]

    def vector_rows(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """For each of some passages the row of its first sentence's vector."""
        return np.asarray(self._vector_rows[rows], np.int64)

    @cached_property
    def _rows_by_id(self) -> dict[str, int]:
        return {article_id: row for row, article_id in enumerate(self.ids)}

    def _article(self, row: int) -> Article:
        line = self._line(row)
        if line_digest(line) != self._digests[row]:
            raise GenerationError(
                f"The article {self.ids[row]!r} in {self.folder} is not as it was written: it is not quoted. "
                "Run `referral store check --repair`, or index again."
            )
        return from_json(line, fallback_id="")

    def _line(self, row: int) -> bytes:
        return self._lines[int(self._offsets[row]) : int(self._offsets[row + 1]) - 1]

    def _passage_terms(self, row: int) -> PassageTerms:
        passage = self.passage(row)
        article = self.article(int(self.passage_articles[row]))
        text = article.text if passage.comment is None else article.comments[passage.comment].text
        spans = {one.heading for one in passage.sentences}
        by_heading = {span: frozenset(terms(text[slice(*span)])) for span in spans}
        return PassageTerms(
            title=frozenset(terms(article.title)),
            headings=tuple(by_heading[one.heading] for one in passage.sentences),
            sentences=tuple(frozenset(terms(text[one.start : one.end])) for one in passage.sentences),
        )

    def _passage(self, row: int) -> Passage:
        record = self._passages[row]
        article = self.article(int(record["article"]))
        comment = int(record["comment"]) if record["comment"] >= 0 else None
        text = article.text if comment is None else article.comments[comment].text
        start, end = int(record["start"]), int(record["end"])
        span = f"{start}-{end}" if comment is None else f"c{comment}:{start}-{end}"
        low = int(record["first"])
        sentences = tuple(
            Sentence(start, end, block, _KINDS[kind], (heading[0], heading[1]))
            # as a list of plain numbers: reading a record's fields one by one takes ten times as long
            for start, end, block, kind, heading, _ in self._sentences[
                low : low + int(record["count"])
            ].tolist()
        )
        return Passage(
            id=f"{article.id}#{span}",
            article_id=article.id,
            kind="article" if comment is None else "comment",
            comment=comment,
            start=start,
            end=end,
            text=text[start:end],
            heading=text[slice(*sentences[0].heading)],
            sentences=sentences,
        )


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a generation's folder.

    Raises:
        GenerationError: It is missing, unreadable or of another format, or a file is missing or cut short.
    """
    try:
        manifest = Manifest.model_validate_json((folder / "manifest.json").read_bytes())
    except (OSError, ValidationError) as error:
        raise GenerationError(
            f"{folder} has no readable manifest ({error.__class__.__name__}). "
            "Run `referral store rollback`, or index again."
        ) from error
    if manifest.format != FORMAT:
        raise GenerationError(
            f"{folder} was written in format {manifest.format}; this version writes format {FORMAT}. "
            "Run `referral index` again with the same sources."
        )
    for name, record in manifest.files.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != record.size:
            raise GenerationError(
                f"{path} is missing or not of its recorded size. "
                "Run `referral store rollback` to serve the generation before it, or index again."
            )
    return manifest


@dataclass(frozen=True, slots=True)
class Stored:
    """An article as it stands in a generation, not yet read."""

    source: str
    digest: str
    line: bytes

    def read(self) -> Sourced:
        """The article itself."""
        return Sourced(from_json(self.line, fallback_id=""), self.source)


def read_articles(folder: Path) -> dict[str, Stored]:
    """The articles of a generation of any format by id, from the two files that every format has.

    Raises:
        GenerationError: They cannot be read whole, so some would be lost; says what to do.
    """
    try:
        catalogue = json.loads((folder / "catalogue.json").read_bytes())
        lines = (folder / "articles.jsonl").read_bytes().splitlines(keepends=False)
        found = {
            name: Stored(source, line_digest(line), line)
            for name, source, line in zip(catalogue["ids"], catalogue["sources"], lines, strict=True)
        }
        written = [one.digest for one in found.values()]
        if written != catalogue.get("digests", written):
            raise ValueError("an article is not as it was written")  # noqa: TRY301 (told below, like the others)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GenerationError(
            f"The articles in {folder} cannot be read ({error}), and indexing now would lose what other "
            "sources brought. Run `referral store rollback` or `referral store check --repair` first."
        ) from error
    return found


def line_digest(line: bytes) -> str:
    """The hash of an article's line, without its end."""
    return hashlib.blake2b(line, digest_size=16).hexdigest()


def fingerprint(sourced: Sequence[Sourced], model: ModelIdentity) -> str:
    """The same for the same articles, model and format: nothing would change by building again."""
    digest = hashlib.sha256(f"{FORMAT} {SPLITTER} {model.checksum}".encode())
    for one in sorted(sourced, key=lambda each: each.article.id):
        digest.update(f"{one.article.id}\0{one.digest}\0{one.source}\n".encode())
    return digest.hexdigest()


def build(
    folder: Path,
    sourced: Sequence[Sourced],
    encoder: PassageEncoder,
    previous: Generation | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    before: Generation | None = None,
) -> Built:
    """Write a complete generation into an empty folder.

    Args:
        folder: Exists and is empty.
        sourced: Articles with unique ids; their order does not matter.
        encoder: Encodes every passage that `previous` does not hold.
        previous: What is the same in it is taken over.
        progress: Called with passages done and passages to embed.
        before: An older generation, with which files may be shared on disk.

    Raises:
        StoreError: There is no sentence in any article.
    """
    ordered = sorted(sourced, key=lambda one: one.article.id)
    if previous and previous.manifest.model_checksum != encoder.identity.checksum:
        previous = None
    layout = _laid_out(ordered, encoder, previous)
    if not layout.size:
        raise StoreError("None of the articles has a sentence to index, so the store is left as it was.")
    embedded, shared = _write_vectors(folder, layout, encoder, previous, before, progress)
    _write_articles(folder, ordered, previous)
    _keywords(layout, previous).save(folder / "keywords")
    counts = Counts(
        articles=len(ordered),
        passages=layout.size,
        comment_passages=layout.comments,
        sentences=int(layout.counts.sum()),
    )
    manifest = _write_manifest(folder, fingerprint(ordered, encoder.identity), encoder, counts, shared)
    return Built(manifest, embedded=embedded, reused=layout.size - embedded)


def file_records(folder: Path, known: Mapping[str, FileRecord] | None = None) -> dict[str, FileRecord]:
    """Size and sha256 of every file of a generation but its manifest, by its path in the folder.

    Args:
        folder: The generation's.
        known: Records of files that need not be read.
    """
    records = dict(known or {})
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != "manifest.json" and name not in records:
            records[name] = FileRecord(size=path.stat().st_size, sha256=sha256(path))
    return records


@dataclass(frozen=True, slots=True)
class _Row:
    """A passage on its way into a generation."""

    passage: Passage
    text: str  # what the encoder and the keywords read: title, heading, passage
    lead: int  # where the passage starts in it

    def spans(self) -> list[tuple[int, int]]:
        """The sentences' spans in what the encoder reads."""
        shift = self.lead - self.passage.start
        return [(one.start + shift, one.end + shift) for one in self.passage.sentences]

    def hash(self) -> bytes:
        """The same when the same text would be embedded with the same sentences."""
        spans = ",".join(f"{start}-{end}" for start, end in self.spans())
        return hashlib.blake2b(f"{spans}\n{self.text}".encode(), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class _Layout:
    """The passages of a generation on its way, row by row.

    Attributes:
        articles: The row of each passage's article.
        taken: The row of each passage in the generation before when its whole article was taken over, or -1.
        cut: The passages that were cut anew, by row.
        comments: How many passages at the end are of comments.
        counts: Sentences of each passage.
    """

    articles: NDArray[np.int64]
    taken: NDArray[np.int64]
    cut: dict[int, _Row]
    comments: int
    counts: NDArray[np.int64]

    @property
    def size(self) -> int:
        return len(self.articles)


def _laid_out(ordered: Sequence[Sourced], encoder: PassageEncoder, previous: Generation | None) -> _Layout:
    same = _unchanged(ordered, encoder, previous)
    places: tuple[list[tuple[int, int | _Row]], list[tuple[int, int | _Row]]] = ([], [])
    for number, one in enumerate(ordered):
        if previous and one.article.id in same:
            for rows, into in zip(previous.article_rows[same[one.article.id]], places, strict=True):
                into.extend((number, row) for row in rows)
        else:
            for passage in split(one.article, encoder.count_tokens, encoder.window):
                row = _Row(passage, *embedding_text(one.article.title, passage))
                places[passage.kind == "comment"].append((number, row))
    every = [*places[0], *places[1]]
    cut = {place: row for place, (_, row) in enumerate(every) if isinstance(row, _Row)}
    taken = np.array([-1 if isinstance(row, _Row) else row for _, row in every], np.int64)
    counts = np.zeros(len(every), np.int64)
    if previous:
        counts[taken >= 0] = previous.records(taken[taken >= 0])[0]["count"]
    for place, row in cut.items():
        counts[place] = len(row.passage.sentences)
    return _Layout(np.array([number for number, _ in every], np.int64), taken, cut, len(places[1]), counts)


def _unchanged(
    ordered: Sequence[Sourced], encoder: PassageEncoder, previous: Generation | None
) -> dict[str, int]:
    """The articles that would be cut as they are in the generation before: their rows there by id."""
    if (
        previous is None
        or previous.manifest.splitter != SPLITTER
        or previous.manifest.window != encoder.window
        or not previous.keywords.can_change
    ):
        return {}
    rows = {name: row for row, name in enumerate(previous.ids)}
    return {
        one.article.id: rows[one.article.id]
        for one in ordered
        if one.article.id in rows and previous.digest(rows[one.article.id]) == one.digest
    }


def _keywords(layout: _Layout, previous: Generation | None) -> Keywords:
    fresh = {place: terms(row.text) for place, row in layout.cut.items()}
    kept = np.flatnonzero(layout.taken >= 0)
    if previous is None or not len(kept):
        return Keywords.build([fresh[place] for place in range(layout.size)])
    moved = np.full(previous.keywords.size, -1, np.int64)
    moved[layout.taken[kept]] = kept
    return previous.keywords.changed(moved, fresh, layout.size)


def _write_vectors(
    folder: Path,
    layout: _Layout,
    encoder: PassageEncoder,
    previous: Generation | None,
    before: Generation | None,
    progress: Callable[[int, int], None],
) -> tuple[int, dict[str, FileRecord]]:
    """Write the spans and all vectors.

    Returns:
        How many passages had to be embedded, and the records of the files that were taken over.
    """
    source = layout.taken.copy()  # of each passage's vectors: its row in the generation before
    known = previous.embedded() if previous and layout.cut else {}
    for place, row in layout.cut.items():
        source[place] = known.get(row.hash(), -1)
    fresh = np.flatnonzero(source < 0)
    reused = np.flatnonzero(source >= 0)
    new = _embedded([layout.cut[place] for place in fresh.tolist()], encoder, progress)
    every = np.zeros((layout.size, encoder.identity.dimension), np.float32)
    for place, one in zip(fresh.tolist(), new, strict=True):
        every[place] = one.vector
    if previous:
        every[reused] = previous.vectors.take(source[reused])
    Vectors.build(every).save(folder / "passages.faiss")

    lead, tokens = _token_counts(layout, fresh, new, reused, source, previous)
    share = previous is not None and roomy(
        previous.segments, int(layout.counts[reused].sum()), int(layout.counts[fresh].sum())
    )
    shared = _share_segments(folder, previous, before) if previous and share else {}
    at = _Placing(fresh, reused, share=share)
    ends = np.concatenate([[0], np.cumsum(tokens)])
    totals = lead + ends[_starts(layout.counts) + layout.counts] - ends[_starts(layout.counts)]
    dimension = encoder.identity.dimension
    sentence_rows = at.write(
        folder / "sentences.f16.npy",
        layout.counts,
        [one.sentences.astype(np.float16) for one in new] or [np.zeros((0, dimension), np.float16)],
        (previous.segments, previous.vector_rows(source[reused])) if previous else None,
    )
    token_rows = at.write(
        folder / "tokens.i8.npy",
        totals,
        [one.tokens for one in new] or [np.zeros((0, min(TOKEN_WIDTH, dimension)), np.int8)],
        (previous.tokens, previous.records(source[reused])[0]["tokens"]) if previous else None,
    )
    _write_spans(folder, layout, _Spread(sentence_rows, token_rows, lead, tokens), previous)
    return len(fresh), shared


@dataclass(frozen=True, slots=True)
class _Spread:
    """Where the vectors of passages stand.

    Attributes:
        sentences: The row of each passage's first sentence's vector.
        tokens: The row of each passage's first token.
        lead: How many tokens stand before each passage's first sentence.
        counts: How many tokens each sentence has, passage after passage.
    """

    sentences: NDArray[np.int64]
    tokens: NDArray[np.int64]
    lead: NDArray[np.int64]
    counts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Placing:
    """Passages whose vectors are new, those whose vectors are known, and whether known files are shared."""

    fresh: NDArray[np.int64]
    reused: NDArray[np.int64]
    share: bool

    def write(
        self,
        path: Path,
        counts: NDArray[np.int64],
        parts: Sequence[NDArray[Any]],
        known: tuple[Segments, NDArray[np.int64]] | None,
    ) -> NDArray[np.int64]:
        """Write what is new, or all of it when nothing is shared; the first row of each passage.

        Args:
            path: The first file of its kind; later ones are numbered.
            counts: Rows of each passage.
            parts: The new rows.
            known: The rows of the generation before, and where each passage that is known starts in them.
        """
        new = np.concatenate(parts)
        rows = np.zeros(len(counts), np.int64)
        rows[self.fresh] = _starts(counts[self.fresh])
        if known and len(self.reused):
            segments, old = known
            if self.share:
                rows[self.fresh] += segments.size
                rows[self.reused] = old
            else:
                rows[self.reused] = len(new) + _starts(counts[self.reused])
                new = np.concatenate([new, segments.take(_runs(old, counts[self.reused]))])
        if len(new):
            stem, rest = path.name.split(".", 1)
            number = len(list(path.parent.glob(f"{stem}*.{rest}")))
            np.save(path.with_name(f"{stem}-{number}.{rest}") if number else path, new)
        return rows


def _token_counts(
    layout: _Layout,
    fresh: NDArray[np.int64],
    new: Sequence[PassageVectors],
    reused: NDArray[np.int64],
    source: NDArray[np.int64],
    previous: Generation | None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Tokens before the first sentence of each passage, and of each sentence, passage after passage."""
    lead = np.zeros(layout.size, np.int64)
    tokens = np.zeros(int(layout.counts.sum()), np.int64)
    firsts = _starts(layout.counts)
    for place, one in zip(fresh.tolist(), new, strict=True):
        lead[place] = one.counts[0]
        tokens[firsts[place] : firsts[place] + layout.counts[place]] = one.counts[1:]
    if previous and len(reused):
        records, spans = previous.records(source[reused])
        lead[reused] = records["lead"]
        tokens[_runs(firsts[reused], layout.counts[reused])] = spans["tokens"]
    return lead, tokens


def _embedded(
    rows: Sequence[_Row], encoder: PassageEncoder, progress: Callable[[int, int], None]
) -> list[PassageVectors]:
    """The vectors of passages."""
    done = 0

    def advance(more: int) -> None:
        nonlocal done
        done += more
        progress(done, len(rows))

    if not rows:
        return []
    return encoder.encode_passages(
        [row.text for row in rows], [row.spans() for row in rows], progress=advance
    )


def _share_segments(folder: Path, previous: Generation, before: Generation | None) -> dict[str, FileRecord]:
    """Take over the files of sentences' and tokens' vectors as they are; their records."""
    records = {name: previous.manifest.files[name] for name in previous.manifest.shareable}
    for name, record in records.items():
        equal = before is not None and before.manifest.files.get(name) == record
        take_over(previous.folder / name, folder / name, before.folder / name if before and equal else None)
    return records


def _of_tokens(name: str) -> str:
    """The file of tokens' vectors beside a file of sentences' vectors."""
    return name.replace("sentences", "tokens").replace(".f16.", ".i8.")


def _starts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each of some runs starts when they stand one after another."""
    return np.cumsum(counts) - counts


def _runs(starts: NDArray[Any], counts: NDArray[Any]) -> NDArray[np.int64]:
    """The numbers from each start on, as many as its count, one run after another."""
    starts, counts = np.asarray(starts, np.int64), np.asarray(counts, np.int64)
    return np.repeat(starts - _starts(counts), counts) + np.arange(int(counts.sum()))


def _write_articles(folder: Path, ordered: Sequence[Sourced], previous: Generation | None) -> None:
    offsets = [0]
    with (folder / "articles.jsonl").open("wb") as file:
        for one in ordered:
            file.write(one.line + b"\n")
            offsets.append(file.tell())
    np.save(folder / "offsets.npy", np.array(offsets, np.int64))
    catalogue = {
        "ids": [one.article.id for one in ordered],
        "sources": [one.source for one in ordered],
        "digests": [one.digest for one in ordered],
    }
    (folder / "catalogue.json").write_text(json.dumps(catalogue, ensure_ascii=False), encoding="utf-8")
    facets = Facets.of(one.article for one in ordered)
    (folder / "facets.json").write_text(facets.model_dump_json(), encoding="utf-8")
    counts = (
        _changed_word_counts(ordered, previous) if previous else _word_counts(one.article for one in ordered)
    )
    (folder / "words.json").write_text(
        json.dumps(dict(sorted(counts.items())), ensure_ascii=False), encoding="utf-8"
    )


def _word_counts(articles: Iterable[Article]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for one in articles:
        counts.update(words(f"{one.title}\n{one.text}"))
    return dict(counts)


def _changed_word_counts(ordered: Sequence[Sourced], previous: Generation) -> dict[str, int]:
    """The counts of the generation before, without the articles that went and with those that came."""
    now = {one.digest for one in ordered}
    then = {previous.digest(row) for row in range(len(previous.ids))}
    gone = (previous.article(row) for row in range(len(previous.ids)) if previous.digest(row) not in now)
    counts = Counter(previous.word_counts())
    counts.subtract(_word_counts(gone))
    counts.update(_word_counts(one.article for one in ordered if one.digest not in then))
    return {word: count for word, count in counts.items() if count > 0}


def _write_spans(folder: Path, layout: _Layout, spread: _Spread, previous: Generation | None) -> None:
    firsts = _starts(layout.counts)
    passages = np.zeros(layout.size, _PASSAGE)
    sentences = np.zeros(int(layout.counts.sum()), _SENTENCE)
    kept = np.flatnonzero(layout.taken >= 0)
    if previous and len(kept):
        records, spans = previous.records(layout.taken[kept])
        passages[kept] = records
        sentences[_runs(firsts[kept], layout.counts[kept])] = spans
    for place, row in layout.cut.items():
        one = row.passage
        comment = -1 if one.comment is None else one.comment
        passages[place] = (0, comment, one.start, one.end, 0, len(one.sentences), row.hash(), 0, 0, 0)
        sentences[firsts[place] : firsts[place] + len(one.sentences)] = [
            (each.start, each.end, each.block, _KINDS.index(each.block_kind), each.heading, 0)
            for each in one.sentences
        ]
    passages["article"], passages["first"], passages["lead"] = layout.articles, firsts, spread.lead
    passages["vectors"], passages["tokens"] = spread.sentences, spread.tokens
    sentences["tokens"] = spread.counts
    np.save(folder / "passages.npy", passages)
    np.save(folder / "sentences.npy", sentences)


def _write_manifest(
    folder: Path, print_: str, encoder: PassageEncoder, counts: Counts, shared: Mapping[str, FileRecord]
) -> Manifest:
    identity = asdict(encoder.identity)
    files = file_records(folder, shared)
    added = [name for name in files if name.startswith("sentences") and name.endswith(".f16.npy")]
    manifest = Manifest(
        format=FORMAT,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        fingerprint=print_,
        model=identity["name"],
        model_checksum=identity["checksum"],
        dimension=identity["dimension"],
        window=encoder.window,
        counts=counts,
        files=files,
        splitter=SPLITTER,
        segments=(
            *(name for name in shared if name in added),
            *(name for name in added if name not in shared),
        ),
    )
    (folder / "manifest.json").write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
    return manifest


def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
