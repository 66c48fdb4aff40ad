"""Whether somebody gets our email and text messages, in one word each, as programs of others are told (O5, O6)."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import prefetch_related_objects

from contacts import sharing, standing
from contacts.models import Contact, ContactList, EmailAddress

SUBSCRIBED, UNSUBSCRIBED, BOUNCING, COMPLAINED = "subscribed", "unsubscribed", "bouncing", "spam complaint"
BY_STATE = {
    EmailAddress.State.COMPLAINED: COMPLAINED, EmailAddress.State.BOUNCED: BOUNCING,
    EmailAddress.State.INVALID: BOUNCING,
}  # fmt: skip


def mail_statuses(contacts: Iterable[Contact], of: ContactList | None = None) -> dict[int, str]:
    """{contact: subscribed, unsubscribed, bouncing or spam complaint} of those with an email address, by primary keys.
    With a list, it is about that list. A fixed number of queries; parts are read once if they are not prefetched."""
    people = list(contacts)
    prefetch_related_objects(people, "email_addresses", "memberships__contact_list")
    primary = {one.pk: one.primary_email for one in people}
    by_uid, by_address = standing.load(
        [one.uid for one in people], [mail.address_key for mail in primary.values() if mail]
    )
    others = sharing.refusing(mail.address_key for mail in primary.values() if mail)
    found = {}
    for one in people:
        mail = primary[one.pk] or next(iter(one.email_addresses.all()), None)
        if mail is None:
            continue
        words = standing.strictest(by_uid.get(str(one.uid)), by_address.get(mail.address_key))
        is_on = gets_mail(one, words, one.memberships.all(), of)
        is_on = is_on and not sharing.refused_by_another(one, mail.address_key, others)
        found[one.pk] = BY_STATE.get(mail.state, SUBSCRIBED if is_on else UNSUBSCRIBED)  # type: ignore[call-overload]
    return found


def gets_mail(
    contact: Contact, words: Mapping[str, str], memberships: Iterable[Any], of: ContactList | None = None
) -> bool:
    """Whether nobody said no: neither staff by Do Not Contact nor the person. Without a list, one of their lists that
    is open to them is enough; who is on none is written to as they come."""
    if contact.do_not_contact or any(state != standing.FREE for scope, state in words.items() if is_broad(scope)):
        return False
    places = list(memberships)
    if of is not None:
        return any(is_open(place, words) for place in places if place.contact_list_id == of.pk)
    return not places or any(is_open(place, words) for place in places)


def is_open(membership: Any, words: Mapping[str, str]) -> bool:
    """Whether mail of this list reaches them."""
    uid = str(membership.contact_list.uid)
    said = (state for scope, state in words.items() if uid in scope)
    return not membership.do_not_contact and all(state == standing.FREE for state in said)


def is_broad(scope: str) -> bool:
    """Whether a word of this scope is about every list."""
    return "list:" not in scope
