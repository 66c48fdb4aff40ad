"""The calls of the contract check: what a sync asks of the vendor, good requests and refused ones."""

from __future__ import annotations

import json
import time
from typing import Any, Protocol

from tests.fakes.mailchimp.state import address_id

JOE, ANN, BO = "joe@rivermail.test", "ann@rivermail.test", "bo@rivermail.test"
CONTACT = {
    "company": "River Trust",
    "address1": "1 Mill Lane",
    "city": "Portland",
    "state": "OR",
    "zip": "97201",
    "country": "US",
}
LIST = {
    "name": "Supporters",
    "permission_reminder": "You signed up on our website.",
    "email_type_option": False,
    "contact": CONTACT,
    "campaign_defaults": {"from_name": "R", "from_email": "a@rivertrust.test", "subject": "", "language": "en"},
}


class Checker(Protocol):
    """Makes a call and notes whether its answer was the expected one."""

    token: str

    def call(self, method: str, path: str, body: Any = None, expect: int = 200, **query: Any) -> Any: ...


def drive(check: Checker, list_id: str, hook_url: str) -> None:
    """The calls a sync makes, good ones and refused ones."""
    here = f"/lists/{list_id}"
    for part in (the_account, the_members, the_bulk, the_tags, the_columns, the_refusals):
        part(check, here)
    the_webhooks(check, here, hook_url)
    the_lists(check)
    the_batches(check, here)


def the_account(check: Checker, here: str) -> None:
    check.call("GET", "/")
    check.call("GET", "/ping")
    check.call("GET", "/authorized-apps")
    check.call("GET", "/search-members", query="rivermail")
    check.call("GET", "/lists", count=100)
    check.call("GET", "/lists", fields="lists.id,lists.name,total_items,constraints")
    check.call("GET", here, include_total_contacts="true")
    check.call("GET", f"{here}/interest-categories")


def the_members(check: Checker, here: str) -> None:
    joe = f"{here}/members/{address_id(JOE)}"
    ann = f"{here}/members/{address_id(ANN)}"
    people = f"{here}/members"
    row = {"email_address": JOE, "status": "subscribed", "merge_fields": {"FNAME": "Joe"}, "tags": ["A"]}
    check.call("POST", people, row, skip_merge_validation="true")
    check.call("PUT", joe, {"email_address": JOE, "status_if_new": "subscribed", "merge_fields": {"LNAME": "D"}})
    check.call("PUT", joe, {"email_address": ANN, "status": "subscribed"})
    check.call("GET", joe, expect=404)
    check.call("GET", ann)
    check.call("PATCH", ann, {"status": "unsubscribed"})
    check.call("GET", f"{ann}/activity-feed")
    check.call("GET", f"{ann}/activity")
    check.call("PATCH", ann, {"status": "pending"})
    check.call("PATCH", ann, {"email_address": JOE}, expect=400)
    check.call("PATCH", ann, {"status": "subscribed"})
    check.call("PATCH", ann, {"email_address": JOE})
    check.call("PUT", ann, {"email_address": ANN, "status_if_new": "transactional"})
    for status in ("subscribed", "unsubscribed", "cleaned", "pending", "transactional", "archived"):
        check.call("GET", people, status=status, count=1000)
    since: dict[str, Any] = {
        "since_last_changed": "2026-01-01T00:00:00+00:00",
        "sort_field": "last_changed",
        "sort_dir": "ASC",
    }
    check.call("GET", people, **since, fields="members.id,members.status,total_items")
    check.call("GET", people, status="unsubscribed", unsubscribed_since="2026-01-01T00:00:00+00:00")
    check.call("DELETE", ann, expect=204)
    check.call("GET", ann)
    check.call("DELETE", ann, expect=405)
    check.call("POST", f"{ann}/actions/delete-permanent", expect=204)


def the_bulk(check: Checker, here: str) -> None:
    rows = [
        {"email_address": BO, "status_if_new": "subscribed", "merge_fields": {"FNAME": "Bo"}, "tags": ["A"]},
        {"email_address": JOE, "merge_fields": {"LNAME": "Door"}},
        {"email_address": ANN, "status_if_new": "subscribed"},
        {"email_address": "x@example.com", "status": "subscribed"},
    ]
    check.call("POST", here, {"members": rows, "update_existing": True}, skip_merge_validation="true")
    check.call("POST", here, {"members": rows[:2], "update_existing": False, "sync_tags": False})


def the_tags(check: Checker, here: str) -> None:
    bo = f"{here}/members/{address_id(BO)}"
    tags = [{"name": "Volunteers", "status": "active"}, {"name": "A", "status": "inactive"}]
    check.call("POST", f"{bo}/tags", {"tags": tags, "is_syncing": True}, expect=204)
    check.call("GET", f"{bo}/tags")
    check.call("GET", f"{here}/tag-search", name="Vol")
    number = check.call("POST", f"{here}/segments", {"name": "Board", "static_segment": [JOE]}).get("id")
    check.call("GET", f"{here}/segments", type="static", count=1000)
    check.call("GET", f"{here}/segments/{number}")
    check.call("POST", f"{here}/segments/{number}", {"members_to_add": [BO], "members_to_remove": [JOE]})
    check.call("GET", f"{here}/segments/{number}/members")
    check.call("POST", f"{here}/segments/{number}/members", {"email_address": JOE})
    check.call("DELETE", f"{here}/segments/{number}/members/{address_id(JOE)}", expect=204)
    check.call("PATCH", f"{here}/segments/{number}", {"name": "Trustees"})
    check.call("DELETE", f"{here}/segments/{number}", expect=204)
    check.call("POST", f"{here}/segments", {"name": "Volunteers", "static_segment": []}, expect=400)


def the_columns(check: Checker, here: str) -> None:
    check.call("GET", f"{here}/merge-fields", count=1000)
    for kind in ("text", "number", "address", "phone", "date", "url", "birthday", "zip"):
        made = check.call("POST", f"{here}/merge-fields", {"name": kind.title(), "type": kind, "tag": f"X{kind[:8]}"})
        check.call("GET", f"{here}/merge-fields/{made.get('merge_id')}")
        check.call("PATCH", f"{here}/merge-fields/{made.get('merge_id')}", {"name": "Renamed"})
        check.call("DELETE", f"{here}/merge-fields/{made.get('merge_id')}", expect=204)


def the_refusals(check: Checker, here: str) -> None:
    people = f"{here}/members"
    check.call("POST", people, {"email_address": JOE, "status": "subscribed"}, expect=400)
    check.call("POST", people, {"email_address": ANN, "status": "subscribed"}, expect=400)
    check.call("POST", people, {"email_address": "x@example.com", "status": "subscribed"}, expect=400)
    bad = {"email_address": BO, "merge_fields": {"ADDRESS": {"addr1": "1 Mill Lane"}}}
    check.call("PUT", f"{people}/{address_id(BO)}", bad, expect=400)
    check.call("GET", "/lists/0000000000", expect=404)
    token, check.token = check.token, "nonsense"
    check.call("GET", "/ping", expect=401)
    check.token = token


def the_webhooks(check: Checker, here: str, hook_url: str) -> None:
    switches = {
        "events": {"subscribe": True, "unsubscribe": True},
        "sources": {"user": True, "admin": True, "api": True},
    }
    hook = check.call("POST", f"{here}/webhooks", {"url": hook_url, **switches})
    check.call("POST", f"{here}/webhooks", {"url": hook_url, **switches}, expect=400)
    check.call("GET", f"{here}/webhooks")
    check.call("GET", f"{here}/webhooks/{hook.get('id')}")
    check.call("PATCH", f"{here}/webhooks/{hook.get('id')}", {"events": {"profile": True}})
    check.call("DELETE", f"{here}/webhooks/{hook.get('id')}", expect=204)
    batch_hook = check.call("POST", "/batch-webhooks", {"url": hook_url})
    check.call("GET", "/batch-webhooks")
    check.call("PATCH", f"/batch-webhooks/{batch_hook.get('id')}", {"enabled": False})
    check.call("DELETE", f"/batch-webhooks/{batch_hook.get('id')}", expect=204)


def the_lists(check: Checker) -> None:
    made = [check.call("POST", "/lists", LIST) for _ in range(4)]
    check.call("POST", "/lists", LIST, expect=403)
    check.call("PATCH", f"/lists/{made[0].get('id')}", {**LIST, "name": "Friends"})
    check.call("DELETE", f"/lists/{made[0].get('id')}", expect=204)


def the_batches(check: Checker, here: str) -> None:
    body = json.dumps({"email_address": JOE, "status_if_new": "subscribed"})
    path = f"{here.lstrip('/')}/members/{address_id(JOE)}"
    operation = {"method": "PUT", "path": path, "operation_id": "op-1", "body": body}
    batch = check.call("POST", "/batches", {"operations": [operation]})
    for _ in range(20):
        if check.call("GET", f"/batches/{batch.get('id')}").get("status") == "finished":
            break
        time.sleep(0.05)
    check.call("GET", "/batches")
    check.call("DELETE", f"/batches/{batch.get('id')}", expect=204)
