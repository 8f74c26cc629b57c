"""How each source fared: how many articles it gave, how many were held back, what could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ingest.sources import Ingested, is_address, whole_address


@dataclass(frozen=True, slots=True)
class Fared:
    """One source, as the user names it."""

    source: str
    articles: int
    held: int
    problems: tuple[str, ...]


def tally(ingested: Ingested, sources: Sequence[str | Path]) -> list[Fared]:
    """How each of the sources fared.

    A page that failed names no feed, so it counts against every address of its host.
    """
    return [
        Fared(
            str(source),
            sum(_is_in(origin.source, str(source)) for origin in ingested.origins),
            sum(_is_below(held.place, str(source)) for held in ingested.quarantined),
            tuple(str(one) for one in ingested.problems if _is_below(one.source, str(source))),
        )
        for source in sources
    ]


def _is_in(origin: str, source: str) -> bool:
    return origin == whole_address(source) if is_address(source) else _is_below(origin, source)


def _is_below(place: str, source: str) -> bool:
    if is_address(source) != is_address(place):
        return False
    if is_address(source):
        return _host(place) == _host(source)
    return Path(place).is_relative_to(source)


def _host(address: str) -> str:
    try:
        return (urlsplit(whole_address(address)).hostname or "").removeprefix("www.")
    except ValueError:
        return ""
