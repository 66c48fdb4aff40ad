"""The columns of an audience: `/lists/{id}/merge-fields`."""

from __future__ import annotations

import re
from typing import Any

from tests.fakes.mailchimp import shapes as s
from tests.fakes.mailchimp.call import Answer, Call
from tests.fakes.mailchimp.errors import bad_request, invalid, not_found
from tests.fakes.mailchimp.merge_values import READERS
from tests.fakes.mailchimp.paging import page
from tests.fakes.mailchimp.shown import show_merge_field
from tests.fakes.mailchimp.state import Audience, MergeField

SCHEMA = "Lists/MergeFields/Instance"
MOST = 80
OPTIONS = s.shape(
    {
        "default_country": s.integer,
        "phone_format": s.text(),
        "date_format": s.text(),
        "choices": s.list_of(s.text()),
        "size": s.integer,
    }
)
FIELDS: dict[str, s.Rule] = {
    "tag": s.text(10),
    "name": s.text(50),
    "required": s.boolean,
    "default_value": s.text(),
    "public": s.boolean,
    "display_order": s.integer,
    "options": OPTIONS,
    "help_text": s.text(),
}
POST = s.shape({**FIELDS, "type": s.one_of(*READERS)}, required=("name", "type"))
PATCH = s.shape(FIELDS, required=("name",))
KINDS_OF_OPTIONS: dict[str, dict[str, Any]] = {
    "text": {"size": 25},
    "address": {"default_country": 164},
    "phone": {"phone_format": "none"},
    "date": {"date_format": "MM/DD/YYYY"},
    "birthday": {"date_format": "MM/DD"},
    "radio": {"choices": []},
    "dropdown": {"choices": []},
}


def new_field(audience: Audience, wish: dict[str, Any]) -> MergeField:
    """A column added to the end of an audience."""
    number = max(audience.merge_fields, default=0) + 1
    wish = {key: value for key, value in wish.items() if key in FIELDS or key == "type"}
    wish["options"] = {**KINDS_OF_OPTIONS.get(wish["type"], {}), **wish.get("options", {})}
    wish["tag"] = (wish.get("tag") or f"MMERGE{number}").upper()
    wish.setdefault("display_order", number + 1)
    field = audience.merge_fields[number] = MergeField(merge_id=number, **wish)
    audience.version += 1
    return field


def the_field(audience: Audience, number: str) -> MergeField:
    if number.isdecimal() and (field := audience.merge_fields.get(int(number))):
        return field
    raise not_found()


def index(call: Call, list_id: str) -> Answer:
    audience = call.audience(list_id)
    rows = list(audience.merge_fields.values())
    if kind := call.choice("type", *READERS):
        rows = [field for field in rows if field.type == kind]
    if call.flag("required"):
        rows = [field for field in rows if field.required]
    shown, total = page(call, rows, lambda field: show_merge_field(audience, field))
    content = {"merge_fields": shown, "list_id": list_id, "total_items": total}
    return Answer(content, "Lists/MergeFields/Collection")


def create(call: Call, list_id: str) -> Answer:
    audience = call.audience(list_id)
    wish = call.body(POST)
    check_tag(audience, wish.get("tag", ""))
    if len(audience.merge_fields) >= MOST:
        raise bad_request(f"You've reached the limit of {MOST} merge fields for this list.")
    return Answer(show_merge_field(audience, new_field(audience, wish)), SCHEMA)


def read(call: Call, list_id: str, number: str) -> Answer:
    audience = call.audience(list_id)
    return Answer(show_merge_field(audience, the_field(audience, number)), SCHEMA)


def patch(call: Call, list_id: str, number: str) -> Answer:
    audience = call.audience(list_id)
    field = the_field(audience, number)
    wish = {key: value for key, value in call.body(PATCH).items() if key in FIELDS}
    old, new = field.tag, wish.get("tag", "").upper() or field.tag
    if new != old:
        check_tag(audience, new)
        for member in audience.members.values():
            if old in member.merge_fields:
                member.merge_fields[new] = member.merge_fields.pop(old)
    wish |= {"tag": new, "options": {**field.options, **wish.get("options", {})}}
    for name, value in wish.items():
        setattr(field, name, value)
    audience.version += 1
    return Answer(show_merge_field(audience, field), SCHEMA)


def delete(call: Call, list_id: str, number: str) -> Answer:
    audience = call.audience(list_id)
    field = the_field(audience, number)
    del audience.merge_fields[field.merge_id]
    for member in audience.members.values():
        member.merge_fields.pop(field.tag, None)
    audience.version += 1
    return Answer()


def check_tag(audience: Audience, tag: str) -> None:
    tag = tag.upper()
    if tag and not re.fullmatch(r"[A-Z][A-Z0-9_]*", tag):
        raise invalid("tag", "A merge tag may only hold letters, digits and underscores.")
    if tag == "EMAIL" or any(field.tag == tag for field in audience.merge_fields.values()):
        raise bad_request(f'A Merge Field with the tag "{tag}" already exists for this list.')


ROUTES = [
    ("GET", "/lists/<list_id>/merge-fields", index),
    ("POST", "/lists/<list_id>/merge-fields", create),
    ("GET", "/lists/<list_id>/merge-fields/<number>", read),
    ("PATCH", "/lists/<list_id>/merge-fields/<number>", patch),
    ("DELETE", "/lists/<list_id>/merge-fields/<number>", delete),
]
