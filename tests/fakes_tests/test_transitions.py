"""The vendor's transition table, row by row: where a contact stands, what is asked, what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.fakes_tests.api import ANN, JOE, Api, md5

EXISTS = "is already a list member. Use PUT"
COMPLIANCE = "is in a compliance state due to unsubscribe, bounce, or compliance review"
FORGOTTEN = "was permanently deleted and cannot be re-imported"
ONLY_SUBSCRIBED = 'You can only update email addresses for members with a status of "subscribed."'


@dataclass
class Row:
    """`before` is a status, "left" (unsubscribed by the contact), "forgotten" or "" for unknown."""

    name: str
    before: str
    method: str
    body: dict[str, Any] | None
    status: int
    after: str = ""
    says: str = ""
    path: str = field(default="member")


TABLE = [
    Row("unknown, POST", "", "POST", {"status": "subscribed"}, 200, "subscribed"),
    Row("unknown, PUT status_if_new", "", "PUT", {"status_if_new": "subscribed"}, 200, "subscribed"),
    Row("unknown, PUT status", "", "PUT", {"status": "pending"}, 200, "pending"),
    Row("unknown, PUT without a status", "", "PUT", {}, 400, says="Required fields were not provided: status_if_new"),
    Row("unknown, PATCH", "", "PATCH", {"status": "subscribed"}, 404),
    Row("unknown, tags", "", "POST", {"tags": [{"name": "A", "status": "active"}]}, 404, path="tags"),
    Row("unknown, DELETE", "", "DELETE", None, 404),
    Row("subscribed, POST", "subscribed", "POST", {"status": "subscribed"}, 400, "subscribed", EXISTS),
    Row("unsubscribed, POST", "unsubscribed", "POST", {"status": "subscribed"}, 400, "unsubscribed", EXISTS),
    Row("cleaned, POST", "cleaned", "POST", {"status": "subscribed"}, 400, "cleaned", EXISTS),
    Row("left, POST", "left", "POST", {"status": "subscribed"}, 400, "unsubscribed", EXISTS),
    Row("subscribed, PUT without status", "subscribed", "PUT", {"merge_fields": {"FNAME": "J"}}, 200, "subscribed"),
    Row("unsubscribed, PUT without status", "unsubscribed", "PUT", {"vip": True}, 200, "unsubscribed"),
    Row("left, PUT status_if_new", "left", "PUT", {"status_if_new": "subscribed"}, 200, "unsubscribed"),
    Row("subscribed, PUT unsubscribed", "subscribed", "PUT", {"status": "unsubscribed"}, 200, "unsubscribed"),
    Row("unsubscribed by API, PUT", "unsubscribed", "PUT", {"status": "subscribed"}, 200, "subscribed"),
    Row("left, PUT subscribed", "left", "PUT", {"status": "subscribed"}, 400, "unsubscribed", COMPLIANCE),
    Row("left, PATCH subscribed", "left", "PATCH", {"status": "subscribed"}, 400, "unsubscribed", COMPLIANCE),
    Row("left, PUT pending", "left", "PUT", {"status": "pending"}, 200, "pending"),
    Row("cleaned, PUT subscribed", "cleaned", "PUT", {"status": "subscribed"}, 400, "cleaned", COMPLIANCE),
    Row("cleaned, PUT pending", "cleaned", "PUT", {"status": "pending"}, 200, "pending"),
    Row("pending, PUT pending", "pending", "PUT", {"status": "pending"}, 200, "pending"),
    Row("subscribed, DELETE", "subscribed", "DELETE", None, 204, "archived"),
    Row("unsubscribed, DELETE", "unsubscribed", "DELETE", None, 204, "archived"),
    Row("left, DELETE", "left", "DELETE", None, 204, "archived"),
    Row("archived, DELETE", "archived", "DELETE", None, 405, "archived", "Can not archive a contact"),
    Row("pending, DELETE", "pending", "DELETE", None, 405, "pending", "Can not archive a contact"),
    Row("cleaned, DELETE", "cleaned", "DELETE", None, 405, "cleaned", "Can not archive a contact"),
    Row("archived, GET", "archived", "GET", None, 200, "archived"),
    Row("archived, POST", "archived", "POST", {"status": "subscribed"}, 200, "subscribed"),
    Row("archived, PUT without status", "archived", "PUT", {"vip": True}, 200, "archived"),
    Row("archived, PATCH without status", "archived", "PATCH", {"vip": True}, 200, "archived"),
    Row("archived, PUT status_if_new", "archived", "PUT", {"status_if_new": "subscribed"}, 200, "archived"),
    Row("archived, PUT status", "archived", "PUT", {"status": "subscribed"}, 200, "subscribed"),
    Row("archived, tags", "archived", "POST", {"tags": [{"name": "A", "status": "active"}]}, 204, path="tags"),
    Row("subscribed, delete permanently", "subscribed", "POST", None, 204, path="erase"),
    Row("archived, delete permanently", "archived", "POST", None, 204, path="erase"),
    Row("unknown, delete permanently", "", "POST", None, 404, path="erase"),
    Row("forgotten, GET", "forgotten", "GET", None, 404),
    Row("forgotten, POST", "forgotten", "POST", {"status": "subscribed"}, 400, says=FORGOTTEN),
    Row("forgotten, POST pending", "forgotten", "POST", {"status": "pending"}, 400, says=FORGOTTEN),
    Row("forgotten, PUT", "forgotten", "PUT", {"status_if_new": "subscribed"}, 400, says=FORGOTTEN),
    Row("forgotten, PUT pending", "forgotten", "PUT", {"status": "pending"}, 400, says=FORGOTTEN),
    Row("PATCH to transactional", "subscribed", "PATCH", {"status": "transactional"}, 400, "subscribed"),
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_each_row_of_the_transition_table_holds(api: Api, row: Row) -> None:
    if row.before == "forgotten":
        api.add()
        api.post(api.member(JOE) + "/actions/delete-permanent")
    elif row.before:
        api.add(status=row.before)
    path = {"tags": api.member(JOE) + "/tags", "erase": api.member(JOE) + "/actions/delete-permanent"}.get(
        row.path, api.members if row.method == "POST" else api.member(JOE)
    )
    body = row.body if row.body is None or row.path != "member" else {"email_address": JOE, **row.body}

    answer = api.call(row.method, path, body)

    assert answer.status_code == row.status, answer.text
    assert row.says in answer.text.replace('\\"', '"')
    if row.after:
        assert api.get(api.member(JOE))["status"] == row.after


def test_a_refusal_about_a_member_has_no_type(api: Api) -> None:
    api.add()
    api.add(ANN, "left")
    exists = api.post(api.members, {"email_address": JOE, "status": "subscribed"}).json()
    compliance = api.put(api.member(ANN), {"status": "subscribed"}).json()
    api.post(api.member(ANN) + "/actions/delete-permanent")
    forgotten = api.post(api.members, {"email_address": ANN, "status": "subscribed"}).json()
    assert [each["title"] for each in (exists, compliance, forgotten)] == [
        "Member Exists",
        "Member In Compliance State",
        "Forgotten Email Not Subscribed",
    ]
    assert all("type" not in each for each in (exists, compliance, forgotten))


def test_a_member_that_cannot_be_archived_says_which_methods_are_left(api: Api) -> None:
    api.add(status="archived")
    answer = api.delete(api.member(JOE))
    assert answer.headers["Allow"] == "GET, PUT"
    assert answer.json()["title"] == "Method Not Allowed"


def test_an_unsubscribe_by_the_api_names_the_admin_as_reason(api: Api) -> None:
    api.add()
    answer = api.put(api.member(JOE), {"status": "unsubscribed"}).json()
    assert answer["unsubscribe_reason"] == "N/A (Unsubscribed by admin)"
    again = api.put(api.member(JOE), {"status": "subscribed"}).json()
    assert again["timestamp_opt"] == answer["timestamp_opt"]
    assert "unsubscribe_reason" not in again


def test_a_changed_address_keeps_contact_id_web_id_tags_and_values(api: Api) -> None:
    before = api.add(merge_fields={"FNAME": "Joe"}, tags=["A"])
    after = api.put(api.member(JOE), {"email_address": ANN, "status": "subscribed"}).json()
    assert after["id"] == md5(ANN) and after["email_address"] == ANN
    for same in ("contact_id", "web_id", "tags", "merge_fields"):
        assert after[same] == before[same]
    assert after["unique_email_id"] != before["unique_email_id"]
    assert api.call("GET", api.member(JOE)).status_code == 404
    assert api.get(f"{api.members}/{before['contact_id']}")["email_address"] == ANN


def test_the_address_in_the_body_wins_over_an_unknown_path(api: Api) -> None:
    answer = api.put(api.member(JOE), {"email_address": ANN, "status_if_new": "subscribed"})
    assert answer.status_code == 200 and answer.json()["id"] == md5(ANN)
    assert api.call("GET", api.member(JOE)).status_code == 404


def test_an_unknown_path_with_a_known_address_is_refused_as_existing(api: Api) -> None:
    api.add(ANN)
    answer = api.put(api.member(JOE), {"email_address": ANN, "status_if_new": "subscribed"})
    assert answer.status_code == 400 and answer.json()["title"] == "Member Exists"


def test_nobody_moves_to_an_address_that_is_taken(api: Api) -> None:
    api.add(JOE)
    api.add(ANN)
    answer = api.put(api.member(JOE), {"email_address": ANN})
    assert answer.status_code == 400
    message = answer.json()["errors"][0]["message"]
    assert 'is already in this list with a status of "subscribed"' in message


@pytest.mark.parametrize("status", ["unsubscribed", "left", "cleaned", "archived", "pending"])
def test_only_subscribed_members_change_their_address(api: Api, status: str) -> None:
    api.add(status=status)
    answer = api.put(api.member(JOE), {"email_address": ANN})
    assert answer.status_code == 400 and ONLY_SUBSCRIBED in answer.json()["detail"]


def test_pending_twice_sends_one_mail_and_unsubscribing_between_sends_another(api: Api) -> None:
    api.add(status="pending")
    api.put(api.member(JOE), {"status": "pending"})
    assert api.held(JOE)["confirmations"] == 1
    api.patch(api.member(JOE), {"status": "unsubscribed"})
    api.put(api.member(JOE), {"status": "pending"})
    assert api.held(JOE)["confirmations"] == 2


def test_whoever_left_and_asks_again_is_back_only_after_confirming(api: Api) -> None:
    api.add(status="left")
    api.put(api.member(JOE), {"status": "pending"})
    assert api.put(api.member(JOE), {"status": "subscribed"}).status_code == 400
    api.act("person", "confirm", email=JOE)
    assert api.get(api.member(JOE))["status"] == "subscribed"


def test_archiving_does_not_launder_an_opt_out(api: Api) -> None:
    api.add(status="left")
    api.delete(api.member(JOE))
    assert api.post(api.members, {"email_address": JOE, "status": "subscribed"}).status_code == 400
    assert api.get(api.member(JOE))["status"] == "archived"


def test_an_archived_member_returns_as_the_same_contact(api: Api) -> None:
    before = api.add(merge_fields={"FNAME": "Joe"}, tags=["A"])
    api.delete(api.member(JOE))
    api.sandbox.clock_ahead_s = 60
    after = api.post(api.members, {"email_address": JOE, "status": "subscribed", "merge_fields": {"LNAME": "D"}})
    member = after.json()
    assert member["contact_id"] == before["contact_id"]
    assert (member["merge_fields"]["FNAME"], member["merge_fields"]["LNAME"]) == ("Joe", "D")
    assert [tag["name"] for tag in member["tags"]] == ["A"]
    assert member["timestamp_opt"] > before["timestamp_opt"]


def test_an_erased_person_is_forgotten_in_that_audience_only_and_returns_by_the_form(api: Api) -> None:
    api.add()
    api.post(api.member(JOE) + "/actions/delete-permanent")
    assert Api(api.sandbox, "harbor").add(JOE)["status"] == "subscribed"
    api.act("person", "resubscribe", email=JOE)
    assert api.get(api.member(JOE))["status"] == "subscribed"


def test_last_changed_moves_only_when_something_really_changed(api: Api) -> None:
    first = api.add(merge_fields={"FNAME": "Joe"})["last_changed"]
    assert first.endswith("+00:00") and "." not in first
    api.sandbox.clock_ahead_s = 10
    same = api.put(api.member(JOE), {"email_address": JOE, "merge_fields": {"FNAME": "Joe"}}).json()
    assert same["last_changed"] == first
    changed = api.put(api.member(JOE), {"merge_fields": {"FNAME": "Jo"}}).json()["last_changed"]
    assert changed > first
    api.sandbox.clock_ahead_s = 20
    api.post(api.member(JOE) + "/tags", {"tags": [{"name": "A", "status": "active"}], "is_syncing": True})
    tagged = api.get(api.member(JOE))["last_changed"]
    assert tagged > changed
    api.sandbox.clock_ahead_s = 30
    api.post(api.member(JOE) + "/tags", {"tags": [{"name": "A", "status": "active"}]})
    assert api.get(api.member(JOE))["last_changed"] == tagged
