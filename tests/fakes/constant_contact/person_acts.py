"""What a person does with the vendor's mails and forms. An app learns of it by asking only: there are no webhooks."""

from __future__ import annotations

from tests.fakes.constant_contact.act import Act
from tests.fakes.values import is_address


def leave(act: Act) -> None:
    """The link in a mail."""
    contact = act.contact
    if contact.permission == "unsubscribed":
        raise ValueError(f"{act.email} is unsubscribed already.")
    act.write.unsubscribe(contact, "Contact", str(act.wish.get("reason") or ""))


def confirm(act: Act) -> None:
    """The click in a confirmation mail."""
    contact = act.contact
    if contact.confirm_status != "pending":
        raise ValueError(f"{act.email} has no confirmation waiting.")
    act.write.opt_in(contact, "explicit")
    contact.confirm_status = "confirmed"


def sign_up(act: Act) -> None:
    """The vendor's hosted form: brings back whoever left or was deleted."""
    write, contact = act.write, act.account.by_address.get(act.email.lower())
    permitted = "pending_confirmation" if act.account.confirmed_opt_in else "explicit"
    if contact is None:
        row = {**act.fields, "email_address": {"address": act.email}, "list_memberships": [act.list.list_id]}
        write.create(row, "Contact", permitted=permitted)
        return
    if contact.deleted_at:
        write.revive(contact)
    write.put_on(contact, [act.list.list_id])
    write.opt_in(contact, permitted)
    contact.update_source = "Contact"


def change_address(act: Act) -> None:
    new = str(act.wish["new_email"]).strip()
    if not is_address(new):
        raise ValueError(f"{new} is not an address.")
    act.write.move(act.contact, new)


def update_profile(act: Act) -> None:
    contact = act.contact
    act.write.update(contact, act.fields)
    contact.update_source = "Contact"
