"""Everybody whom a batch of rows may be about, as they are now: found and read with the same few questions however many
there are. What somebody is, is one flat table of `{what: value}`, so that before and after can be compared, shown, and
put back.

`email`, `first_name`, `street` … hold one value. A key with a plus is something that is there or not: `tag+volunteer`,
`list+<uid>`, `list_dnc+<uid>`, `id+donorperfect|17`, `email+<address>`, `phone+<number>`.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from contacts import standing
from contacts.duplicates.identities import now_of
from contacts.importing.columns import CUSTOM
from contacts.importing.reading import Wanted
from contacts.models import (
    Contact,
    ContactTag,
    CustomValue,
    EmailAddress,
    Import,
    ImportKey,
    ImportRow,
    ListMembership,
    OutsideIdentifier,
    PhoneNumber,
    PostalAddress,
    kept_words,
)
from contacts.models.contact import address_key
from contacts.models.kept_marks import Left, left_at, marked_on

OF_CONTACT = (
    "kind", "first_name", "last_name", "organization_name", "job_title", "do_not_contact", "custom_user_id", "notes",
)  # fmt: skip
OF_ADDRESS = ("street", "city", "state", "postal_code", "country")
THERE = "yes"
State = dict[str, Any]


@dataclass(slots=True, eq=False)
class Known:
    """Somebody as they are, or as the rows before have made them."""

    uid: uuid.UUID
    state: State = field(default_factory=dict)
    contact: Contact | None = None
    parts: dict[str, Any] = field(default_factory=dict)  # the rows behind the state
    has_opted_out: bool = False

    @property
    def is_new(self) -> bool:
        """Whether no row of theirs is in the tables yet."""
        return self.contact is None

    @property
    def addresses(self) -> set[str]:
        """All their email addresses, in the form in which equal ones are equal."""
        others = {key.removeprefix("email+") for key in self.state if key.startswith("email+") and self.state[key]}
        return others | ({address_key(self.state["email"])} if self.state.get("email") else set())

    @property
    def numbers(self) -> set[str]:
        """All their phone numbers."""
        return {str(value) for key, value in self.state.items() if key.startswith("phone") and value}

    @property
    def name(self) -> str:
        """For a sentence."""
        person = f"{self.state.get('first_name', '')} {self.state.get('last_name', '')}".strip()
        return person or self.state.get("organization_name", "") or self.state.get("email", "") or "somebody"

    def become(self, changes: dict[str, list[Any]]) -> None:
        """After these changes."""
        for key, (before, after) in changes.items():
            if after in ("", None):
                self.state.pop(key, None)
            else:
                self.state[key] = after
            if key.startswith("phone") and not key.startswith("phone+"):
                self.state.pop(f"phone+{before}", None)
                if after:
                    self.state[f"phone+{after}"] = after


@dataclass
class Crowd:
    """The people, and where to look for them."""

    people: dict[uuid.UUID, Known] = field(default_factory=dict)
    moved: dict[uuid.UUID, uuid.UUID] = field(default_factory=dict)  # our ids of those who were merged, and into whom
    out_addresses: set[str] = field(default_factory=set)
    kept_addresses: set[str] = field(default_factory=set)  # whoever gets one is out, by the word of somebody deleted
    marks: Left = field(default_factory=Left)  # of contacts who were deleted
    marked_before: set[tuple[uuid.UUID, uuid.UUID]] = field(default_factory=set)  # (contact, list they may be off now)

    def __post_init__(self) -> None:
        self.by_email: defaultdict[str, dict[uuid.UUID, Known]] = defaultdict(dict)
        self.by_id: defaultdict[str, dict[uuid.UUID, Known]] = defaultdict(dict)
        self.by_phone: defaultdict[str, dict[uuid.UUID, Known]] = defaultdict(dict)
        for known in self.people.values():
            self.learn(known)

    def learn(self, known: Known) -> None:
        """Whom to find under which key from now on; what they no longer have is told by their state."""
        self.people[known.uid] = known
        for address in known.addresses:
            self.by_email[address][known.uid] = known
        for key in id_keys(known.state):
            self.by_id[key][known.uid] = known
        for number in known.numbers:
            self.by_phone[number][known.uid] = known

    def hear(self, addresses: Iterable[str] = ()) -> None:
        """Who has opted out themselves, as the ledger has it, here and among these addresses."""
        theirs = {address for known in self.people.values() for address in known.addresses}
        by_uid, by_address = standing.load(self.people.keys(), theirs | set(addresses))
        self.out_addresses = {address for address, said in by_address.items() if is_out(said)}
        for known in self.people.values():
            known.has_opted_out = is_out(by_uid.get(str(known.uid), {}))

    def with_uid(self, text: str) -> Known | None:
        """Who has this id of ours, or has become part of somebody else in a merge."""
        uid = as_uid(text)
        return self.people.get(self.moved.get(uid, uid)) if uid else None

    def with_email(self, address: str) -> list[Known]:
        """Everybody who has this address now."""
        key = address_key(address)
        return [known for known in self.by_email.get(key, {}).values() if key in known.addresses]

    def with_id(self, key: str) -> list[Known]:
        """Everybody who has this identifier now."""
        return [known for known in self.by_id.get(key, {}).values() if key in set(id_keys(known.state))]

    def with_phone(self, number: str) -> list[Known]:
        """Everybody who has this number now."""
        return [known for known in self.by_phone.get(number, {}).values() if number in known.numbers]


def id_keys(state: State) -> Iterable[str]:
    """The identifiers among what somebody is."""
    if state.get("custom_user_id"):
        yield f"custom|{state['custom_user_id']}"
    for key, value in state.items():
        if key.startswith("id+") and value:
            yield key


def wanted_id_keys(want: Wanted) -> list[str]:
    """The identifiers that a row gives."""
    own = want.values.get("custom_user_id", "")
    return ([f"custom|{own}"] if own else []) + [f"id+{system.lower()}|{value}" for system, value in want.ids]


def hashed(kind: str, key: str) -> str:
    """A key of any length as one of forty letters."""
    return sha256(f"{kind} {key}".encode()).hexdigest()[:40]


def keys_of(known: Known) -> set[str]:
    """What somebody can be found by in the table of keys."""
    keys = {hashed("email", address) for address in known.addresses}
    keys |= {hashed("id", key) for key in id_keys(known.state)}
    return keys | {hashed("phone", number) for number in known.numbers}


def gather(wants: Sequence[Wanted], planned: Import | None = None, will_write: bool = True) -> Crowd:
    """Everybody these rows may be about. With `planned`, also those whom earlier rows of that file would make or
    change; without, the rows of the tables are locked, because they are about to be written, unless `will_write` says
    otherwise."""
    uids = {uid for want in wants if (uid := as_uid(want.uid))}
    addresses = {address_key(address) for want in wants for address in want.emails}
    numbers = {number for want in wants for number in want.phones}
    own_ids = {want.values["custom_user_id"] for want in wants if want.values.get("custom_user_id")}
    ids = {value for want in wants for _, value in want.ids}
    # Questions by index, one after the other, instead of joins: see integrations/sync/outbox.py.
    pks = set(EmailAddress.objects.filter(address_key__in=addresses).order_by().values_list("contact_id", flat=True))
    pks |= set(OutsideIdentifier.objects.filter(value__in=ids).order_by().values_list("contact_id", flat=True))
    pks |= set(PhoneNumber.objects.filter(number__in=numbers).order_by().values_list("contact_id", flat=True))
    pks |= set(Contact.objects.filter(custom_user_id__in=own_ids).order_by().values_list("pk", flat=True))
    earlier: set[uuid.UUID] = set()
    if planned is not None:
        keys = {hashed("email", key) for key in addresses} | {hashed("phone", number) for number in numbers}
        keys |= {hashed("id", key) for want in wants for key in wanted_id_keys(want)}
        rows = ImportKey.objects.filter(data_import=planned, key__in=keys).order_by()
        earlier = set(rows.values_list("contact_uid", flat=True))
    moved = now_of(uids)
    people = read(pks, uids | earlier | set(moved.values()), lock=planned is None and will_write)
    if planned is not None:
        overlay(people, planned, people.keys() | earlier)
    crowd = Crowd(people, moved)
    crowd.hear(addresses)
    crowd.kept_addresses = kept_words.kept_at(addresses)
    crowd.marks = left_at(addresses | {key for known in people.values() for key in known.addresses}, people)
    crowd.marked_before = marked_on({row.uid for want in wants for row in want.lists}, people)
    return crowd


def is_out(said: dict[str, str]) -> bool:
    """Whether anything in it is an opt-out that the person has not taken back."""
    return any(state != standing.FREE for state in said.values())


def as_uid(text: str) -> uuid.UUID | None:
    """Our id, if it looks like one."""
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None


def overlay(people: dict[uuid.UUID, Known], planned: Import, uids: Iterable[uuid.UUID]) -> None:
    """Make them what the earlier rows of the file would have made them."""
    rows = ImportRow.objects.filter(data_import=planned, contact_uid__in=list(uids)).order_by("number")
    for uid, outcome, changes in rows.values_list("contact_uid", "outcome", "changes"):
        if outcome == ImportRow.Outcome.CREATE and uid not in people:
            people[uid] = Known(uid)
        if uid in people:
            people[uid].become(changes)


def read(pks: Iterable[int], uids: Iterable[uuid.UUID], lock: bool = False) -> dict[uuid.UUID, Known]:
    """These contacts with all that hangs on them."""
    rows = Contact.objects.all()
    if lock:
        rows = rows.select_for_update(no_key=True)
    # In one order, so that two who lock never wait for each other.
    wanted = set(pks) | set(Contact.objects.filter(uid__in=list(uids)).order_by().values_list("pk", flat=True))
    people = {row.pk: Known(row.uid, contact=row) for row in rows.filter(pk__in=wanted).order_by("pk")}
    for known in people.values():
        known.state = {name: value for name in OF_CONTACT if (value := getattr(known.contact, name))}
    read_parts(people)
    return {known.uid: known for known in people.values()}


def read_parts(people: dict[int, Known]) -> None:
    """What hangs on them, one question for each kind."""
    for known in people.values():
        known.parts = {"emails": [], "phones": [], "addresses": [], "ids": {}, "tags": {}, "lists": {}, "customs": {}}
    here = {"contact__in": list(people)}
    for email in EmailAddress.objects.filter(**here).order_by("-is_primary", "pk"):
        known = people[email.contact_id]
        known.parts["emails"].append(email)
        if email.is_primary:
            known.state["email"] = email.address
            if email.state != EmailAddress.State.OK:
                known.state["email_state"] = email.state
        else:
            known.state[f"email+{email.address_key}"] = email.address
    for phone in PhoneNumber.objects.filter(**here).order_by("-is_primary", "pk"):
        known = people[phone.contact_id]
        known.parts["phones"].append(phone)
        number = str(phone.number)
        known.state.setdefault(phone_key(phone.label), number)
        known.state[f"phone+{number}"] = number
    for address in PostalAddress.objects.filter(**here).order_by("-is_primary", "pk"):
        known = people[address.contact_id]
        if not known.parts["addresses"]:  # the others are left alone
            known.state |= {name: value for name in OF_ADDRESS if (value := getattr(address, name))}
        known.parts["addresses"].append(address)
    for identifier in OutsideIdentifier.objects.filter(**here):
        key = f"id+{identifier.system.lower()}|{identifier.value}"
        people[identifier.contact_id].parts["ids"][key] = identifier
        people[identifier.contact_id].state[key] = identifier.system
    for tagged in ContactTag.objects.filter(**here).select_related("tag").order_by():
        key = f"tag+{tagged.tag.name.casefold()}"
        people[tagged.contact_id].parts["tags"][key] = tagged
        people[tagged.contact_id].state[key] = tagged.tag.name
    for place in ListMembership.objects.filter(**here).select_related("contact_list").order_by():
        known, uid = people[place.contact_id], str(place.contact_list.uid)
        known.parts["lists"][uid] = place
        known.state[f"list+{uid}"] = f"{THERE}, {place.position}" if place.position else THERE
        if place.do_not_contact:
            known.state[f"list_dnc+{uid}"] = THERE
    for value in CustomValue.objects.filter(**here).select_related("field").order_by():
        known, key = people[value.contact_id], f"{CUSTOM}{value.field.uid}"
        known.parts["customs"][key] = value
        known.state[key] = value.value


def phone_key(label: str) -> str:
    """`phone`, or `phone:mobile` for one with a label."""
    return f"phone:{label.lower()}" if label else "phone"
