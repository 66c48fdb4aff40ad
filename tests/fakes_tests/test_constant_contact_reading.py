"""Reading from the sandbox Constant Contact: pages, `include`, statuses, the two clocks. Items: dossier §9."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.fakes import ConstantContactSandbox
from tests.fakes_tests.constant_contact import ANN, JOE, NOBODY, Api, errors

PARTS = {"custom_fields", "list_memberships", "phone_numbers", "street_addresses", "taggings", "notes"}


def test_item1_pages_follow_a_link_without_a_host_to_the_end(cc: Api) -> None:
    cc.act("holder", "add_crowd", count=1_100)
    seen, link, sizes = set(), "/v3/contacts?status=all&limit=500&include=list_memberships", []
    while link:
        assert link.startswith("/v3/contacts?")
        page = cc.get(link.removeprefix("/v3"))
        sizes.append(len(page["contacts"]))
        assert all("list_memberships" in each for each in page["contacts"]), "the cursor keeps the question"
        seen |= {each["contact_id"] for each in page["contacts"]}
        link = page["_links"].get("next", {}).get("href", "")
    assert sizes == [500, 500, 105] and len(seen) == 1_105


def test_item1_a_cursor_is_followed_as_it_is(cc: Api) -> None:
    link = cc.get("/contacts", limit=1)["_links"]["next"]["href"].removeprefix("/v3")
    assert link.startswith("/contacts?cursor=") and "limit" not in link
    assert errors(cc.call("GET", link, limit=1), 400)
    assert errors(cc.call("GET", "/contacts", cursor="made-up"), 400)


def test_item1_somebody_who_changes_between_two_pages_is_not_lost(cc: Api) -> None:
    cc.act("holder", "add_crowd", count=20)
    page = cc.get("/contacts", limit=10, status="all")
    cc.delete(f"/contacts/{page['contacts'][0]['contact_id']}")
    link = page["_links"]["next"]["href"].removeprefix("/v3")
    rest = cc.get(link)["contacts"]
    assert not {each["contact_id"] for each in page["contacts"]} & {each["contact_id"] for each in rest}
    assert len(rest) == 10


def test_item1_sub_resources_come_only_when_named(cc: Api) -> None:
    joe = cc.add(phone_numbers=[{"phone_number": "503-555-0101", "kind": "home"}])
    assert not PARTS & set(cc.get(f"/contacts/{joe}"))
    assert not PARTS & set(cc.get("/contacts", email=JOE)["contacts"][0])
    assert not PARTS & set(cc.change(joe, first_name="Joe").json())
    found = cc.get(f"/contacts/{joe}", include="list_memberships,phone_numbers")
    assert found["list_memberships"] == [cc.list] and found["phone_numbers"][0]["kind"] == "home"
    assert PARTS & set(found) == {"list_memberships", "phone_numbers"}
    assert errors(cc.call("GET", f"/contacts/{joe}", include="lists"), 400)


def test_item1_deleted_ones_are_hidden_unless_asked_for(cc: Api) -> None:
    deleted = "hugo.marchetti@rivermail.test"
    assert deleted not in cc.addresses()
    assert cc.addresses(email=deleted) == []
    assert cc.addresses(email=deleted, status="all") == [deleted]
    assert cc.addresses(status="deleted") == [deleted]
    found = cc.get("/contacts", status="deleted")["contacts"][0]
    assert datetime.fromisoformat(found["deleted_at"]) and len(found["deleted_at"]) == 10, "a date, no time"


def test_statuses_are_a_comma_list(cc: Api) -> None:
    cc.add(JOE, permission="not_set")
    cc.act("holder", "hold", email="tobias.lind@rivermail.test")
    assert cc.addresses(status="not_set,temp_hold") == ["tobias.lind@rivermail.test", JOE]
    assert "june.park@rivermail.test" in cc.addresses() and "june.park@rivermail.test" not in cc.addresses(
        status="active"
    )
    assert errors(cc.call("GET", "/contacts", status="cleaned"), 400)


def test_item4_an_opt_out_moves_only_the_clock_of_the_address(cc: Api) -> None:
    joe = cc.add()
    before = cc.held(joe)
    cc.act("person", "unsubscribe", email=JOE, reason="Too many mails")
    after = cc.held(joe)
    assert after["updated_at"] == before["updated_at"]
    email = after["email_address"]
    assert datetime.fromisoformat(email["updated_at"]) >= datetime.fromisoformat(before["email_address"]["updated_at"])
    assert (email["permission_to_send"], email["opt_out_source"]) == ("unsubscribed", "Contact")
    assert email["opt_out_reason"] == "Too many mails" and email["opt_out_date"].endswith("Z")


def test_item4_polling_by_updated_after_misses_opt_outs_and_optout_after_finds_them(
    cc_sandbox: ConstantContactSandbox, cc: Api
) -> None:
    cc.add(JOE)
    cc.add(ANN)
    cc_sandbox.clock_ahead_s = 3_600
    since = datetime.fromtimestamp(cc_sandbox.now() - 60).astimezone().isoformat()
    cc.act("person", "unsubscribe", email=JOE)
    assert cc.addresses(status="unsubscribed", updated_after=since) == []
    assert cc.addresses(status="unsubscribed", optout_after=since) == [JOE]
    assert cc.addresses(status="unsubscribed", optout_before=since) == ["june.park@rivermail.test"]


def test_where_the_filter_does_not_work_everybody_who_left_is_told(cc_sandbox: ConstantContactSandbox, cc: Api) -> None:
    cc_sandbox.options.optout_filter_works = False
    found = cc.addresses(status="unsubscribed", optout_after="2099-01-01T00:00:00Z")
    assert found == ["june.park@rivermail.test"]


def test_both_ways_to_write_a_time_occur(cc: Api) -> None:
    found = cc.held(cc.add())
    assert found["updated_at"].endswith("Z") and found["email_address"]["updated_at"].endswith("-05:00")


def test_a_plus_that_was_not_encoded_is_no_time(cc: Api) -> None:
    assert errors(cc.call("GET", "/contacts?optout_after=2026-01-01T00:00:00+00:00"), 400)
    assert cc.call("GET", "/contacts?optout_after=2026-01-01T00:00:00%2B00:00").status_code == 200


def test_lists_narrow_and_counts_agree(cc: Api) -> None:
    gala = cc.new_list("Gala")
    joe = cc.add(JOE, lists=[gala])
    cc.add(ANN, lists=[])
    assert cc.addresses(lists=gala) == [JOE]
    assert JOE in cc.addresses(lists=f"{gala},{cc.list}") and ANN not in cc.addresses(lists=f"{gala},{cc.list}")
    assert errors(cc.call("GET", "/contacts", lists=",".join(NOBODY[:-2] + f"{n:02}" for n in range(26))), 400)
    assert cc.get("/contacts", lists=gala, include_count="true")["contacts_count"] == 1
    cc.change(joe, "unsubscribed")
    counts = cc.get("/contacts/counts", include="new_subscriber")
    assert counts == {
        "total": 6, "explicit": 1, "implicit": 3, "pending": 0, "unsubscribed": 2, "new_subscriber": 1,
    }  # fmt: skip
    assert "new_subscriber" not in cc.get("/contacts/counts")


@pytest.mark.parametrize("limit", [0, 501, "many"])
def test_a_page_holds_one_to_500(cc: Api, limit: object) -> None:
    assert errors(cc.call("GET", "/contacts", limit=limit), 400)


def test_a_page_holds_50_when_nothing_is_said(cc: Api) -> None:
    cc.act("holder", "add_crowd", count=60)
    assert len(cc.get("/contacts")["contacts"]) == 50


def test_an_address_is_found_in_any_spelling(cc: Api) -> None:
    cc.add("Joe@RiverMail.test")
    assert cc.addresses(email="jOE@rivermail.TEST") == ["Joe@RiverMail.test"]


def test_another_account_is_another_world(cc: Api, cc_sandbox: ConstantContactSandbox) -> None:
    joe, harbor = cc.add(), Api(cc_sandbox, "harbor")
    assert harbor.addresses(email=JOE, status="all") == []
    errors(harbor.call("GET", f"/contacts/{joe}"), 404, "contacts.api.not_found")
    assert harbor.add(JOE) != joe
