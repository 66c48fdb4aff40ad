"""How activities go on: each rests a while in every state, and its work is done when it ends.

Nothing runs in the background: before each call the account is brought up to the sandbox's clock, which comes to
the same for whoever looks, also after a restart or when a test sets the clock ahead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fakes.constant_contact import imports
from tests.fakes.constant_contact.options import Options
from tests.fakes.constant_contact.state import Account, Activity, Contact
from tests.fakes.constant_contact.writing import Writer

TROUBLE = {
    "failed": "The activity could not be completed.",
    "timed_out": "The activity timed out before completing.",
    "cancelled": "The activity was cancelled.",
}


def advance(account: Account, now: float, options: Options) -> bool:
    """Do what is due by now, oldest first; whether anything was."""
    step, moved = options.activity_step_s, False
    for activity in list(account.waiting):
        if activity.state == "initialized" and now >= activity.created_at + step:
            activity.state, activity.started_at, moved = "processing", activity.created_at + step, True
        if activity.state == "processing" and now >= activity.started_at + step:
            finish(account, activity, activity.started_at + step, options)
            moved = True
    return moved


def finish(account: Account, activity: Activity, at: float, options: Options, end: str = "") -> None:
    """Do the work; one that failed or was cancelled did nothing, one that timed out did half."""
    end = end or options.activity_end
    share = {"completed": 1.0, "timed_out": 0.5}.get(end, 0.0)
    work = WORK[activity.kind]
    trouble = work(Writer(account, at, options), activity, share) if share else ""
    if trouble:
        end = "failed"
    activity.state, activity.completed_at = end, at
    activity.errors = [trouble or TROUBLE[end]] if end != "completed" else []
    activity.payload = {}
    account.waiting.remove(activity)
    account.version += 1


def import_rows(write: Writer, activity: Activity, share: float) -> str:
    activity.counters = imports.carry_out(write, activity.payload, share)
    return ""


def chosen(write: Writer, payload: dict[str, Any]) -> list[Contact]:
    """The contacts of a source; ids that nobody has are passed over."""
    account, source = write.account, payload["source"]
    if ids := source.get("contact_ids"):
        found = [account.by_id[each.lower()] for each in ids if each.lower() in account.by_id]
    elif lists := source.get("list_ids"):
        found = [each for each in account.contacts if not set(lists).isdisjoint(each.lists)]
    elif source.get("all_active_contacts"):
        found = [each for each in account.contacts if each.status == "active"]
    else:
        found = []  # no tags, segments or engagement here
    excluded = {each.lower() for each in payload.get("exclude", ())}
    return [each for each in found if each.contact_id not in excluded]


def add(write: Writer, activity: Activity, share: float) -> str:
    def put_on(contact: Contact, lists: list[str]) -> None:
        left = contact.permission == "unsubscribed" and not write.options.add_takes_unsubscribed
        if not left and not contact.deleted_at:
            write.put_on(contact, lists)

    return change(write, activity, share, put_on)


def remove(write: Writer, activity: Activity, share: float) -> str:
    return change(write, activity, share, write.take_off)


def change(write: Writer, activity: Activity, share: float, do: Callable[[Contact, list[str]], Any]) -> str:
    """The counters speak of contacts looked at, not of contacts changed."""
    lists = [each for each in activity.payload["lists"] if not write.account.lists[each].deleted_at]
    contacts = chosen(write, activity.payload)
    done = contacts[: int(len(contacts) * share)]
    for contact in done:
        do(contact, lists)
    activity.counters = {
        "items_total_count": len(contacts),
        "items_completed_count": len(done),
        "list_count": len(activity.payload["lists"]),
    }
    return ""


def delete_contacts(write: Writer, activity: Activity, share: float) -> str:
    contacts = chosen(write, activity.payload)
    done = contacts[: int(len(contacts) * share)]
    for contact in done:
        write.delete(contact)
    activity.counters = {"items_total_count": len(contacts), "items_completed_count": len(done)}
    return ""


def delete_lists(write: Writer, activity: Activity, share: float) -> str:
    """The contacts stay in the account; the last list stays as well."""
    account, gone = write.account, set(activity.payload["list_ids"])
    living = {each.list_id for each in account.lists.values() if not each.deleted_at}
    if not living - gone:
        return "At least one contact list must remain in the account."
    for contact in account.contacts:
        write.take_off(contact, [each for each in contact.lists if each in gone])
    for each in gone & living:
        account.lists[each].deleted_at = write.now
    activity.counters = {"list_count": len(gone & living)}
    return ""


Work = Callable[[Writer, Activity, float], str]
WORK: dict[str, Work] = {
    "contacts_json_import": import_rows,
    "add_list_memberships": add,
    "remove_list_memberships": remove,
    "contact_delete": delete_contacts,
    "list_delete": delete_lists,
}
