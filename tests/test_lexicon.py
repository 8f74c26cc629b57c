"""The lexicon's file is sound, and its words are found in texts as people write them."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from index.errors import UnusableError
from index.lexicon import LEXICON_FILE, Lexicon, LexiconError, root, words

LEXICON = Lexicon.load()


def terms(text: str, phrase: str, weight: float | None = None) -> set[str]:
    """What a phrase of a text leads to."""
    return {
        term
        for one in LEXICON.expand(text)
        if one.phrase == phrase and weight in (None, one.weight)
        for term in one.terms
    }


# ---------------------------------------------------------------- lay words lead to anatomical ones


@pytest.mark.parametrize(
    ("text", "phrase", "term"),
    [
        ("what does it do to the curve of my lower back?", "curve of my lower back", "lumbar lordosis"),
        ("both of my hip flexors are tight", "hip flexors", "iliopsoas"),
        ("both of my hip flexors are tight", "hip flexors", "psoas major"),
        ("my SCM is sore", "SCM", "sternocleidomastoid"),
        ("my scm is sore", "scm", "sternocleidomastoid"),
        ("tight traps", "traps", "trapezius"),
        ("stretch my lats", "lats", "latissimus dorsi"),
        ("the QL", "QL", "quadratus lumborum"),
        ("tight it band", "it band", "iliotibial band"),
        ("does the ITB matter", "ITB", "iliotibial band"),
        ("I hit my funny bone", "funny bone", "ulnar nerve"),
        ("ball of the foot", "ball of the foot", "metatarsal"),
        ("shooting pain down my leg", "shooting pain down my leg", "sciatica"),
        ("pins and needles in the hand", "pins and needles", "paraesthesia"),
        ("tummy muscles", "tummy muscles", "rectus abdominis"),
        ("my tummy", "tummy", "abdomen"),
        ("love handles", "love handles", "external oblique"),
        ("a knot in my neck", "knot", "trigger point"),
        ("I have a trapped nerve", "trapped nerve", "nerve compression"),
        ("charley horse", "charley horse", "gastrocnemius"),
        ("a crick in my neck", "crick in my neck", "torticollis"),
        ("pointing my toes", "pointing my toes", "plantar flexion"),
        ("lying on my back", "lying on my back", "supine"),
        ("slipped disc", "slipped disc", "herniated disc"),
    ],
)
def test_lay_word_leads_to_anatomy(text: str, phrase: str, term: str) -> None:
    assert term in terms(text, phrase)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("adhesive capsulitis", "frozen shoulder"),
        ("tennis elbow", "lateral epicondylalgia"),
        ("shin splints", "medial tibial stress syndrome"),
        ("ischemic compression", "ischaemic compression"),
        ("fibularis longus", "peroneus longus"),
        ("oedema", "edema"),
        ("haemorrhage", "hemorrhage"),
        ("iliotibial band", "ITB"),
    ],
)
def test_same_meaning_leads_both_ways(one: str, other: str) -> None:
    assert other in terms(f"about {one}", one, 0.9)
    assert one in terms(f"about {other}", other, 0.9)


@pytest.mark.parametrize("text", ["trapezius", "abdomen", "iliopsoas", "ulnar nerve", "lumbar lordosis"])
def test_anatomical_word_does_not_drown_in_lay_ones(text: str) -> None:
    lay = {"traps", "tummy", "belly", "hip flexor", "funny bone", "swayback"}
    assert not terms(text, text) & lay


def test_an_implied_word_weighs_less_than_one_of_the_same_meaning() -> None:
    assert [one.weight for one in LEXICON.expand("hip flexors")] == [0.9, 0.5]


def test_a_lay_phrase_of_several_entries_leads_weakly_to_each() -> None:
    (one,) = LEXICON.expand("jaw muscle")
    assert one.weight == 0.5
    assert {"masseter", "medial pterygoid"} <= set(one.terms)


# ---------------------------------------------------------------- how phrases are found


@pytest.mark.parametrize(
    "text",
    [
        "ilio-psoas",
        "Iliopsoas",
        "ILIOPSOAS",
        "the iliopsoas' tendon",
        "illiopsoas",
        "iliopsoas.",
        "(iliopsoas)",
    ],
)
def test_a_name_is_found_in_any_dress(text: str) -> None:
    assert "iliopsoas" in LEXICON.concepts(text)


@pytest.mark.parametrize("text", ["runner's knee", "runners knee", "Runner’s knee", "RUNNER'S KNEE"])
def test_apostrophes_do_not_matter(text: str) -> None:
    assert LEXICON.concepts(text) == {"patellofemoral pain syndrome"}


def test_the_longest_phrase_wins() -> None:
    assert LEXICON.concepts("plantar fasciitis") == {"plantar fasciitis"}
    assert LEXICON.concepts("levator scapulae") == {"levator scapulae"}
    assert "sole" in LEXICON.concepts("the plantar surface")


def test_no_phrase_crosses_punctuation() -> None:
    assert "low back pain" not in LEXICON.concepts("It is low. Back pain is common.")


@pytest.mark.parametrize("text", ["come back later", "go back to work", "on the other hand", "the back seat"])
def test_everyday_phrases_name_no_part_of_the_body(text: str) -> None:
    assert not LEXICON.concepts(text)


def test_the_back_needs_an_owner() -> None:
    assert LEXICON.concepts("my back") == LEXICON.concepts("the back") == {"back region"}


@pytest.mark.parametrize(
    "pair", [("hip", "hips"), ("bend", "bending"), ("mobilise", "mobilised"), ("vertebra", "vertebrae")]
)
def test_inflections_have_one_root(pair: tuple[str, str]) -> None:
    assert root(pair[0]) == root(pair[1])


@pytest.mark.parametrize(
    "pair",
    [("later", "lateral"), ("extensor", "extension"), ("rotator", "rotation"), ("extensive", "extension")],
)
def test_derived_words_stay_apart(pair: tuple[str, str]) -> None:
    assert root(pair[0]) != root(pair[1])


def test_what_is_asked_about_a_topic_is_no_topic() -> None:
    assert (
        LEXICON.concepts("What causes it, and which treatment works for the muscle in front?") == frozenset()
    )


def test_kinds_and_relations() -> None:
    assert LEXICON.kind("iliopsoas") == "muscle"
    assert LEXICON.kind("sciatica") == "condition"
    assert {"psoas major", "iliacus"} <= LEXICON.related("hip flexors")
    with pytest.raises(KeyError):
        LEXICON.kind("no such thing")


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("How do I stretch the psoas?", "psoas"),
        ("Is massage good for tennis elbow?", "tennis elbow"),
        ("does heat help my lower back", "lower back"),
        ("why are my glutes so tight", "glutes"),
        ("What is the best pizza in Rome?", ""),
    ],
)
def test_first_phrase_is_what_a_text_is_about(text: str, phrase: str) -> None:
    assert LEXICON.first_phrase(text) == phrase


# ---------------------------------------------------------------- sides


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("my left hip", {"left"}),
        ("pain on the right", {"right"}),
        ("the right upper trapezius", {"right"}),
        ("left and right hips", {"left", "right"}),
        ("both of my hip flexors", {"both"}),
        ("bilateral contracture", {"both"}),
        ("turn to the other side", {"other"}),
        ("the contralateral leg", {"other"}),
        ("a left-sided headache", {"left"}),
        ("is this the right exercise", set()),
        ("what is left of it", set()),
        ("both heat and ice", set()),
        ("on the other hand", set()),
        ("right away", set()),
    ],
)
def test_sides(text: str, sides: set[str]) -> None:
    assert LEXICON.sides(text) == sides


# ---------------------------------------------------------------- any text


ANY_TEXT = st.lists(
    st.one_of(
        st.sampled_from(sorted(LEXICON.words)[::7]),
        st.sampled_from(["my", "the", "-", ".", "’s", "'", "left", "\n\n", "ilio-psoas", "IT-", "é", "²"]),
        st.text(max_size=4),
    ),
    max_size=12,
).map(" ".join)


@settings(deadline=None)
@given(ANY_TEXT)
def test_expansions_are_exact_spans_in_order_that_do_not_overlap(text: str) -> None:
    found = LEXICON.expand(text)
    spans = sorted({(one.start, one.end) for one in found})
    assert all(text[one.start : one.end] == one.phrase and one.phrase for one in found)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))
    assert [one.start for one in found] == sorted(one.start for one in found)
    assert all(one.terms and 0 < one.weight <= 1 for one in found)


@settings(deadline=None)
@given(ANY_TEXT)
def test_concepts_are_known_and_not_changed_by_capitals(text: str) -> None:
    concepts = LEXICON.concepts(text)
    assert all(LEXICON.kind(one) for one in concepts)
    if text.isascii():
        assert LEXICON.concepts(text.upper()) == concepts
    assert bool(LEXICON.first_phrase(text)) == bool(concepts)


# ---------------------------------------------------------------- the file


def test_every_listed_misspelling_is_close_to_a_name() -> None:
    def edits(wrong: str, names: tuple[str, ...]) -> int:
        return min(OSA.distance(wrong, name.lower()) for name in names)

    far = [one for one, names in LEXICON.misspelt.items() if edits(one, names) > max(3, 0.4 * len(one))]
    assert far == []


def test_the_file_is_lower_case_but_for_names_and_abbreviations() -> None:
    text = LEXICON_FILE.read_text(encoding="utf-8")
    capitals = set(re.findall(r"(?<=[\"\s\[.])[A-Z][a-z]+(?= [a-z])", "".join(re.findall(r'"[^"]*"', text))))
    assert capitals <= {"Achilles", "Baker", "Bell", "De", "Dupuytren", "Epsom"}


def test_each_entry_can_be_reached_by_its_name() -> None:
    file = LEXICON_FILE.read_text(encoding="utf-8")
    keys = re.findall(r'^\[(?!spelling|shorthand|ignore)(\w+)\.(?:"(.+)"|(\w+))\]$', file, re.M)
    assert len(keys) > 350
    for kind, quoted, bare in keys:
        name = quoted or bare
        assert LEXICON.kind(name) == kind
        if kind not in ("aspect", "direction"):
            assert name in LEXICON.concepts(f"{name}, they said"), name


def lexicon(text: str) -> Lexicon:
    return Lexicon.parse(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('[muscle."psoas major"]\nsames = ["psoas"]', "muscle.psoas major.sames"),
        ('[muscle."psoas major"]\nsame = "psoas"', "muscle.psoas major.same"),
        ('[muscle."psoas major"]\nlay = [""]', "muscle.psoas major.lay.0"),
        ("[organ.liver]", "organ"),
        ('[muscle.a]\nsame = ["soleus"]\n[muscle.b]\nsame = ["soleus"]', '"soleus" is claimed by'),
        ('[muscle.a]\nlay = ["calf"]\n[region.calf]', '"calf" is claimed by'),
        ("[muscle.neck]\n[region.neck]", '"neck" is an entry of muscle and of region'),
        ('[muscle.psoas]\nmisspelt = ["psoas"]', "as right and as misspelt"),
        ('[region.face]\n[ignore]\nphrases = ["face the"]', '"face the" is to be ignored'),
        ("[muscle.psoas", "not valid TOML"),
    ],
)
def test_an_error_names_the_entry(text: str, named: str) -> None:
    with pytest.raises(LexiconError, match=re.escape(named)):
        lexicon(text)


def test_a_lexicon_error_can_be_shown_to_a_person(tmp_path: Path) -> None:
    path = tmp_path / "lexicon.toml"
    path.write_text("[muscle.psoas]\nshort = 3\n", encoding="utf-8")
    with pytest.raises(UnusableError, match=r"Put these entries of the lexicon right.*muscle\.psoas\.short"):
        Lexicon.load(path)


def test_clipped_names_are_matched_letter_by_letter() -> None:
    small = lexicon('[muscle.trapezius]\nshort = ["traps", "TZ"]')
    assert small.concepts("my traps") == {"trapezius"}
    assert not small.concepts("a trap, it was trapped")
    assert [one.terms for one in small.expand("trapezius")] == [("TZ",)]


def test_parts_count_as_the_whole() -> None:
    small = lexicon('[muscle.deltoid]\nparts = ["anterior deltoid"]')
    assert small.concepts("the anterior deltoid") == {"deltoid"}
    assert [(one.terms, one.weight) for one in small.expand("anterior deltoid")] == [(("deltoid",), 0.5)]


def test_words_mark_what_has_an_owner_and_what_is_hyphenated() -> None:
    found = words("my low-back")
    assert [(word.plain, word.led, word.glued) for word in found] == [
        ("low", True, True),
        ("back", False, False),
    ]
