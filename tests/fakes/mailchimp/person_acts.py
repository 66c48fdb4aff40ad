"""What a person does with the vendor's mails and forms. Webhooks tell it with the source "user"."""

from __future__ import annotations

from tests.fakes.mailchimp.act import Act
from tests.fakes.mailchimp.state import address_id


def leave(act: Act) -> None:
    member = act.member
    if member.status not in ("subscribed", "pending", "transactional"):
        raise ValueError(f"{act.email} is {member.status} already.")
    member.unsubscribed_by = "contact"
    member.unsubscribe_reason = str(act.wish.get("reason") or "NORMAL")
    act.write.change(member, {}, "unsubscribed")


def confirm(act: Act) -> None:
    member = act.member
    if member.status != "pending":
        raise ValueError(f"{act.email} has no confirmation waiting.")
    member.unsubscribed_by = ""
    act.write.change(member, {}, "subscribed")


def change_address(act: Act) -> None:
    act.write.change(act.member, {"email_address": str(act.wish["new_email"]).strip()}, None)


def update_profile(act: Act) -> None:
    act.write.change(act.member, {"merge_fields": act.wish.get("merge_fields", {})}, None)


def sign_up(act: Act) -> None:
    """The vendor's hosted form: the one way back for whoever left, bounced or was erased."""
    write, audience = act.write, act.audience
    status = "pending" if audience.settings["double_optin"] else "subscribed"
    row = {"merge_fields": act.wish.get("merge_fields", {})}
    if member := audience.members.get(address_id(act.email)):
        if status == "subscribed":
            member.unsubscribed_by = ""
        write.change(member, row, status, revive=True)
    else:
        write.create(act.email, row, status)
    audience.forgotten.discard(address_id(act.email))


def complain(act: Act) -> None:
    """An abuse report: shown as cleaned, or as unsubscribed with ``shown_as``."""
    member = act.member
    member.unsubscribed_by, member.unsubscribe_reason = "complaint", "Abuse complaint"
    act.write.change(member, {}, str(act.wish.get("shown_as") or "cleaned"))
