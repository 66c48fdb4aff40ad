"""Tags of a member, and the search for tags. A tag is a static segment seen from the member's side."""

from __future__ import annotations

from tests.fakes.mailchimp import shapes as s
from tests.fakes.mailchimp.call import Answer, Call
from tests.fakes.mailchimp.errors import invalid
from tests.fakes.mailchimp.members import the_member, writer
from tests.fakes.mailchimp.paging import page
from tests.fakes.mailchimp.state import iso
from tests.fakes.mailchimp.tagging import find_tag

ONE = s.shape({"name": s.text(100), "status": s.one_of("inactive", "active")}, required=("name", "status"))
POST = s.shape({"tags": s.list_of(ONE), "is_syncing": s.boolean}, required=("tags",))


def index(call: Call, list_id: str, key: str) -> Answer:
    audience = call.audience(list_id)
    member = the_member(audience, key)

    def show(tag: tuple[int, int]) -> dict[str, object]:
        number, added = tag
        return {"id": number, "name": audience.segments[number].name, "date_added": iso(added)}

    rows, total = page(call, list(member.tags.items()), show)
    return Answer({"tags": rows, "total_items": total}, "Lists/Members/Tags/Collection")


def update(call: Call, list_id: str, key: str) -> Answer:
    """Put tags on and take them off; an unknown one that becomes active is made."""
    audience = call.audience(list_id)
    member = the_member(audience, key, hash_only=True)
    tags = call.body(POST)["tags"]
    if any(not tag["name"].strip() for tag in tags):
        raise invalid("tags", "This value should not be blank.")
    write = writer(call, audience)
    for tag in tags:
        if tag["status"] == "active":
            write.put_on(member, write.segment(tag["name"]).id)
        elif known := find_tag(audience, tag["name"]):
            write.take_off(member, known.id)
    return Answer()


def search(call: Call, list_id: str) -> Answer:
    audience = call.audience(list_id)
    prefix = call.query.get("name", "").lower()
    found = [
        {"id": each.id, "name": each.name}
        for each in audience.segments.values()
        if each.type == "static" and each.name.lower().startswith(prefix)
    ]
    return Answer({"tags": found, "total_items": len(found)}, "Lists/TagSearch")


ROUTES = [
    ("GET", "/lists/<list_id>/members/<key>/tags", index),
    ("POST", "/lists/<list_id>/members/<key>/tags", update),
    ("GET", "/lists/<list_id>/tag-search", search),
]
