"""Read people as they are now, in a constant number of queries, and say what is wanted of each: who is eligible where.

`load` reads, `wanted_of` decides (pure). The stop before is push or the preview, the stop after is planning.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db.models import FilteredRelation, Q

from contacts import households
from contacts.models import Contact, ContactList, EmailAddress, ListMembership
from integrations.models import Connection
from integrations.provider_kit.base import Policy
from integrations.provider_kit.states import Member
from integrations.sync import consent
from integrations.sync.planning import Wanted

EPOCH = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Home:
    """The household somebody is in, and how staff want it to be greeted."""

    pk: int
    name: str = ""
    greeting: str = ""


@dataclass(slots=True)
class Person:
    """One contact as the engine sees it; `exists` is False for somebody who was deleted here."""

    uid: str
    exists: bool = False
    pk: int = 0
    fields: Mapping[str, str] = field(default_factory=dict)
    label: str = ""
    is_organization: bool = False
    address: str = ""
    address_key: str = ""
    email_state: str = ""
    do_not_contact: bool = False
    updated_at: datetime = EPOCH
    memberships: list[tuple[str, bool]] = field(default_factory=list)  # (uid of a synchronized list, its DNC)
    consent: Mapping[str, str] = field(default_factory=dict)
    home: Home | None = None

    @property
    def blocked(self) -> str:
        """Our reason code if this person gets no mail at all, or ""."""
        if not self.exists:
            return "deleted"
        if self.do_not_contact:
            return "dnc_contact"
        if not self.address:
            return "no_email"
        if self.email_state != EmailAddress.State.OK:
            return useless_address(self.email_state)
        return ""


def useless_address(state: str) -> str:
    """Our reason code for an address to which nothing is sent, by its state."""
    codes = {EmailAddress.State.INVALID: "email_invalid", EmailAddress.State.COMPLAINED: "email_complained"}
    return codes.get(EmailAddress.State(state), "email_bounced")


@dataclass(slots=True)
class Crowd:
    """The people of one slice, and everybody who shares an address with them."""

    people: dict[str, Person] = field(default_factory=dict)
    by_address: dict[str, list[Person]] = field(default_factory=dict)

    def sharing(self, address_key: str) -> list[Person]:
        """Everybody here whose primary address this is."""
        return self.by_address.get(address_key, [])


def load(uids: Iterable[uuid.UUID], known_addresses: Iterable[str]) -> Crowd:
    """Read these contacts, and whoever shares their present address or the one known there.

    Six queries, and a seventh if anybody shares.
    """
    everybody = list(uids)
    crowd = Crowd({uid: Person(uid) for uid in map(str, everybody)})
    by_pk: dict[int, Person] = {}
    read_contacts(crowd, by_pk, Contact.objects.filter(uid__in=everybody))
    keys = crowd.by_address.keys() | {address for address in known_addresses if address}
    holders: Any = EmailAddress.objects.filter(address_key__in=list(keys), is_primary=True).order_by()
    if sharing := set(holders.values_list("contact_id", flat=True)) - by_pk.keys():
        everybody += read_contacts(crowd, by_pk, Contact.objects.filter(pk__in=sharing))
    lists = {pk: str(uid) for pk, uid in ContactList.objects.filter(synchronize=True).values_list("pk", "uid")}
    on_lists: Any = ListMembership.objects.filter(contact__in=list(by_pk), contact_list__in=list(lists)).order_by()
    for pk, contact_list, dnc in on_lists.values_list("contact_id", "contact_list_id", "do_not_contact"):
        by_pk[pk].memberships.append((lists[contact_list], dnc))
    by_uid, by_address = consent.load(everybody, crowd.by_address)
    if by_uid or by_address:
        for person in by_pk.values():
            person.consent = consent.strictest(by_uid.get(person.uid), by_address.get(person.address_key))
    return crowd


def read_contacts(crowd: Crowd, by_pk: dict[int, Person], contacts: Any) -> list[uuid.UUID]:
    """Take in these contacts with their primary address; returns their uids."""
    is_primary = Q(email_addresses__is_primary=True)
    rows = contacts.order_by().annotate(mail=FilteredRelation("email_addresses", condition=is_primary)).values_list(
        "pk", "uid", "kind", "first_name", "last_name", "organization_name", "do_not_contact", "updated_at",
        "mail__address", "mail__address_key", "mail__state",
        "household", "household__name", "household__greeting",
    )  # fmt: skip
    uids = []
    for pk, uid, kind, first, last, organization, dnc, updated, address, key, state, *home in rows:
        uids.append(uid)
        person = by_pk[pk] = crowd.people.get(str(uid)) or Person(str(uid))
        person.exists, person.pk, person.do_not_contact, person.updated_at = True, pk, dnc, updated
        person.fields, person.is_organization = named(kind, first, last, organization), kind != Contact.Kind.PERSON
        person.label = " ".join(filter(None, person.fields.values())) or "Unnamed contact"
        person.home = Home(*home) if home[0] else None
        if key:
            person.address, person.address_key, person.email_state = address, key, state
            crowd.by_address.setdefault(key, []).append(person)
    return uids


def named(kind: str, first: str, last: str, organization: str) -> dict[str, str]:
    """The name that is sent of a contact who is greeted alone."""
    if (kind == Contact.Kind.ORGANIZATION and organization) or not (first or last):
        first, last = organization, ""
    return {"first_name": first, "last_name": last}


@dataclass(slots=True)
class Verdict:
    """What is wanted of one person, container by container, and why they are not on a list, if they are not."""

    containers: dict[str, Wanted]
    code: str = ""


def eligible(person: Person, policy: Policy, place: str, present: Set[str] | None) -> dict[str, dict[str, str]]:
    """{container: {list uid: free or ask}} for one person; lists that do not exist there yet are left out."""
    found: dict[str, dict[str, str]] = {}
    if person.blocked:
        return found
    for list_uid, dnc in person.memberships:
        container = policy.container_of(list_uid)
        says = consent.allows(person.consent, list_uid, f"{place} {container}")
        if not dnc and says != consent.OUT and (present is None or list_uid in present):
            found.setdefault(container, {})[list_uid] = says
    return found


def lists_of(found: Mapping[str, Mapping[str, str]]) -> set[str]:
    """All lists of an answer of `eligible`."""
    return {list_uid for lists in found.values() for list_uid in lists}


def wanted_of(
    person: Person, crowd: Crowd, known: Mapping[str, Member], policy: Policy, place: str,
    present: Set[str] | None = None,
) -> Verdict:  # fmt: skip
    """Decide where this person should be (L6, L7, L8, L17, L20, L35).

    `place` is the connection's name in the consent ledger; `present` are the lists that exist at the vendor already,
    None in a preview, where all of them are assumed to.
    """
    own = eligible(person, policy, place, present)
    containers = {policy.container_of(uid) for uid, _ in person.memberships} | own.keys() | known.keys()
    others = [p for p in crowd.sharing(person.address_key) if p.uid != person.uid] if person.address_key else []
    shared = [(p, eligible(p, policy, place, present)) for p in others]
    verdict = Verdict({})
    anywhere = lists_of(own if present is None else eligible(person, policy, place, None))
    moving = anywhere - lists_of(own)
    for container in containers:
        mine = dict(own.get(container, {}))
        greeted = [person]
        if mine:
            for other, theirs in shared:
                if here := theirs.get(container):
                    mine = {**here, **mine}
                    greeted.append(other)
        asked = bool(mine) and consent.ASK in mine.values() and all(s == consent.ASK for s in mine.values())
        lists = frozenset(uid for uid, says in mine.items() if asked or says == consent.FREE)
        # Of a place that they are to leave, what is said about the lists that they are on there counts (L24).
        there = known[container].lists if container in known else frozenset[str]()
        left = there if there.isdisjoint(anywhere) else frozenset[str]()
        verdict.containers[container] = Wanted(
            member=wanted_member(person, sent(policy, fields_of(greeted, others)), lists, bool(others)),
            owners={} if others or person.is_organization else policy.owners,
            opted_out=person.exists and not lists and _has_opted_out(person, policy, container, place, left),
            ask=asked,
            held_by_others=_held(person, known.get(container), crowd, policy, container, place, present),
            stays=container in known and not moving.isdisjoint(known[container].lists),
            by_person=not lists and _by_themselves(person, policy, container, place, left),
        )
    if not any(w.member for w in verdict.containers.values()):
        verdict.code = _why_not(person, policy, place)
    return verdict


def wanted_member(person: Person, fields: Mapping[str, str], lists: frozenset[str], joint: bool) -> Member | None:
    """The person as they should be there, if they should be on any list."""
    return Member(person.address, fields=fields, lists=lists, joint=joint) if lists else None


def fields_of(greeted: list[Person], others: Iterable[Person]) -> Mapping[str, str]:
    """The name of an address, the same whichever of those who are greeted by it is asked (L8).

    If they are all of one household, it is that household's greeting; otherwise the one changed last gives the name.
    `others` are all who have that address: whoever of them gets no mail is not greeted either.
    """
    home = greeted[0].home
    if len(greeted) < 2 or home is None or any(p.home is None or p.home.pk != home.pk for p in greeted):
        return max(greeted, key=lambda p: (p.updated_at, p.pk)).fields
    here = [households.Name(p.fields["first_name"], p.fields["last_name"]) for p in sorted(greeted, key=lambda p: p.pk)]
    absent = [p.fields["first_name"] for p in others if p not in greeted and p.home == home]
    name = households.greet(here, home.name, home.greeting, absent)
    return {"first_name": name.first, "last_name": name.last}


def sent(policy: Policy, fields: Mapping[str, str]) -> Mapping[str, str]:
    """What of these fields goes to the vendor, and how much of each it takes."""
    most = policy.longest_field
    return {
        name: value if len(value) <= most else value[:most].rstrip()
        for name, value in fields.items()
        if name in policy.fields
    }


def _held(
    person: Person, there: Member | None, crowd: Crowd, policy: Policy, container: str, place: str,
    present: Set[str] | None,
) -> frozenset[str]:  # fmt: skip
    """The address known there, if another eligible contact uses it (L8)."""
    if there is None:
        return frozenset()
    key = there.address.lower()
    if any(p.uid != person.uid and container in eligible(p, policy, place, present) for p in crowd.sharing(key)):
        return frozenset([key])
    return frozenset()


def _has_opted_out(person: Person, policy: Policy, container: str, place: str, left: Set[str]) -> bool:
    """Whether consent was withdrawn for this container, by anybody's decision; `left` are lists of theirs in it that
    live elsewhere from now on."""
    if person.do_not_contact:
        return True
    for list_uid, dnc in person.memberships:
        if list_uid in left or policy.container_of(list_uid) == container:
            out = consent.allows(person.consent, list_uid, f"{place} {container}") == consent.OUT
            if dnc or out:
                return True
    return False


def _by_themselves(person: Person, policy: Policy, container: str, place: str, left: Set[str]) -> bool:
    """Whether the opt-out is the person's own word, which only they can take back."""
    here = [uid for uid, _ in person.memberships if uid in left or policy.container_of(uid) == container]
    return any(consent.allows(person.consent, uid, f"{place} {container}") == consent.OUT for uid in ["", *here])


def _why_not(person: Person, policy: Policy, place: str) -> str:
    """The reason code to show for somebody who is on no list there."""
    if person.blocked:
        return person.blocked
    codes: defaultdict[str, int] = defaultdict(int)
    for list_uid, dnc in person.memberships:
        says = consent.allows(person.consent, list_uid, f"{place} {policy.container_of(list_uid)}")
        codes["opted_out" if says == consent.OUT else "dnc_list" if dnc else "list_not_there_yet"] += 1
    return max(codes, key=lambda code: (codes[code], code)) if codes else "not_on_a_list"


def place_of(connection: Connection) -> str:
    """The connection's name in the consent ledger."""
    return str(connection.provider)
