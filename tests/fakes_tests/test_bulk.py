"""`POST /lists/{id}`: rows succeed and fail for themselves, inside a 200."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from tests.fakes_tests.api import ANN, JOE, Api

BO = "bo@rivermail.test"


def bulk(api: Api, rows: Sequence[Any], **more: Any) -> dict[str, Any]:
    query = more.pop("query", {})
    answer = api.post(api.list, {"members": list(rows), **more}, **query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_new_and_existing_people_are_counted_apart(api: Api) -> None:
    api.add(JOE)
    rows = [{"email_address": JOE, "vip": True}, {"email_address": ANN, "status_if_new": "subscribed", "tags": ["A"]}]
    report = bulk(api, rows, update_existing=True)
    assert (report["total_created"], report["total_updated"], report["error_count"]) == (1, 1, 0)
    assert report["new_members"][0]["tags"][0]["name"] == "A"
    assert report["updated_members"][0]["vip"] is True


def test_existing_people_are_refused_unless_updates_are_asked_for(api: Api) -> None:
    api.add(JOE)
    error = bulk(api, [{"email_address": JOE, "status": "subscribed"}])["errors"][0]
    assert error["error_code"] == "ERROR_CONTACT_EXISTS"
    assert "is already a list member, do you want to update?" in error["error"]


def test_without_a_status_everybody_stays_what_they_were(api: Api) -> None:
    api.add(JOE, "archived")
    api.add(ANN, "left")
    rows = [{"email_address": who, "status_if_new": "subscribed"} for who in (JOE, ANN)]
    assert bulk(api, rows, update_existing=True)["total_updated"] == 2
    assert [api.get(api.member(who))["status"] for who in (JOE, ANN)] == ["archived", "unsubscribed"]


def test_a_status_for_everybody_brings_back_whom_the_api_unsubscribed_but_not_who_left(api: Api) -> None:
    api.add(JOE, "unsubscribed")
    api.add(ANN, "left")
    rows = [{"email_address": who, "status": "subscribed"} for who in (JOE, ANN)]
    report = bulk(api, rows, update_existing=True)
    assert report["total_updated"] == 1
    assert report["errors"][0]["error_code"] == "ERROR_GENERIC"
    assert "compliance state" in report["errors"][0]["error"]


def test_every_row_may_fail_inside_a_200(api: Api) -> None:
    api.add(JOE)
    api.post(api.member(JOE) + "/actions/delete-permanent")
    rows = [
        {"email_address": JOE, "status": "subscribed"},
        {"email_address": "x@example.com", "status": "subscribed"},
        {"email_address": "nobody", "status": "subscribed"},
        {"email_address": ANN, "status": "subscribed", "merge_fields": {"ADDRESS": {"addr1": "x"}}},
        {"email_address": BO},
    ]
    report = bulk(api, rows)
    assert report["error_count"] == 5 and report["new_members"] == []
    words = ["permanently deleted", "looks fake", "valid email address", "merge fields", "not provided: status"]
    assert all(word in error["error"] for word, error in zip(words, report["errors"], strict=True))
    assert (report["errors"][3]["field"], report["errors"][3]["field_message"]) == (
        "ADDRESS",
        "Please enter a complete address",
    )


def test_more_than_500_rows_or_a_misshapen_one_refuse_the_whole_call(api: Api) -> None:
    rows = [{"email_address": f"p{n}@rivermail.test", "status": "subscribed"} for n in range(501)]
    assert api.post(api.list, {"members": rows}).status_code == 400
    misshapen = api.post(api.list, {"members": [rows[0], {"email_address": 5, "status": "gone"}]})
    assert misshapen.status_code == 400
    assert [each["field"] for each in misshapen.json()["errors"]] == [
        "members.item:1.email_address",
        "members.item:1.status",
    ]
    assert api.get(api.members)["total_items"] == 6


def test_a_double_row_is_an_error_unless_the_first_is_to_win(api: Api) -> None:
    rows = [
        {"email_address": JOE, "status": "subscribed", "vip": True},
        {"email_address": JOE.upper(), "status": "pending"},
    ]
    skipped = bulk(api, rows, query={"skip_duplicate_check": "true"})
    assert (skipped["total_created"], skipped["error_count"]) == (1, 0)
    assert api.get(api.member(JOE))["status"] == "subscribed"
    assert bulk(api, rows, update_existing=True)["error_count"] == 1


def test_tags_are_added_or_replaced(api: Api) -> None:
    api.add(JOE, tags=["Old"])
    bulk(api, [{"email_address": JOE, "tags": ["New"]}], update_existing=True)
    assert api.held(JOE)["tags"] == ["Old", "New"]
    bulk(api, [{"email_address": JOE, "tags": ["New"]}], update_existing=True, sync_tags=True)
    assert api.held(JOE)["tags"] == ["New"]


def test_status_if_new_can_be_refused_as_older_texts_know_nothing_of_it(api: Api) -> None:
    api.control("options", {"refuse_bulk_status_if_new": True})
    rows = [{"email_address": JOE, "status_if_new": "subscribed"}]
    assert api.post(api.list, {"members": rows}).status_code == 400
    assert bulk(api, [{"email_address": JOE, "status": "subscribed"}])["total_created"] == 1


def test_ten_times_the_people_take_about_ten_times_as_long(api: Api) -> None:
    def taken(count: int, turn: int) -> float:
        rows = [
            {"email_address": f"p{turn}-{count}-{n}@rivermail.test", "status_if_new": "subscribed"}
            for n in range(count)
        ]
        started = time.perf_counter()
        assert bulk(api, rows)["total_created"] == count
        return time.perf_counter() - started

    few, many = (min(taken(count, turn) for turn in range(5)) for count in (50, 500))
    assert many < few * 40  # whoever looks at everybody for everybody takes a hundred times as long
