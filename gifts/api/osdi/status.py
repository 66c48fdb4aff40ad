"""Whether somebody gets email, in OSDI's words: from Do Not Contact, the consent ledger and the state of an address."""

from collections.abc import Sequence
from typing import Any

from contacts import standing
from contacts.models import Contact, EmailAddress

SUBSCRIBED, UNSUBSCRIBED, BOUNCING, SPAM = "subscribed", "unsubscribed", "bouncing", "spam complaint"
OF_ADDRESS = {
    EmailAddress.State.BOUNCED: BOUNCING, EmailAddress.State.INVALID: BOUNCING, EmailAddress.State.COMPLAINED: SPAM,
}  # fmt: skip


def statuses_of(rows: Sequence[Any]) -> dict[int, str]:
    """{contact: the status of their email}, as far as it is theirs and not an address's. Their addresses are loaded.
    As many queries for 25 as for one."""
    keys = {one.address_key for row in rows for one in row.email_addresses.all() if one.is_primary}
    by_uid, by_address = standing.load([row.uid for row in rows], keys)
    return {row.pk: status(row, by_uid, by_address) for row in rows}


def status(row: Any, by_uid: dict[str, Any], by_address: dict[str, Any]) -> str:
    """Out is who withdrew from everything, or is under Do Not Contact; who left one list still gets the others."""
    key = next((one.address_key for one in row.email_addresses.all() if one.is_primary), "")
    words = standing.strictest(by_uid.get(str(row.uid)), by_address.get(key))
    is_out = any(
        state != standing.FREE and (scope == standing.EVERYWHERE or standing.is_shared(scope))
        for scope, state in words.items()
    )
    return UNSUBSCRIBED if row.do_not_contact or is_out else SUBSCRIBED


def of_address(email: EmailAddress, of_contact: str) -> str:
    """What holds for one of their addresses."""
    return OF_ADDRESS.get(EmailAddress.State(email.state), of_contact)


def of_contact(row: Contact) -> str:
    """The same for one."""
    return statuses_of([row])[row.pk]
