"""Whose gift a row is: found as imports of contacts find people, and by name alone where a row says no more."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q
from django.db.models.functions import Lower

from contacts.importing import crowd as crowds
from contacts.importing.crowd import Known, wanted_id_keys
from contacts.importing.deciding import Refused, find, folded, may_be, names_of, words
from contacts.importing.reading import Wanted
from contacts.models import Contact
from gifts.importing.reading import Reader, WantedGift

NOBODY = "Nobody here has {}. Correct it, or import the contacts first: the same file will do, as a file of contacts."


class Donors:
    """The people some rows may be about, in a fixed number of queries."""

    def __init__(self, wants: Sequence[WantedGift], reader: Reader) -> None:
        self.reader = reader
        self.crowd = crowds.gather([want.donor for want in wants], will_write=False)
        self.by_name: dict[tuple[str, ...], list[Contact]] = {}
        for contact in called_so([want.donor for want in wants if is_name_only(want.donor)]):
            for key in {name_of(contact), (folded(contact.organization_name),)}:
                self.by_name.setdefault(key, []).append(contact)

    def of(self, want: WantedGift) -> Contact:
        """The donor. Raises `Refused` with a sentence when nobody, or nobody for certain, is meant."""
        donor = want.donor
        if is_name_only(donor):
            return self.named(donor)
        known = find(donor, self.crowd, self.reader.donors)
        by_id = self.crowd.with_uid(donor.uid) if donor.uid else None
        if not by_id and not any(self.crowd.with_id(key) for key in wanted_id_keys(donor)):
            same = [one for address in donor.emails for one in self.crowd.with_email(address)]
            refuse_others(donor, [known] if known else same)
        if known is None or known.contact is None:
            raise Refused(NOBODY.format(said(donor)) if said(donor) else "The row does not say who gave. Add it.")
        return known.contact

    def named(self, donor: Wanted) -> Contact:
        """By name alone; two of one name are told apart by an email or an id."""
        name = donor.label
        if not name:
            raise Refused("The row does not say who gave. Add an email, an id or a name.")
        keys = [name_of_wanted(donor), (folded(donor.values.get("organization_name", "") or name),)]
        found = {one.pk: one for key in keys if any(key) for one in self.by_name.get(key, [])}
        if len(found) > 1:
            raise Refused(f"{len(found)} contacts are called {name}. Add an email or an id that says which one it is.")
        if not found:
            raise Refused(NOBODY.format(f"the name {name}"))
        return next(iter(found.values()))


def refuse_others(donor: Wanted, people: Sequence[Known]) -> None:
    """An address of somebody with another name: a gift of the one is not one of the other. Raises `Refused`."""
    if people and all(speaks_against(donor, known) for known in people):
        raise Refused(
            f"{donor.emails[0]} is the email of {names_of(list(people))}, but the row names {donor.label}. Correct the "
            f"row; or, if {donor.label} is somebody else with this address, add them as a contact first."
        )


def speaks_against(donor: Wanted, known: Known) -> bool:
    """Whether the first or the last name is another. What is empty says nothing; one word in common is enough, as of
    double names and of couples, and so is an initial."""
    pairs = [
        (
            set(words(donor.values.get(name, "").replace("-", " "))),
            set(words(known.state.get(name, "").replace("-", " "))),
        )
        for name in ("first_name", "last_name")
    ]
    if set().union(*(ours for ours, _ in pairs)) == set().union(*(theirs for _, theirs in pairs)):
        return False  # the same words, divided otherwise
    (ours, theirs), (our_last, their_last) = pairs
    if our_last and their_last and not our_last & their_last:
        return True
    return bool(ours and theirs and not ours & theirs) and not may_be(donor, known)


def is_name_only(donor: Wanted) -> bool:
    """Whether a row says nothing but a name."""
    return not (donor.uid or donor.ids or donor.emails or donor.phones or donor.values.get("custom_user_id"))


def said(donor: Wanted) -> str:
    """How the row says whom it means."""
    if donor.emails:
        return f"the email {donor.emails[0]}"
    if donor.values.get("custom_user_id"):
        return f"the id {donor.values['custom_user_id']}"
    if donor.ids:
        return "the identifier {}: {}".format(*donor.ids[0])
    return f"the phone number {donor.phones[0]}" if donor.phones else ""


def name_of(contact: Contact) -> tuple[str, ...]:
    """First and last name without case, accents and signs."""
    return (folded(contact.first_name), folded(contact.last_name))


def name_of_wanted(donor: Wanted) -> tuple[str, ...]:
    """The same, of a row."""
    return (folded(donor.values.get("first_name", "")), folded(donor.values.get("last_name", "")))


def called_so(donors: Sequence[Wanted]) -> Any:
    """Contacts with these last names, or names of organizations; one query."""
    if not donors:
        return []
    last = {donor.values.get("last_name", "").lower() for donor in donors} - {""}
    whole = {donor.values.get("organization_name", "").lower() or donor.label.lower() for donor in donors} - {""}
    first = {donor.label.lower() for donor in donors if not donor.values.get("last_name")} - {""}
    rows = Contact.objects.annotate(last=Lower("last_name"), org=Lower("organization_name"), first=Lower("first_name"))
    return rows.filter(Q(last__in=last) | Q(org__in=whole) | Q(last="", first__in=first)).order_by()
