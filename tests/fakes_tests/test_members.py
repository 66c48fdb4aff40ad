"""Reading and writing single members: listings, filters, paging, fields and merge values."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes_tests.api import ANN, JOE, Api, md5


def test_a_listing_gives_ten_by_default_and_leaves_archived_people_out(api: Api) -> None:
    for number in range(12):
        api.add(f"p{number}@rivermail.test")
    api.add(status="archived")
    page = api.get(api.members)
    assert len(page["members"]) == 10
    assert page["total_items"] == 18  # twelve and the six of the seed
    assert api.get(api.members, status="archived")["members"][0]["email_address"] == JOE


def test_an_offset_beyond_the_end_gives_nothing_and_no_error(api: Api) -> None:
    page = api.get(api.members, offset=5000)
    assert page["members"] == [] and page["total_items"] == 6


@pytest.mark.parametrize("query", [{"count": 1001}, {"count": "many"}, {"offset": -1}, {"status": "gone"}])
def test_a_wrong_query_is_refused(api: Api, query: dict[str, Any]) -> None:
    assert api.call("GET", api.members, **query).status_code == 400


def test_fields_are_chosen_in_dot_notation(api: Api) -> None:
    page = api.get(api.members, fields="members.email_address,members.merge_fields.FNAME,total_items", count=1)
    assert page == {
        "members": [{"email_address": "marisol.vega@rivermail.test", "merge_fields": {"FNAME": "Marisol"}}],
        "total_items": 6,
    }
    assert "location" not in api.get(api.members, exclude_fields="members.location")["members"][0]
    assert "email_address" in api.get(api.members, exclude_fields="email_address")["members"][0]


def test_changes_are_found_after_a_moment_and_in_order(api: Api) -> None:
    stamps = []
    for number in range(3):
        api.sandbox.clock_ahead_s = 100 * number
        stamps.append(api.add(f"p{number}@rivermail.test")["last_changed"])
    found = api.get(api.members, since_last_changed=stamps[0], sort_field="last_changed", sort_dir="DESC")
    assert [m["email_address"] for m in found["members"]] == ["p2@rivermail.test", "p1@rivermail.test"]
    both = api.get(api.members, since_last_changed=stamps[0], before_last_changed=stamps[2])
    assert [m["email_address"] for m in both["members"]] == ["p1@rivermail.test"]


def test_a_plus_sign_left_unencoded_is_an_invalid_time(api: Api) -> None:
    answer = api.call("GET", api.members + "?since_last_changed=2026-01-01T00:00:00+00:00")
    assert answer.status_code == 400


def test_unsubscribed_since_needs_that_status(api: Api) -> None:
    since = "2026-03-02T12:00:00+00:00"
    assert api.call("GET", api.members, unsubscribed_since=since).status_code == 400
    found = api.get(api.members, status="unsubscribed", unsubscribed_since=since)
    assert [m["email_address"] for m in found["members"]] == ["hugo.marchetti@rivermail.test"]


def test_a_member_is_found_by_hash_plain_address_and_contact_id(api: Api) -> None:
    member = api.add("Joe+News@Rivermail.test")
    for key in (md5("joe+news@rivermail.test"), "joe%2Bnews@rivermail.test", member["contact_id"]):
        assert api.get(f"{api.members}/{key}")["email_address"] == "Joe+News@Rivermail.test"
    assert api.post(f"{api.members}/{member['contact_id']}/tags", {"tags": []}).status_code == 404


def test_a_new_member_looks_as_the_vendor_shows_it(api: Api) -> None:
    answer = api.post(api.members, {"email_address": JOE, "status": "subscribed"})
    member = answer.json()
    assert member["id"] == md5(JOE)
    assert member["timestamp_signup"] == "" and member["language"] == ""
    assert member["merge_fields"] == dict.fromkeys(["FNAME", "LNAME", "ADDRESS", "PHONE", "BIRTHDAY"], "")
    assert "unsubscribe_reason" not in member and "interests" not in member
    assert 'rel="describedBy"' in answer.headers["Link"] and 'rel="dashboard"' in answer.headers["Link"]


@pytest.mark.parametrize(
    ("email", "says"),
    [
        ("joe@example.com", "looks fake or invalid"),
        ("joe", "Please provide a valid email address."),
        ("joe@nowhere", "Please provide a valid email address."),
        ("joe+busy@rivermail.test", "has signed up to a lot of lists very recently"),
    ],
)
def test_a_bad_address_is_refused(api: Api, email: str, says: str) -> None:
    answer = api.post(api.members, {"email_address": email, "status": "subscribed"})
    assert answer.status_code == 400 and says in answer.json()["detail"]
    assert answer.json()["title"] == "Invalid Resource"


def test_a_required_merge_field_is_asked_for_unless_skipped(api: Api) -> None:
    api.act("holder", "require_field", tag="LNAME")
    body = {"email_address": JOE, "status": "subscribed"}
    refused = api.post(api.members, body)
    assert refused.json()["detail"] == "Your merge fields were invalid."
    assert refused.json()["errors"] == [{"field": "LNAME", "message": "Please enter a value"}]
    assert api.post(api.members, body, skip_merge_validation="true").status_code == 200


@pytest.mark.parametrize(
    ("kind", "sent", "kept"),
    [
        ("text", 5, "5"),
        ("number", "15.5", 15.5),
        ("number", "many", None),
        ("number", True, None),
        ("text", True, None),
        ("text", None, None),
        ("text", "x" * 256, None),
        ("date", "1980-12-21", "1980-12-21"),
        ("date", "12/21/1980", "1980-12-21"),
        ("date", "soon", None),
        ("birthday", "02/29", "02/29"),
        ("birthday", "13/01", None),
        ("url", "https://river.test/x", "https://river.test/x"),
        ("url", "river", None),
        ("zip", "97201", "97201"),
        ("zip", "9720", None),
        ("number", "", ""),
        ("address", "", ""),
        ("address", {"addr1": "1 Mill Lane", "city": "Portland"}, None),
        (
            "address",
            {"addr1": "1 Mill Lane", "city": "Portland", "state": "OR", "zip": "97201"},
            {"addr1": "1 Mill Lane", "addr2": "", "city": "Portland", "state": "OR", "zip": "97201", "country": "US"},
        ),
    ],
)
def test_each_type_of_merge_field_takes_what_it_should(api: Api, kind: str, sent: Any, kept: Any) -> None:
    api.post(f"{api.list}/merge-fields", {"name": "Extra", "tag": "EXTRA", "type": kind})
    answer = api.post(
        api.members, {"email_address": JOE, "status": "subscribed", "merge_fields": {"EXTRA": sent, "NOPE": 1}}
    )
    if kept is None:
        assert answer.status_code == 400 and answer.json()["errors"][0]["field"] == "EXTRA"
        assert api.call("GET", api.member(JOE)).status_code == 404
    else:
        assert answer.json()["merge_fields"]["EXTRA"] == kept and "NOPE" not in answer.json()["merge_fields"]


def test_one_bad_value_keeps_the_whole_write_out(api: Api) -> None:
    api.add(merge_fields={"FNAME": "Joe"})
    answer = api.put(api.member(JOE), {"vip": True, "merge_fields": {"FNAME": "J", "ADDRESS": {"addr1": "x"}}})
    assert answer.json()["errors"] == [{"field": "ADDRESS", "message": "Please enter a complete address"}]
    member = api.get(api.member(JOE))
    assert member["merge_fields"]["FNAME"] == "Joe" and member["vip"] is False


def test_null_may_be_switched_to_clear_a_value(api: Api) -> None:
    api.add(merge_fields={"FNAME": "Joe"})
    api.control("options", {"null_clears_merge_value": True})
    assert api.put(api.member(JOE), {"merge_fields": {"FNAME": None}}).json()["merge_fields"]["FNAME"] == ""


def test_tags_on_put_are_ignored_unless_switched_on(api: Api) -> None:
    api.add()
    assert api.put(api.member(JOE), {"tags": ["A"]}).json()["tags"] == []
    api.control("options", {"put_takes_tags": True})
    assert api.put(api.member(JOE), {"tags": ["A"]}).json()["tags"][0]["name"] == "A"


def test_the_activity_feed_tells_who_unsubscribed(api: Api) -> None:
    api.add(JOE, "left")
    api.add(ANN, "unsubscribed")
    by = [api.get(api.member(who) + "/activity-feed")["activity"][0] for who in (JOE, ANN)]
    assert [item["is_admin_unsubscribed"] for item in by] == [False, True]
    assert by[0]["activity_type"] == "unsub" and by[0]["created_at_timestamp"]


def test_people_are_found_across_audiences(api: Api) -> None:
    found = api.get("/search-members", query="marisol.vega@rivermail.test")
    assert found["exact_matches"]["total_items"] == 1
    assert api.get("/search-members", query="rivermail")["full_search"]["total_items"] == 6


def test_a_thousand_members_come_in_one_page(api: Api) -> None:
    api.act("holder", "add_crowd", count=1200)
    first = api.get(api.members, count=1000, fields="members.id,total_items")
    rest = api.get(api.members, count=1000, offset=1000, fields="members.id,total_items")
    assert (len(first["members"]), len(rest["members"]), first["total_items"]) == (1000, 206, 1206)
    assert len({m["id"] for m in first["members"] + rest["members"]}) == 1206
