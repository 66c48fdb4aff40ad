"""Bulk activities at the sandbox Constant Contact: states, counters without names, and what they do not tell."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes import ConstantContactSandbox
from tests.fakes_tests.constant_contact import ANN, JOE, NOBODY, Api, errors

DAY = 86_400


def test_item8_an_activity_goes_through_its_states_in_its_own_time(cc: Api, cc_sandbox: ConstantContactSandbox) -> None:
    cc_sandbox.options.activity_step_s = 60
    body = {"import_data": [{"email": ANN, "first_name": "Ann"}], "list_ids": [cc.list]}
    activity = cc.post("/activities/contacts_json_import", body).json()
    assert (activity["state"], activity["percent_done"], activity["status"]) == ("initialized", 1, {})
    assert "started_at" not in activity and activity["activity_errors"] == []
    link = f"/activities/{activity['activity_id']}"
    cc_sandbox.clock_ahead_s = 61
    found = cc.get(link)
    assert found["state"] == "processing" and found["started_at"] and "completed_at" not in found
    assert cc.addresses(email=ANN) == []
    cc_sandbox.clock_ahead_s = 121
    found = cc.get(link)
    assert found["state"] == "completed" and found["completed_at"] and found["percent_done"] == 100
    assert cc.addresses(email=ANN) == [ANN]


@pytest.mark.parametrize(("end", "arrived"), [("failed", 0), ("cancelled", 0), ("timed_out", 2), ("completed", 4)])
def test_item8_an_activity_may_end_otherwise(
    cc: Api, cc_sandbox: ConstantContactSandbox, end: str, arrived: int
) -> None:
    cc_sandbox.options.activity_end = end
    body = {"import_data": [{"email": f"n{n}@rivermail.test"} for n in range(4)], "list_ids": [cc.list]}
    ended = cc.run("contacts_json_import", body)
    assert ended["state"] == end and bool(ended["activity_errors"]) == (end != "completed")
    assert len([each for each in cc.addresses() if each.startswith("n")]) == arrived


def test_item8_errors_may_be_objects(cc: Api, cc_sandbox: ConstantContactSandbox) -> None:
    cc_sandbox.options.activity_end, cc_sandbox.options.activity_errors_as_objects = "failed", True
    ended = cc.run("add_list_memberships", {"source": {"contact_ids": [cc.add()]}, "list_ids": [cc.list]})
    assert list(ended["activity_errors"][0]) == ["message"]


def test_an_import_creates_updates_in_part_and_puts_on_the_lists(cc: Api) -> None:
    gala = cc.new_list("Gala")
    joe = cc.add(first_name="Joe", job_title="Baker")
    counters = cc.imported({"email": JOE.upper(), "last_name": "Door"}, {"email": ANN}, lists=[gala])
    assert counters == {
        "items_total_count": 3, "person_count": 2, "error_count": 0, "correctable_count": 0,
        "cannot_add_to_list_count": 0,
    }  # fmt: skip
    held = cc.held(joe)
    assert (held["first_name"], held["last_name"], held["job_title"]) == ("Joe", "Door", "Baker")
    assert held["list_memberships"] == [cc.list, gala]
    ann = cc.get("/contacts", email=ANN, include="list_memberships")["contacts"][0]
    assert ann["list_memberships"] == [gala]
    email = ann["email_address"]
    assert (email["permission_to_send"], email["opt_in_source"]) == ("implicit", "Account")


def test_an_import_changes_the_phone_and_the_street_of_the_kind_it_names(cc: Api) -> None:
    joe = cc.add(
        phone_numbers=[{"phone_number": "1", "kind": "home"}, {"phone_number": "2", "kind": "work"}],
        street_addresses=[{"kind": "home", "street": "1 Mill Lane", "city": "Portland"}],
    )
    cc.imported({"email": JOE, "work_phone": "3", "street": "2 Mill Lane", "zip": "97201", "work_city": "Salem"})
    held = cc.held(joe)
    assert [(each["kind"], each["phone_number"]) for each in held["phone_numbers"]] == [("home", "1"), ("work", "3")]
    streets = {each["kind"]: each for each in held["street_addresses"]}
    assert (streets["home"]["street"], streets["home"]["city"]) == ("2 Mill Lane", "Portland")
    assert streets["home"]["postal_code"] == "97201" and streets["work"]["city"] == "Salem"


def test_item8_rows_that_do_not_arrive_are_counted_and_never_named(cc: Api) -> None:
    left = cc.add()
    cc.act("person", "unsubscribe", email=JOE)
    gala = cc.new_list("Gala")
    ended = cc.run("contacts_json_import", {"list_ids": [gala], "import_data": [
        {"email": ANN},
        {"email": JOE, "first_name": "Joseph"},
        {"email": "no address"},
        {"first_name": "Nobody"},
        {"email": "b@rivermail.test", "birthday_month": 3},
        {"email": "@rivermail.test".rjust(51, "a")},
        {"email": "c@rivermail.test", "first_name": "n" * 51},
    ]})  # fmt: skip
    assert ended["state"] == "completed" and ended["activity_errors"] == []
    assert ended["status"] == {
        "items_total_count": 8, "person_count": 7, "error_count": 2, "correctable_count": 3,
        "cannot_add_to_list_count": 1,
    }  # fmt: skip
    assert JOE not in json.dumps(ended)
    held = cc.held(left)
    assert held["list_memberships"] == [cc.list] and held["email_address"]["permission_to_send"] == "unsubscribed"
    assert held["first_name"] == "Joseph"
    assert cc.addresses(lists=gala) == [ANN]


def test_a_row_that_changes_nothing_leaves_no_trace(cc: Api, cc_sandbox: ConstantContactSandbox) -> None:
    joe, gala = cc.add(first_name="Joe"), cc.new_list("Gala")
    before = cc.held(joe)
    cc.imported({"email": JOE, "first_name": "Joe"})
    assert cc.held(joe) == before
    cc_sandbox.options.lists_move_updated_at = False
    cc.imported({"email": JOE}, lists=[gala])
    held = cc.held(joe)
    assert held["updated_at"] == before["updated_at"] and gala in held["list_memberships"]


def test_item11_an_import_takes_shorter_addresses_than_a_post(cc: Api) -> None:
    long, fits = "@rivermail.test".rjust(51, "a"), "@rivermail.test".rjust(50, "a")
    counters = cc.imported({"email": long}, {"email": fits})
    assert counters["error_count"] == 1 and cc.addresses(email=fits) == [fits]
    assert cc.add(long)


def test_an_import_brings_a_deleted_contact_back_but_not_one_who_left(cc: Api) -> None:
    joe, ann = cc.add(JOE), cc.add(ANN)
    cc.act("person", "unsubscribe", email=ANN)
    for each in (joe, ann):
        cc.delete(f"/contacts/{each}")
    counters = cc.imported({"email": JOE}, {"email": ANN})
    assert counters["cannot_add_to_list_count"] == 1
    assert "deleted_at" not in cc.held(joe) and cc.held(joe)["list_memberships"] == [cc.list]
    assert "deleted_at" in cc.held(ann) and cc.held(ann)["list_memberships"] == []


def test_item8_what_is_beyond_four_megabytes_is_dropped_without_a_word(cc: Api) -> None:
    rows = [{"email": f"n{n}@rivermail.test", "street": "s" * 250, "company_name": "ü" * 50} for n in range(11_000)]
    raw = json.dumps({"list_ids": [cc.list], "import_data": rows}, ensure_ascii=False).encode()
    assert len(raw) > 4 * 1024 * 1024 + 10_000
    url = f"{cc.sandbox.url}/v3/activities/contacts_json_import"
    answer = cc.session.post(url, data=raw, headers={"Content-Type": "application/json"}, timeout=20)
    ended = cc.ended(answer.json())
    assert answer.status_code == 201 and ended["state"] == "completed" and ended["activity_errors"] == []
    whole = raw[: 4 * 1024 * 1024].count(b'"}')
    assert ended["status"]["person_count"] == whole < 11_000
    assert cc.addresses(email=f"n{whole - 1}@rivermail.test")
    assert not cc.addresses(email=f"n{whole}@rivermail.test", status="all")


@pytest.mark.parametrize(
    "body",
    [
        {"import_data": [{"email": ANN}]},
        {"list_ids": []},
        {"list_ids": [NOBODY]},
        {"list_ids": [f"{NOBODY[:-2]}{n:02}" for n in range(51)]},
        {"import_data": [{"email": ANN, "cf:unheard_of": "x"}]},
        {"import_data": [{"email": ANN, "nickname": "x"}]},
        {"import_data": {"email": ANN}},
        {"import_data": ["text"]},
    ],
)
def test_an_import_of_the_wrong_shape_is_refused_at_once(cc: Api, body: dict[str, Any]) -> None:
    whole = {"import_data": [{"email": ANN}], "list_ids": [cc.list], **body}
    if "list_ids" not in body and body["import_data"] == [{"email": ANN}]:
        del whole["list_ids"]
    errors(cc.post("/activities/contacts_json_import", whole), 400)


def test_people_are_put_on_lists_and_taken_off_by_their_ids(cc: Api) -> None:
    gala, board = cc.new_list("Gala"), cc.new_list("Board")
    joe, ann = cc.add(JOE), cc.add(ANN)
    body = {"source": {"contact_ids": [joe, ann, NOBODY]}, "list_ids": [gala, board]}
    ended = cc.run("add_list_memberships", body)
    assert ended["status"] == {"items_total_count": 2, "items_completed_count": 2, "list_count": 2}
    assert cc.addresses(lists=gala) == cc.addresses(lists=board) == [JOE, ANN]
    cc.run("remove_list_memberships", {"source": {"contact_ids": [ann]}, "list_ids": [gala, cc.list]})
    assert cc.held(ann)["list_memberships"] == [board] and cc.permission(ann) == "implicit"
    cc.run("remove_list_memberships", {"source": {"list_ids": [gala]}, "list_ids": [board]})
    assert set(cc.held(joe)["list_memberships"]) == {cc.list, gala}


def test_whoever_left_is_not_put_on_lists_and_can_be_taken_off(cc: Api, cc_sandbox: ConstantContactSandbox) -> None:
    gala, joe = cc.new_list("Gala"), cc.add()
    cc.act("person", "unsubscribe", email=JOE)
    add = {"source": {"contact_ids": [joe]}, "list_ids": [gala]}
    assert cc.run("add_list_memberships", add)["status"]["items_completed_count"] == 1
    assert cc.held(joe)["list_memberships"] == [cc.list]
    cc.run("remove_list_memberships", {"source": {"contact_ids": [joe]}, "list_ids": [cc.list]})
    assert cc.held(joe)["list_memberships"] == []
    cc_sandbox.options.add_takes_unsubscribed = True
    cc.run("add_list_memberships", add)
    assert cc.held(joe)["list_memberships"] == [gala]


def test_a_source_may_be_everybody_with_exceptions(cc: Api) -> None:
    gala, joe = cc.new_list("Gala"), cc.add()
    source = {"source": {"all_active_contacts": True}, "exclude": {"contact_ids": [joe]}, "list_ids": [gala]}
    cc.run("add_list_memberships", source)
    found = cc.addresses(lists=gala)
    assert len(found) == 3 and JOE not in found and "june.park@rivermail.test" not in found


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("add", {"source": {}}, 400),
        ("add", {"source": {"contact_ids": [NOBODY], "all_active_contacts": True}}, 400),
        ("add", {"source": {"contact_ids": [NOBODY] * 501}}, 400),
        ("add", {"exclude": {"contact_ids": [NOBODY]}}, 400),
        ("add", {"list_ids": [NOBODY]}, 400),
        ("add", {"list_ids": []}, 400),
        ("remove", {"source": {"segment_id": 1}}, 400),
        ("remove", {"source": {"contact_ids": [NOBODY] * 501}}, 400),
        ("remove", {"list_ids": [NOBODY]}, 404),
    ],
)
def test_a_wrong_source_or_list_is_refused(cc: Api, kind: str, body: dict[str, Any], status: int) -> None:
    whole = {"source": {"contact_ids": [NOBODY]}, "list_ids": [cc.list], **body}
    answer = cc.post(f"/activities/{kind}_list_memberships", whole)
    errors(answer, status, "contacts.api.not_found" if status == 404 else "contacts.api.validation.error")


def test_five_hundred_at_a_time_are_accepted(cc: Api) -> None:
    cc.act("holder", "add_crowd", count=500)
    people = [each["contact_id"] for each in cc.get("/contacts", limit=500, status="all")["contacts"]]
    body = {"source": {"contact_ids": people}, "list_ids": [cc.list]}
    assert cc.run("remove_list_memberships", body)["status"]["items_completed_count"] == 500


def test_contacts_are_deleted_by_id_or_by_list(cc: Api) -> None:
    joe, ann, gala = cc.add(JOE), cc.add(ANN, lists=[]), cc.new_list("Gala")
    cc.run("contact_delete", {"contact_ids": [joe]})
    cc.change(ann, list_memberships=[gala])
    cc.run("contact_delete", {"list_ids": [gala]})
    assert "deleted_at" in cc.held(joe) and "deleted_at" in cc.held(ann)
    for body in ({}, {"contact_ids": [joe], "list_ids": [gala]}):
        errors(cc.post("/activities/contact_delete", body), 400)


def test_item8_a_thousand_may_wait_and_no_more(cc: Api, cc_sandbox: ConstantContactSandbox) -> None:
    assert cc_sandbox.options.queued_activities == 1_000
    cc_sandbox.options.activity_step_s, cc_sandbox.options.queued_activities = 1_000, 3
    body = {"source": {"contact_ids": [cc.add()]}, "list_ids": [cc.list]}
    for _ in range(3):
        assert cc.post("/activities/remove_list_memberships", body).status_code == 201
    answer = cc.post("/activities/remove_list_memberships", body)
    assert answer.status_code == 429 and "queued" in answer.json()["error_message"]
    assert "Retry-After" not in answer.headers
    assert Api(cc_sandbox, "harbor").call("GET", "/activities").status_code == 200
    cc.act("holder", "finish_activities")
    assert cc.post("/activities/remove_list_memberships", body).status_code == 201


def test_item8_the_list_of_activities_is_of_ten_days(cc: Api, cc_sandbox: ConstantContactSandbox) -> None:
    body = {"source": {"contact_ids": [cc.add()]}, "list_ids": [cc.list]}
    first = cc.run("add_list_memberships", body)
    cc_sandbox.clock_ahead_s = 9 * DAY
    cc.use(cc_sandbox.grant()["access_token"])
    cc_sandbox.options.activity_end = "cancelled"
    second = cc.run("add_list_memberships", body)
    found = cc.get("/activities")["activities"]
    assert [each["activity_id"] for each in found] == [second["activity_id"], first["activity_id"]]
    assert [each["activity_id"] for each in cc.get("/activities", state="completed")["activities"]] == [
        first["activity_id"]
    ]
    assert cc.get("/activities", limit=1)["_links"]["next"]["href"].startswith("/v3/activities?cursor=")
    cc_sandbox.clock_ahead_s = 11 * DAY
    cc.use(cc_sandbox.grant()["access_token"])
    assert [each["activity_id"] for each in cc.get("/activities")["activities"]] == [second["activity_id"]]
    errors(cc.call("GET", "/activities", state="initialized"), 400)
    errors(cc.call("GET", f"/activities/{NOBODY}"), 404, "contacts.api.not_found")
