"""What an account holder does in the vendor's own pages. Webhooks tell it with the source "admin"."""

from __future__ import annotations

from typing import Any

from tests.fakes.mailchimp.act import Act
from tests.fakes.mailchimp.errors import not_found
from tests.fakes.mailchimp.segments import check_name
from tests.fakes.mailchimp.state import address_id

SWITCHES = ("max_instances", "plan", "signed_webhooks", "disabled")


def revoke(act: Act) -> None:
    """Remove the authorized app; with ``keys`` the API key as well."""
    act.account.tokens.clear()
    if act.wish.get("keys"):
        act.account.api_key = ""
    act.sandbox.reindex()


def set_account(act: Act) -> None:
    for name in SWITCHES:
        if name in act.wish:
            setattr(act.account, name, act.wish[name])


def mark_busy(act: Act) -> None:
    act.account.busy.add(act.email.lower())


def add_member(act: Act) -> None:
    row = {"merge_fields": act.wish.get("merge_fields", {}), "tags": act.wish.get("tags", [])}
    if address_id(act.email) in act.audience.members:
        raise ValueError(f"{act.email} is in this audience already.")
    act.write.create(act.email, row, str(act.wish.get("status") or "subscribed"))


def add_crowd(act: Act) -> dict[str, Any]:
    """Many outside members at once."""
    write, prefix = act.write, str(act.wish.get("prefix") or "crowd")
    first = len(act.audience.members)
    for number in range(first, first + int(act.wish.get("count", 100))):
        write.create(f"{prefix}{number}@crowdmail.test", {"merge_fields": {"FNAME": f"N{number}"}}, "subscribed")
    return {"members": len(act.audience.members)}


def archive(act: Act) -> None:
    act.write.archive(act.member)


def erase(act: Act) -> None:
    act.write.erase(act.member)


def unsubscribe(act: Act) -> None:
    act.write.change(act.member, {}, "unsubscribed")


def clean(act: Act) -> None:
    member = act.member
    if act.wish.get("reason") == "abuse":
        member.unsubscribed_by = "complaint"
    act.write.change(member, {}, "cleaned")


def add_tag(act: Act) -> None:
    act.write.tag(act.member, [str(act.wish["tag"])])


def remove_tag(act: Act) -> None:
    act.write.take_off(act.member, act.tag.id)


def rename_tag(act: Act) -> None:
    tag, name = act.tag, str(act.wish["new_name"]).strip()
    if name.lower() != tag.name.lower():
        check_name(act.audience, name)
    tag.name = name
    act.audience.version += 1


def delete_tag(act: Act) -> None:
    audience, tag, write = act.audience, act.tag, act.write
    for contact in list(tag.contacts):
        write.take_off(audience.by_contact[contact], tag.id)
    del audience.segments[tag.id]
    audience.version += 1


def delete_audience(act: Act) -> None:
    del act.account.audiences[act.audience.id]


def rename_audience(act: Act) -> None:
    act.audience.settings["name"] = str(act.wish["new_name"]).strip()


def set_audience(act: Act) -> None:
    """Switch double opt-in."""
    act.audience.settings["double_optin"] = bool(act.wish.get("double_optin"))


def require_field(act: Act) -> None:
    """Make a merge field required, or not."""
    fields = act.audience.merge_fields.values()
    field = next((each for each in fields if each.tag == act.wish.get("tag")), None)
    if field is None:
        raise not_found()
    field.required = bool(act.wish.get("required", True))
