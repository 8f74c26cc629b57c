"""Which articles of a generation are about which region of the body, and about which muscle in it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from index.generation import Generation
from index.lexicon import Lexicon
from index.sentences import BlockKind, blocks
from ingest.article import Article

REGIONS_FILE = Path(__file__).with_name("regions.toml")


class Outline(BaseModel):
    """A region as the file has it; the fields are explained at the file's top."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str
    name: str
    front: tuple[str, ...] = ()
    back: tuple[str, ...] = ()
    muscles: tuple[str, ...]
    places: tuple[str, ...]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    region: tuple[Outline, ...]


@lru_cache(maxsize=1)
def outlines() -> tuple[Outline, ...]:
    """The regions of regions.toml, in its order.

    Raises:
        pydantic.ValidationError: The file is not as it must be; the error names the place.
    """
    return _File.model_validate(tomllib.loads(REGIONS_FILE.read_text(encoding="utf-8"))).region


@dataclass(frozen=True, slots=True)
class Muscle:
    """A muscle that articles are about.

    Attributes:
        key: Its concept in the lexicon.
        articles: Rows of the articles, those first whose titles name it.
    """

    key: str
    articles: tuple[int, ...]

    @property
    def name(self) -> str:
        """As the visitor reads it."""
        return self.key[0].upper() + self.key[1:]


@dataclass(frozen=True, slots=True)
class Region:
    """A region and the articles about it.

    Attributes:
        muscles: Those of its muscles that there are articles about, by name.
        articles: Rows of all its articles: of its muscles, and of its places.
    """

    outline: Outline
    muscles: tuple[Muscle, ...]
    articles: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BodyMap:
    """All regions, in the order of the file; one without articles has none of either."""

    regions: tuple[Region, ...]

    @classmethod
    def of(cls, generation: Generation, lexicon: Lexicon) -> BodyMap:
        """The map of a generation: reads each of its articles once."""
        rows = range(generation.manifest.counts.articles)
        return cls.made(((row, generation.article(row)) for row in rows), lexicon)

    @classmethod
    def made(cls, articles: Iterable[tuple[int, Article]], lexicon: Lexicon) -> BodyMap:
        """The map of some articles, each with its row."""
        by_concept: dict[str, dict[int, bool]] = {}  # whether the title names it, by row
        for row, article in articles:
            in_title = lexicon.concepts(article.title)
            for concept in _about(article, in_title, lexicon):
                by_concept.setdefault(concept, {})[row] = concept in in_title
        return cls(tuple(_region(outline, by_concept) for outline in outlines()))

    def articles(self, region: str, muscle: str = "") -> tuple[int, ...]:
        """The rows of a region's articles, or of one muscle's in it; none for what is not on the map."""
        for one in self.regions:
            if one.outline.key == region:
                return next(
                    (m.articles for m in one.muscles if m.key == muscle), () if muscle else one.articles
                )
        return ()


def _region(outline: Outline, by_concept: Mapping[str, Mapping[int, bool]]) -> Region:
    muscles = sorted(name for name in outline.muscles if name in by_concept)
    everything: dict[int, bool] = {}
    for concept in (*muscles, *outline.places):
        for row, in_title in by_concept.get(concept, {}).items():
            everything[row] = everything.get(row, False) or in_title
    return Region(
        outline, tuple(Muscle(name, _ordered(by_concept[name])) for name in muscles), _ordered(everything)
    )


def _ordered(rows: Mapping[int, bool]) -> tuple[int, ...]:
    return tuple(sorted(rows, key=lambda row: (not rows[row], row)))


def _about(article: Article, in_title: frozenset[str], lexicon: Lexicon) -> frozenset[str]:
    """The muscles and places that an article is about.

    Its title and its tags say so. A place in a title counts only beside no muscle: "the muscle behind many
    backs" is about neither behinds nor backs. What neither says is taken from the headings, and at last from
    what the lexicon knows of the condition in the title.
    """
    tagged = frozenset[str]().union(*map(lexicon.concepts, article.tags))
    named = _on_map(in_title | tagged, lexicon)
    if _muscles(in_title, lexicon):
        named -= {one for one in in_title - tagged if lexicon.kind(one) != "muscle"}
    return named or _first(_further(article, in_title, lexicon))


def _further(article: Article, in_title: frozenset[str], lexicon: Lexicon) -> Iterator[frozenset[str]]:
    headings = [
        article.text[one.start : one.end] for one in blocks(article.text) if one.kind is BlockKind.HEADING
    ]
    yield _on_map(frozenset[str]().union(*map(lexicon.concepts, headings)), lexicon)
    conditions = (one for one in in_title if lexicon.kind(one) == "condition")
    yield _on_map(frozenset[str]().union(*map(lexicon.related, conditions)), lexicon)


def _first(found: Iterator[frozenset[str]]) -> frozenset[str]:
    return next((one for one in found if one), frozenset())


def _muscles(concepts: Iterable[str], lexicon: Lexicon) -> frozenset[str]:
    return frozenset(one for one in concepts if lexicon.kind(one) == "muscle")


def _on_map(concepts: Iterable[str], lexicon: Lexicon) -> frozenset[str]:
    return frozenset(one for one in concepts if lexicon.kind(one) in {"muscle", "region", "joint"})
