"""Referral's retrieval for LlamaIndex applications: the one home of llama_index.

Their node types stay on this side of the border: nothing else of Referral knows them.
"""

from __future__ import annotations

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from index.passage import Hit
from index.query import QueryMaker
from index.retriever import Retriever


class ReferralRetriever(BaseRetriever):
    """Passages as LlamaIndex nodes, best first, each with its article and its exact span as metadata.

    Args:
        retriever: Searches one generation.
        queries: Makes queries of questions for the same generation.
        top: How many passages a query gets.
    """

    def __init__(self, retriever: Retriever, queries: QueryMaker, top: int = 10) -> None:
        super().__init__()
        self._retriever = retriever
        self._queries = queries
        self._top = top

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = self._retriever.retrieve(self._queries.make(query_bundle.query_str), self._top)
        return [self._node(hit) for hit in found.hits]

    def _node(self, hit: Hit) -> NodeWithScore:
        generation = self._retriever.generation
        article = generation.article(int(generation.passage_articles[hit.row]))
        metadata = {
            "article_id": article.id,
            "title": article.title,
            "heading": hit.passage.heading,
            "url": article.url,
            "start": hit.passage.start,
            "end": hit.passage.end,
        }
        node = TextNode(id_=hit.passage.id, text=hit.passage.text, metadata=metadata)
        return NodeWithScore(node=node, score=hit.score)
