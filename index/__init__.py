"""Articles -> searchable Passages: exact spans, embeddings, FAISS, keywords, fusion, generations on disk.

Knows of `ingest` only the Article types, and nothing of answering.
"""
