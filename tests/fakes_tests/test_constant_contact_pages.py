"""What a person sees at the sandbox Constant Contact, the buttons, and that it goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests

from tests.fakes import ConstantContactSandbox, running
from tests.fakes_tests.constant_contact import ANN, JOE, Api

NOTICE = "Sandbox Constant Contact – nothing here is e-mailed"


def page(api: Api, path: str, **query: Any) -> str:
    answer = requests.get(f"{api.sandbox.url}{path}", params=query, timeout=20)
    assert answer.status_code == 200, answer.text
    assert NOTICE in answer.text and "<script" not in answer.text
    return answer.text


def press(api: Api, role: str, action: str, back: str = "/", **more: Any) -> requests.Response:
    wish = {"as": role, "action": action, "account": api.login, "back": back, **more}
    return requests.post(f"{api.sandbox.url}/act", data=wish, timeout=20)


def test_the_start_shows_accounts_the_days_quota_and_calls(cc: Api) -> None:
    cc.act("holder", "spend_calls", calls=1_234)
    text = page(cc, "/")
    for word in ("River Trust", "Harbor Food Bank", "1,234 of 10,000 used", "00:00 UTC", "Last calls"):
        assert word in text
    assert "almoner-sandbox-public" not in text, "it made no calls"
    cc.act("holder", "spend_calls", calls=7, client_id="almoner-sandbox-public")
    assert "7 of 10,000 used" in page(cc, "/")


def test_an_account_shows_its_lists_people_and_bulk_work(cc: Api) -> None:
    cc.act("holder", "add_crowd", count=120)
    cc.imported({"email": JOE})
    text = page(cc, "/account", account="river", page=3)
    for word in ("126 people, page 3 of 3", "River Friends", "contacts json import", "person count 1"):
        assert word in text
    assert "1 person, page 1 of 1" in page(cc, "/account", account="river", q="vega")
    assert "june.park" in page(cc, "/account", account="river", status="unsubscribed")
    gala = cc.new_list("Gala")
    assert "Nobody found" in page(cc, "/account", account="river", list=gala)


def test_every_button_of_a_contact_does_what_it_says(cc: Api) -> None:
    joe, gala = cc.add(first_name="Joe"), cc.new_list("Gala")
    back = "/contact?" + urlencode({"account": "river", "id": joe})
    shown = page(cc, "/contact", account="river", id=joe)
    for text in ("Unsubscribe", "Delete", "Save names", "Put on list", "Take off list", "Change address"):
        assert f">{text}</button>" in shown
    who = {"email": JOE, "back": back}
    assert "Done: edit." in press(cc, "holder", "edit", **who, first_name="Joseph", last_name="Door").text
    press(cc, "holder", "put_on_list", **who, list=gala)
    press(cc, "holder", "take_off_list", **who, list=cc.list)
    held = cc.held(joe)
    assert (held["first_name"], held["last_name"], held["list_memberships"]) == ("Joseph", "Door", [gala])
    press(cc, "person", "change_address", **who, new_email=ANN)
    assert "Done: unsubscribe." in press(cc, "person", "unsubscribe", **{**who, "email": ANN}).text
    assert "is unsubscribed already" in press(cc, "person", "unsubscribe", **{**who, "email": ANN}).text
    assert cc.held(joe)["email_address"]["opt_out_source"] == "Contact"
    press(cc, "holder", "delete", **{**who, "email": ANN})
    assert "Bring back" in page(cc, "/contact", account="river", id=joe)
    press(cc, "holder", "revive", **{**who, "email": ANN})
    press(cc, "person", "sign_up", **{**who, "email": ANN}, list=gala)
    assert cc.permission(joe) == "explicit" and "deleted_at" not in cc.held(joe)


def test_the_account_holder_unsubscribes_as_the_account(cc: Api) -> None:
    joe = cc.add()
    press(cc, "holder", "unsubscribe", email=JOE)
    assert cc.held(joe)["email_address"]["opt_out_source"] == "Account"
    assert "the account holder or an app" in page(cc, "/contact", account="river", id=joe)


def test_lists_are_made_renamed_and_deleted_by_button(cc: Api) -> None:
    assert "Done: add list." in press(cc, "holder", "add_list", name="Gala").text
    assert "needs a name that no other list has" in press(cc, "holder", "add_list", name="gala").text
    press(cc, "holder", "rename_list", list="Gala", new_name="Ball")
    assert [each["name"] for each in cc.get("/contact_lists")["lists"]] == ["River Friends", "Ball"]
    press(cc, "holder", "delete_list", list="Ball")
    assert [each["name"] for each in cc.get("/contact_lists")["lists"]] == ["River Friends"]


def test_what_people_typed_is_shown_as_text(cc: Api) -> None:
    joe = cc.add(first_name="<script>alert(1)</script>")
    assert "&lt;script&gt;" in page(cc, "/contact", account="river", id=joe)
    page(cc, "/account", account="river")


def test_a_page_about_somebody_unknown_says_so(cc: Api) -> None:
    answer = requests.get(f"{cc.sandbox.url}/contact?account=river&id=none", timeout=20)
    assert answer.status_code == 404 and "Not here any more" in answer.text


def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    with running(ConstantContactSandbox(state_dir=tmp_path)) as sandbox:
        sandbox.options.per_second, sandbox.options.activity_step_s = 0, 30
        api, held = Api(sandbox), sandbox.grant()
        api.add(JOE, first_name="Joe")
        api.act("person", "unsubscribe", email=JOE)
        api.post("/contacts/sign_up_form", {"email_address": ANN, "list_memberships": [api.list]})
        body = {"import_data": [{"email": "new@rivermail.test"}], "list_ids": [api.list]}
        waiting = api.post("/activities/contacts_json_import", body).json()
        before = api.control("state")
    assert held["access_token"] not in (tmp_path / "constant_contact" / "river.json").read_text("utf-8")
    with running(ConstantContactSandbox(state_dir=tmp_path)) as sandbox:
        sandbox.options.per_second, sandbox.options.activity_step_s = 0, 30
        api = Api(sandbox)
        again = api.control("state")
        for each in (before, again):
            for account in each["accounts"].values():
                del account["grants"]
        assert list(again["accounts"]) == list(before["accounts"]) == ["river", "harbor"]
        assert again == before and again["calls_today"]["almoner-sandbox"] > 0
        api.use(held["access_token"])
        sandbox.clock_ahead_s = 61
        assert api.ended(waiting)["state"] == "completed"
        assert api.addresses(email="new@rivermail.test") == ["new@rivermail.test"]
        assert api.add("third@rivermail.test") not in json.dumps(before)
