"""Referral's retrieval for LlamaIndex applications: the one home of llama_index.

Their node types stay on this side of the border: nothing else of Referral knows them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.core.vector_stores import FilterCondition, FilterOperator, MetadataFilter, MetadataFilters

from index.errors import FilterError
from index.filters import Filter, Period
from index.passage import Hit, PassageKind
from index.query import QueryMaker
from index.retriever import EVERY_ARTICLE, Retriever


class ReferralRetriever(BaseRetriever):
    """Passages as LlamaIndex nodes, best first, each with its article and its exact span as metadata.

    Args:
        retriever: Searches one generation.
        queries: Makes queries of questions for the same generation.
        top: How many passages a query gets.
        filters: Which articles may be found; see `filter_of`.

    Raises:
        FilterError: The filters cannot be followed; names the one that cannot.
    """

    def __init__(
        self,
        retriever: Retriever,
        queries: QueryMaker,
        top: int = 10,
        filters: MetadataFilters | None = None,
    ) -> None:
        super().__init__()
        self._within = filter_of(filters) if filters else EVERY_ARTICLE
        self._retriever = retriever
        self._queries = queries
        self._top = top

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        query = self._queries.make(query_bundle.query_str)
        found = self._retriever.retrieve(query, self._top, self._within)
        return [self._node(hit) for hit in found.hits]

    def _node(self, hit: Hit) -> NodeWithScore:
        generation = self._retriever.generation
        article = generation.article(int(generation.passage_articles[hit.row]))
        metadata = {
            "article_id": article.id,
            "title": article.title,
            "heading": hit.passage.heading,
            "url": article.url,
            "author": article.author,
            "published": article.published,
            "updated": article.updated,
            "tags": list(article.tags),
            "kind": hit.passage.kind,
            "start": hit.passage.start,
            "end": hit.passage.end,
        }
        node = TextNode(id_=hit.passage.id, text=hit.passage.text, metadata=metadata)
        return NodeWithScore(node=node, score=hit.score)


def filter_of(filters: MetadataFilters) -> Filter:
    """Our filter for one of theirs.

    All of its conditions must hold. They can be on `tags` and `author` (equal to one, or `in` several; a tag
    also by `contains` and `any`), `published` and `updated` (days, by ==, >, >=, < and <=) and `kind`
    (`article` or `comment`).

    Raises:
        FilterError: A key or an operator is none of these; a filter is never silently left out.
    """
    if filters.condition not in {None, FilterCondition.AND}:
        raise FilterError(f"Filters can be joined by AND only, not by {filters.condition}.")
    made = Filter()
    seen: set[str] = set()
    for one in filters.filters:
        if not isinstance(one, MetadataFilter):
            raise FilterError("Filters cannot be nested: give one flat list of them.")
        if one.key in seen and one.key not in _DAYS:
            raise FilterError(f"There are two filters on {one.key!r}. Give its values in one, with IN.")
        seen.add(one.key)
        made = _with(made, one)
    return made


_DAYS = ("published", "updated")
_IS_TAG = (FilterOperator.EQ, FilterOperator.CONTAINS, FilterOperator.IN, FilterOperator.ANY)
_IS_AUTHOR = (FilterOperator.EQ, FilterOperator.IN)
_KINDS: dict[str, PassageKind] = {"article": "article", "comment": "comment"}


def _with(made: Filter, one: MetadataFilter) -> Filter:
    """The filter with one more condition."""
    values = one.value if isinstance(one.value, list) else [one.value]
    names = tuple(str(value) for value in values)
    match one.key:
        case "published":
            return replace(made, published=_period(made.published, one))
        case "updated":
            return replace(made, updated=_period(made.updated, one))
        case "tags" if one.operator in _IS_TAG:
            return replace(made, tags=names)
        case "author" if one.operator in _IS_AUTHOR:
            return replace(made, authors=names)
        case "kind" if one.operator is FilterOperator.EQ and names[0] in _KINDS:
            return replace(made, kind=_KINDS[names[0]])
    raise FilterError(
        f"The filter {one.key!r} {one.operator.value} {one.value!r} cannot be followed. There are: tags and "
        "author (==, in; tags also contains, any), published and updated (==, >, >=, <, <=) and kind "
        "(== 'article' or 'comment')."
    )


def _period(period: Period, one: MetadataFilter) -> Period:
    """The period, narrowed by one condition on a day."""
    day = _day(one)
    since, until = {
        FilterOperator.EQ: (day, day),
        FilterOperator.GTE: (day, None),
        FilterOperator.GT: (day + timedelta(days=1), None),
        FilterOperator.LTE: (None, day),
        FilterOperator.LT: (None, day - timedelta(days=1)),
    }.get(one.operator, (None, None))
    if since is None and until is None:
        raise FilterError(
            f"{one.key!r} is a day: compare it by ==, >, >=, < or <=, not {one.operator.value}."
        )
    return Period(
        max(filter(None, (period.since, since)), default=None),
        min(filter(None, (period.until, until)), default=None),
    )


def _day(one: MetadataFilter) -> date:
    value: Any = one.value
    try:
        return date.fromisoformat(value[:10])
    except (TypeError, ValueError) as error:
        raise FilterError(f"{one.key!r} is compared with {value!r}; give a day as YYYY-MM-DD.") from error
