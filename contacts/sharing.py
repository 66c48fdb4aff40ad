"""Addresses that several contacts have: who of them wants nothing at it. Mail to an address reaches whoever has it,
under whichever name it is sent; so before one message is sent to one person, the word of all of them counts.

What goes to lists is decided by integrations/sync for each of them (L8): there the address stays while one may get it.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable

from contacts import standing
from contacts.models import Contact, EmailAddress

UNDER_DNC, HAS_ASKED = "is under Do Not Contact", "has asked not to be written to"
Refusing = dict[str, dict[uuid.UUID, str]]


def refusing(addresses: Iterable[str]) -> Refusing:
    """{address: {contact who has it and wants nothing at it: why}}, of addresses that several contacts have, be it as
    their primary one or as another. What they said under another address counts as well, until something later is said
    under this one. One query, and two more if anybody shares."""
    wanted = {address for address in addresses if address}
    rows = EmailAddress.objects.filter(address_key__in=wanted).order_by() if wanted else EmailAddress.objects.none()
    holders: defaultdict[str, dict[uuid.UUID, bool]] = defaultdict(dict)
    for key, uid, is_dnc in rows.values_list("address_key", "contact__uid", "contact__do_not_contact"):
        holders[key][uid] = is_dnc
    shared = {key: these for key, these in holders.items() if len(these) > 1}
    if not shared:
        return {}
    lines, words_at = standing.lines_of({uid for these in shared.values() for uid in these}, shared)
    found: Refusing = {}
    for key, these in shared.items():
        for uid, is_dnc in these.items():
            line = sorted([*lines.get(uid, ()), *words_at.get(key, ())], key=lambda step: step[0])
            said = standing.standing(step for _, step in line)
            if is_dnc:
                found.setdefault(key, {})[uid] = UNDER_DNC
            elif any(state != standing.FREE for scope, state in said.items() if not scope.startswith("list:")):
                found.setdefault(key, {})[uid] = HAS_ASKED
    return found


def was_brought_back(contact: Contact, key: str) -> bool:
    """Whether somebody else who has this address has asked for mail at it since this contact said no."""
    others = EmailAddress.objects.filter(address_key=key).exclude(contact=contact)
    return others.exists() and contact.uid not in refusing([key]).get(key, {})


def refused_by_another(contact: Contact, key: str, found: Refusing) -> str:
    """Why somebody else who has this address wants nothing at it, or ""; Do Not Contact first."""
    reasons = {why for uid, why in found.get(key, {}).items() if uid != contact.uid}
    return next((why for why in (UNDER_DNC, HAS_ASKED) if why in reasons), "")
