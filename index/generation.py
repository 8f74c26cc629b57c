"""A Generation: one complete, immutable index in a folder of its own, written once and then only read.

manifest.json      what it was built with, what it holds, the size and sha256 of every file
articles.jsonl     the articles, sorted by id          offsets.npy    where each line starts
catalogue.json     ids, and the source each came from
passages.npy       one record a passage; rows of articles first, then rows of comments
sentences.npy      one record a sentence               sentences.f16.npy  their vectors
passages.faiss     the passages' vectors               keywords/      BM25
"""

from __future__ import annotations

import hashlib
import json
import mmap
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from tokenize import TokenError

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from index.encoder import Encoder, Floats, ModelIdentity
from index.errors import GenerationError, StoreError
from index.keywords import Keywords, terms, words
from index.passage import Passage, Sentence, embedding_text, split
from index.sentences import BlockKind
from index.vectors import Vectors
from ingest.article import Article, from_json, to_json

# Raised whenever the files or the way passages are cut change: an older generation is then built anew.
FORMAT = 2

_PASSAGE = np.dtype(
    [
        ("article", "i4"),
        ("comment", "i2"),  # -1 in an article
        ("start", "i4"),
        ("end", "i4"),
        ("first", "i8"),  # row of its first sentence
        ("count", "i4"),  # of its sentences
        ("hash", "V16"),  # of what the encoder read
    ]
)
_SENTENCE = np.dtype(
    [("start", "i4"), ("end", "i4"), ("block", "i4"), ("kind", "u1"), ("heading", "i4", (2,))]
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


@dataclass(frozen=True, slots=True)
class Sourced:
    """An article and the source that brought it."""

    article: Article
    source: str


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
            self._sentence_vectors = np.load(folder / "sentences.f16.npy", mmap_mode="r")
            self.vectors = Vectors.load(folder / "passages.faiss")
            self.keywords = Keywords.load(folder / "keywords")
            catalogue = json.loads((folder / "catalogue.json").read_bytes())
            self.ids: tuple[str, ...] = tuple(catalogue["ids"])
            self.sources: tuple[str, ...] = tuple(catalogue["sources"])
            self.passage_articles = np.asarray(self._passages["article"])  # shape (passages,): article rows
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
        record = self._passages[passage_row]
        low = int(record["first"])
        return np.asarray(self._sentence_vectors[low : low + int(record["count"])], np.float32)

    def best_sentences(self, query: Floats, passage_rows: Sequence[int]) -> Floats:
        """For each passage the highest cosine of any of its sentences: shape (passages,)."""
        firsts = self._passages["first"][list(passage_rows)]
        counts = self._passages["count"][list(passage_rows)]
        picked = np.concatenate([np.arange(a, a + n) for a, n in zip(firsts, counts, strict=True)])
        cosines = np.asarray(self._sentence_vectors[picked], np.float32) @ query
        return np.maximum.reduceat(cosines, np.concatenate([[0], np.cumsum(counts)[:-1]]))

    def word_counts(self) -> dict[str, int]:
        """How often each word occurs in the articles' texts and titles: what right spelling is here."""
        counts: Counter[str] = Counter()
        for row in range(self.manifest.counts.articles):
            article = self.article(row)
            counts.update(words(f"{article.title}\n{article.text}"))
        return dict(counts)

    def reusable(self) -> dict[bytes, int]:
        """Rows by the hash of what the encoder read for them."""
        return {bytes(value): row for row, value in enumerate(self._passages["hash"])}

    @cached_property
    def _rows_by_id(self) -> dict[str, int]:
        return {article_id: row for row, article_id in enumerate(self.ids)}

    def _article(self, row: int) -> Article:
        line = self._lines[int(self._offsets[row]) : int(self._offsets[row + 1])]
        return from_json(line, fallback_id="")

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
            for start, end, block, kind, heading in self._sentences[low : low + int(record["count"])].tolist()
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
            f"{folder} was written in format {manifest.format}; this version reads format {FORMAT}. "
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


def fingerprint(sourced: Sequence[Sourced], model: ModelIdentity) -> str:
    """The same for the same articles, model and format: nothing would change by building again."""
    digest = hashlib.sha256(f"{FORMAT} {model.checksum}".encode())
    for one in sorted(sourced, key=lambda each: each.article.id):
        digest.update(to_json(one.article).encode())
        digest.update(one.source.encode() + b"\n")
    return digest.hexdigest()


def build(
    folder: Path,
    sourced: Sequence[Sourced],
    encoder: Encoder,
    previous: Generation | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Built:
    """Write a complete generation into an empty folder.

    Args:
        folder: Exists and is empty.
        sourced: Articles with unique ids; their order does not matter.
        encoder: Encodes every passage that `previous` does not hold.
        previous: Its vectors are reused where the same text was read by the same model.
        progress: Called with passages done and passages to embed.

    Raises:
        StoreError: There is no sentence in any article.
    """
    ordered = sorted(sourced, key=lambda one: one.article.id)
    rows = [
        _Row(number, passage, *embedding_text(one.article.title, passage))
        for number, one in enumerate(ordered)
        for passage in split(one.article, encoder.count_tokens, encoder.window)
    ]
    if not rows:
        raise StoreError("None of the articles has a sentence to index, so the store is left as it was.")
    rows.sort(key=lambda row: row.passage.kind == "comment")  # stable: articles' rows first

    vectors, sentence_vectors, embedded = _vectors(rows, encoder, previous, progress)
    _write_articles(folder, ordered)
    _write_spans(folder, rows)
    np.save(folder / "sentences.f16.npy", sentence_vectors)
    Vectors.build(vectors).save(folder / "passages.faiss")
    Keywords.build([terms(row.text) for row in rows]).save(folder / "keywords")
    counts = Counts(
        articles=len(ordered),
        passages=len(rows),
        comment_passages=sum(row.passage.kind == "comment" for row in rows),
        sentences=len(sentence_vectors),
    )
    manifest = _write_manifest(folder, fingerprint(ordered, encoder.identity), encoder, counts)
    return Built(manifest, embedded=embedded, reused=len(rows) - embedded)


def file_records(folder: Path) -> dict[str, FileRecord]:
    """Size and sha256 of every file of a generation but its manifest, by its path in the folder."""
    records = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "manifest.json":
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            name = path.relative_to(folder).as_posix()
            records[name] = FileRecord(size=path.stat().st_size, sha256=digest)
    return records


@dataclass(frozen=True, slots=True)
class _Row:
    """A passage on its way into a generation."""

    article: int  # row
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


def _vectors(
    rows: Sequence[_Row],
    encoder: Encoder,
    previous: Generation | None,
    progress: Callable[[int, int], None],
) -> tuple[Floats, NDArray[np.float16], int]:
    """Passage vectors, sentence vectors, and how many passages had to be embedded."""
    known: Mapping[bytes, int] = {}
    if previous and previous.manifest.model_checksum == encoder.identity.checksum:
        known = previous.reusable()
    hashes = [row.hash() for row in rows]
    fresh = [place for place, value in enumerate(hashes) if value not in known]
    done = 0

    def advance(more: int) -> None:
        nonlocal done
        done += more
        progress(done, len(fresh))

    new, new_parts = encoder.encode_passages(
        [rows[place].text for place in fresh], [rows[place].spans() for place in fresh], progress=advance
    )
    vectors = np.zeros((len(rows), encoder.identity.dimension), np.float32)
    parts: list[Floats] = [np.zeros((0, encoder.identity.dimension), np.float32)] * len(rows)
    for position, place in enumerate(fresh):
        vectors[place], parts[place] = new[position], new_parts[position]
    if previous:
        old = [(place, known[value]) for place, value in enumerate(hashes) if value in known]
        vectors[[place for place, _ in old]] = previous.vectors.take(
            np.array([row for _, row in old], np.int64)
        )
        for place, row in old:
            parts[place] = previous.sentence_vectors(row)
    return vectors, np.concatenate(parts).astype(np.float16), len(fresh)


def _write_articles(folder: Path, ordered: Sequence[Sourced]) -> None:
    offsets = [0]
    with (folder / "articles.jsonl").open("wb") as file:
        for one in ordered:
            file.write(to_json(one.article).encode() + b"\n")
            offsets.append(file.tell())
    np.save(folder / "offsets.npy", np.array(offsets, np.int64))
    catalogue = {"ids": [one.article.id for one in ordered], "sources": [one.source for one in ordered]}
    (folder / "catalogue.json").write_text(json.dumps(catalogue, ensure_ascii=False), encoding="utf-8")


def _write_spans(folder: Path, rows: Sequence[_Row]) -> None:
    passages = np.zeros(len(rows), _PASSAGE)
    sentences: list[tuple[int, int, int, int, tuple[int, int]]] = []
    for place, row in enumerate(rows):
        one = row.passage
        comment = -1 if one.comment is None else one.comment
        span = (one.start, one.end, len(sentences), len(one.sentences))
        passages[place] = (row.article, comment, *span, row.hash())
        sentences += [
            (each.start, each.end, each.block, _KINDS.index(each.block_kind), each.heading)
            for each in one.sentences
        ]
    np.save(folder / "passages.npy", passages)
    np.save(folder / "sentences.npy", np.array(sentences, _SENTENCE))


def _write_manifest(folder: Path, print_: str, encoder: Encoder, counts: Counts) -> Manifest:
    identity = asdict(encoder.identity)
    manifest = Manifest(
        format=FORMAT,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        fingerprint=print_,
        model=identity["name"],
        model_checksum=identity["checksum"],
        dimension=identity["dimension"],
        window=encoder.window,
        counts=counts,
        files=file_records(folder),
    )
    (folder / "manifest.json").write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
    return manifest


def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
