"""Contact lists: at most 1,000, names of their own, deleted in the background."""

from __future__ import annotations

from typing import Any

from tests.fakes.constant_contact import paging
from tests.fakes.constant_contact import shapes as s
from tests.fakes.constant_contact.activities import submit
from tests.fakes.constant_contact.call import Answer, Call
from tests.fakes.constant_contact.errors import conflict, invalid
from tests.fakes.constant_contact.shown import members, show_activity, show_list
from tests.fakes.constant_contact.state import Account, ContactList

READ = ("contact_data", "contacts:lists:read")
WRITE = ("contact_data", "contacts:lists:write")
MOST = 1_000
BODY = s.Shape(
    {"name": s.text(255), "favorite": s.boolean, "description": s.text()},
    required=("name",),
    readable=("list_id", "created_at", "updated_at", "membership_count"),
)


def living(account: Account) -> list[ContactList]:
    return [each for each in account.lists.values() if not each.deleted_at]


def new_list(account: Account, name: str, now: float, **more: Any) -> ContactList:
    found = ContactList(account.next_id("list"), name, created_at=now, updated_at=now, **more)
    account.lists[found.list_id] = found
    account.version += 1
    return found


def named(account: Account, name: str) -> ContactList | None:
    return next((each for each in living(account) if each.name.lower() == name.lower()), None)


def shown(call: Call, found: ContactList) -> dict[str, Any]:
    kind = call.words("include_membership_count", ("active", "all"))
    return show_list(found, members(call.account, min(kind))[found.list_id] if kind else None)


def index(call: Call) -> Answer:
    start = paging.begin(
        call, "limit", "include_count", "include_membership_count", "name", "status", "channel_type",
        "include_sms_membership_count",
    )  # fmt: skip
    limit = call.number("limit", 50, most=1_000)
    statuses = call.words("status", ("all", "active", "deleted")) or {"active"}
    is_email = call.words("channel_type", ("email", "sms")) != {"sms"}
    name = call.query.get("name", "").lower()

    def fits(each: ContactList) -> bool:
        status = "deleted" if each.deleted_at else "active"
        return is_email and bool(statuses & {"all", status}) and name in ("", each.name.lower())

    everything = list(call.account.lists.values())
    rows, following = paging.page(everything, start, limit, fits)
    content: dict[str, Any] = {"lists": [shown(call, each) for each in rows]}
    if call.flag("include_count"):
        content["lists_count"] = sum(map(fits, everything))
    return Answer({**content, "_links": paging.links(call, following)})


def create(call: Call) -> Answer:
    wish = call.body(BODY)
    if not wish["name"].strip():
        raise invalid("#/name: must not be blank")
    if named(call.account, wish["name"]):
        raise conflict(f"A contact list with the name {wish['name']} already exists.")
    if len(living(call.account)) >= MOST:
        raise invalid(f"An account can have {MOST:,} contact lists at most.")
    more = {"description": wish.get("description", ""), "favorite": wish.get("favorite", False)}
    return Answer(show_list(new_list(call.account, wish["name"], call.now, **more)), 201)


def read(call: Call, list_id: str) -> Answer:
    call.knows("include_membership_count")
    return Answer(shown(call, call.list(list_id)))


def put(call: Call, list_id: str) -> Answer:
    """All three are replaced. The description knows no 409 here, so a taken name is a 400."""
    found, wish = call.list(list_id), call.body(BODY)
    if not wish["name"].strip():
        raise invalid("#/name: must not be blank")
    if (other := named(call.account, wish["name"])) and other is not found:
        raise invalid(f"#/name: a contact list with the name {wish['name']} already exists")
    found.name, found.favorite = wish["name"], wish.get("favorite", False)
    found.description, found.updated_at = wish.get("description", ""), call.now
    call.account.version += 1
    return Answer(show_list(found))


def delete(call: Call, list_id: str) -> Answer:
    """Accepted, and done later; the list is there until then."""
    activity = submit(call, "list_delete", {"list_ids": [call.list(list_id).list_id]})
    shown = show_activity(activity)
    del shown["status"]
    return Answer(shown, 202, location=shown["_links"]["self"]["href"])


ROUTES = [
    ("GET", "/contact_lists", index, READ),
    ("POST", "/contact_lists", create, WRITE),
    ("GET", "/contact_lists/<list_id>", read, READ),
    ("PUT", "/contact_lists/<list_id>", put, WRITE),
    ("DELETE", "/contact_lists/<list_id>", delete, WRITE),
]
