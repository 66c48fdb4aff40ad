"""Whether somebody gets our email and text messages, in one word each, as programs of others are told (O5, O6)."""

from collections.abc import Iterable

from contacts.models import Contact, ContactList

SUBSCRIBED, UNSUBSCRIBED, BOUNCING, COMPLAINED = "subscribed", "unsubscribed", "bouncing", "spam complaint"


def mail_statuses(contacts: Iterable[Contact], of: ContactList | None = None) -> dict[int, str]:
    """{contact: subscribed, unsubscribed, bouncing or spam complaint} of those with an email address, by primary keys.
    With a list, it is about that list. A fixed number of queries; email addresses are read once if not prefetched."""
    raise RuntimeError("On its way.")
