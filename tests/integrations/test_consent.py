"""The one consent check (L35): a person's own word beats everything; staff can only have them asked."""

import itertools

import pytest

from contacts.models import ConsentEvent
from integrations.sync.consent import ASK, FREE, OUT, Word, allows, standing, strictest

K = ConsentEvent.Kind
PLACE = "mailchimp audience:a1"


def said(kind: str, by: str = "person", list_uid: str = "", place: str = "") -> Word:
    return Word(kind, by, list_uid, place)


OUT_THERE = said(K.OPT_OUT, place=PLACE)
OUT_OF_X = said(K.DNC_SET, list_uid="x")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], FREE),
        ([OUT_THERE], OUT),
        ([OUT_OF_X], OUT),
        ([said(K.OPT_OUT)], OUT),
        ([said(K.DNC_SET, "staff", "x")], FREE),  # staff's DNC is on the membership itself, not in the person's word
        ([OUT_THERE, said(K.DNC_CLEARED, "staff", "x")], ASK),
        ([OUT_THERE, OUT_OF_X, said(K.DNC_CLEARED, "staff", "x")], ASK),
        ([OUT_OF_X, said(K.DNC_CLEARED, "staff", "y")], OUT),  # another list's DNC was cleared
        ([OUT_THERE, OUT_OF_X, said(K.DNC_CLEARED, "staff", "x"), said(K.OPT_IN, place=PLACE)], ASK),
        ([OUT_THERE, said(K.DNC_CLEARED, "staff", "x"), said(K.OPT_IN, place=PLACE)], FREE),
        ([OUT_THERE, said(K.OPT_IN, place=PLACE)], FREE),
        ([OUT_THERE, said(K.OPT_IN, place=PLACE), OUT_THERE], OUT),
        ([said(K.OPT_OUT, place="mailchimp audience:b2")], OUT),  # everybody lived there once: it was about every list
        ([said(K.OPT_OUT, place="mailchimp audience:b2"), said(K.OPT_IN, place=PLACE)], FREE),
        ([said(K.OPT_OUT, place="mailchimp list:y")], FREE),  # about one list only
        ([said(K.OPT_OUT, place="other account")], OUT),  # the same at another vendor, where everybody lives together
        ([said(K.OPT_OUT, place="other list:x")], FREE),
        ([said(K.OPT_OUT, place="other account"), said(K.OPT_IN, place=PLACE)], FREE),  # and came back here
        ([said(K.OPT_IN, place=PLACE), said(K.OPT_OUT, place="other account")], OUT),  # left there after that
        ([said(K.OPT_IN, place=PLACE), said(K.OPT_OUT, place="other list:y")], FREE),
        ([said(K.OPT_OUT, place="other account"), said(K.DNC_CLEARED, "staff", "x")], ASK),
    ],
)
def test_L35_what_the_ledger_allows(words, expected) -> None:
    assert allows(standing(words), "x", PLACE) == expected


def test_L35_L24_who_came_back_to_one_lists_own_audience_and_then_left_elsewhere_is_out_of_it() -> None:
    own = "mailchimp list:x"
    back, out = said(K.OPT_IN, place=own), said(K.OPT_OUT, place="other account")
    assert allows(standing([back, out]), "x", own) == OUT
    assert allows(standing([out, back]), "x", own) == FREE, "what they said last counts"
    assert allows(strictest({"place:other account": OUT}, {f"place:{own}": FREE}), "x", own) == OUT
    assert allows(standing([back, said(K.OPT_OUT, place="mailchimp list:y")]), "x", own) == FREE


def test_L35_nothing_but_the_person_leads_from_out_to_free() -> None:
    """Every sequence of up to three entries by staff or Almoner after an opt-out: asked at most, never free."""
    others = [said(k, by, uid) for k in K.values for by in ("staff", "system") for uid in ("", "x")]
    for length in range(4):
        for words in itertools.product(others, repeat=length):
            assert allows(standing([OUT_THERE, *words]), "x", PLACE) != FREE


def test_L35_the_stricter_word_wins_when_address_and_contact_differ() -> None:
    assert strictest({"*": ASK}, {"*": OUT}, None) == {"*": OUT}
    assert strictest({"*": OUT}, {"*": ASK}) == {"*": OUT}


def test_L35_who_came_back_under_one_address_is_still_out_under_another() -> None:
    gone, back = {"place:other account": OUT}, {f"place:{PLACE}": FREE}
    assert allows(strictest(gone, back), "x", PLACE) == OUT
    assert allows(strictest(gone | back, back), "x", PLACE) == FREE
