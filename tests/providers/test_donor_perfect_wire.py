"""DonorPerfect's wire in tables of cases: how values are written, damaged XML, refusals, and what a row says to us."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from integrations.provider_kit.errors import Ambiguous, CallFailed, Reconnect, Refused, Retry
from integrations.provider_kit.http import Answer
from integrations.providers.donor_perfect import answers, damaged, interactions, meaning, rows, wire
from integrations.providers.donor_perfect.damaged import Record, Unreadable
from integrations.providers.donor_perfect.meaning import Meaning, Person, meaning_of, person_of, why_not_thanked
from integrations.providers.donor_perfect.rows import DonorRow, GiftRow

NOT_AUTHORIZED = "user not authorized for this api call."
MARKER = interactions.marker_for(UUID(int=7))


# -- writing -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "sent"),
    [
        ("ab%2fcd%2bef%3d", "ab%2fcd%2bef%3d"),  # as issued: not a sign is changed
        ("  ab%2Fcd \n", "ab%2Fcd"),
        ("ab/cd+ef==", "ab%2Fcd%2Bef%3D%3D"),  # decoded on its way: + must not become a blank
        ("ab%zz&apikey=x", "ab%25zz%26apikey%3Dx"),
    ],
)
def test_the_key_goes_as_it_was_issued_and_can_add_nothing_to_the_address(key: str, sent: str) -> None:
    assert wire.key_as_sent(key) == sent


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "null"), (135, "135"), (Decimal("23.45"), "23.45"), (True, "'Y'"), (False, "'N'"),
        (date(2026, 1, 2), "'01/02/2026'"), ("TE", "'TE'"), ("97201", "'97201'"), ("", "''"),
        ("O'Reilly", "'O''Reilly'"), ("Zoë", "N'Zoë'"), ("a\r\nb\x00c", "'a b c'"), ("'; DROP TABLE dp --",
         "'''; DROP TABLE dp --'"),
    ],
)  # fmt: skip
def test_values_are_written_by_their_type(value: Any, written: str) -> None:
    assert wire.literal(value) == written


def test_the_words_of_an_interaction_are_plain_and_end_with_the_marker() -> None:
    said = interactions.words("He said “thank\nyou”, 90% & `more`", MARKER)
    assert said == f"He said 'thank you', 90 percent & 'more' {MARKER}"
    long = interactions.words("word " * 2000, MARKER)
    assert len(long) == 4000 and long.endswith(f" {MARKER}")


def test_D12_a_marker_is_the_same_for_the_same_event_and_holds_no_wildcard() -> None:
    other = interactions.marker_for(UUID(int=8))
    assert interactions.marker_for(UUID(int=7)) == MARKER != other and len(MARKER) == len(other)
    assert not set("%_[]^'") & set(MARKER)
    with pytest.raises(ValueError, match="marker_for"):
        interactions.words("x", "ref te-%")


def test_all_twelve_parameters_are_given_and_nobody_gets_an_open_task() -> None:
    values = interactions.parameters(135, date(2026, 11, 22), "TE", "Video sent", MARKER)
    assert (
        list(values)
        == (
            "contact_id donor_id activity_code mailing_code by_whom contact_date due_date due_time completed_date "
            "comment document_path user_id"
        ).split()
    )
    assert values["contact_date"] == values["completed_date"] and values["due_date"] is None


# -- reading -------------------------------------------------------------------------------------


def field(name: str, value: str) -> str:
    return f"<field name='{name}' id='{name}' value='{value}'/>"


def result(*records: str) -> bytes:
    return f"<result>{''.join(f'<record>{each}</record>' for each in records)}</result>".encode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (result(field("A", "1")), [{"a": "1"}]),
        (b"<result/>", []),
        (b"<result></result>", []),
        (b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?><result/>', []),
        (b'<result><record><field name="b" reason="" id="b" value="x"/></record></result>', [{"b": "x"}]),
        (result(field("a", "Oak &amp; Pine")), [{"a": "Oak & Pine"}]),
        (result(field("a", "Oak & Pine")), [{"a": "Oak & Pine"}]),
        (result(field("a", "R&D &lt;b&gt; &#39;")), [{"a": "R&D <b> '"}]),
        (result(field("a", "x\x0by")), [{"a": "x y"}]),
        (result(field("a", "Zoë")).decode().encode("cp1252"), [{"a": "Zoë"}]),
        (result(field("a", "1") + field("a", "2")), [{"a": "1"}]),
        (result(field("a", "said &lt;record> twice")), [{"a": "said <record> twice"}]),
    ],
)
def test_rows_are_read_whole_or_repaired(body: bytes, expected: list[dict[str, str]]) -> None:
    content = damaged.read(body)
    assert [each.values for each in content.records] == expected and not content.is_refusal
    assert not any(each.lost for each in content.records)


@pytest.mark.parametrize("narrative", ["a <b> & c", "it's", "DATE: <1/2/2026>\n'quoted'", "5 < 6"])
def test_a_field_beyond_repair_is_left_out_and_its_row_stays(narrative: str) -> None:
    body = result(field("id", "1") + field("text", narrative) + field("email", "a@b"), field("id", "2"))
    records = damaged.read(body).records
    assert [each.values for each in records] == [{"id": "1", "email": "a@b"}, {"id": "2"}]
    assert [each.lost for each in records] == [("text",), ()]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \r\n",
        b"<html><body>The page cannot be displayed</body></html>",
        b"<!DOCTYPE html><html></html>",
        b"<!DOCTYPE x [<!ENTITY a 'aaaa'>]><result><record/></result>",
        b"<result><record><field name='a' id='a' value='1'/></record><record><field na",
        b"<results/>",
        b'{"result": []}',
        result(field("a", "1")).replace(b"</record>", b"", 1),
    ],
)
def test_what_is_no_answer_or_lost_rows_is_never_read_as_no_gifts(body: bytes) -> None:
    with pytest.raises(Unreadable):
        damaged.read(body)


def test_entities_are_not_unfolded() -> None:
    bomb = b"<!DOCTYPE r [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'>]><result><record><field name='&b;'/></record></result>"
    with pytest.raises(Unreadable):
        damaged.read(bomb)


# -- what an answer means: a case for each row of the dossier's table -----------------------------


def envelope(reason: str = "", error: str = "") -> bytes:
    first = f'<field name="success" reason="{reason}" id="success" value="false"/>' if reason else ""
    return f"<result>{first}{f'<error>{error}</error>' if error else ''}</result>".encode()


def outcome(body: bytes, *, writes: bool = False, status: int = 200, headers: dict[str, str] | None = None) -> Any:
    """What an answer is judged as, or its content."""
    try:
        return answers.content_of(Answer(status, headers or {}, body, None), writes=writes)
    except CallFailed as problem:
        return problem.outcome


SYNTAX = "[Microsoft][ODBC SQL Server Driver][SQL Server]Incorrect syntax near &#39;Reilly&#39;."


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (envelope(NOT_AUTHORIZED, SYNTAX), Refused, "DonorPerfect refused this: Incorrect syntax near 'Reilly'."),
        (envelope("", SYNTAX), Refused, "DonorPerfect refused this: Incorrect syntax near 'Reilly'."),
        (envelope(NOT_AUTHORIZED), Refused, answers.DOUBT.sentence),
        (envelope("", "Invalid token."), Reconnect, answers.WRONG_KEY),
        (envelope("login failed"), Reconnect, answers.WRONG_KEY),
        (envelope("", "bad api key"), Reconnect, answers.WRONG_KEY),
        (envelope("invalid: Array cannot be null. Parameter name: bytes"), Reconnect, answers.CUT_KEY),
        (envelope("", "SQL statement not allowed"), Refused, "does not take this call"),
        (envelope(NOT_AUTHORIZED, "Procedure or function 'x' expects parameter '@y', which was not supplied."),
         Refused, "does not take this call"),
        (b"<result><field name='success' id='success' value='false'/></result>", Refused, answers.DOUBT.sentence),
    ],
)  # fmt: skip
@pytest.mark.parametrize("writes", [False, True])
def test_each_refusal_inside_a_200_has_its_outcome(body: bytes, kind: Any, words: str, writes: bool) -> None:
    found = outcome(body, writes=writes)
    assert isinstance(found, kind) and words in found.sentence
    assert "[Microsoft]" not in found.sentence


@pytest.mark.parametrize("body", [b"", b"<html>The page cannot be displayed</html>", b"<result><record>"])
def test_an_empty_body_and_a_page_are_tried_again_and_unclear_for_a_write(body: bytes) -> None:
    assert type(outcome(body)) is Retry and type(outcome(body, writes=True)) is Ambiguous


@pytest.mark.parametrize(("status", "write"), [(500, Ambiguous), (502, Ambiguous), (403, Ambiguous), (429, Retry)])
def test_another_status_is_trouble_on_the_way(status: int, write: type) -> None:
    assert type(outcome(b"<result/>", status=status)) is Retry
    assert type(outcome(b"<result/>", status=status, writes=True)) is write
    assert outcome(b"", status=429, headers={"Retry-After": "30"}).after == 30


def test_what_is_there_already_is_done_for_a_write_and_success_may_be_said_aloud() -> None:
    twice = "Violation of PRIMARY KEY constraint 'PK_dpflags'. Cannot insert duplicate key in object"
    assert outcome(envelope(NOT_AUTHORIZED, twice), writes=True).records == []
    assert isinstance(outcome(envelope(NOT_AUTHORIZED, twice)), Refused)
    assert outcome(b"<result><field name='success' id='success' value='true'/></result>").records == []


def test_a_refusal_never_repeats_a_key() -> None:
    said = outcome(envelope(NOT_AUTHORIZED, "Failed: /prod/xmlrequest.asp?apikey=ab%2fcd&amp;action=x"))
    assert "ab%2fcd" not in said.sentence and "Failed" in said.sentence


# -- rows ----------------------------------------------------------------------------------------


def test_a_gifts_row_is_read_by_its_names() -> None:
    row = rows.gift(Record({
        "gift_id": "10230", "donor_id": " 147", "record_type": "g", "gift_date": "1/10/2018", "amount": "14.9800",
        "split_gift": "N", "pledge_payment": "Y", "glink": "0", "plink": "77", "alink": "", "known_donor_id": "147",
        "gift_narrative": "For O`Reilly", "created_date": "4/4/2017 3:26:29 PM", "modified_date": "",
        "last_name": "O`Reilly", "nomail": "Y",
    }))  # fmt: skip
    assert (row.gift_id, row.donor_id, row.record_type) == (10230, 147, "G")
    assert (row.gift_date, row.amount, row.comment) == (date(2018, 1, 10), Decimal("14.98"), "For O'Reilly")
    assert (row.glink, row.plink, row.alink, row.pays_pledge, row.is_part) == (None, 77, None, True, False)
    assert (row.created_on, row.changed_on) == (date(2017, 4, 4), None)
    assert row.donor and (row.donor.last_name, row.donor.no_mail) == ("O'Reilly", True)


def test_a_gift_without_its_donor_is_a_gift_and_one_without_a_number_is_none() -> None:
    assert rows.gift(Record({"gift_id": "1", "donor_id": "2", "known_donor_id": ""})).donor is None
    with pytest.raises(CallFailed):
        rows.gift(Record({"gift_id": "", "donor_id": "2"}))


def test_D8_a_lost_field_may_have_said_do_not_send_mail() -> None:
    assert rows.donor(Record({"donor_id": "1", "nomail": "N"})).no_mail is False
    assert rows.donor(Record({"donor_id": "1"}, ("nomail",))).no_mail is True


@pytest.mark.parametrize("amount", ["", "abc", "NaN", "Infinity", "1e30"])
def test_an_amount_that_is_none_counts_for_nothing(amount: str) -> None:
    row = rows.gift(Record({"gift_id": "1", "donor_id": "2", "record_type": "G", "amount": amount}))
    assert row.amount is None and meaning_of(row) == Meaning(False, True, False, meaning.NO_AMOUNT)


# -- what a row says: the dossier's table of record types ----------------------------------------


def gift(kind: str, amount: str = "50", **more: Any) -> GiftRow:
    return GiftRow(1, 147, kind, date(2026, 1, 1), Decimal(amount), donor=DonorRow(147), **more)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (gift("G"), Meaning(True, True, True)),
        (gift("G", pays_pledge=True, plink=9), Meaning(True, True, True)),
        (gift("G", is_part=True, glink=9), Meaning(True, False, False, meaning.PART, None, 9)),
        (gift("M", "100"), Meaning(False, True, True)),
        (gift("G", alink=9), Meaning(True, True, False, meaning.CORRECTION, 9)),
        (gift("G", is_part=True, glink=9, alink=8), Meaning(True, False, False, meaning.PART, 8, 9)),
        (gift("G", "0"), Meaning(True, True, False, meaning.NO_AMOUNT)),
        (gift("G", "-5"), Meaning(True, True, False, meaning.NO_AMOUNT)),
        (gift("P", "0"), Meaning(False, False, False, meaning.OTHERS["P"])),
        (gift("S", glink=9), Meaning(False, False, False, meaning.OTHERS["S"])),
        (gift("A"), Meaning(False, False, False, meaning.OTHERS["A"])),
        (gift("H", "-10", glink=9), Meaning(False, False, False, meaning.OTHERS["H"])),
        (gift("C", "0", alink=9), Meaning(False, False, False, meaning.OTHERS["C"], 9)),
        (gift("J", "0", is_part=True, glink=7, alink=9), Meaning(False, False, False, meaning.OTHERS["J"], 9, 7)),
        (gift("N", "0", glink=9), Meaning(False, False, False, meaning.OTHERS["N"])),
        (gift("X"), Meaning(False, False, False, meaning.UNKNOWN)),
        (gift(""), Meaning(False, False, False, meaning.UNKNOWN)),
    ],
)
def test_each_type_of_row_counts_and_is_thanked_as_the_table_says(row: GiftRow, expected: Meaning) -> None:
    assert meaning_of(row) == expected
    assert why_not_thanked(row) == expected.why_not


def test_D8_do_not_send_mail_comes_before_every_other_reason() -> None:
    quiet = DonorRow(147, no_mail=True)
    assert why_not_thanked(GiftRow(1, 147, "G", None, Decimal(5), donor=quiet)) == meaning.NO_MAIL
    assert person_of(quiet).skip == meaning.NO_MAIL
    assert why_not_thanked(GiftRow(1, 147, "G", None, Decimal(5))) == meaning.NO_DONOR


@pytest.mark.parametrize(
    ("donor", "expected"),
    [
        (DonorRow(1, "Ana", "Ruiz", "a@a.test", "5551", "5552"), Person(1, False, "Ana", "Ruiz", "a@a.test", "5551")),
        (DonorRow(1, "", "Oak & Pine", "", "", "", "5553", is_organization=True),
         Person(1, True, "", "Oak & Pine", "", "5553")),
        (DonorRow(1, "Friends of", "the River", "", "", "5552", is_organization=True),
         Person(1, True, "", "Friends of the River", "", "5552")),
    ],
)  # fmt: skip
def test_D7_a_donor_becomes_a_contact_with_name_first_email_and_phone(donor: DonorRow, expected: Person) -> None:
    assert person_of(donor) == expected


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("a@x.test", "a@x.test"), ("a@x.test; b@x.test", "a@x.test"), ("a@x.test,b@x.test", "a@x.test"),
        ("a@x.test b@x.test", "a@x.test"), ("none; b@x.test", "b@x.test"), ("Rosa <rosa@x.test>", "rosa@x.test"),
        ("", ""), ("n/a", ""), ("a@b", ""), ("mailto:a@x.test", "a@x.test"), ("a@x.test.", "a@x.test"),
    ],
)  # fmt: skip
def test_D7_the_first_of_several_addresses_counts(text: str, first: str) -> None:
    assert meaning.first_address(text) == first
