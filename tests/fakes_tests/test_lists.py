"""Audiences: creating within the plan, changing, deleting, and their columns."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes_tests.api import JOE, Api

NEW: dict[str, Any] = {
    "name": "Supporters",
    "permission_reminder": "You signed up on our website.",
    "email_type_option": False,
    "contact": {"company": "River Trust", "address1": "1 Mill Lane", "city": "Portland", "country": "US"},
    "campaign_defaults": {"from_name": "River", "from_email": "a@rivertrust.test", "subject": "", "language": "en"},
}


def test_a_new_audience_has_the_usual_columns_and_no_dates(api: Api) -> None:
    made = api.post("/lists", NEW).json()
    assert made["name"] == "Supporters" and made["stats"]["member_count"] == 0
    assert made["stats"]["campaign_last_sent"] == "" and made["stats"]["last_sub_date"] == ""
    columns = api.get(f"/lists/{made['id']}/merge-fields", count=100)["merge_fields"]
    assert [column["tag"] for column in columns] == ["FNAME", "LNAME", "ADDRESS", "PHONE", "BIRTHDAY"]


def test_the_plan_sets_how_many_audiences_there_are(api: Api) -> None:
    for _ in range(4):
        assert api.post("/lists", NEW).status_code == 200
    expected = {"may_create": False, "max_instances": 5, "current_total_instances": 5}
    assert api.get("/lists", fields="constraints") == {"constraints": expected}
    refused = api.post("/lists", NEW)
    assert refused.status_code == 403 and refused.json()["title"] == "User action not permitted"
    api.act("holder", "set_account", max_instances=-1)
    assert api.post("/lists", NEW).status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": None}, "name"),
        ({"email_type_option": "no"}, "email_type_option"),
        ({"contact": {"company": "River Trust"}}, "contact"),
        ({"contact": []}, "contact"),
        ({"campaign_defaults": {**NEW["campaign_defaults"], "from_email": "x"}}, "campaign_defaults.from_email"),
        ({"name": "x" * 101}, "name"),
        ({"name": " "}, "name"),
    ],
)
def test_a_misshapen_audience_is_refused_by_field(api: Api, change: dict[str, Any], field: str) -> None:
    answer = api.post("/lists", {**NEW, **change})
    assert answer.status_code == 400 and answer.json()["errors"][0]["field"] == field


def test_what_is_missing_is_named(api: Api) -> None:
    errors = api.post("/lists", {"name": "Supporters"}).json()["errors"]
    wanted = "Required fields were not provided: permission_reminder, email_type_option, contact, campaign_defaults"
    assert errors == [{"field": "", "message": wanted}]


def test_an_unknown_country_silently_becomes_the_united_states(api: Api) -> None:
    made = api.post("/lists", {**NEW, "contact": {**NEW["contact"], "country": "Freedonia"}}).json()
    assert made["contact"]["country"] == "US"


def test_a_change_needs_the_whole_audience_unless_switched_off(api: Api) -> None:
    assert api.patch(api.list, {"name": "Friends"}).status_code == 400
    held = api.get(api.list)
    whole = {key: held[key] for key in NEW}
    assert api.patch(api.list, {**whole, "name": "Friends"}).json()["name"] == "Friends"
    api.control("options", {"patch_list_needs_all": False})
    assert api.patch(api.list, {"name": "Neighbors"}).json()["name"] == "Neighbors"


def test_a_deleted_audience_is_gone(api: Api) -> None:
    assert api.delete(api.list).status_code == 204
    assert api.call("GET", api.list).status_code == 404
    assert api.get("/lists")["total_items"] == 0


def test_the_account_and_the_audience_name_their_address_differently(api: Api) -> None:
    assert {"addr1", "addr2"} <= set(api.get("/")["contact"])
    assert {"address1", "address2"} <= set(api.get(api.list)["contact"])
    assert api.get("/")["account_name"] == "River Trust"
    assert api.get("/ping") == {"health_status": "Everything's Chimpy!"}


def test_lists_are_found_by_member(api: Api) -> None:
    assert api.get("/lists", email="marisol.vega@rivermail.test")["total_items"] == 1
    assert api.get("/lists", email=JOE)["total_items"] == 0


def test_columns_are_made_renamed_and_deleted_with_their_values(api: Api) -> None:
    path = f"{api.list}/merge-fields"
    made = api.post(path, {"name": "Level", "type": "dropdown", "tag": "LEVEL", "options": {"choices": ["A", "B"]}})
    number = made.json()["merge_id"]
    api.add(merge_fields={"LEVEL": "B"})
    assert api.patch(f"{path}/{number}", {"name": "Level", "tag": "RANK"}).json()["tag"] == "RANK"
    assert api.get(api.member(JOE))["merge_fields"]["RANK"] == "B"
    assert api.delete(f"{path}/{number}").status_code == 204
    assert "RANK" not in api.get(api.member(JOE))["merge_fields"]


@pytest.mark.parametrize(
    "body",
    [
        {"name": "X"},
        {"name": "X", "type": "colour"},
        {"name": "X", "type": "text", "tag": "FNAME"},
        {"name": "X", "type": "text", "tag": "EMAIL"},
        {"name": "X", "type": "text", "tag": "LONGERTHANTEN"},
    ],
)
def test_a_wrong_column_is_refused(api: Api, body: dict[str, Any]) -> None:
    assert api.post(f"{api.list}/merge-fields", body).status_code == 400
