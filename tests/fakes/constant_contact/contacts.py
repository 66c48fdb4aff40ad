"""The contacts of an account, one at a time. Listing them is in contact_listing.py."""

from __future__ import annotations

from tests.fakes.constant_contact import contact_shapes as shapes
from tests.fakes.constant_contact.call import Answer, Call
from tests.fakes.constant_contact.errors import conflict, invalid, not_found
from tests.fakes.constant_contact.shown import INCLUDES, show_contact
from tests.fakes.constant_contact.state import Contact
from tests.fakes.constant_contact.writing import Writer

READ = ("contact_data", "contacts:read")
WRITE = ("contact_data", "contacts:write")


def writer(call: Call) -> Writer:
    return Writer(call.account, call.now, call.options)


def written(call: Call, contact: Contact, status: int = 200) -> Answer:
    include = INCLUDES if call.options.writes_show_everything else ()
    return Answer(show_contact(contact, include), status)


def create(call: Call) -> Answer:
    row = call.body(shapes.POST)
    if not any(row.get(name) for name in ("first_name", "last_name", "email_address", "sms_channel")):
        raise invalid("#: one of first_name, last_name, email_address, sms_channel is required")
    return written(call, writer(call).create(row, row["create_source"]), 201)


def read(call: Call, contact_id: str) -> Answer:
    call.knows("include")
    include = call.words("include", INCLUDES)
    return Answer(show_contact(call.contact(contact_id), include))


def put(call: Call, contact_id: str) -> Answer:
    contact = call.contact(contact_id)
    writer(call).replace(contact, call.body(shapes.PUT))
    return written(call, contact)


def delete(call: Call, contact_id: str) -> Answer:
    writer(call).delete(call.contact(contact_id))
    return Answer(None, 204)


def resubscribe(call: Call, contact_id: str) -> Answer:
    """One confirmation mail, ever; the answer is empty, and nothing counts before the click."""
    contact = call.contact(contact_id)
    lists = [each.lower() for each in call.body(shapes.RESUBSCRIBE)["list_ids"]]
    if contact.deleted_at:
        raise not_found(f"Contact {contact_id} was not found.")
    if contact.permission != "unsubscribed":
        raise conflict("Contact is not unsubscribed.")
    if contact.was_resubscribed:
        raise conflict("A resubscribe email has already been sent to this contact.")
    write = writer(call)
    write.check_lists(lists)
    if not write.put_on(contact, lists):
        raise invalid("#/list_ids: a contact can be on 50 lists at most")
    contact.was_resubscribed = True
    contact.confirmations += 1
    contact.confirm_status = "pending"
    if call.options.resubscribe_shows_pending:
        contact.permission = "pending_confirmation"
        contact.email_updated_at = call.now
    call.account.version += 1
    return Answer()


ROUTES = [
    ("POST", "/contacts", create, WRITE),
    ("GET", "/contacts/<contact_id>", read, READ),
    ("PUT", "/contacts/<contact_id>", put, WRITE),
    ("DELETE", "/contacts/<contact_id>", delete, WRITE),
    ("PUT", "/contacts/resubscribe/<contact_id>", resubscribe, WRITE),
]
