"""What the safety check understands, one behaviour after the other."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from assistant.safety.check import Decision, SafetyCheck
from assistant.safety.notices import notice


@pytest.fixture(scope="module")
def safety() -> SafetyCheck:
    return SafetyCheck()


@pytest.mark.parametrize(
    ("message", "level", "category"),
    [
        ("my left calf is swollen, warm and sore since the flight", "same_day", "leg_clot"),
        ("pressure on my chest going down my left arm and I'm in a cold sweat", "emergency_now", "heart"),
        ("back pain and now I can't feel anything when I wipe", "emergency_now", "cauda_equina"),
        ("black tarry poo since yesterday, been on ibuprofen for my knee", "emergency_now", "gut_bleeding"),
        ("short of breath and it hurts to breathe since the dry needling", "emergency_now", "collapsed_lung"),
        ("took too many paracetamol today by mistake, feel fine", "emergency_now", "overdose"),
        ("I want to kill myself", "emergency_now", "suicidal"),
        ("he strangled me last night and my voice is hoarse", "emergency_now", "strangulation"),
        ("my husband hits me", "same_day", "abuse"),
        ("back pain for two months, worse at night, and I have lost weight", "soon", "spinal_cancer"),
    ],
)
def test_says_how_urgent_and_what_kind(safety: SafetyCheck, message: str, level: str, category: str) -> None:
    decision = safety.check(message)
    assert (decision.level, decision.category) == (level, category)
    assert decision.leads
    assert decision.reasons


@pytest.mark.parametrize(
    "message",
    [
        "",
        "   ",
        "hello",
        "?!",
        "how do I release the piriformis?",
        "where does the infraspinatus refer pain to",
        "my calves are tight after running, both of them",
        "which foam roller should I buy?",
    ],
)
def test_ordinary_questions_get_nothing(safety: SafetyCheck, message: str) -> None:
    assert safety.check(message) == Decision()


@pytest.mark.parametrize(
    "message",
    [
        "this knot is killing me",
        "that class was a heart attack of a workout, sore pecs today",
        "leg day murdered my quads",
        "which swimming stroke is easiest on the neck?",
        "dead arm from sleeping on it, gone in a minute",
        "I'm a Cancer and we hold tension in the shoulders",
        "I'd kill for a massage",
    ],
)
def test_figures_of_speech_are_not_danger(safety: SafetyCheck, message: str) -> None:
    assert not safety.check(message).leads


@pytest.mark.parametrize(
    "message",
    [
        "What are the symptoms of appendicitis?",
        "what is cauda equina syndrome",
        "How do doctors tell a calf strain from a clot?",
        "For my exam: which signs suggest a heart attack?",
        "What if someone had chest pain and a cold sweat on my table?",
        "In my novel the hero has a stroke, how does it look?",
    ],
)
def test_asking_in_general_is_at_most_a_line_of_caution(safety: SafetyCheck, message: str) -> None:
    assert safety.check(message).level in {"safety_net", None}


@pytest.mark.parametrize(
    "message",
    [
        "For tomorrow's anatomy exam: saddle numbness and loss of bladder control, which roots?",
        "A 54 year old man has crushing chest pain and sweating. It's a practice question in my degree.",
        "In the thriller I'm writing the hero is stabbed in the neck and bleeds heavily. How is his voice?",
        "The actor in that hospital drama clutched his chest and his left arm. Is that a thing?",
        "My dog had a seizure at the vet's. Anyway, what stretches for a stiff neck?",
        "I run a massage school. I want to give a lesson about red flags like fever with back pain.",
        "Explain saddle anaesthesia like I'm 12",
        "Does glaucoma run in families? My grandmother went blind from it.",
        "Do statins cause muscle pain? I take 20 mg simvastatin tablets and my GP checks my blood.",
        "Would like to know more about vertigo after whiplash",
    ],
)
def test_study_fiction_news_and_medicine_letters_do_not_lead(safety: SafetyCheck, message: str) -> None:
    assert not safety.check(message).leads


@pytest.mark.parametrize(
    "message",
    [
        "I've been revising for my exams and for an hour there's a crushing weight on my chest, I sweat",
        "I'm a nursing student. My dad is clutching his chest right now and has gone grey.",
        "writing a novel is my hobby but today my left arm went weak and my words come out wrong",
        "I teach yoga and one of my students collapsed just now, not responding",
        "Saw a documentary about cauda equina. Since this morning I'm numb between my legs and can't pee.",
        "My dog pulled me over, I hit my head and now I keep vomiting and feel drowsy",
        "I watched a film with my mum and she suddenly can't lift her arm and talks gibberish",
        "my late father had a ruptured aneurysm and now I have sudden tearing back pain and feel faint",
        "took 40 pills. please help",
    ],
)
def test_a_frame_hides_nothing_that_happens_to_the_writer(safety: SafetyCheck, message: str) -> None:
    assert safety.check(message).level == "emergency_now"


# Each strongly worded complaint of a movement, and a near twin that cannot wait.
@pytest.mark.parametrize(
    ("ordinary", "urgent"),
    [
        (
            "putting on my jacket is agony, the arm won't go behind me",
            "putting on my jacket my chest went tight, the arm is heavy and I'm sweating",
        ),
        (
            "heat or ice for a sprained wrist?",
            "I sprained my wrist and now the hand is ice cold, white and numb",
        ),
        (
            "legs like planks since the hill walk, both thighs sore",
            "legs like planks since the hill walk and my pee is dark brown",
        ),
        (
            "who claims they don't exist, these knots?",
            "I wish I didn't exist",
        ),
        (
            "what is the point of stretching before a run?",
            "what's the point of living, nothing will change",
        ),
        (
            "numb patch on the side of my thigh when I wear a tight belt",
            "numb between my legs since yesterday and my back hurts",
        ),
        (
            "my kneecap has slipped out before, is the wall squat ok?",
            "my kneecap slipped out an hour ago and sits on the side",
        ),
    ],
)
def test_strong_words_are_told_from_strong_signs(safety: SafetyCheck, ordinary: str, urgent: str) -> None:
    assert not safety.check(ordinary).leads
    assert safety.check(urgent).leads


@pytest.mark.parametrize(
    "message",
    [
        "everyone would be better off without me",
        "I don't see the point of going on any more",
        "they'd all be happier if I was gone",
        "I can't take any more of this",
    ],
)
def test_hints_of_despair_are_heard(safety: SafetyCheck, message: str) -> None:
    decision = safety.check(message)
    assert decision.leads
    assert decision.category == "suicidal"


def test_a_statement_with_the_words_of_a_question_is_a_statement(safety: SafetyCheck) -> None:
    told = "down to the elbow the whole arm muscle is ice cold, white and numb"
    assert safety.check(told).level == "emergency_now"


def test_past_and_settled_is_at_most_a_line_of_caution(safety: SafetyCheck) -> None:
    assert (
        safety.check("I had a clot in my leg in 2010, all clear since. Calf stretches?").level == "safety_net"
    )
    assert not safety.check("Ten years ago I had chest pain and sweating, it was panic.").leads


def test_the_past_does_not_hide_the_present(safety: SafetyCheck) -> None:
    now = "I had a clot in 2010 and today the same calf is swollen, hot and sore"
    assert safety.check(now).level == "same_day"


def test_a_spell_that_went_away_still_counts(safety: SafetyCheck) -> None:
    gone = "my face drooped on one side for ten minutes yesterday, all fine now"
    assert safety.check(gone).level == "emergency_now"


def test_denial_cancels_its_own_sign_only(safety: SafetyCheck) -> None:
    assert not safety.check("sore shoulder, no chest pain, no sweating, no breathlessness").leads
    assert not safety.check("low back ache, no numbness, no bladder trouble, legs strong").leads
    pain = "no fever, but the pain moved to the lower right and hurts more when I cough, off my food"
    assert safety.check(pain).level in {"same_day", "emergency_now"}


def test_cannot_is_a_sign_and_not_a_denial(safety: SafetyCheck) -> None:
    assert safety.check("I cannot feel my legs and I can't pee, my back hurts").level == "emergency_now"
    assert safety.check("the bleeding won't stop, it's pouring").level == "emergency_now"


@pytest.mark.parametrize(
    "frame",
    [
        "It's probably nothing but {}",
        "{} my mum says I'm being silly lol",
        "hi love the blog! {} what roller should I buy",
    ],
)
def test_nothing_said_around_it_lowers_it(safety: SafetyCheck, frame: str) -> None:
    told = "my chest feels squeezed and my jaw aches and I'm sweating"
    assert safety.check(frame.format(told)).level == "emergency_now"


def test_third_person_and_refusal_count(safety: SafetyCheck) -> None:
    assert safety.check("my dad's mouth has dropped on one side and he can't speak").level == "emergency_now"
    refusing = "I'm not going to any hospital. Belly rigid as a board and I keep vomiting. Which massage?"
    assert safety.check(refusing).level == "emergency_now"


def test_children_pregnancy_and_age_step_up(safety: SafetyCheck) -> None:
    assert safety.check("my 6 week old has a temperature of 38.4").level == "emergency_now"
    assert safety.check("34 weeks pregnant with a bad headache and seeing spots").level == "emergency_now"
    assert (
        safety.check("gran is 84, fell this morning, hip hurts and she can't stand").level == "emergency_now"
    )


def test_clinical_vignettes_are_about_a_patient(safety: SafetyCheck) -> None:
    told = (
        "A 54-year-old man presents with crushing substernal chest pain radiating to the left arm, "
        "with nausea and diaphoresis. He denies fever."
    )
    assert safety.check(told).level == "emergency_now"


@pytest.mark.parametrize(
    ("message", "category"),
    [
        ("temp of 38.9 and rigors, left flank agony, burns to pee", "kidney_infection"),
        ("fever 104F, stiff neck, light hurts my eyes", "meningitis_sepsis"),
        ("35 weeks pregnant, bp 170/112, headache", "pre_eclampsia"),
        ("diabetic, blood sugar 26, vomiting and so thirsty", "diabetes_emergency"),
    ],
)
def test_figures_are_read(safety: SafetyCheck, message: str, category: str) -> None:
    decision = safety.check(message)
    assert (decision.level, decision.category) == ("emergency_now", category)


@pytest.mark.parametrize(
    "message",
    [
        "chset presure n left arm heavy n swetting",
        "MY CHEST IS CRUSHING AND MY LEFT ARM IS NUMB AND IM SWEATING",
        "chestpain sweaaaating left arm heavyyy",
        "ch\u200best pres\u00adsure, left arm heavy, sweat\u200bing",
        "сhest рressure, left аrm heavy, swеating",  # Cyrillic с, р, а, е
        "ｃｈｅｓｔ pressure, left arm heavy, sweating",
        "c h e s t pressure left arm heavy sweating",
    ],
)
def test_spelling_hidden_characters_and_lookalikes_do_not_hide_it(safety: SafetyCheck, message: str) -> None:
    assert safety.check(message).level == "emergency_now"


def test_signs_over_several_turns_add_up(safety: SafetyCheck) -> None:
    turns = [
        "sciatica in both legs, which stretch?",
        "three days now",
        "I haven't been able to pee since lunch",
    ]
    assert safety.check(turns[2], turns[:2]).level == "emergency_now"
    assert not safety.check("three days now", []).leads


def test_once_raised_it_stays_until_seen(safety: SafetyCheck) -> None:
    before = ["my calf is swollen, hot and sore on one side since the flight"]
    assert safety.check("ok. how does the soleus attach?", before).level == "same_day"
    seen = "I have been seen by a doctor"
    assert safety.check(seen, before).level == "safety_net"
    assert not safety.check("how does the soleus attach?", [*before, seen]).leads


def test_a_new_sign_after_being_seen_raises_it_again(safety: SafetyCheck) -> None:
    before = ["my calf is swollen and hot on one side", "I've been to A&E, they checked me and found no clot"]
    assert safety.check("now I'm short of breath and coughing blood", before).level == "emergency_now"


def test_someone_elses_opinion_is_not_an_examination(safety: SafetyCheck) -> None:
    told = "my trainer says it's a strain, but one calf is hot, red and swollen since the flight"
    assert safety.check(told).level == "same_day"


def test_a_scary_word_alone_does_not_raise(safety: SafetyCheck) -> None:
    for word in ("stroke", "cancer", "heart attack", "suicide", "overdose", "blood clots", "sepsis"):
        assert not safety.check(word).leads, word


def test_hundred_thousand_characters_take_bounded_time(safety: SafetyCheck) -> None:
    start = time.process_time()
    for filler in ("my neck is stiff and ", "zxqv wvut ", "not ", "a", "pain, "):
        safety.check(filler * (100_000 // len(filler)))
    assert time.process_time() - start < 20


def test_what_ends_a_long_message_is_read(safety: SafetyCheck) -> None:
    long = "I like your articles about the shoulder. " * 2000
    assert safety.check(long + "Now I have crushing chest pain and cold sweats.").level == "emergency_now"


def test_the_same_question_gets_the_same_answer(safety: SafetyCheck) -> None:
    asked = "coughing blood and breathless"
    assert safety.check(asked) == safety.check(asked) == SafetyCheck().check(asked)


def test_a_notice_goes_when_the_visitor_says_what_its_button_says(safety: SafetyCheck) -> None:
    for told in ("my husband hits me", "crushing chest pain and a cold sweat", "I want to kill myself"):
        shown = notice(safety.check(told))
        assert shown is not None
        assert not safety.check(f"{shown.settled}.", [told]).leads


def test_threads_may_share_a_check(safety: SafetyCheck) -> None:
    messages = [f"my left calf is swollen, warm and sore, day {day}" for day in range(40)]
    with ThreadPoolExecutor(8) as threads:
        levels = list(threads.map(lambda text: safety.check(text, messages[:2]).level, messages * 2))
    assert set(levels) == {"same_day"}


def test_talk_around_it_changes_nothing(safety: SafetyCheck) -> None:
    told = "one leg is twice the size of the other and hot since the flight"
    talk = "Hi! We moved house and the garden is lovely. Which roller would you buy? Thank you for the blog."
    assert safety.check(f"{talk} {told}. {talk}").urgency >= safety.check(told).urgency >= 3
