"""What is wrong with a generation, in plain words: its counts, ids, spans, hashes and vectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from index.generation import Generation, PassageEncoder, file_records, read_manifest
from index.passage import embedding_text

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Of passages that were taken over, so many are looked at after every build; `store check` looks at all.
_SAMPLE = 200
# So many have their vectors computed again. Rounding in bfloat16 leaves a cosine of 0.999.
_RECOMPUTED, _ALIKE = 3, 0.99
_SEED = 20261123


def file_faults(folder: Path, besides: Sequence[str] = ()) -> list[str]:
    """The files of a generation, but some, that are not as they were written, by size and hash.

    Raises:
        GenerationError: Its manifest cannot be read.
    """
    manifest = read_manifest(folder)
    records = file_records(folder, {name: manifest.files[name] for name in besides})
    return [
        f"{name} is not as it was written"
        for name, record in manifest.files.items()
        if records.get(name) != record
    ]


def faults(generation: Generation) -> list[str]:
    """Everything wrong with what a generation holds; its files are taken as read."""
    return [*_count_faults(generation), *_span_faults(generation, range(generation.manifest.counts.passages))]


def build_faults(generation: Generation, encoder: PassageEncoder) -> list[str]:
    """What is wrong with a generation just built, by all counts and a sample of its spans and vectors.

    Raises:
        GenerationError: A file or an article is not as it was written.
    """
    passages = generation.manifest.counts.passages
    drawn = np.random.default_rng(_SEED).permutation(passages)
    found = _count_faults(generation)
    if not found:
        found = _span_faults(generation, sorted(drawn[:_SAMPLE].tolist()))
    return found or _vector_faults(generation, encoder, np.sort(drawn[:_RECOMPUTED]))


def _count_faults(generation: Generation) -> list[str]:
    counts, found = generation.manifest.counts, []
    if list(generation.ids) != sorted(set(generation.ids)) or len(generation.ids) != counts.articles:
        found.append("the ids of the articles are not as many as there are articles, each once")
    if generation.vectors.size != counts.passages or generation.keywords.size != counts.passages:
        found.append("the vectors, the keywords and the passages differ in number")
    records, spans = generation.records(np.arange(counts.passages))
    starts = generation.vector_rows(np.arange(counts.passages))
    if len(spans) != counts.sentences or int((starts + records["count"]).max()) > generation.segments.size:
        found.append("the sentences and their vectors differ in number")
    owners = np.repeat(np.arange(counts.passages), records["count"])
    low, high = records["start"][owners], records["end"][owners]
    if bool(((spans["start"] < low) | (spans["end"] > high) | (spans["start"] >= spans["end"])).any()):
        found.append("a sentence does not lie in its passage")
    if int(records["article"].max()) >= counts.articles or int(records["article"].min()) < 0:
        found.append("a passage belongs to no article")
    return found


def _span_faults(generation: Generation, rows: Iterable[int]) -> list[str]:
    """Passages whose text is not the span of their article that they claim."""
    found = []
    for row in rows:
        passage = generation.passage(row)
        article = generation.article(int(generation.passage_articles[row]))
        text = article.text if passage.comment is None else article.comments[passage.comment].text
        inside = all(passage.start <= one.start < one.end <= passage.end for one in passage.sentences)
        if not inside or passage.end > len(text) or passage.text != text[passage.start : passage.end]:
            found.append(f"the passage {passage.id} does not fit its article")
    return found


def _vector_faults(generation: Generation, encoder: PassageEncoder, rows: NDArray[np.int64]) -> list[str]:
    """Passages whose vectors are not those that the encoder gives for their text."""
    texts, spans = [], []
    for row in rows.tolist():
        passage = generation.passage(row)
        text, lead = embedding_text(generation.article(int(generation.passage_articles[row])).title, passage)
        shift = lead - passage.start
        texts.append(text)
        spans.append([(one.start + shift, one.end + shift) for one in passage.sentences])
    expected = encoder.encode_passages(texts, spans, progress=lambda _: None)
    stored = generation.vectors.take(rows)
    found = []
    for place, row in enumerate(rows.tolist()):
        sentences = (generation.sentence_vectors(row) * expected[place].sentences).sum(axis=1)
        if float(stored[place] @ expected[place].vector) < _ALIKE or float(sentences.min()) < _ALIKE:
            found.append(f"the vectors of the passage {generation.passage(row).id} are not those of its text")
    return found
