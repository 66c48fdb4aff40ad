"""The account itself: who is connected, what the connected user may do, and its custom fields."""

from __future__ import annotations

from typing import Any

from tests.fakes.constant_contact import paging
from tests.fakes.constant_contact import shapes as s
from tests.fakes.constant_contact.call import Answer, Call
from tests.fakes.constant_contact.contacts import READ, WRITE
from tests.fakes.constant_contact.errors import conflict
from tests.fakes.constant_contact.state import iso

ACCOUNT = ("account_read", "")
ANYBODY = ("", "")
EXTRA = ("physical_address", "company_logo")
FIELD = s.Shape(
    {"label": s.text(50), "type": s.text(20), "metadata": s.anything, "choices": s.anything, "version": s.anything},
    required=("label", "type"),
)


def summary(call: Call) -> Answer:
    call.knows("extra_fields")
    extra = call.words("extra_fields", EXTRA)
    hidden = set(EXTRA) - extra
    return Answer({name: value for name, value in call.account.summary.items() if name not in hidden})


def privileges(call: Call) -> Answer:
    """Of any scope: it tells which cause a 403 has."""
    held = enumerate(call.account.privileges, 101)
    return Answer([{"privilege_id": number, "privilege_name": name} for number, name in held])


def fields(call: Call) -> Answer:
    start = paging.begin(call, "limit")
    limit = call.number("limit", 50, most=100)
    rows, following = paging.page(list(call.account.custom_fields.values()), start, limit, lambda each: True)
    return Answer({"custom_fields": rows, "_links": paging.links(call, following)})


def create_field(call: Call) -> Answer:
    wish = call.body(FIELD)
    name = wish["label"].replace(" ", "_")
    if any(each["name"].lower() == name.lower() for each in call.account.custom_fields.values()):
        raise conflict(f"A custom field with the label {wish['label']} already exists.")
    made: dict[str, Any] = {
        "custom_field_id": call.account.next_id("field"),
        "label": wish["label"],
        "name": name,
        "type": wish["type"],
        "created_at": iso(call.now),
        "updated_at": iso(call.now),
    }
    call.account.custom_fields[made["custom_field_id"]] = made
    return Answer(made, 201)


ROUTES = [
    ("GET", "/account/summary", summary, ACCOUNT),
    ("GET", "/account/user/privileges", privileges, ANYBODY),
    ("GET", "/contact_custom_fields", fields, READ),
    ("POST", "/contact_custom_fields", create_field, WRITE),
]
