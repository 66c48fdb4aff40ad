"""Reading contacts: filters, `include`, pages by cursor, and the counts of the whole account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fakes.constant_contact import paging
from tests.fakes.constant_contact.call import Answer, Call
from tests.fakes.constant_contact.contacts import READ
from tests.fakes.constant_contact.errors import invalid, not_found
from tests.fakes.constant_contact.shown import INCLUDES, show_contact
from tests.fakes.constant_contact.state import Contact, fold

STATUSES = ("all", "active", "deleted", "not_set", "pending_confirmation", "temp_hold", "unsubscribed")
SMS = ("all", "explicit", "unsubscribed", "pending_confirmation", "not_set")
KNOWN = ("status", "email", "lists", "segment_id", "tags", "updated_after", "updated_before", "created_after",
         "created_before", "optout_after", "optout_before", "include", "sms_status", "include_count",
         "limit")  # fmt: skip
MONTH = 30 * 86_400
Test = Callable[[Contact], bool]


def index(call: Call) -> Answer:
    start = paging.begin(call, *KNOWN)
    include = call.words("include", INCLUDES)
    limit = call.number("limit", 50, most=500)
    call.words("sms_status", SMS)
    tests = filters(call)

    def fits(contact: Contact) -> bool:
        return all(test(contact) for test in tests)

    if email := call.query.get("email"):
        # A lookup by address needs no walk over everybody.
        found = call.account.by_address.get(fold(email))
        rows, following = [found] if found and fits(found) else [], 0
    else:
        rows, following = paging.page(call.account.contacts, start, limit, fits)
    content: dict[str, Any] = {"contacts": [show_contact(each, include) for each in rows]}
    if call.flag("include_count"):
        everybody = rows if email else call.account.contacts
        content["contacts_count"] = sum(map(fits, everybody))
    return Answer({**content, "_links": paging.links(call, following)})


def filters(call: Call) -> list[Test]:
    """What a contact has to fulfil; deleted ones show only when asked for."""
    if "segment_id" in call.query:
        if set(call.query) - {"segment_id", "limit"}:
            raise invalid("segment_id: can only be combined with limit")
        raise not_found("The sandbox's accounts have no segments.")
    statuses = call.words("status", STATUSES)
    tests: list[Test] = []
    if not statuses:
        tests.append(lambda contact: not contact.deleted_at)
    elif "all" not in statuses:
        tests.append(lambda contact: contact.status in statuses)
    if lists := call.ids("lists", 25):
        tests.append(lambda contact: not lists.isdisjoint(contact.lists))
    if call.ids("tags", 50):
        tests.append(lambda contact: False)
    tests += span(call, "created", lambda contact: contact.created_at)
    # The contact's own clock: an opt-out does not move it.
    tests += span(call, "updated", lambda contact: contact.updated_at)
    if call.options.optout_filter_works:
        tests += span(call, "optout", lambda contact: contact.opt_out_date)
    return tests


def span(call: Call, name: str, clock: Callable[[Contact], float]) -> list[Test]:
    tests: list[Test] = []
    if (after := call.time(f"{name}_after")) is not None:
        tests.append(lambda contact: clock(contact) > after)
    if (before := call.time(f"{name}_before")) is not None:
        tests.append(lambda contact: 0 < clock(contact) < before)
    return tests


def counts(call: Call) -> Answer:
    call.knows("include")
    here = [each for each in call.account.contacts if not each.deleted_at]

    def having(*permissions: str) -> int:
        return sum(each.permission in permissions for each in here)

    content = {
        "total": len(here),
        "explicit": having("explicit"),
        "implicit": having("implicit"),
        "pending": having("pending_confirmation"),
        "unsubscribed": having("unsubscribed"),
    }
    if call.words("include", ("new_subscriber",)):
        content["new_subscriber"] = sum(
            each.status == "active" and each.opt_in_date > call.now - MONTH for each in here
        )
    return Answer(content)


ROUTES = [("GET", "/contacts", index, READ), ("GET", "/contacts/counts", counts, READ)]
