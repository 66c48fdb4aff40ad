"""What an account holder, or the vendor itself, does in the vendor's own pages."""

from __future__ import annotations

from typing import Any

from tests.fakes.constant_contact import activity_work, person_acts
from tests.fakes.constant_contact.act import Act
from tests.fakes.constant_contact.lists import named, new_list
from tests.fakes.values import is_address

SWITCHES = ("privileges", "confirmed_opt_in")


# -- the account ---------------------------------------------------------------------------------


def revoke(act: Act) -> None:
    """No app is connected any more."""
    with act.sandbox.tokens_lock:
        act.account.grants.clear()
        act.sandbox.reindex()


def expire_tokens(act: Act) -> None:
    """As if 24 hours had passed for the access tokens, and nothing else."""
    with act.sandbox.tokens_lock:
        for grant in act.account.grants:
            grant.access.clear()
        act.sandbox.reindex()


def set_account(act: Act) -> None:
    for name in SWITCHES:
        if name in act.wish:
            setattr(act.account, name, act.wish[name])


def spend_calls(act: Act) -> None:
    """As if the application (`client_id`) had made so many calls today, for whatever accounts."""
    client_id = str(act.wish.get("client_id") or next(iter(act.sandbox.oauth.apps)))
    act.sandbox.quota.spend(client_id, int(act.wish["calls"]), act.now)


def finish_activities(act: Act) -> dict[str, Any]:
    """End what is waiting now, as `state` (completed without one)."""
    waiting = list(act.account.waiting)
    for activity in waiting:
        activity.started_at = activity.started_at or act.now
        activity_work.finish(act.account, activity, act.now, act.sandbox.options, str(act.wish.get("state") or ""))
    return {"finished": len(waiting)}


# -- people --------------------------------------------------------------------------------------


def add_contact(act: Act) -> None:
    if not is_address(act.email):
        raise ValueError(f"{act.email} is not an address.")
    lists = [act.list.list_id] if act.wish.get("list") else []
    row = {**act.fields, "email_address": {"address": act.email}, "list_memberships": lists}
    act.write.create(row, "Account", permitted=str(act.wish.get("permission") or "implicit"))


def add_crowd(act: Act) -> dict[str, Any]:
    """Many outside contacts at once, on a list."""
    write, prefix = act.write, str(act.wish.get("prefix") or "crowd")
    first, lists = len(act.account.contacts), [act.list.list_id]
    for number in range(first, first + int(act.wish.get("count", 100))):
        email = {"address": f"{prefix}{number}@crowdmail.test"}
        write.create({"email_address": email, "first_name": f"N{number}", "list_memberships": lists}, "Account")
    return {"contacts": len(act.account.contacts)}


def unsubscribe(act: Act) -> None:
    act.write.unsubscribe(act.contact, "Account", str(act.wish.get("reason") or ""))


def hold(act: Act) -> None:
    """The service suspends mail to somebody; what makes it do so is not documented."""
    act.contact.permission, act.contact.email_updated_at = "temp_hold", act.now
    act.account.version += 1


def release(act: Act) -> None:
    act.contact.permission, act.contact.email_updated_at = "implicit", act.now
    act.account.version += 1


def delete(act: Act) -> None:
    act.write.delete(act.contact)


def revive(act: Act) -> None:
    act.write.revive(act.contact)


def edit(act: Act) -> None:
    """Names and the like."""
    act.write.update(act.contact, act.fields)
    act.contact.update_source = "Account"


def change_address(act: Act) -> None:
    person_acts.change_address(act)


def put_on_list(act: Act) -> None:
    if not act.write.put_on(act.contact, [act.list.list_id]):
        raise ValueError("A contact can be on 50 lists at most.")


def take_off_list(act: Act) -> None:
    act.write.take_off(act.contact, [act.list.list_id])


# -- lists ---------------------------------------------------------------------------------------


def add_list(act: Act) -> dict[str, Any]:
    name = str(act.wish["name"]).strip()
    if not name or named(act.account, name):
        raise ValueError("A list needs a name that no other list has.")
    return {"list_id": new_list(act.account, name, act.now).list_id}


def rename_list(act: Act) -> None:
    found, name = act.list, str(act.wish["new_name"]).strip()
    if not name or named(act.account, name) not in (None, found):
        raise ValueError("A list needs a name that no other list has.")
    found.name, found.updated_at = name, act.now
    act.account.version += 1


def delete_list(act: Act) -> None:
    """At once, unlike by the API."""
    gone = act.list
    for contact in act.account.contacts:
        act.write.take_off(contact, [gone.list_id])
    gone.deleted_at = act.now
    act.account.version += 1
