"""The members of an audience, one at a time. Listing them is in member_listing.py."""

from __future__ import annotations

from typing import Any

from tests.fakes.mailchimp import shapes as s
from tests.fakes.mailchimp.call import Answer, Call, find_member
from tests.fakes.mailchimp.errors import invalid, member_exists, not_found
from tests.fakes.mailchimp.shown import show_member
from tests.fakes.mailchimp.state import Audience, Member, address_id
from tests.fakes.mailchimp.transitions import PATCH_STATUSES, STATUSES
from tests.fakes.mailchimp.writing import Writer

SCHEMA = "Lists/Members/Instance"
FIELDS: dict[str, s.Rule] = {
    "email_address": s.text(),
    "email_type": s.one_of("html", "text"),
    "status": s.one_of(*STATUSES),
    "status_if_new": s.one_of(*STATUSES),
    "merge_fields": s.mapping,
    "interests": s.mapping,
    "language": s.text(),
    "vip": s.boolean,
    "location": s.shape({"latitude": s.number, "longitude": s.number}),
    "ip_signup": s.internet_address,
    "timestamp_signup": s.moment,
    "ip_opt": s.internet_address,
    "timestamp_opt": s.moment,
    "tags": s.list_of(s.text(100)),
}
POST = s.shape(FIELDS, required=("email_address", "status"))
PUT = s.shape({key: rule for key, rule in FIELDS.items() if key != "tags"})
PUT_WITH_TAGS = s.shape(FIELDS)
PATCH = s.shape({**FIELDS, "status": s.one_of(*PATCH_STATUSES)})


def writer(call: Call, audience: Audience) -> Writer:
    return Writer(
        call.account,
        audience,
        call.now,
        call.sandbox.options,
        call.sandbox.telling(call.account),
        by=call.by,
        ip=call.ip,
        skip_required=call.flag("skip_merge_validation"),
    )


def shown(audience: Audience, member: Member) -> Answer:
    return Answer(show_member(audience, member), SCHEMA, dashboard=member.web_id)


def the_member(audience: Audience, key: str, *, hash_only: bool = False) -> Member:
    if member := find_member(audience, key, hash_only=hash_only):
        return member
    raise not_found()


def create(call: Call, list_id: str) -> Answer:
    audience = call.audience(list_id)
    row = call.body(POST)
    check_interests(row)
    write = writer(call, audience)
    member = audience.members.get(address_id(row["email_address"]))
    if member is None:
        return shown(audience, write.create(row["email_address"], row, row["status"]))
    if member.status != "archived":
        raise member_exists(row["email_address"])
    write.change(member, row, row["status"], revive=True)
    return shown(audience, member)


def read(call: Call, list_id: str, key: str) -> Answer:
    audience = call.audience(list_id)
    return shown(audience, the_member(audience, key))


def put(call: Call, list_id: str, key: str) -> Answer:
    audience = call.audience(list_id)
    row = call.body(PUT_WITH_TAGS if call.sandbox.options.put_takes_tags else PUT)
    if not call.sandbox.options.put_takes_tags:
        row.pop("tags", None)
    check_interests(row)
    write = writer(call, audience)
    if member := find_member(audience, key):
        write.change(member, row, row.get("status"))
        return shown(audience, member)
    # Nobody at this path: the address in the body decides who is meant.
    status = row.get("status_if_new") or row.get("status")
    needed = {"email_address": row.get("email_address"), "status_if_new": status}
    if missing := [name for name, value in needed.items() if not value]:
        raise invalid("", f"Required fields were not provided: {', '.join(missing)}")
    if address_id(row["email_address"]) in audience.members:
        raise member_exists(row["email_address"])
    return shown(audience, write.create(row["email_address"], row, str(status)))


def patch(call: Call, list_id: str, key: str) -> Answer:
    audience = call.audience(list_id)
    member = the_member(audience, key)
    row = call.body(PATCH)
    row.pop("tags", None)
    check_interests(row)
    writer(call, audience).change(member, row, row.get("status"))
    return shown(audience, member)


def archive(call: Call, list_id: str, key: str) -> Answer:
    audience = call.audience(list_id)
    writer(call, audience).archive(the_member(audience, key))
    return Answer()


def delete_permanent(call: Call, list_id: str, key: str) -> Answer:
    audience = call.audience(list_id)
    writer(call, audience).erase(the_member(audience, key, hash_only=True))
    return Answer()


def check_interests(row: dict[str, Any]) -> None:
    """The sandbox's audiences have no groups, so every interest id is unknown."""
    if row.get("interests"):
        message = f"Invalid interest ID: '{next(iter(row['interests']))}'."
        raise invalid("interests", message)


ROUTES = [
    ("POST", "/lists/<list_id>/members", create),
    ("GET", "/lists/<list_id>/members/<key>", read),
    ("PUT", "/lists/<list_id>/members/<key>", put),
    ("PATCH", "/lists/<list_id>/members/<key>", patch),
    ("DELETE", "/lists/<list_id>/members/<key>", archive),
    ("POST", "/lists/<list_id>/members/<key>/actions/delete-permanent", delete_permanent),
]
