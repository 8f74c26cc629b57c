"""Builds a sentence-transformers model small enough for a test: real files, random weights."""

from __future__ import annotations

import json
import string
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
from transformers import BertConfig, BertModel

DIMENSION = 16
WINDOW = 256


def save_tiny_model(folder: Path, *, seed: int = 1, prompts: dict[str, str] | None = None) -> None:
    """Save a one-layer BERT over letters, so that it knows every word, each letter being a token.

    Args:
        folder: Where the model goes.
        seed: Other seeds give other weights, hence another model.
        prompts: What it wants before a query and a document.
    """
    torch.manual_seed(seed)
    parts = folder.with_name(f"{folder.name}-parts")
    parts.mkdir()
    letters = string.ascii_lowercase + string.digits + string.punctuation
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{one}" for one in letters)]
    (parts / "vocab.txt").write_text("\n".join(vocabulary), encoding="utf-8")
    (parts / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "BertTokenizer"}))
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=DIMENSION,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=WINDOW,
    )
    BertModel(config).save_pretrained(parts)
    transformer = Transformer(str(parts), max_seq_length=WINDOW)
    model = SentenceTransformer(modules=[transformer, Pooling(DIMENSION)], prompts=prompts, device="cpu")
    model.save(str(folder))
