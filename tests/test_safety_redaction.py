"""What is left of a text that a visitor chooses to leave behind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.safety.redaction import redacted


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mail me at jo.bloggs+pain@example.org please", "jo.bloggs example"),
        ("john.doe (at) example (dot) org", "john doe example"),
        ("see https://example.org/me?id=7 or www.example.org", "example id=7"),
        ("I'm @backpain_jo there", "backpain_jo"),
        ("ring +44 7700 900123 or 0161 496 0000", "7700 900123 0161 496"),
        ("call (555) 123-4567", "555 123 4567"),
        ("my NHS number is 943 476 5919", "943 476 5919"),
        ("I live at 12 Acacia Avenue, Leeds", "12 Acacia"),
        ("flat 3b, 27 Old Mill Lane", "27 Mill"),
        ("come to 45 high street", "45 high"),
        ("Musterstraße 12, 10115 Berlin", "Muster 12 10115 Berlin"),
        ("postcode SW1A 1AA", "SW1A 1AA"),
        ("Springfield, IL 62704", "62704"),
        ("born 12/05/1980", "12/05 1980"),
        ("born on the 3rd of May 1964", "3rd 1964"),
        ("my name is anna kowalski and my hip aches", "anna kowalski"),
        ("My name is Bob Smith-Jones, 43", "Bob Smith Jones"),
        ("I'm Stefan and I row", "Stefan"),
        ("Dr. van der Berg said it is the hip", "Berg"),
        ("Mrs O'Brien, my neighbour", "O'Brien"),
        ("my husband Tom and our daughter Kasia", "Tom Kasia"),
        ("it hurts. Kind regards,\nMarek", "Marek"),
        ("thanks, Ewa", "Ewa"),
        ("I asked Wojciech about it", "Wojciech"),
        ("signed Zoë", "Zoë"),
    ],
)
def test_what_tells_who_it_is_goes(text: str, told: str) -> None:
    left = redacted(text)
    assert "[" in left
    assert not [one for one in told.split() if one in left], left


@pytest.mark.parametrize(
    "text",
    [
        "My left calf has hurt since Monday, 3 sets of 10, BP 120/80.",
        "I am British and love Pilates; from 2010-2015 I ran marathons.",
        "The Gluteus Maximus and the Achilles tendon, 38.5 degrees, for 3 weeks",
        "this is Tuesday's pain, not last week's",
        "L4/5 disc, 12 sessions, 2 x 30 minutes",
        "",
    ],
)
def test_what_tells_only_of_the_body_stays(text: str) -> None:
    assert redacted(text) == text


@given(st.from_regex(r"[a-z]{3,8}\.[a-z]{3,8}@[a-z]{3,8}\.(com|org)", fullmatch=True), st.text(max_size=40))
def test_no_address_of_mail_is_left(address: str, around: str) -> None:
    assert address not in redacted(f"{around} {address} {around}")


@given(st.text(max_size=300))
def test_any_text_can_be_redacted_and_redacted_again(text: str) -> None:
    once = redacted(text)
    assert redacted(once).count("@") <= once.count("@")
