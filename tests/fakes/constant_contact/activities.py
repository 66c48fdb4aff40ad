"""Bulk activities: accepted at once, done later (activity_work.py), told by counters only."""

from __future__ import annotations

from typing import Any

from tests.fakes.constant_contact import paging
from tests.fakes.constant_contact import shapes as s
from tests.fakes.constant_contact.call import Answer, Call
from tests.fakes.constant_contact.contacts import READ, WRITE
from tests.fakes.constant_contact.errors import invalid, not_found, queue_full
from tests.fakes.constant_contact.imports import kept_rows
from tests.fakes.constant_contact.shown import show_activity
from tests.fakes.constant_contact.state import Activity

LISTS_WRITE = ("contact_data", "contacts:lists:write")
TEN_DAYS = 10 * 86_400
STATES = ("processing", "completed", "cancelled", "failed", "timed_out")
IDS = s.list_of(s.identity, 500, 1)
LISTS = s.list_of(s.identity, 50, 1)
SOURCE: dict[str, s.Rule] = {
    "contact_ids": IDS,
    "list_ids": LISTS,
    "all_active_contacts": s.boolean,
    "tag_ids": LISTS,
    "engagement_level": s.text(),
}
EXCLUDE = s.Shape({"contact_ids": s.list_of(s.identity)})
MEMBERSHIPS: dict[str, s.Rule] = {"exclude": EXCLUDE, "list_ids": LISTS}
ADD = s.Shape(
    {"source": s.Shape({**SOURCE, "segment_id": s.number(1, 2**53)}), **MEMBERSHIPS}, required=("source", "list_ids")
)
REMOVE = s.Shape({"source": s.Shape(SOURCE), **MEMBERSHIPS}, required=("source", "list_ids"))
IMPORT = s.Shape({"import_data": s.list_of(s.anything), "list_ids": LISTS}, required=("import_data", "list_ids"))
DELETE = s.Shape({"contact_ids": IDS, "list_ids": LISTS})
DELETE_LISTS = s.Shape({"list_ids": s.list_of(s.identity, 100, 1)}, required=("list_ids",))


def submit(call: Call, kind: str, payload: dict[str, Any]) -> Activity:
    """Queue it; more than a thousand waiting ones are refused."""
    if len(call.account.waiting) >= (most := call.options.queued_activities):
        raise queue_full(most)
    activity = Activity(call.account.next_id("activity"), kind, call.now, payload)
    call.account.activities[activity.activity_id] = activity
    call.account.waiting.append(activity)
    return activity


def queued(call: Call, kind: str, payload: dict[str, Any]) -> Answer:
    return Answer(show_activity(submit(call, kind, payload)), 201)


def known_lists(call: Call, ids: list[str], *, is_told_404: bool = False) -> list[str]:
    """All of them exist. What is answered where one does not follows the codes of the description."""
    found = [each.lower() for each in ids]
    for each in found:
        held = call.account.lists.get(each)
        if held is None or held.deleted_at:
            raise not_found(f"List {each} was not found.") if is_told_404 else invalid(f"#/list_ids: no list {each}")
    return found


def import_json(call: Call) -> Answer:
    body = call.body(IMPORT)
    rows = kept_rows(call, body["import_data"])
    return queued(call, "contacts_json_import", {"rows": rows, "lists": known_lists(call, body["list_ids"])})


def source_of(body: dict[str, Any]) -> dict[str, Any]:
    """Exactly one source, and `exclude` only beside a wide one."""
    source = {name: value for name, value in body["source"].items() if value not in (None, [], False)}
    if len(source) != 1:
        raise invalid("#/source: exactly one source is required, they are mutually exclusive")
    if body.get("exclude", {}).get("contact_ids") and not source.keys() & {"all_active_contacts", "list_ids"}:
        raise invalid("#/exclude: applies to the sources all_active_contacts and list_ids only")
    return source


def memberships(call: Call, kind: str, rule: s.Rule, *, is_told_404: bool) -> Answer:
    body = call.body(rule)
    source = source_of(body)
    if "list_ids" in source:
        source["list_ids"] = known_lists(call, source["list_ids"], is_told_404=is_told_404)
    lists = known_lists(call, body["list_ids"], is_told_404=is_told_404)
    exclude = body.get("exclude", {}).get("contact_ids", [])
    return queued(call, kind, {"source": source, "exclude": exclude, "lists": lists})


def add_memberships(call: Call) -> Answer:
    return memberships(call, "add_list_memberships", ADD, is_told_404=False)


def remove_memberships(call: Call) -> Answer:
    return memberships(call, "remove_list_memberships", REMOVE, is_told_404=True)


def delete_contacts(call: Call) -> Answer:
    body = call.body(DELETE)
    if len([name for name in ("contact_ids", "list_ids") if body.get(name)]) != 1:
        raise invalid("#: one of contact_ids and list_ids is required, they are mutually exclusive")
    if "list_ids" in body:
        body["list_ids"] = known_lists(call, body["list_ids"])
    return queued(call, "contact_delete", {"source": body})


def delete_lists(call: Call) -> Answer:
    return queued(call, "list_delete", {"list_ids": known_lists(call, call.body(DELETE_LISTS)["list_ids"])})


def index(call: Call) -> Answer:
    """The last ten days, newest first."""
    start = paging.begin(call, "limit", "state")
    limit = call.number("limit", 50, most=500)
    states = call.words("state", STATES)
    since = call.now - TEN_DAYS

    def fits(activity: Activity) -> bool:
        return activity.created_at >= since and (not states or activity.state in states)

    rows, following = paging.page(list(call.account.activities.values())[::-1], start, limit, fits)
    return Answer({"activities": [shown(call, each) for each in rows], "_links": paging.links(call, following)})


def read(call: Call, activity_id: str) -> Answer:
    if found := call.account.activities.get(activity_id.lower()):
        return Answer(shown(call, found))
    raise not_found("Resource not found for the activity_id provided.")


def shown(call: Call, activity: Activity) -> dict[str, Any]:
    return show_activity(activity, errors_as_objects=call.options.activity_errors_as_objects)


ROUTES = [
    ("GET", "/activities", index, READ),
    ("GET", "/activities/<activity_id>", read, READ),
    ("POST", "/activities/contacts_json_import", import_json, WRITE),
    ("POST", "/activities/add_list_memberships", add_memberships, WRITE),
    ("POST", "/activities/remove_list_memberships", remove_memberships, WRITE),
    ("POST", "/activities/contact_delete", delete_contacts, WRITE),
    ("POST", "/activities/list_delete", delete_lists, LISTS_WRITE),
]
