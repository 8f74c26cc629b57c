"""Filters: what they let through, and that they come before ranking, never after."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from llama_index.core.schema import QueryBundle
from llama_index.core.vector_stores import FilterCondition, FilterOperator, MetadataFilter, MetadataFilters

from index.encoder import Encoder
from index.errors import FilterError
from index.filters import Facets, Filter, Period
from index.generation import Sourced
from index.llama_index import ReferralRetriever, filter_of
from index.query import QueryMaker
from index.retriever import Fusion, Retriever, plain_query
from index.store import Store
from ingest.article import Article, Comment

HEEL = "The soleus refers pain to the heel, and the heel hurts on stairs. "
# Three hundred posts that answer better than the one that is asked for, which is more than is ever ranked.
NOISE = [
    Article(f"noise-{number:03}", "Heel pain", HEEL * 2, author="Ann", published="2020-01-01", tags=("heel",))
    for number in range(300)
]
WANTED = [
    Article(
        "rare",
        "Candles",
        "Bees make wax, and wax burns slowly.",
        author="José  Ruiz",
        published="2024-05-06T23:30:00+02:00",
        updated="2025-01-31",
        tags=("Bees", "wax"),
        comments=(Comment("My heel hurts when I make candles."),),
    ),
    Article("dateless", "Soap", "Soap floats.", author="Bo", published="last week", tags=("bees",)),
]
ARTICLES = [*NOISE, *WANTED]


@pytest.fixture(scope="module")
def retriever(tiny_encoder: Encoder, tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    store = Store(tmp_path_factory.mktemp("store"))
    store.write([Sourced(one, "test") for one in ARTICLES], tiny_encoder)
    return Retriever(store.open(tiny_encoder.identity), tiny_encoder)


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        (Filter(), {"dateless", "rare", "noise-000"}),
        (Filter(tags=("BEES",)), {"dateless", "rare"}),
        (Filter(tags=("wax", "heel")), {"rare", "noise-000"}),
        (Filter(tags=("bee",)), set()),
        (Filter(authors=("josé ruiz",)), {"rare"}),
        (Filter(authors=("Bo", "Ann")), {"dateless", "noise-000"}),
        (Filter(published=Period(date(2024, 5, 6), date(2024, 5, 6))), {"rare"}),
        (Filter(published=Period(since=date(2024, 5, 7))), set()),
        (Filter(published=Period(until=date(2024, 5, 5))), {"noise-000"}),
        (Filter(updated=Period(since=date(2000, 1, 1))), {"rare"}),
        (Filter(tags=("bees",), authors=("Bo",)), {"dateless"}),
    ],
)
def test_which_articles_pass(wanted: Filter, ids: set[str]) -> None:
    articles = [*WANTED, NOISE[0]]
    passing = Facets.of(articles).passing(wanted)
    assert {one.id for one, passes in zip(articles, passing, strict=True) if passes} == ids


@pytest.mark.parametrize("wanted", [Filter(tags=("bees",)), Filter(authors=("bo", "José Ruiz"))])
def test_what_a_filter_lets_through_is_found_however_badly_it_ranks(
    retriever: Retriever, wanted: Filter
) -> None:
    query = plain_query("why does the heel hurt on stairs?")
    by_word = Retriever(retriever.generation, retriever.encoder, Fusion(cosine=0, bm25=1, sentence=0))
    assert "rare" not in {hit.passage.article_id for hit in by_word.retrieve(query, top=100).hits}
    hits = by_word.retrieve(query, top=10, within=wanted).hits
    assert {hit.passage.article_id for hit in hits} == {"rare", "dateless"}
    run = by_word.retrieve_articles(query, 10, wanted)
    assert [hit.passage.article_id for hit in run] == [hit.passage.article_id for hit in hits]


def test_a_filtered_search_is_the_search_of_a_store_of_these_articles(
    retriever: Retriever, tiny_encoder: Encoder, tmp_path: Path
) -> None:
    alone = Store(tmp_path)
    alone.write([Sourced(one, "test") for one in NOISE], tiny_encoder)
    other = Retriever(alone.open(tiny_encoder.identity), tiny_encoder)
    query = plain_query("heel")
    within = retriever.retrieve(query, top=300, within=Filter(tags=("heel",))).hits
    assert len(within) == 300
    expected = other.retrieve(query, top=300).hits
    assert {hit.passage.id for hit in within} == {hit.passage.id for hit in expected}


def test_comments_are_searched_alone_when_they_are_asked_for(retriever: Retriever) -> None:
    hits = retriever.retrieve(plain_query("heel"), within=Filter(kind="comment", tags=("wax",))).hits
    assert [(hit.passage.kind, hit.passage.article_id) for hit in hits] == [("comment", "rare")]
    assert not retriever.retrieve(plain_query("heel"), within=Filter(kind="comment", tags=("heel",))).hits


def test_nothing_passes(retriever: Retriever) -> None:
    nothing = Filter(tags=("no such tag",))
    assert retriever.retrieve(plain_query("heel"), within=nothing).hits == ()
    assert retriever.retrieve_articles(plain_query("heel"), 10, nothing) == ()


def condition(key: str, value: object, operator: FilterOperator = FilterOperator.EQ) -> MetadataFilter:
    return MetadataFilter.model_validate({"key": key, "value": value, "operator": operator})


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([], Filter()),
        ([condition("tags", "wax")], Filter(tags=("wax",))),
        ([condition("tags", ["wax", "bees"], FilterOperator.ANY)], Filter(tags=("wax", "bees"))),
        (
            [condition("author", ["Bo"], FilterOperator.IN), condition("kind", "comment")],
            Filter(authors=("Bo",), kind="comment"),
        ),
        (
            [
                condition("published", "2024-01-31", FilterOperator.GT),
                condition("published", "2024-03-01", FilterOperator.LT),
                condition("published", "2024-02-20T10:00:00Z", FilterOperator.LTE),
            ],
            Filter(published=Period(date(2024, 2, 1), date(2024, 2, 20))),
        ),
        (
            [condition("updated", "2024-01-31")],
            Filter(updated=Period(date(2024, 1, 31), date(2024, 1, 31))),
        ),
        ([condition("updated", "2024-01-31", FilterOperator.GTE)], Filter(updated=Period(date(2024, 1, 31)))),
    ],
)
def test_llama_index_filters_become_ours(conditions: list[MetadataFilter], expected: Filter) -> None:
    assert filter_of(MetadataFilters(filters=[*conditions])) == expected


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        ([condition("colour", "red")], "'colour'.*tags and author"),
        ([condition("tags", "wax", FilterOperator.NE)], "'tags' != 'wax'"),
        ([condition("tags", "wax"), condition("tags", "bees")], "two filters on 'tags'"),
        ([condition("published", "yesterday")], "YYYY-MM-DD"),
        ([condition("published", 2024)], "YYYY-MM-DD"),
        ([condition("published", "2024-01-01", FilterOperator.NE)], "compare it by"),
        ([condition("kind", "both")], "'both'"),
        ([MetadataFilters(filters=[condition("tags", "wax")])], "nested"),
    ],
)
def test_a_filter_that_cannot_be_followed_is_an_error(
    filters: list[MetadataFilter | MetadataFilters], told: str
) -> None:
    with pytest.raises(FilterError, match=told):
        filter_of(MetadataFilters(filters=[*filters]))


def test_filters_are_not_joined_by_or() -> None:
    either = MetadataFilters(filters=[condition("tags", "wax")], condition=FilterCondition.OR)
    with pytest.raises(FilterError, match="AND"):
        filter_of(either)


def test_the_llama_index_retriever_heeds_them(retriever: Retriever, tiny_encoder: Encoder) -> None:
    queries = QueryMaker.of(retriever.generation, tiny_encoder)
    filters = MetadataFilters(filters=[condition("author", "José Ruiz")])
    nodes = ReferralRetriever(retriever, queries, filters=filters).retrieve(QueryBundle("heel"))
    assert [node.metadata["article_id"] for node in nodes] == ["rare"]
    assert nodes[0].metadata["tags"] == ["Bees", "wax"]
