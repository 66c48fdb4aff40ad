"""`sign_up_form`: creates or updates, and opts people in, even those who unsubscribed.

Legal only when the person just asked. Every call is written down, so that a test can say that there was none.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

from tests.fakes.constant_contact import contact_shapes as shapes
from tests.fakes.constant_contact.call import Answer, Call
from tests.fakes.constant_contact.contacts import WRITE, writer
from tests.fakes.constant_contact.errors import conflict, invalid, not_found
from tests.fakes.constant_contact.state import CORE, fold

under_way: set[tuple[str, str, str]] = set()
guard = threading.Lock()


@contextlib.contextmanager
def alone(call: Call, address: str) -> Iterator[None]:
    """Refuse a second call for an address while the first is at it."""
    key = (call.sandbox.url, call.account.login, fold(address))
    with guard:
        if key in under_way:
            raise conflict("Simultaneous requests are attempting to modify the same contact.")
        under_way.add(key)
    try:
        if pause := call.options.sign_up_takes_s:
            with call.unlocked():
                time.sleep(pause)
        yield
    finally:
        with guard:
            under_way.discard(key)


def sign_up(call: Call) -> Answer:
    row = call.body(shapes.SIGN_UP)
    address = row.get("email_address", "")
    if not address and not row.get("sms_channel"):
        raise invalid("#: one of email_address, sms_channel is required")
    lists = [each.lower() for each in row["list_memberships"]]
    for each in lists:
        if each not in call.account.lists or call.account.lists[each].deleted_at:
            raise not_found(f"List {each} was not found.")
    with alone(call, address):
        write = writer(call)
        contact = call.account.by_address.get(fold(address))
        before = "" if contact is None else "deleted" if contact.deleted_at else contact.permission
        journal = {"at": round(call.now, 3), "email_address": address, "before": before}
        if contact is None:
            fields = {name: row[name] for name in CORE if row.get(name) is not None}
            permitted = "pending_confirmation" if call.account.confirmed_opt_in else "explicit"
            body = {**fields, "email_address": {"address": address}, "list_memberships": lists}
            contact = write.create(body, "Contact", permitted=permitted)
            call.account.sign_ups.append({**journal, "action": "created"})
            return Answer({"contact_id": contact.contact_id, "action": "created"}, 201)
        if contact.deleted_at:
            write.revive(contact)
        if not write.put_on(contact, lists):
            raise invalid("#/list_memberships: a contact can be on 50 lists at most")
        write.update(contact, row)
        write.opt_in(contact, "explicit")
        contact.update_source = "Contact"
        call.account.sign_ups.append({**journal, "action": "updated"})
        return Answer({"contact_id": contact.contact_id, "action": "updated"})


ROUTES = [("POST", "/contacts/sign_up_form", sign_up, WRITE)]
