"""Referral's retriever inside a stock LlamaIndex query engine."""

from __future__ import annotations

from pathlib import Path

from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine

from index.encoder import Encoder
from index.llama_index import ReferralRetriever
from index.query import QueryMaker
from index.retriever import Retriever
from index.store import Store


def test_a_stock_query_engine_answers_from_our_passages(sample_store: Path, encoder: Encoder) -> None:
    generation = Store(sample_store).open(encoder.identity)
    retriever = ReferralRetriever(Retriever(generation, encoder), QueryMaker.of(generation, encoder), top=3)
    engine = RetrieverQueryEngine.from_args(retriever, llm=MockLLM())
    response = engine.query("Where do iliopsoas trigger points refer pain?")
    assert len(response.source_nodes) == 3
    best = response.source_nodes[0]
    article = generation.article(generation.article_row(best.node.metadata["article_id"]))
    assert "iliopsoas" in article.id
    span = slice(best.node.metadata["start"], best.node.metadata["end"])
    assert best.node.get_content() == article.text[span]
    assert best.score == max(one.score or 0.0 for one in response.source_nodes)
