"""The reference: what must be at the vendor, told from the contacts tables and the consent ledger alone.

It shares no code with the engine and knows nothing of records, plans or operations.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from contacts.models import ConsentEvent, Contact

OUT, ASK, FREE = "out", "ask", "free"
Words = dict[str, dict[str, str]]  # {contact uid or address: {scope: out or ask, or free for a place}}


@dataclass
class Due:
    """One person who has to be in one container: on these lists, under this name."""

    lists: set[str] = field(default_factory=set)
    is_asked: bool = False
    name: tuple[str, str] = ("", "")


def words() -> Words:
    """What people said of themselves. Only they opt in again; when staff clear Do Not Contact, they are asked."""
    said: Words = defaultdict(dict)
    for event in ConsentEvent.objects.order_by("at", "pk"):
        scope = event.place or str(event.list_uid or "everywhere")
        for key in filter(None, (str(event.contact_uid), event.address)):
            mine = said[key]
            if event.by == "person" and event.kind in ("opt_out", "dnc_set"):
                if is_for_all(scope):  # later than whatever they took back elsewhere
                    said[key] = mine = {s: word for s, word in mine.items() if word != FREE}
                mine[scope] = OUT
            elif event.by == "person" and event.place:
                mine[scope] = FREE
            elif event.by == "person":
                mine.pop(scope, None)
            elif event.kind == "dnc_cleared":
                mine |= {s: ASK for s, word in mine.items() if word == OUT and (s == scope or " " in s)}
    return said


def is_for_all(scope: str) -> bool:
    """Whether this is a vendor's place where everybody lives, whatever lists they are on."""
    return " " in scope and " list:" not in scope


def allowed(said: Words, contact: Contact, address: str, list_uid: str, place: str) -> str:
    """What the person's own words leave open for one list in one place. Who left anywhere has left, but for places
    where they came back."""
    heard = []
    for mine in (said.get(str(contact.uid), {}), said.get(address, {})):
        heard += [mine.get("everywhere"), mine.get(list_uid)]
        heard += [mine[place]] if place in mine else [word for scope, word in mine.items() if is_for_all(scope)]
    return OUT if OUT in heard else ASK if ASK in heard else FREE


def reachable(contact: Contact) -> str:
    """The address that mail goes to, in lower case, or ""."""
    email = contact.primary_email
    return "" if contact.do_not_contact or email is None or email.state != "ok" else email.address.lower()


def due(container_of: Callable[[str], str], vendor: str = "mailchimp") -> dict[tuple[str, str], Due]:
    """{(container, address): what has to be there}; whoever is not in it has to be on no list of ours."""
    said = words()
    found: defaultdict[tuple[str, str], list[Any]] = defaultdict(list)
    for contact in Contact.objects.prefetch_related("email_addresses", "memberships__contact_list"):
        if not (address := reachable(contact)):
            continue
        for membership in contact.memberships.all():
            one = membership.contact_list
            if membership.do_not_contact or not one.synchronize:
                continue
            container = container_of(str(one.uid))
            says = allowed(said, contact, address, str(one.uid), f"{vendor} {container}")
            if says != OUT:
                found[container, address].append((says, str(one.uid), contact))
    wanted = {}
    for key, wishes in found.items():
        free = {list_uid for says, list_uid, _ in wishes if says == FREE}
        last = max((contact for _, _, contact in wishes), key=lambda contact: contact.updated_at)
        name = (last.first_name, last.last_name)
        wanted[key] = Due(free or {list_uid for _, list_uid, _ in wishes}, not free, name)
    return wanted
