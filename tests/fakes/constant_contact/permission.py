"""Who may be mailed: what may change a permission, and into what. Nothing is touched by a refused change."""

from __future__ import annotations

from tests.fakes.constant_contact.errors import invalid
from tests.fakes.constant_contact.state import Contact

GONE = "Contact has unsubscribed and cannot be opted in by the account."


def check(contact: Contact, wanted: str, source: str) -> None:
    """Refuse a change of permission that this source may not make."""
    if wanted == contact.permission:
        return
    if wanted == "temp_hold":
        raise invalid("#/email_address/permission_to_send: temp_hold is set by the service only")
    if wanted == "unsubscribed":
        return
    if contact.permission == "temp_hold":
        raise invalid("#/email_address/permission_to_send: temp_hold is ended by the service only")
    if contact.opt_out_source == "Contact" and source == "Account" and has_opted_out(contact):
        raise invalid(f"#/email_address/permission_to_send: {GONE}")


def has_opted_out(contact: Contact) -> bool:
    """Unsubscribed, or asked back by a confirmation that nobody clicked yet."""
    waits = contact.permission == "pending_confirmation" and contact.opt_out_source == "Contact"
    return contact.permission == "unsubscribed" or waits


def change(contact: Contact, wanted: str, source: str, now: float, reason: str = "", *, clears: bool = False) -> None:
    """Give a contact another permission. Only the clock of the address moves."""
    if wanted == contact.permission:
        return
    if wanted == "unsubscribed":
        contact.opt_out_source, contact.opt_out_date, contact.opt_out_reason = source, now, reason
        if clears:
            contact.lists.clear()
    else:
        opt_in(contact, source, now)
        if wanted == "pending_confirmation":
            contact.confirmations += 1
    contact.confirm_status = "pending" if wanted == "pending_confirmation" else "off"
    contact.permission, contact.email_updated_at = wanted, now


def opt_in(contact: Contact, source: str, now: float) -> None:
    contact.opt_in_source, contact.opt_in_date = source, now
    contact.opt_out_source, contact.opt_out_date, contact.opt_out_reason = "", 0, ""
