"""Writing to the sandbox Constant Contact: what each request does to a contact. Items: dossier §9."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import requests

from tests.fakes import ConstantContactSandbox
from tests.fakes_tests.constant_contact import ANN, JOE, NOBODY, Api, errors

EVERYTHING: dict[str, Any] = {
    "first_name": "Joe", "last_name": "Door", "job_title": "Musician", "company_name": "Acme",
    "birthday_month": 11, "birthday_day": 24, "anniversary": "2006-11-15",
}  # fmt: skip


def test_item2_a_known_address_is_a_conflict_with_the_id_in_the_text(cc: Api) -> None:
    joe = cc.add(JOE)
    body = {"create_source": "Account", "email_address": {"address": JOE.upper()}}
    for status in ("active", "unsubscribed", "deleted"):
        said = errors(cc.post("/contacts", body), 409, "contacts.api.conflict")
        assert said == f"Email already exists for contact {joe}"
        if status == "active":
            cc.act("person", "unsubscribe", email=JOE)
        else:
            cc.delete(f"/contacts/{joe}")


def test_item3_a_put_wipes_what_it_is_not_sent(cc: Api) -> None:
    joe = cc.add(**EVERYTHING)
    answer = cc.change(joe, "implicit", first_name="Joey")
    assert answer.status_code == 200
    left = {name: value for name, value in cc.held(joe).items() if name in EVERYTHING}
    assert left == {"first_name": "Joey"}


def test_item3_a_put_keeps_the_sub_resources_it_is_not_sent_and_replaces_the_others(cc: Api) -> None:
    gala = cc.new_list("Gala")
    joe = cc.add(street_addresses=[{"kind": "home", "city": "Portland"}])
    cc.change(joe, "implicit", first_name="Joey")
    held = cc.held(joe)
    assert held["list_memberships"] == [cc.list] and held["street_addresses"][0]["city"] == "Portland"
    cc.change(joe, "implicit", list_memberships=[gala])
    assert cc.held(joe)["list_memberships"] == [gala]
    cc.change(joe, "implicit", list_memberships=[])
    assert cc.held(joe)["list_memberships"] == []


def test_item3_a_put_needs_its_source(cc: Api) -> None:
    joe = cc.add()
    assert "update_source" in errors(cc.put(f"/contacts/{joe}", {"first_name": "J"}), 400)
    assert errors(cc.put(f"/contacts/{joe}", {"update_source": "Robot"}), 400)


def test_what_a_read_brought_may_be_sent_back(cc: Api) -> None:
    joe = cc.add(**EVERYTHING)
    held = cc.held(joe)
    answer = cc.put(f"/contacts/{joe}", {**held, "last_name": "Doors", "update_source": "Account"})
    assert answer.status_code == 200, answer.text
    now = cc.held(joe)
    assert now["last_name"] == "Doors" and now["job_title"] == "Musician"
    assert "extraneous key [nickname]" in errors(cc.change(joe, nickname="J"), 400)


def test_another_address_keeps_the_contact_and_frees_the_old_one(cc: Api) -> None:
    joe, ann = cc.add(JOE), cc.add(ANN)
    taken = cc.put(f"/contacts/{joe}", {"update_source": "Account", "email_address": {"address": ANN}})
    assert ann in errors(taken, 409, "contacts.api.conflict")
    cc.put(f"/contacts/{joe}", {"update_source": "Account", "email_address": {"address": "joe2@rivermail.test"}})
    assert cc.addresses(email=JOE, status="all") == []
    assert cc.add(JOE) != joe
    cc.delete(f"/contacts/{ann}")
    taken = cc.put(f"/contacts/{joe}", {"update_source": "Account", "email_address": {"address": ANN}})
    assert ann in errors(taken, 409, "contacts.api.conflict"), "a deleted contact keeps its address"


def test_item5_an_opt_out_by_the_person_cannot_be_undone_by_the_account(cc: Api) -> None:
    joe = cc.add()
    cc.act("person", "unsubscribe", email=JOE)
    for wanted in ("implicit", "explicit", "not_set", "pending_confirmation"):
        errors(cc.change(joe, wanted, first_name="Changed"), 400)
    assert cc.permission(joe) == "unsubscribed" and "first_name" not in cc.held(joe), "nothing was touched"
    assert cc.change(joe, "unsubscribed", first_name="Joey").status_code == 200
    assert cc.permission(joe) == "unsubscribed"


def test_item5_an_opt_out_that_the_app_passed_on_for_the_person_binds_as_well(cc: Api) -> None:
    joe = cc.add()
    cc.change(joe, "unsubscribed", source="Contact")
    assert cc.held(joe)["email_address"]["opt_out_source"] == "Contact"
    errors(cc.change(joe, "implicit"), 400)


def test_item5_an_opt_out_by_the_account_can_be_undone_by_the_account(cc: Api) -> None:
    joe = cc.add()
    cc.change(joe, "unsubscribed")
    assert cc.held(joe)["email_address"]["opt_out_source"] == "Account"
    assert cc.change(joe, "implicit").status_code == 200
    assert cc.permission(joe) == "implicit" and "opt_out_date" not in cc.held(joe)["email_address"]


def test_item5_sign_up_form_opts_in_whoever_left_and_is_written_down(cc: Api) -> None:
    joe, gala = cc.add(), cc.new_list("Gala")
    assert cc.control("state?account=river")["accounts"]["river"]["sign_ups"] == []
    cc.act("person", "unsubscribe", email=JOE)
    form = {"email_address": JOE, "first_name": "Joe", "list_memberships": [gala]}
    answer = cc.post("/contacts/sign_up_form", form)
    assert (answer.status_code, answer.json()) == (200, {"contact_id": joe, "action": "updated"})
    assert cc.permission(joe) == "explicit" and cc.held(joe)["list_memberships"] == [cc.list, gala]
    journal = cc.control("state?account=river")["accounts"]["river"]["sign_ups"]
    assert [(each["email_address"], each["before"], each["action"]) for each in journal] == [
        (JOE, "unsubscribed", "updated")
    ]
    assert "sign_up_form 1 times" in requests.get(cc.sandbox.url, timeout=20).text


def test_sign_up_form_creates_restores_and_changes_only_what_it_is_sent(cc: Api) -> None:
    form = {"email_address": ANN, "last_name": "Other", "list_memberships": [cc.list]}
    answer = cc.post("/contacts/sign_up_form", form)
    assert (answer.status_code, answer.json()["action"]) == (201, "created")
    ann = answer.json()["contact_id"]
    email = cc.held(ann)["email_address"]
    assert (email["permission_to_send"], email["opt_in_source"]) == ("explicit", "Contact")
    cc.change(ann, "explicit", job_title="Baker", last_name="Other")
    cc.delete(f"/contacts/{ann}")
    assert cc.post("/contacts/sign_up_form", {**form, "last_name": "New"}).status_code == 200
    held = cc.held(ann)
    assert (held["job_title"], held["last_name"], "deleted_at" in held) == ("Baker", "New", False)


def test_with_confirmed_opt_in_somebody_new_has_to_confirm(cc: Api) -> None:
    cc.act("holder", "set_account", confirmed_opt_in=True)
    made = cc.post("/contacts/sign_up_form", {"email_address": ANN, "list_memberships": [cc.list]}).json()
    assert cc.permission(made["contact_id"]) == "pending_confirmation"
    cc.act("person", "confirm", email=ANN)
    email = cc.held(made["contact_id"])["email_address"]
    assert (email["permission_to_send"], email["confirm_status"]) == ("explicit", "confirmed")


def test_two_sign_ups_of_one_address_at_once_meet_a_conflict(cc: Api, cc_sandbox: ConstantContactSandbox) -> None:
    cc_sandbox.options.sign_up_takes_s = 0.15
    codes: list[int] = []

    def sign_up() -> None:
        body: dict[str, Any] = {"email_address": ANN, "list_memberships": [cc.list]}
        url, headers = f"{cc_sandbox.url}/v3/contacts/sign_up_form", dict(cc.session.headers)
        codes.append(requests.post(url, json=body, headers=headers, timeout=20).status_code)

    threads = [threading.Thread(target=sign_up) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [201, 409]


def test_item6_resubscribe_sends_one_mail_ever_and_counts_after_the_click(cc: Api) -> None:
    joe, gala = cc.add(), cc.new_list("Gala")
    errors(cc.put(f"/contacts/resubscribe/{joe}", {"list_ids": [gala]}), 409, "contacts.api.conflict")
    cc.act("person", "unsubscribe", email=JOE)
    answer = cc.put(f"/contacts/resubscribe/{joe}", {"list_ids": [gala]})
    assert (answer.status_code, answer.content) == (200, b"")
    assert cc.permission(joe) == "pending_confirmation" and gala in cc.held(joe)["list_memberships"]
    # The account cannot click for the person.
    errors(cc.change(joe, "implicit"), 400)
    cc.act("person", "confirm", email=JOE)
    assert cc.permission(joe) == "explicit"
    cc.act("person", "unsubscribe", email=JOE)
    errors(cc.put(f"/contacts/resubscribe/{joe}", {"list_ids": [gala]}), 409, "contacts.api.conflict")
    held = cc.control(f"state?account=river&email={JOE}")["accounts"]["river"]["contacts"][0]
    assert (held["confirmations"], held["was_resubscribed"]) == (1, True)


def test_item6_until_the_click_the_permission_may_read_unsubscribed(
    cc: Api, cc_sandbox: ConstantContactSandbox
) -> None:
    cc_sandbox.options.resubscribe_shows_pending = False
    joe = cc.add()
    cc.act("person", "unsubscribe", email=JOE)
    cc.put(f"/contacts/resubscribe/{joe}", {"list_ids": [cc.list]})
    email = cc.held(joe)["email_address"]
    assert (email["permission_to_send"], email["confirm_status"]) == ("unsubscribed", "pending")
    cc.act("person", "confirm", email=JOE)
    assert cc.permission(joe) == "explicit"


def test_item7_a_deleted_contact_keeps_id_and_address_and_loses_its_lists(cc: Api) -> None:
    joe = cc.add(first_name="Joe")
    before = cc.held(joe)["updated_at"]
    answer = cc.delete(f"/contacts/{joe}")
    assert (answer.status_code, answer.content) == (204, b"")
    held = cc.held(joe)
    assert held["list_memberships"] == [] and held["deleted_at"] and held["first_name"] == "Joe"
    assert held["updated_at"] == before
    assert cc.delete(f"/contacts/{joe}").status_code == 204


def test_item7_a_put_by_the_account_revives(cc: Api) -> None:
    joe = cc.add()
    cc.delete(f"/contacts/{joe}")
    errors(cc.change(joe, source="Contact", list_memberships=[cc.list]), 400)
    assert cc.change(joe, "implicit", list_memberships=[cc.list]).status_code == 200
    held = cc.held(joe)
    assert "deleted_at" not in held and held["list_memberships"] == [cc.list]
    assert "opt_out_source" not in held["email_address"]


def test_item7_deleting_and_reviving_does_not_wash_an_opt_out_off(cc: Api) -> None:
    joe = cc.add()
    cc.act("person", "unsubscribe", email=JOE)
    cc.delete(f"/contacts/{joe}")
    assert cc.held(joe)["email_address"]["opt_out_source"] == "Contact"
    errors(cc.change(joe, "implicit", list_memberships=[cc.list]), 400)
    assert "deleted_at" in cc.held(joe)
    cc.change(joe, "unsubscribed")
    assert cc.permission(joe) == "unsubscribed" and "deleted_at" not in cc.held(joe)
    errors(cc.change(joe, "implicit"), 400)


def test_item11_lengths_of_post_and_put(cc: Api) -> None:
    name = "@rivermail.test"
    fits, long = name.rjust(80, "a"), name.rjust(81, "a")
    joe = cc.add(fits, first_name="n" * 50)
    bad = {"update_source": "Account", "first_name": "n" * 51, "email_address": {"address": long}}
    said = errors(cc.put(f"/contacts/{joe}", bad), 400)
    assert "expected maxLength: 80, actual: 81" in said and "expected maxLength: 50, actual: 51" in said


def test_item11_the_form_takes_50_characters_only(cc: Api) -> None:
    long = "a" * 40 + "@rivermail.test"
    errors(cc.post("/contacts/sign_up_form", {"email_address": long, "list_memberships": [cc.list]}), 400)
    assert cc.add(long)


def test_item11_nobody_is_on_more_than_50_lists(cc: Api) -> None:
    lists = [cc.new_list(f"List {n}") for n in range(50)]
    joe = cc.add(lists=lists)
    errors(cc.change(joe, list_memberships=[*lists, cc.list]), 400)
    counters = cc.run("add_list_memberships", {"source": {"contact_ids": [joe]}, "list_ids": [cc.list]})["status"]
    assert counters["items_completed_count"] == 1, "counted as done"
    assert len(cc.held(joe)["list_memberships"]) == 50


@pytest.mark.parametrize(
    "change",
    [
        {"create_source": "Robot"},
        {"email_address": {"address": "not an address"}},
        {"email_address": {"permission_to_send": "implicit"}},
        {"email_address": {"address": ANN, "permission_to_send": "subscribed"}},
        {"email_address": {"address": ANN, "permission_to_send": "temp_hold"}},
        {"list_memberships": [NOBODY]},
        {"list_memberships": ["nonsense"]},
        {"birthday_month": 5},
        {"birthday_month": 13, "birthday_day": 1},
        {"custom_fields": [{"custom_field_id": NOBODY, "value": "x"}]},
        {"first_name": 7},
    ],
)
def test_a_body_against_the_rules_is_refused_and_nothing_is_made(cc: Api, change: dict[str, Any]) -> None:
    body = {"create_source": "Account", "email_address": {"address": ANN}, "list_memberships": [cc.list]}
    errors(cc.post("/contacts", {**body, **change}), 400)
    assert cc.addresses(email=ANN, status="all") == []


def test_a_new_contact_needs_something_to_know_it_by(cc: Api) -> None:
    errors(cc.post("/contacts", {"create_source": "Account", "job_title": "Baker"}), 400)
    assert cc.post("/contacts", {"create_source": "Account", "first_name": "Only"}).status_code == 201


def test_a_hold_is_the_services_own(cc: Api) -> None:
    joe = cc.add()
    errors(cc.change(joe, "temp_hold"), 400)
    cc.act("holder", "hold", email=JOE)
    errors(cc.change(joe, "implicit"), 400)
    assert cc.change(joe, "temp_hold", first_name="Joe").status_code == 200
    assert cc.change(joe, "unsubscribed").status_code == 200


def test_custom_fields_exist_before_they_are_used(cc: Api) -> None:
    made = cc.post("/contact_custom_fields", {"label": "Member no", "type": "string"})
    assert made.status_code == 201 and made.json()["name"] == "Member_no"
    errors(cc.post("/contact_custom_fields", {"label": "Member no", "type": "string"}), 409, "contacts.api.conflict")
    field = made.json()["custom_field_id"]
    joe = cc.add(custom_fields=[{"custom_field_id": field, "value": "17"}])
    assert cc.held(joe)["custom_fields"] == [{"custom_field_id": field, "value": "17"}]
    cc.imported({"email": JOE, "cf:Member_no": "18"})
    assert cc.held(joe)["custom_fields"][0]["value"] == "18"
    assert [each["label"] for each in cc.get("/contact_custom_fields")["custom_fields"]] == ["Member no"]


def test_options_turn_what_is_not_known_for_sure(cc: Api) -> None:
    gala = cc.new_list("Gala")
    cc.control("options", {"put_merges_lists": True, "opt_out_clears_lists": True, "delete_moves_updated_at": True})
    joe, ann = cc.add(JOE), cc.add(ANN)
    cc.change(joe, list_memberships=[gala])
    assert set(cc.held(joe)["list_memberships"]) == {cc.list, gala}
    cc.act("person", "unsubscribe", email=JOE)
    assert cc.held(joe)["list_memberships"] == []
    before = cc.held(ann)["updated_at"]
    cc.delete(f"/contacts/{ann}")
    assert cc.held(ann)["updated_at"] > before
    cc.control("options", {"writes_show_everything": True, "refuse_unknown_keys": False})
    shown = cc.change(joe, nickname="J")
    assert shown.status_code == 200 and shown.json()["list_memberships"] == []
