"""The sandbox DonorPerfect's call: the key, GET and POST, the grammar of params, and the procedures that save."""

from __future__ import annotations

from urllib.parse import quote, unquote

import pytest
import requests

from tests.fakes_tests.donor_perfect import Api

NOT_AUTHORIZED = "user not authorized for this api call."
TRIVIAL = "SELECT TOP 1 donor_id FROM dp"
DONOR = (
    "{id},'Al','Berg',null,null,null,null,null,null,null,null,null,null,'97201',null,null,null,null,null,null,"
    "'al@berg.test','N','IN','{nomail}',null,null,'I','Almoner'"
)
GIFT = (
    "{id},{donor},'G','11/20/2026',{amount},'UN',null,null,null,'CK','N','N',null,null,null,null,null,null,0,"
    "'For the river',null,null,null,'N','N',null,'Almoner',null,null,null,'USD'"
)


# -- the key -------------------------------------------------------------------------------------


def test_the_key_is_long_and_comes_percent_encoded(dp: Api) -> None:
    assert 100 <= len(dp.key) <= 200 and {"%2f", "%2b", "%3d"} <= {dp.key[i : i + 3] for i in range(len(dp.key))}
    assert dp.rows(TRIVIAL)
    assert dp.rows(TRIVIAL, key=quote(unquote(dp.key), safe="")), "decoded once and encoded once is the same"


def test_a_key_encoded_twice_or_cut_off_is_told_in_the_vendors_riddle(dp: Api) -> None:
    riddle = "invalid: Array cannot be null. Parameter name: bytes"
    for key in (quote(dp.key, safe=""), dp.key[:40]):
        assert dp.refusal(TRIVIAL, key=key) == (riddle, "")


def test_a_key_with_bare_signs_of_plus_is_not_the_key(dp: Api) -> None:
    assert dp.refusal(TRIVIAL, key=unquote(dp.key)) == ("", "Invalid token.")


def test_unknown_missing_and_revoked_keys_are_three_answers(dp: Api) -> None:
    assert dp.refusal(TRIVIAL, key="A" * 120) == ("", "Invalid token.")
    assert dp.refusal(TRIVIAL, key="") == ("login failed", "")
    dp.act("revoke_key")
    assert dp.refusal(TRIVIAL) == (NOT_AUTHORIZED, "")
    assert Api(dp.sandbox, "harbor").rows(TRIVIAL), "the neighbour's key is as good as before"
    key = dp.act("issue_key")["api_key"]
    assert dp.rows(TRIVIAL, key=key) and dp.refusal(TRIVIAL) == ("", "Invalid token.")


@pytest.mark.parametrize(
    ("kind", "said"),
    [("login_failed", ("login failed", "")), ("bad_api_key", ("", "bad api key")), ("reason", (NOT_AUTHORIZED, ""))],
)
def test_an_unknown_key_can_be_told_in_other_words(dp: Api, kind: str, said: tuple[str, str]) -> None:
    dp.control("options", {"unknown_key": kind})
    assert dp.refusal(TRIVIAL, key="A" * 120) == said


def test_a_bad_key_can_bring_a_page(dp: Api) -> None:
    dp.control("options", {"unknown_key": "page"})
    answer = dp.raw(TRIVIAL, key="A" * 120)
    assert answer.status_code == 200 and answer.text.startswith("<!DOCTYPE") and dp.rows(TRIVIAL)


def test_the_key_is_not_in_the_log_of_calls(dp: Api) -> None:
    dp.rows(TRIVIAL)
    (call,) = [each for each in dp.control("calls") if each["path"] == "/prod/xmlrequest.asp"]
    assert call["account"] == "river" and "donor_id" in call["query"]
    assert dp.key not in str(call) and dp.key[:20] not in str(call)


# -- the grammar of params -----------------------------------------------------------------------


def test_both_forms_and_both_methods_save_an_interaction(dp: Api) -> None:
    donor = dp.fixtures["apostrophe"]
    first = dp.saved("dp_savecontact", dp.comment("N'Watched by O''Reilly, 50 minutes'"))
    positional = f"0, {donor}, 'TE', null, null, '11/22/2026', null, null, '11/22/2026', 'b', null, 'Almoner'"
    assert dp.saved("dp_savecontact", positional, post=True) == first + 1
    assert dp.rows("SELECT comment, created_by, contact_date FROM dpcontact ORDER BY contact_id") == [
        {"comment": "Watched by O`Reilly, 50 minutes", "created_by": "Almoner", "contact_date": "11/22/2026"},
        {"comment": "b", "created_by": "Almoner", "contact_date": "11/22/2026"},
    ]


def test_names_are_read_in_any_order_and_case_and_more_may_follow(dp: Api) -> None:
    parts = dp.comment().split(",")
    mixed = ",".join(reversed([part.upper() if "'" not in part else part for part in parts]))
    assert dp.saved("dp_savecontact", mixed) == 1
    assert dp.saved("dp_savecontact", dp.comment() + ",@contact_email='a@b.test'") == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("@mailing_code=null,", "", "expects parameter '@mailing_code', which was not supplied."),
        ("@mailing_code=null", "null", "the form '@name = value'"),
        ("@contact_id=0", "0", "the form '@name = value'"),
        ("@mailing_code=null", "@mailing=null", "@mailing is not a parameter for procedure dp_savecontact."),
        ("'hello'", "'O'Reilly'", "Unclosed quotation mark after the character string 'Reilly"),
        ("'hello'", "hello", "Incorrect syntax near 'hello'"),
        ("'hello'", "'hello", "Unclosed quotation mark"),
        ("@activity_code='TE'", "@activity_code=12345", "converting data type numeric to nvarchar"),
        ("@donor_id=", "@donor_id='x',@y=", "@y is not a parameter"),
        ("'11/22/2026'", "11/22/2026", "Incorrect syntax near '11/22/2026'"),
        ("'11/22/2026'", "'2026-11-22'", "converting data type varchar to datetime"),
        ("'11/22/2026'", "'11/22/2026 10:00:00'", "converting data type varchar to datetime"),
        ("'11/22/2026'", "'13/22/2026'", "converting date"),
        ("@contact_id=0", "@contact_id=0,@contact_id=0", "supplied multiple times"),
    ],
)
def test_what_is_written_wrongly_is_refused_behind_the_same_reason(dp: Api, old: str, new: str, said: str) -> None:
    params = dp.comment()
    assert old in params
    reason, error = dp.refusal("dp_savecontact", params.replace(old, new, 1))
    assert reason == NOT_AUTHORIZED and said in error
    assert dp.control("state")["accounts"]["river"]["counts"]["dpcontact"] == 0
    assert dp.saved("dp_savecontact", params) == 1, "the control: as it was before, it is taken"


def test_too_many_values_and_unknown_procedures_are_refused(dp: Api) -> None:
    assert "too many arguments" in dp.refusal("dp_gifts", "1,2")[1]
    assert "Could not find stored procedure 'dp_saveeverything'" in dp.refusal("dp_saveeverything", "1")[1]
    # As one public client encodes it: everything in `action`.
    assert dp.refusal("dp_gifts&params=1")[1] == "SQL statement not allowed"


def test_an_envelope_may_come_without_its_error(dp: Api) -> None:
    dp.control("options", {"hide_errors": True})
    assert dp.refusal("dp_savecontact", "@contact_id=0") == (NOT_AUTHORIZED, "")


# -- saving --------------------------------------------------------------------------------------


def test_a_new_row_answers_its_number_and_a_change_answers_0(dp: Api) -> None:
    assert dp.call("dp_savecontact", dp.comment()) == (
        "<result><record><field name='' id='' value='1'/></record></result>"
    )
    assert dp.saved("dp_savecontact", dp.comment("'changed'", number=1)) == 0
    (row,) = dp.rows("SELECT comment, created_date, modified_date FROM dpcontact")
    assert row["comment"] == "changed" and row["created_date"] == row["modified_date"]
    assert row["created_date"].count("/") == 2 and ":" not in row["created_date"], "a day, and no time"


def test_texts_are_cut_where_the_parameter_ends(dp: Api) -> None:
    params = dp.comment(f"'{'x' * 4100}'").replace("'Almoner'", "'A name of more than 20 signs'")
    dp.saved("dp_savecontact", params, post=True)
    (row,) = dp.rows("SELECT comment, created_by FROM dpcontact")
    assert (len(row["comment"]), row["created_by"]) == (4000, "A name of more than ")


def test_unicode_needs_its_letter_and_a_system_that_knows_it(dp: Api) -> None:
    for text in ("'Łódź é'", "N'Łódź é'"):
        dp.saved("dp_savecontact", dp.comment(text))
    dp.control("options", {"is_unicode": False})
    dp.saved("dp_savecontact", dp.comment("N'Łódź é'"))
    texts = [row["comment"] for row in dp.rows("SELECT comment FROM dpcontact ORDER BY contact_id")]
    assert texts == ["?ód? é", "Łódź é", "?ód? é"]


def test_a_donor_is_saved_whole_and_nomail_is_yes_or_no(dp: Api) -> None:
    number = dp.saved("dp_savedonor", DONOR.format(id=0, nomail="N"))
    assert dp.saved("dp_savedonor", DONOR.format(id=number, nomail="Y")) == 0
    assert dp.rows(f"SELECT last_name, nomail FROM dp WHERE donor_id = {number}") == [
        {"last_name": "Berg", "nomail": "Y"}
    ]
    assert "'nomail'" in dp.refusal("dp_savedonor", DONOR.format(id=0, nomail="Yes"))[1]
    assert "NULL" in dp.refusal("dp_savedonor", DONOR.format(id=0, nomail="N").replace("'Berg'", "null"))[1]


def test_a_saved_gift_refreshes_the_donors_sums(dp: Api) -> None:
    donor = dp.saved("dp_savedonor", DONOR.format(id=0, nomail="N"))
    number = dp.saved("dp_savegift", GIFT.format(id=0, donor=donor, amount="23.45"))
    dp.saved("dp_savegift", GIFT.format(id=0, donor=donor, amount="10") + ",null,null,null")
    assert number == dp.fixtures["last_gift"] + 1
    (row,) = dp.rows(f"SELECT gifts, gift_total, max_amt FROM dp WHERE donor_id = {donor}")
    assert row == {"gifts": "2", "gift_total": "33.45", "max_amt": "23.45"}
    listed = dp.rows("dp_gifts", params=str(donor))
    assert [each["amount"] for each in listed] == ["10", "23.45"]


def test_donors_are_searched_with_wildcards_and_the_empty_text_is_nowhere(dp: Api) -> None:
    everything = "null,{},null,null,null,null,null,null,null,null,null"
    (found,) = dp.rows("dp_donorsearch", params=everything.format("'o''re%'"))
    assert found["donor_id"] == str(dp.fixtures["apostrophe"])
    assert dp.rows("dp_donorsearch", params=everything.format("''")) == []


# -- trouble -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "is_stored"),
    [("200_empty", False), ("200_html", False), ("500", False), ("429", False), ("cut", False),
     ("done_unanswered", True), ("empty_applied", True), ("500_applied", True)],
)  # fmt: skip
def test_each_trouble_says_nothing_of_what_was_stored(dp: Api, kind: str, is_stored: bool) -> None:
    dp.control("faults", {"kinds": [kind]})
    try:
        answer = dp.raw("dp_savecontact", dp.comment(), post=True)
        assert "<record>" not in answer.text
    except requests.ConnectionError:
        assert kind in ("cut", "done_unanswered")
    dp.control("faults", {})
    assert len(dp.rows("SELECT contact_id FROM dpcontact")) == is_stored


def test_a_slow_answer_comes_when_the_client_has_gone(dp: Api) -> None:
    dp.control("faults", {"kinds": ["timeout"], "timeout_s": 0.5})
    with pytest.raises(requests.RequestException):
        requests.get(f"{dp.sandbox.url}/prod/xmlrequest.asp?apikey={dp.key}&action=x", timeout=0.1)
