"""Segments of an audience. Static ones are the tags; saved ones keep their conditions and hold nobody."""

from __future__ import annotations

from collections.abc import Iterable

from tests.fakes.mailchimp import shapes as s
from tests.fakes.mailchimp.call import Answer, Call, find_member
from tests.fakes.mailchimp.errors import bad_request, invalid, not_found
from tests.fakes.mailchimp.members import shown, the_member, writer
from tests.fakes.mailchimp.paging import page
from tests.fakes.mailchimp.shown import member_shower, show_segment
from tests.fakes.mailchimp.state import Audience, Member, Segment, address_id
from tests.fakes.mailchimp.tagging import find_tag

SCHEMA = "Lists/Segments/Instance"
MOST = 500
OPTIONS = s.shape({"match": s.one_of("any", "all"), "conditions": s.list_of(s.mapping)})
FIELDS = {"name": s.text(100), "static_segment": s.list_of(s.text(), MOST), "options": OPTIONS}
WHOLE = s.shape(FIELDS, required=("name",))
BATCH = s.shape({"members_to_add": s.list_of(s.text(), MOST), "members_to_remove": s.list_of(s.text(), MOST)})
ONE = s.shape({"email_address": s.text()}, required=("email_address",))


def the_segment(audience: Audience, number: str) -> Segment:
    if number.isdecimal() and (segment := audience.segments.get(int(number))):
        return segment
    raise not_found()


def people(audience: Audience, addresses: Iterable[str]) -> list[Member]:
    """Those of the addresses that are on the list; the others are ignored without a word."""
    found = (audience.members.get(address_id(email)) for email in dict.fromkeys(addresses))
    return [member for member in found if member and member.status != "archived"]


def index(call: Call, list_id: str) -> Answer:
    audience = call.audience(list_id)
    rows = list(audience.segments.values())
    if kind := call.choice("type", "saved", "static", "fuzzy"):
        rows = [each for each in rows if each.type == kind]
    for name in ("created_at", "updated_at"):
        if (since := call.time(f"since_{name}")) is not None:
            rows = [each for each in rows if getattr(each, name) > since]
        if (before := call.time(f"before_{name}")) is not None:
            rows = [each for each in rows if getattr(each, name) < before]
    shown_rows, total = page(call, rows, lambda each: show_segment(audience, each))
    content = {"segments": shown_rows, "list_id": list_id, "total_items": total}
    return Answer(content, "Lists/Segments/Collection")


def create(call: Call, list_id: str) -> Answer:
    audience = call.audience(list_id)
    wish = call.body(WHOLE)
    check_name(audience, wish["name"])
    if "static_segment" not in wish and "options" not in wish:
        raise invalid("", "Required fields were not provided: static_segment or options")
    write = writer(call, audience)
    segment = write.new_segment(wish["name"].strip(), "static" if "static_segment" in wish else "saved")
    segment.options = wish.get("options", {})
    for member in people(audience, wish.get("static_segment", [])):
        write.put_on(member, segment.id)
    return Answer(show_segment(audience, segment), SCHEMA)


def read(call: Call, list_id: str, number: str) -> Answer:
    audience = call.audience(list_id)
    return Answer(show_segment(audience, the_segment(audience, number)), SCHEMA)


def patch(call: Call, list_id: str, number: str) -> Answer:
    """Rename; a given static_segment replaces who is in it, an empty one removes everybody."""
    audience = call.audience(list_id)
    segment = the_segment(audience, number)
    wish = call.body(WHOLE)
    if wish["name"].strip().lower() != segment.name.lower():
        check_name(audience, wish["name"])
    write = writer(call, audience)
    segment.name, segment.updated_at = wish["name"].strip(), call.now
    segment.options = wish.get("options", segment.options)
    if "static_segment" in wish:
        wanted = {member.contact_id: member for member in people(audience, wish["static_segment"])}
        for contact in [each for each in segment.contacts if each not in wanted]:
            write.take_off(audience.by_contact[contact], segment.id)
        for member in wanted.values():
            write.put_on(member, segment.id)
    audience.version += 1
    return Answer(show_segment(audience, segment), SCHEMA)


def batch(call: Call, list_id: str, number: str) -> Answer:
    audience = call.audience(list_id)
    segment = the_segment(audience, number)
    wish = call.body(BATCH)
    if segment.type != "static":
        raise bad_request("Members can only be added to or removed from a static segment.")
    write = writer(call, audience)
    add = people(audience, wish.get("members_to_add", []))
    remove = people(audience, wish.get("members_to_remove", []))
    added = [member for member in add if write.put_on(member, segment.id)]
    removed = [member for member in remove if write.take_off(member, segment.id)]
    show = member_shower(audience)
    content = {
        "members_added": [show(member) for member in added],
        "members_removed": [show(member) for member in removed],
        "errors": [],
        "total_added": len(added),
        "total_removed": len(removed),
        "error_count": 0,
    }
    return Answer(content, SCHEMA)


def delete(call: Call, list_id: str, number: str) -> Answer:
    audience = call.audience(list_id)
    segment = the_segment(audience, number)
    write = writer(call, audience)
    for contact in list(segment.contacts):
        write.take_off(audience.by_contact[contact], segment.id)
    del audience.segments[segment.id]
    audience.version += 1
    return Answer()


def members(call: Call, list_id: str, number: str) -> Answer:
    """Its subscribed and pending members; the others only when asked for."""
    audience = call.audience(list_id)
    segment = the_segment(audience, number)
    statuses = {"subscribed", "pending"}
    statuses |= {kind for kind in ("cleaned", "transactional", "unsubscribed") if call.flag(f"include_{kind}")}
    found = [audience.by_contact[each] for each in segment.contacts]
    rows, total = page(call, [m for m in found if m.status in statuses], member_shower(audience))
    return Answer({"members": rows, "total_items": total}, "Lists/Segments/Members/Collection")


def add_member(call: Call, list_id: str, number: str) -> Answer:
    audience = call.audience(list_id)
    segment = the_segment(audience, number)
    email = call.body(ONE)["email_address"]
    if (member := find_member(audience, email)) is None or member.status == "archived":
        raise bad_request(f"{email} is not a member of this list.")
    writer(call, audience).put_on(member, segment.id)
    return shown(audience, member)


def remove_member(call: Call, list_id: str, number: str, key: str) -> Answer:
    audience = call.audience(list_id)
    segment = the_segment(audience, number)
    if not writer(call, audience).take_off(the_member(audience, key), segment.id):
        raise not_found()
    return Answer()


def check_name(audience: Audience, name: str) -> None:
    if not name.strip():
        raise invalid("name", "This value should not be blank.")
    if find_tag(audience, name):
        raise bad_request("Sorry, that tag already exists.")


ROUTES = [
    ("GET", "/lists/<list_id>/segments", index),
    ("POST", "/lists/<list_id>/segments", create),
    ("GET", "/lists/<list_id>/segments/<number>", read),
    ("PATCH", "/lists/<list_id>/segments/<number>", patch),
    ("POST", "/lists/<list_id>/segments/<number>", batch),
    ("DELETE", "/lists/<list_id>/segments/<number>", delete),
    ("GET", "/lists/<list_id>/segments/<number>/members", members),
    ("POST", "/lists/<list_id>/segments/<number>/members", add_member),
    ("DELETE", "/lists/<list_id>/segments/<number>/members/<key>", remove_member),
]
