"""Contacts, lists and activities as the vendor shows them: what is empty is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from tests.fakes.constant_contact.state import PARTS, Account, Activity, Contact, ContactList, iso, iso_eastern

INCLUDES = ("custom_fields", "list_memberships", "phone_numbers", "street_addresses", "taggings", "notes")


def show_contact(contact: Contact, include: Collection[str] = ()) -> dict[str, Any]:
    """Sub-resources only where asked for."""
    shown: dict[str, Any] = {"contact_id": contact.contact_id}
    if contact.address:
        shown["email_address"] = show_address(contact)
    shown |= {name: value for name, value in contact.core.items() if value not in (None, "")}
    shown |= {
        "update_source": contact.update_source,
        "create_source": contact.create_source,
        "created_at": iso(contact.created_at),
        "updated_at": iso(contact.updated_at),
    }
    if contact.deleted_at:
        shown["deleted_at"] = datetime.fromtimestamp(contact.deleted_at, UTC).date().isoformat()
    if "list_memberships" in include:
        shown["list_memberships"] = list(contact.lists)
    return shown | {name: contact.parts.get(name, []) for name in PARTS if name in include}


def show_address(contact: Contact) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "address": contact.address,
        "permission_to_send": contact.permission,
        "created_at": iso_eastern(contact.email_created_at),
        "updated_at": iso_eastern(contact.email_updated_at),
    }
    if contact.opt_in_source:
        shown |= {"opt_in_source": contact.opt_in_source, "opt_in_date": iso(contact.opt_in_date)}
    if contact.opt_out_source and (contact.permission == "unsubscribed" or contact.deleted_at):
        shown |= {"opt_out_source": contact.opt_out_source, "opt_out_date": iso(contact.opt_out_date)}
        if contact.opt_out_reason:
            shown["opt_out_reason"] = contact.opt_out_reason
    return {**shown, "confirm_status": contact.confirm_status}


def show_list(found: ContactList, count: int | None = None) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "list_id": found.list_id,
        "name": found.name,
        "description": found.description,
        "favorite": found.favorite,
        "created_at": iso(found.created_at),
        "updated_at": iso_eastern(found.updated_at),
    }
    if found.deleted_at:
        shown["deleted_at"] = iso(found.deleted_at)
    return shown if count is None else {**shown, "membership_count": count}


def members(account: Account, kind: str) -> Counter[str]:
    """How many are on each list: those who may be mailed (`active`), or `all`."""

    def count() -> Counter[str]:
        found: Counter[str] = Counter()
        for contact in account.contacts:
            if contact.lists and (kind == "all" or contact.status == "active"):
                found.update(contact.lists.keys())
        return found

    return account.cached(("members", kind), count)  # type: ignore[no-any-return]


def statuses(account: Account) -> Counter[str]:
    """How many contacts have each status."""
    return account.cached("statuses", lambda: Counter(each.status for each in account.contacts))  # type: ignore[no-any-return]


def show_activity(activity: Activity, *, errors_as_objects: bool = False) -> dict[str, Any]:
    """Counters only, and those only at the end: nobody is ever named."""
    latest = activity.completed_at or activity.started_at or activity.created_at
    errors: list[Any] = [{"message": each} for each in activity.errors] if errors_as_objects else activity.errors
    shown: dict[str, Any] = {
        "activity_id": activity.activity_id,
        "state": activity.state,
        "created_at": iso(activity.created_at),
        "updated_at": iso(latest),
        "percent_done": {"initialized": 1, "processing": 50}.get(activity.state, 100),
        "activity_errors": errors,
        "status": activity.counters,
        "_links": {"self": {"href": f"/v3/activities/{activity.activity_id}"}},
    }
    if activity.started_at:
        shown["started_at"] = iso(activity.started_at)
    if activity.completed_at:
        shown["completed_at"] = iso(activity.completed_at)
    return shown
