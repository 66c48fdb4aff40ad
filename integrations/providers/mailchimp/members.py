"""How a person looks in Mailchimp's words, in both directions."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from integrations.provider_kit.states import Member, Operation, Places, Standing

MERGE_FIELDS = {"first_name": "FNAME", "last_name": "LNAME"}
SHOWN = (
    "email_address", "contact_id", "status", "merge_fields.FNAME", "merge_fields.LNAME", "tags", "tags_count",
    "last_changed",
)  # fmt: skip
STANDINGS = {
    "subscribed": Standing.SUBSCRIBED,
    "pending": Standing.PENDING,
    "unsubscribed": Standing.UNSUBSCRIBED,
    "cleaned": Standing.CLEANED,
}


class Container:
    """One audience, and the names and ids that our lists have in it."""

    def __init__(self, key: str, audience: str, places: Places) -> None:
        self.key, self.audience = key, audience
        # A list that is an audience of its own has no tag.
        held = {uid: tag for (uid, place), tag in places.items() if place == key} if is_shared(key) else {}
        self.tags: dict[str, str] = held
        self.names = {uid: places.name(uid, key) for uid in held}
        self.lists = {tag: uid for uid, tag in held.items()}

    def tagged(self, lists: frozenset[str]) -> frozenset[str]:
        """Those of the lists that exist there as tags; the others were deleted there."""
        return lists & self.tags.keys()

    def shown_lists(self, row: Mapping[str, Any]) -> frozenset[str]:
        """Our lists that a member shown by Mailchimp is on."""
        if not is_shared(self.key):
            return (
                frozenset({self.key.partition(":")[2]})
                if row.get("status") in ("subscribed", "pending")
                else frozenset()
            )
        return frozenset(
            self.lists[tag] for each in row.get("tags") or [] if (tag := str(each.get("id"))) in self.lists
        )


def is_shared(key: str) -> bool:
    """Whether everybody lives in this container, and lists are tags in it."""
    return key.startswith("audience:")


def container(key: str, places: Places) -> Container | None:
    """The container of this key, or None when its audience is gone."""
    kind, _, name = key.partition(":")
    audience = name if kind == "audience" else places.get((name, key), "")
    return Container(key, audience, places) if audience else None


def merge_fields(fields: Mapping[str, str]) -> dict[str, str]:
    """A person's fields under Mailchimp's names."""
    return {theirs: fields[ours] for ours, theirs in MERGE_FIELDS.items() if ours in fields}


def fields_of(row: Mapping[str, Any]) -> dict[str, str]:
    """A member's fields as Mailchimp shows them, under our names; none where it shows none."""
    shown = row.get("merge_fields") or {}
    return {ours: str(shown.get(theirs) or "") for ours, theirs in MERGE_FIELDS.items() if theirs in shown}


def seen(row: Mapping[str, Any], where: Container) -> Member:
    """A member as Mailchimp shows it when we look. It tells when somebody was changed last, not in which field."""
    return Member(
        address=str(row["email_address"]),
        standing=STANDINGS.get(str(row.get("status")), Standing.ARCHIVED),
        fields=dict.fromkeys(MERGE_FIELDS, "") | fields_of(row),
        lists=where.shown_lists(row),
        remote_id=str(row.get("contact_id") or ""),
        changed_at=time_of(row.get("last_changed")),
    )


def time_of(stamp: Any) -> datetime | None:
    """A moment as Mailchimp writes it."""
    try:
        at = datetime.fromisoformat(str(stamp or ""))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def now(row: Mapping[str, Any], operation: Operation, where: Container, *, ours: bool = True) -> Member:
    """A member after a call of ours: what we sent, where Mailchimp's answer does not say otherwise."""
    before, after = operation.before, operation.after
    standing = STANDINGS.get(str(row.get("status")))
    if standing is None:
        # Archived by us before, or by somebody at Mailchimp. A "transactional" contact gets no newsletters either.
        was_ours = Standing.ARCHIVED in (after.standing, before.standing if before else None)
        standing = Standing.ARCHIVED if was_ours else Standing.REMOVED
    address = str(row.get("email_address") or after.address)
    return after.but(
        address=after.address if address.lower() == after.address.lower() else address,
        standing=standing,
        fields=operation.fields_now(fields_of(row)),
        lists=where.tagged(after.lists) if is_shared(where.key) else after.lists,
        remote_id=str(row.get("contact_id") or after.remote_id or (before.remote_id if before else "")),
        ours=(before.ours if before else after.ours) and ours,
    )
