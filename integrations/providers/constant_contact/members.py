"""How a person looks in Constant Contact's words, in both directions."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from integrations.provider_kit.states import Member, Operation, Places, Standing

ACCOUNT = "account"  # the one container
# What a PUT that leaves it out would empty. What hangs on a contact (lists, phones, notes …) is kept when left out.
CORE = ("first_name", "last_name", "job_title", "company_name", "birthday_month", "birthday_day", "anniversary")
UNSUBSCRIBED = "unsubscribed"
Row = Mapping[str, Any]


class Where:
    """The account: the ids that our lists have in it, and which fields are ours to send."""

    def __init__(self, places: Places | None, fields: Iterable[str]) -> None:
        self.ids = {uid: remote_id for (uid, place), remote_id in (places or {}).items() if place == ACCOUNT}
        self.uids = {remote_id: uid for uid, remote_id in self.ids.items()}
        self.fields = tuple(fields)

    def there(self, lists: frozenset[str]) -> frozenset[str]:
        """Those of these lists that exist there; the others were deleted."""
        return lists & self.ids.keys()

    def ids_of(self, lists: Iterable[str]) -> set[str]:
        """The vendor's ids of these lists."""
        return {self.ids[uid] for uid in lists if uid in self.ids}

    def shown_lists(self, row: Row) -> frozenset[str]:
        """Our lists that a contact is on; only a row that was asked for with `list_memberships` tells."""
        return frozenset(self.uids[each] for each in row.get("list_memberships") or () if each in self.uids)


def email_of(row: Row) -> Row:
    """What hangs on the address: permission, its source, its own clock. Contacts for text messages have none."""
    found: Row = row.get("email_address") or {}
    return found


def standing_of(row: Row, is_on_a_list: bool) -> Standing:
    """What the vendor's permission means for us.

    Permission alone sends nothing: mail goes to lists, so somebody on no list of ours is archived in our words,
    whatever the permission. `deleted_at` comes with an opt-out of its own by the account; one by the contact was there
    before.
    """
    email = email_of(row)
    permission = email.get("permission_to_send")
    by_person = email.get("opt_out_source") == "Contact"
    if permission == UNSUBSCRIBED and email.get("confirm_status") == "pending":
        return Standing.PENDING
    if permission == UNSUBSCRIBED and (by_person or not row.get("deleted_at")):
        return Standing.UNSUBSCRIBED
    if row.get("deleted_at"):
        return Standing.UNSUBSCRIBED if by_person else Standing.REMOVED
    if permission == "pending_confirmation":
        return Standing.PENDING
    # Unconfirmed what it means; a pause of the vendor's own is nothing that staff could do anything about.
    if permission == "temp_hold" and settings.CONSTANT_CONTACT_TEMP_HOLD == "cleaned":
        return Standing.CLEANED
    return Standing.SUBSCRIBED if is_on_a_list else Standing.ARCHIVED


def fields_of(row: Row, where: Where) -> dict[str, str]:
    """A contact's fields, as far as we send them."""
    return {name: str(row.get(name) or "") for name in where.fields}


def changed_at(row: Row) -> datetime | None:
    """When a contact was changed last: names and lists move one clock, what hangs on the address another one."""
    found = []
    for stamp in (row.get("updated_at"), email_of(row).get("updated_at")):
        with suppress(ValueError):
            at = datetime.fromisoformat(str(stamp or ""))
            found.append(at if at.tzinfo else at.replace(tzinfo=UTC))
    return max(found, default=None)


def seen(row: Row, where: Where) -> Member:
    """A contact as the vendor shows it when we look."""
    lists = where.shown_lists(row)
    return Member(
        address=str(email_of(row).get("address") or ""),
        standing=standing_of(row, bool(lists)),
        fields=fields_of(row, where),
        lists=lists,
        remote_id=str(row.get("contact_id") or ""),
        changed_at=changed_at(row),
    )


def now(row: Row, operation: Operation, where: Where, *, ours: bool = True) -> Member:
    """A contact after a call of ours: what we sent, where the answer does not say otherwise."""
    before, after = operation.before, operation.after
    lists = where.there(after.lists)
    standing = standing_of(row, True)
    if standing == Standing.SUBSCRIBED and after.standing == Standing.ARCHIVED:
        standing = Standing.ARCHIVED  # mail goes to lists
    address = str(email_of(row).get("address") or after.address)
    return after.but(
        address=after.address if address.lower() == after.address.lower() else address,
        standing=standing,
        fields=operation.fields_now(fields_of(row, where)),
        lists=lists,
        remote_id=str(row.get("contact_id") or after.remote_id or (before.remote_id if before else "")),
        ours=(before.ours if before else after.ours) and ours,
    )
