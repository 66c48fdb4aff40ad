"""Webhooks: checked at creation, signed, filtered by source, tried again."""

from __future__ import annotations

import hashlib
import hmac
import time
from typing import Any

import pytest

from tests.fakes_tests.api import ANN, JOE, Api
from tests.fakes_tests.receiver import Receiver

ALL_EVENTS = dict.fromkeys(["subscribe", "unsubscribe", "profile", "cleaned", "upemail", "campaign"], True)
ALL_SOURCES = dict.fromkeys(["user", "admin", "api"], True)


def hook(api: Api, url: str, **change: Any) -> dict[str, Any]:
    body = {"url": url, "events": ALL_EVENTS, "sources": ALL_SOURCES, **change}
    answer = api.post(f"{api.list}/webhooks", body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def settle(api: Api) -> None:
    assert api.control("settle", {})["settled"]


def test_the_secret_is_shown_once_and_signs_what_is_delivered(api: Api, receiver: Receiver) -> None:
    made = hook(api, receiver.url)
    assert made["signing_enabled"] is True and len(made["signing_secret"]) >= 32
    read = api.get(f"{api.list}/webhooks/{made['id']}")
    assert read["signing_enabled"] is True and "signing_secret" not in read
    api.add()
    settle(api)
    delivery = receiver.received[0]
    assert delivery.headers["Content-Type"] == "application/x-www-form-urlencoded"
    stamp, code = (part.partition("=")[2] for part in delivery.headers["X-Mailchimp-Signature"].split(","))
    wanted = hmac.new(made["signing_secret"].encode(), stamp.encode() + b"." + delivery.body, hashlib.sha256)
    assert code == wanted.hexdigest() and abs(time.time() - int(stamp)) < 5


def test_some_accounts_have_unsigned_webhooks(api: Api, receiver: Receiver) -> None:
    api.act("holder", "set_account", signed_webhooks=False)
    made = hook(api, receiver.url)
    assert made["signing_enabled"] is False and "signing_secret" not in made
    api.add()
    settle(api)
    assert "X-Mailchimp-Signature" not in receiver.received[0].headers


def test_a_sign_up_fires_subscribe_and_profile_with_bracketed_keys(api: Api, receiver: Receiver) -> None:
    hook(api, receiver.url)
    api.act("person", "sign_up", email=JOE, merge_fields={"FNAME": "Joe"})
    settle(api)
    assert receiver.types() == ["profile", "subscribe"]
    form = receiver.received[0].form
    assert form["data[email]"] == JOE and form["data[merges][FNAME]"] == "Joe"
    assert form["data[list_id]"] == api.audience.id
    assert form["data[id]"] == api.get(api.member(JOE))["unique_email_id"]
    assert len(form["fired_at"]) == 19


EVENTS = [
    ("person", "unsubscribe", {}, ["unsubscribe"], {"data[action]": "unsub", "data[reason]": "manual"}),
    ("holder", "unsubscribe", {}, ["unsubscribe"], {"data[action]": "unsub"}),
    ("holder", "archive", {}, ["unsubscribe"], {"data[action]": "delete"}),
    ("holder", "delete_permanent", {}, ["unsubscribe"], {"data[action]": "delete"}),
    ("holder", "clean", {}, ["cleaned"], {"data[reason]": "hard"}),
    ("person", "complain", {}, ["cleaned"], {"data[reason]": "abuse"}),
    ("person", "complain", {"shown_as": "unsubscribed"}, ["unsubscribe"], {"data[reason]": "abuse"}),
    ("person", "update_profile", {"merge_fields": {"FNAME": "J"}}, ["profile"], {"data[merges][FNAME]": "J"}),
]


@pytest.mark.parametrize(("role", "action", "more", "types", "form"), EVENTS, ids=lambda value: str(value)[:30])
def test_each_act_is_told_as_the_vendor_tells_it(
    api: Api, receiver: Receiver, role: str, action: str, more: Any, types: list[str], form: dict[str, str]
) -> None:
    api.add()
    hook(api, receiver.url)
    api.act(role, action, email=JOE, **more)
    settle(api)
    assert receiver.types() == types
    assert form.items() <= receiver.received[0].form.items()


def test_a_changed_address_names_the_old_address_but_not_the_old_id(api: Api, receiver: Receiver) -> None:
    api.add()
    hook(api, receiver.url)
    api.act("person", "change_address", email=JOE, new_email=ANN)
    settle(api)
    form = next(each.form for each in receiver.received if each.form["type"] == "upemail")
    assert (form["data[old_email]"], form["data[new_email]"]) == (JOE, ANN)
    assert form["data[new_id]"] == api.get(api.member(ANN))["unique_email_id"]
    assert not any("old_id" in key for key in form)


@pytest.mark.parametrize("source", ["user", "admin", "api"])
def test_only_chosen_sources_are_told(api: Api, receiver: Receiver, source: str) -> None:
    hook(api, receiver.url, sources={source: True}, events={"subscribe": True})
    api.add("by-api@rivermail.test")
    api.act("person", "sign_up", email="by-user@rivermail.test")
    api.act("holder", "add_member", email="by-admin@rivermail.test")
    settle(api)
    assert [each.form["data[email]"] for each in receiver.received] == [f"by-{source}@rivermail.test"]


def test_tags_fire_nothing(api: Api, receiver: Receiver) -> None:
    api.add()
    hook(api, receiver.url)
    api.post(api.member(JOE) + "/tags", {"tags": [{"name": "A", "status": "active"}]})
    settle(api)
    assert receiver.received == []


@pytest.mark.parametrize("status", [404, 403, 302, 500, 201])
def test_an_address_that_does_not_answer_get_with_200_is_refused(api: Api, receiver: Receiver, status: int) -> None:
    receiver.get_status = status
    answer = api.post(f"{api.list}/webhooks", {"url": receiver.url})
    assert answer.status_code == 400
    error = answer.json()["errors"][0]
    assert error["field"] == "url" and error["message"].endswith(f"HTTP Code: {status}")
    assert api.get(f"{api.list}/webhooks")["total_items"] == 0


def test_one_address_is_taken_once_whatever_its_query(api: Api, receiver: Receiver) -> None:
    hook(api, receiver.url)
    again = api.post(f"{api.list}/webhooks", {"url": receiver.url + "?x=1"})
    assert "multiple WebHooks for one URL" in again.text and again.status_code == 400


def test_a_failed_delivery_is_tried_again_and_given_up_at_last(api: Api, receiver: Receiver) -> None:
    hook(api, receiver.url, events={"subscribe": True})
    receiver.answers = [500, 302, 200]
    api.add()
    settle(api)
    assert [each["status"] for each in api.control("deliveries")] == [500, 302, 200]
    receiver.answers = [500] * 9
    api.add(ANN)
    settle(api)
    assert len(receiver.received) == 6


def test_410_switches_the_webhook_off_and_a_change_switches_it_on(api: Api, receiver: Receiver) -> None:
    made = hook(api, receiver.url, events={"subscribe": True})
    receiver.answers = [410]
    api.add()
    settle(api)
    api.add(ANN)
    settle(api)
    assert len(receiver.received) == 1
    api.patch(f"{api.list}/webhooks/{made['id']}", {"events": {"unsubscribe": True}})
    api.put(api.member(ANN), {"status": "unsubscribed"})
    settle(api)
    assert len(receiver.received) == 2
    assert api.delete(f"{api.list}/webhooks/{made['id']}").status_code == 204
