"""What staff do at the sandbox DonorPerfect: the rows that it leaves, its pages and buttons, and that it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from tests.fakes import DonorPerfectSandbox, running
from tests.fakes_tests.donor_perfect import Api

NOTICE = "Sandbox DonorPerfect – nothing here is e-mailed"
SHOWN = "gift_id, record_type, amount, split_gift, glink, alink, plink, pledge_payment"


def gift(api: Api, number: int) -> dict[str, str]:
    (row,) = api.rows(f"SELECT {SHOWN}, gift_date, modified_date, gift_narrative FROM dpgift WHERE gift_id = {number}")
    return row


def page(api: Api, path: str, **query: Any) -> str:
    answer = requests.get(f"{api.sandbox.url}{path}", params=query, timeout=20)
    assert answer.status_code == 200, answer.text
    assert NOTICE in answer.text and "<script" not in answer.text
    return answer.text


def press(api: Api, action: str, back: str = "/", **more: Any) -> str:
    wish = {"as": "holder", "action": action, "account": api.login, "back": back, **more}
    return requests.post(f"{api.sandbox.url}/act", data=wish, timeout=20).text


# -- the rows of the seed ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("split_main", "M 100 N"),
        ("split_part", "G 60 Y glink=split_main"),
        ("pledge", "P 0 N"),
        ("pledge_payment", "G 100 N plink=pledge pledge_payment"),
        ("soft_credit", "S 500 N glink=given"),
        ("adjusted", "A 29.95 N"),
        ("adjustment", "H -10 N glink=adjusted"),
        ("adjusted_to", "G 19.95 N alink=adjusted"),
        ("refunded", "A 80 N"),
        ("refund", "H -80 N glink=refunded"),
        ("refunded_to", "C 0 N alink=refunded"),
        ("tribute_row", "N 0 N glink=tribute_gift"),
    ],
)
def test_each_kind_of_row_is_there_as_the_vendor_leaves_it(dp: Api, name: str, expected: str) -> None:
    row, names = gift(dp, dp.fixtures[name]), {str(number): each for each, number in dp.fixtures.items()}
    links = [f"{each}={names[row[each]]}" for each in ("glink", "alink", "plink") if row[each]]
    paid = ["pledge_payment"] if row["pledge_payment"] == "Y" else []
    assert " ".join([row["record_type"], row["amount"], row["split_gift"], *links, *paid]) == expected


def test_the_result_of_an_adjustment_keeps_the_date_and_tells_the_story(dp: Api) -> None:
    row = gift(dp, dp.fixtures["adjusted_to"])
    assert row["gift_date"] == gift(dp, dp.fixtures["adjusted"])["gift_date"] == "6/4/2026"
    assert row["gift_narrative"] == "Bake sale This gift was adjusted by -$10.00 from $29.95 to new amount $19.95"
    assert gift(dp, dp.fixtures["adjusted"])["modified_date"] == "7/10/2026"


def test_a_merged_donors_number_is_gone_and_the_gifts_have_moved(dp: Api) -> None:
    assert dp.rows(f"SELECT donor_id FROM dp WHERE donor_id = {dp.fixtures['merged_away']}") == []
    (row,) = dp.rows(f"SELECT donor_id FROM dpgift WHERE gift_id = {dp.fixtures['moved_gift']}")
    assert row["donor_id"] == str(dp.fixtures["merged_into"])


# -- what staff do -------------------------------------------------------------------------------


def test_a_gift_may_come_later_with_a_lower_number(dp: Api) -> None:
    donor = dp.fixtures["regular"]
    late = dp.act("add_gift", donor=donor, amount="25", late=True)["gift_id"]
    assert late < dp.fixtures["last_gift"] and gift(dp, late)["amount"] == "25"
    assert dp.act("add_gift", donor=donor, amount="$1,250.50")["gift_id"] == dp.fixtures["last_gift"] + 1


def test_a_part_of_a_split_adjusted_to_nothing_is_a_j(dp: Api) -> None:
    made = dp.act("refund_gift", gift=dp.fixtures["split_part"])
    assert gift(dp, made["result"])["record_type"] == "J" and gift(dp, made["adjustment"])["amount"] == "-60"
    assert gift(dp, made["result"])["split_gift"] == "Y"


def test_deleting_a_split_takes_its_parts_along_and_numbers_do_not_come_back(dp: Api) -> None:
    dp.act("delete_gift", gift=dp.fixtures["split_main"])
    left = dp.rows(f"SELECT COUNT(*) AS n FROM dpgift WHERE glink = {dp.fixtures['split_main']}")
    assert left == [{"n": "0"}]
    dp.act("delete_gift", gift=dp.fixtures["last_gift"])
    new = dp.act("add_gift", donor=dp.fixtures["regular"], amount=5)["gift_id"]
    assert new == dp.fixtures["last_gift"] + 1


def test_a_donors_sums_follow_every_deed(dp: Api) -> None:
    donor = dp.act("add_donor", last_name="Sums", email="sums@rivermail.test")["donor_id"]

    def total() -> str:
        return dp.rows(f"SELECT gift_total FROM dp WHERE donor_id = {donor}")[0]["gift_total"]

    first = dp.act("add_gift", donor=donor, amount=100)["gift_id"]
    dp.act("split_gift", donor=donor, amount=30, amount_2=20)
    assert total() == "150", "a split counts by its parts"
    dp.act("refund_gift", gift=first, amount=40)
    assert total() == "110"


def test_a_crowd_is_made_quickly(dp: Api) -> None:
    made = dp.act("add_crowd", donors=20, gifts=30, amount=5)
    assert made["last"] - made["first"] == 599
    assert dp.rows(f"SELECT COUNT(*) AS n FROM dpgift WHERE gift_id >= {made['first']}") == [{"n": "600"}]


@pytest.mark.parametrize(
    ("action", "more", "said"),
    [
        ("add_gift", {"donor": 1, "amount": 5}, "1 is not in this account."),
        ("add_gift", {"donor": "regular", "amount": "ten"}, "An amount is a number"),
        ("refund_gift", {"gift": "split_main"}, "Only a gift of type G"),
        ("refund_gift", {"gift": "given", "amount": 501}, "not more than the gift"),
        ("add_donor", {"first_name": "No"}, "needs a last name"),
        ("merge_donors", {"donor": "regular", "into": "regular"}, "into itself"),
    ],
)
def test_a_wrong_wish_is_told_in_a_sentence(dp: Api, action: str, more: dict[str, Any], said: str) -> None:
    wish = {name: dp.fixtures.get(str(value), value) for name, value in more.items()}
    assert said in press(dp, action, **wish)


# -- pages ---------------------------------------------------------------------------------------


def test_the_start_shows_the_keys_to_copy_and_the_calls_without_them(dp: Api) -> None:
    dp.rows("SELECT TOP 1 donor_id FROM dp")
    text = page(dp, "/")
    for word in ("River Trust", "4711RT", dp.key, "Harbor Food Bank", "/prod/xmlrequest.asp"):
        assert word in text
    press(dp, "revoke_key")
    assert "revoked" in page(dp, "/")


def test_an_account_shows_donors_and_the_interactions_that_arrived(dp: Api) -> None:
    assert "None has arrived yet." in page(dp, "/account", account="river")
    dp.saved("dp_savecontact", dp.comment("N'Watched to the end by O''Reilly <b>'"))
    text = page(dp, "/account", account="river")
    assert "Watched to the end by O&#39;Reilly &lt;b&gt;" in text and "Telephone call" in text
    assert "1 donor, page 1 of 1" in page(dp, "/account", account="river", q="O'Re")
    assert "Watched to the end" not in page(dp, "/account", account="harbor")


def test_every_button_of_a_donor_does_what_it_says(dp: Api) -> None:
    donor = dp.act("add_donor", last_name="Button", email="b@rivermail.test")["donor_id"]
    back = f"/donor?account=river&id={donor}"
    assert "Done: add gift." in press(dp, "add_gift", back, donor=donor, amount="50", day="2026-11-20", late="")
    press(dp, "split_gift", back, donor=donor, amount="30", amount_2="20", day="")
    press(dp, "add_pledge", back, donor=donor, amount="120", day="")
    shown = page(dp, "/donor", account="river", id=donor)
    for word in ("Refund", "Adjust", "Pay", "Save", "Delete", "Add gift", "Add split gift", "Add pledge", "Merge"):
        assert f">{word}</button>" in shown
    for word in ("G: gift", "M: split gift, whole", "G: part of a split, of", "P: pledge", "11/20/2026"):
        assert word in shown
    press(dp, "edit_donor", back, donor=donor, last_name="Changed", nomail="Y", first_name="", email="", org_rec="N")
    assert "Changed" in page(dp, "/donor", account="river", id=donor)
    (row,) = dp.rows(f"SELECT nomail, email, modified_date FROM dp WHERE donor_id = {donor}")
    assert row["nomail"] == "Y" and row["email"] == "" and row["modified_date"]
    into = dp.fixtures["regular"]
    assert "Done: merge donors." in press(dp, "merge_donors", "/account?account=river", donor=donor, into=into)
    assert requests.get(f"{dp.sandbox.url}{back}", timeout=20).status_code == 404


def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    with running(DonorPerfectSandbox(state_dir=tmp_path)) as sandbox:
        api = Api(sandbox)
        api.act("add_gift", donor=api.fixtures["regular"], amount="77.77")
        api.saved("dp_savecontact", api.comment("N'Łódź'"))
        key = api.act("issue_key")["api_key"]
        before = api.control("state")
    with running(DonorPerfectSandbox(state_dir=tmp_path)) as sandbox:
        api = Api(sandbox)
        assert api.control("state") == before and api.key == key
        assert api.saved("dp_savecontact", api.comment()) == 2
