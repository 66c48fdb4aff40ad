"""Who is there: one by one, page by page, and whoever left. Every read asks for the lists, or none would be shown."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from django.conf import settings

from integrations.provider_kit.errors import CallFailed, Refused
from integrations.provider_kit.states import Member
from integrations.providers.constant_contact import activities
from integrations.providers.constant_contact.api import Api
from integrations.providers.constant_contact.members import Row, Where, email_of, seen

CONTACTS = "/v3/contacts"
INCLUDE = {"include": "list_memberships"}
LEFT, DELETED = "unsubscribed", "deleted"
FEW = 5  # so many are asked about one by one
PENDING = "pending_confirmation"


def read(api: Api, contact_id: str) -> Row | None:
    """One contact by id, deleted or not; None if there is nobody."""
    try:
        row: Row = api.call("GET", f"{CONTACTS}/{quote(contact_id, safe='')}", query=INCLUDE)
    except CallFailed as failure:
        if getattr(failure.outcome, "code", "") != "not_found":
            raise
        return None
    return row


def search(api: Api, address: str) -> Row | None:
    """The one contact with this address, in any status: an address is unique there, deleted contacts included."""
    rows, _ = api.page("", CONTACTS, "contacts", email=address, status="all", **INCLUDE)
    return next((row for row in rows if str(email_of(row).get("address") or "").lower() == address.lower()), None)


def find(api: Api, address: str, remote_id: str) -> Row | None:
    """By the id that survives a change of address if we have it, else by the address."""
    row = read(api, remote_id) if remote_id else None
    return row if row is not None or not address else search(api, address)


def stamp(at: datetime) -> str:
    """A moment as the vendor's filters take it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def opt_outs_page(api: Api, where: Where, cursor: str, since: datetime | None) -> tuple[list[Member], str]:
    """A page of those who unsubscribed (since then); then, where everybody is asked for, of those who were deleted.

    Never by `updated_after`: an unsubscribe does not move the clock that it looks at. Cursor: status and link.
    """
    status, _, link = (cursor or f"{LEFT}|").partition("|")
    asked: dict[str, Any] = {"status": status, **INCLUDE}
    if since is not None and settings.CONSTANT_CONTACT_OPTOUT_FILTER:
        asked["optout_after"] = stamp(since)
    try:
        rows, link = api.page(link, CONTACTS, "contacts", **asked)
    except CallFailed as failure:
        if not link or not isinstance(failure.outcome, Refused):
            raise
        rows, link = api.page("", CONTACTS, "contacts", **asked)  # a link that was kept for too long
    following = f"{status}|{link}" if link else f"{DELETED}|" if since is None and status == LEFT else ""
    return members_of(rows, where), following


def members_page(api: Api, where: Where, cursor: str) -> tuple[list[Member], str]:
    """A page of everybody who is not deleted."""
    rows, link = api.page(cursor, CONTACTS, "contacts", **INCLUDE)
    return members_of(rows, where), link


def members_of(rows: list[dict[str, Any]], where: Where) -> list[Member]:
    """The people among these contacts; those for text messages only have no address."""
    return [seen(row, where) for row in rows if email_of(row).get("address")]


def changed_since(api: Api, at: datetime) -> Iterator[Row]:
    """Everybody whose names or lists changed since then."""
    return api.pages(CONTACTS, "contacts", status="all", updated_after=stamp(at), **INCLUDE)


class Faces:
    """Contacts that were read, to be found by id or address."""

    def __init__(self, rows: Iterator[Row] | Sequence[Row] = ()) -> None:
        self.by_id: dict[str, Row] = {}
        self.by_address: dict[str, Row] = {}
        for row in rows:
            self.add(row)

    def add(self, row: Row) -> None:
        """Take in one more."""
        self.by_id[str(row.get("contact_id"))] = row
        self.by_address[str(email_of(row).get("address") or "").lower()] = row

    def find(self, address: str, remote_id: str = "") -> Row | None:
        """By the id, else by the address."""
        return self.by_id.get(remote_id) or self.by_address.get(address.lower())


def look_many(
    api: Api, where: Where, people: Sequence[tuple[str, str]], tickets: Collection[str], kept: dict[str, Faces]
) -> list[Member | None]:
    """Many at once: those whom finished bulk work touched are read together, so are those who were asked to confirm;
    the others are asked about one by one. `kept` remembers what was read in this turn."""
    works = sorted({each for ticket in tickets for each in activities.parts_of(ticket)})
    faces = [face for each in works if (face := touched_by(api, each, kept)) is not None]
    if len(people) > FEW:
        if PENDING not in kept:
            kept[PENDING] = Faces(api.pages(CONTACTS, "contacts", status=PENDING, **INCLUDE))
        faces.append(kept[PENDING])
    found: list[Member | None] = []
    for address, remote_id in people:
        row = next((row for face in faces if (row := face.find(address, remote_id)) is not None), None)
        row = row or find(api, address, remote_id)
        found.append(seen(row, where) if row is not None else None)
    return found


def touched_by(api: Api, ticket: str, kept: dict[str, Faces]) -> Faces | None:
    """Everybody whom this bulk work touched; None if it is not known any more. Raises while it is under way."""
    if ticket not in kept:
        activity = activities.read(api, ticket)
        if activity is None:
            return None
        if activity.is_underway:
            raise CallFailed(activities.underway([activity]))
        kept[ticket] = Faces(changed_since(api, activity.since))
    return kept[ticket]
