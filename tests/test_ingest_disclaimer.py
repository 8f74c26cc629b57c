"""The medical disclaimer is told from the author's own advice."""

from __future__ import annotations

import pytest

from ingest.blocks import Block
from ingest.disclaimer import is_disclaimer, take_disclaimer

SURE = (
    "This article is for educational purposes only and is not a substitute for professional medical advice."
)
STOCK = "Always consult your physician before you begin any exercise program."
ADVICE = "See your doctor if the pain is severe."


def take(*paragraphs: str) -> tuple[list[str], str]:
    blocks, disclaimer = take_disclaimer([Block("paragraph", text) for text in paragraphs])
    return [block.text for block in blocks], disclaimer


@pytest.mark.parametrize(
    "paragraph",
    [
        SURE,
        f"{SURE} {STOCK}",
        "Disclaimer: talk to your doctor first.",
        "This blog is meant for information purposes only and not for medical diagnosis or treatment.",
        "This information should not be taken as a recommendation for treatment of any person.",
        "The content of this website is provided for educational purposes and is not to be considered "
        "medical advice.",
        "The information provided here is not intended to diagnose, treat, cure or prevent any disease.",
        "Nothing on this site constitutes medical advice.",
        "This is not medical advice. Consult your doctor before you start.",
        "The information here is for general education only and does not replace treatment by a doctor.",
        "Please note: this page is for informational purposes only. It is no substitute for a doctor.",
        "These statements have not been evaluated by the FDA.",
        "We accept no responsibility for any injury that these exercises may cause.",
        "Never delay seeking help because of something you have read on this blog.",
    ],
)
def test_disclaimers(paragraph: str) -> None:
    assert is_disclaimer(paragraph)


@pytest.mark.parametrize(
    "paragraph",
    [
        ADVICE,
        "Do not perform these techniques unless they fall within your professional scope of practice.",
        "If the pain is severe, consult a doctor before you try any exercise.",
        "Please consult your doctor if the pain wakes you at night.",
        "Foam rolling does not replace treatment by a physiotherapist.",
        "Massage is no substitute for medical treatment when a bone may be broken.",
        "A trigger point is not a diagnosis. It is a finding.",
        "This test is used for the diagnosis of a tear.",
        "This information helps your therapist with the treatment.",
        "Never delay the treatment of a suspected clot.",
        "The article in the journal was not designed to prevent bias in diagnosis.",
        STOCK,
    ],
)
def test_the_authors_own_advice(paragraph: str) -> None:
    assert not is_disclaimer(paragraph)
    assert take("The hip bends.", paragraph, "So much for the hip.")[1] == ""


def test_the_stock_sentence_goes_with_the_disclaimer_beside_it() -> None:
    assert take("The hip bends.", ADVICE, SURE, STOCK) == (["The hip bends.", ADVICE], f"{SURE}\n\n{STOCK}")
    assert take("The hip bends.", STOCK) == (["The hip bends."], STOCK)


def test_the_label_above_a_disclaimer_goes_with_it() -> None:
    blocks = [
        Block("paragraph", "The hip bends."),
        Block("heading", "Disclaimer", 2),
        Block("paragraph", SURE),
    ]
    assert take_disclaimer(blocks) == (blocks[:1], SURE)


def test_only_the_disclaiming_sentences_of_a_mixed_paragraph_go() -> None:
    own = "Press for thirty seconds. Breathe out. Then move the arm. Do so twice a day."
    assert take("The hip bends.", f"{own} {SURE}") == (["The hip bends.", own], SURE)


def test_a_repeated_disclaimer_is_kept_once() -> None:
    assert take(SURE, "The hip bends.", SURE) == (["The hip bends."], SURE)
