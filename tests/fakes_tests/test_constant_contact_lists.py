"""Lists at the sandbox Constant Contact: names of their own, a thousand of them, deleted in the background."""

from __future__ import annotations

from tests.fakes import ConstantContactSandbox
from tests.fakes.constant_contact.lists import new_list
from tests.fakes_tests.constant_contact import JOE, NOBODY, Api, errors


def test_a_list_is_made_read_renamed_and_found_by_name(cc: Api) -> None:
    made = cc.post("/contact_lists", {"name": "Gala", "description": "Spring", "favorite": True})
    assert made.status_code == 201
    gala = made.json()["list_id"]
    answer = cc.put(f"/contact_lists/{gala}", {"name": "Spring Gala"})
    assert answer.status_code == 200
    held = cc.get(f"/contact_lists/{gala}")
    assert (held["name"], held["description"], held["favorite"]) == ("Spring Gala", "", False), "a full update"
    assert [each["list_id"] for each in cc.get("/contact_lists", name="spring gala")["lists"]] == [gala]
    assert cc.get("/contact_lists", name="Spring")["lists"] == []


def test_a_name_is_taken_once(cc: Api) -> None:
    gala = cc.new_list("Gala")
    assert "Gala" in errors(cc.post("/contact_lists", {"name": "Gala"}), 409, "contacts.api.conflict")
    errors(cc.put(f"/contact_lists/{cc.list}", {"name": "gala"}), 400)
    assert cc.put(f"/contact_lists/{gala}", {"name": "GALA"}).status_code == 200


def test_a_name_is_not_blank_and_has_255_characters_at_most(cc: Api) -> None:
    for name in (" ", "n" * 256):
        errors(cc.post("/contact_lists", {"name": name}), 400)
    errors(cc.post("/contact_lists", {"description": "without a name"}), 400)
    assert cc.new_list("n" * 255)


def test_members_are_counted_only_when_asked_for(cc: Api) -> None:
    cc.add(JOE)
    cc.act("person", "unsubscribe", email=JOE)
    assert "membership_count" not in cc.get(f"/contact_lists/{cc.list}")
    assert cc.get(f"/contact_lists/{cc.list}", include_membership_count="all")["membership_count"] == 5
    assert cc.get("/contact_lists", include_membership_count="active")["lists"][0]["membership_count"] == 3


def test_item11_an_account_has_a_thousand_lists_at_most(cc: Api, cc_sandbox: ConstantContactSandbox) -> None:
    for number in range(998):
        new_list(cc_sandbox.account(), f"L{number}", cc_sandbox.now())
    last = cc.new_list("The last one")
    assert "1,000" in errors(cc.post("/contact_lists", {"name": "One more"}), 400)
    page = cc.get("/contact_lists", limit=600, include_count="true")
    rest = cc.get(page["_links"]["next"]["href"].removeprefix("/v3"))
    assert page["lists_count"] == 1000
    assert len({each["list_id"] for each in page["lists"] + rest["lists"]}) == 1000 and "next" not in rest["_links"]
    cc.ended(cc.delete(f"/contact_lists/{last}").json())
    assert cc.new_list("One more")


def test_a_list_is_deleted_in_the_background_and_its_people_stay(cc: Api, cc_sandbox: ConstantContactSandbox) -> None:
    cc_sandbox.options.activity_step_s = 1_000
    gala = cc.new_list("Gala")
    joe = cc.add(lists=[gala])
    answer = cc.delete(f"/contact_lists/{gala}")
    assert answer.status_code == 202 and "status" not in answer.json()
    assert answer.headers["Location"] == answer.json()["_links"]["self"]["href"]
    assert cc.held(joe)["list_memberships"] == [gala], "not yet"
    cc.act("holder", "finish_activities")
    assert cc.ended(answer.json())["state"] == "completed"
    assert cc.held(joe)["list_memberships"] == []
    errors(cc.call("GET", f"/contact_lists/{gala}"), 404, "contacts.api.not_found")
    assert [each["name"] for each in cc.get("/contact_lists", status="deleted")["lists"]] == ["Gala"]
    errors(cc.change(joe, list_memberships=[gala]), 400)
    assert cc.new_list("Gala") != gala


def test_one_list_must_remain(cc: Api) -> None:
    ended = cc.ended(cc.delete(f"/contact_lists/{cc.list}").json())
    assert ended["state"] == "failed" and "must remain" in ended["activity_errors"][0]
    assert cc.get(f"/contact_lists/{cc.list}")["name"] == "River Friends"


def test_many_lists_are_deleted_by_one_activity(cc: Api) -> None:
    gone = [cc.new_list(f"L{n}") for n in range(3)]
    assert cc.run("list_delete", {"list_ids": gone})["status"] == {"list_count": 3}
    assert len(cc.get("/contact_lists")["lists"]) == 1
    errors(cc.post("/activities/list_delete", {"list_ids": [NOBODY]}), 400)


def test_an_unknown_list_is_not_found_in_whatever_form(cc: Api) -> None:
    for list_id in (NOBODY, "nonsense"):
        for method in ("GET", "DELETE"):
            errors(cc.call(method, f"/contact_lists/{list_id}"), 404, "contacts.api.not_found")
        errors(cc.put(f"/contact_lists/{list_id}", {"name": "X"}), 404, "contacts.api.not_found")
