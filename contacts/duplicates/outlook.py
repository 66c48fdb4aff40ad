"""What a merge, or undoing one, will do: the choices somebody has, and the rest in sentences. It writes nothing."""

from dataclasses import dataclass
from typing import Any

from contacts import standing
from contacts.duplicates.merge import FIELDS, GONE, KEEP, KEPT
from contacts.duplicates.rows import keys_of, relation_of, relations
from contacts.duplicates.unmerge import Return
from contacts.models import Contact, EmailAddress, ListMembership

ROWS = [
    ("email", "email_addresses", "contacts.emailaddress", "Primary email address"),
    ("phone", "phone_numbers", "contacts.phonenumber", "Primary phone number"),
    ("postal", "postal_addresses", "contacts.postaladdress", "Primary postal address"),
]
PRIVATE = {"contacts.emailaddress", "contacts.listmembership"}  # told in sentences of their own


@dataclass(slots=True)
class Side:
    """One of the two values that somebody chooses from."""

    contact: Contact
    value: str
    note: str = ""
    is_chosen: bool = False


@dataclass(slots=True)
class Choice:
    """Something that both say, differently."""

    name: str
    label: str
    sides: list[Side]


def primary(contact: Contact, related: str) -> Any:
    """The primary row of this kind, if there is one."""
    return next((row for row in getattr(contact, related).all() if row.is_primary), None)


def compared(one: Contact, other: Contact, chosen: dict[str, str]) -> tuple[list[Choice], list[tuple[str, str]]]:
    """(what differs, what is the same or said by one only); `chosen`: {name: uid of the contact whose value it is}.

    What nobody has chosen is proposed as `one` says it, who is the contact that is kept.
    """
    choices: list[Choice] = []
    plain: list[tuple[str, str]] = []
    for name in FIELDS:
        field: Any = Contact._meta.get_field(name)
        shown = [shown_value(contact, name) for contact in (one, other)]
        label = "Id in another system" if name == "custom_user_id" else str(field.verbose_name).capitalize()
        _sort(choices, plain, name, label, (one, other), shown, shown)
    for name, related, kind, label in ROWS:
        rows = [primary(contact, related) for contact in (one, other)]
        keys = [str(keys_of(relation_of(kind), row)) if row else "" for row in rows]
        _sort(choices, plain, name, label, (one, other), [str(row or "") for row in rows], keys, rows)
    values = [{row.field: row.value for row in c.custom_values.select_related("field")} for c in (one, other)]
    for field in sorted(values[0].keys() | values[1].keys(), key=lambda f: (f.position, f.name)):
        shown = [found.get(field, "") for found in values]
        _sort(choices, plain, f"custom_{field.pk}", field.name, (one, other), shown, shown)
    for choice in choices:
        uids = [str(side.contact.uid) for side in choice.sides]
        wanted = chosen.get(choice.name)
        choice.sides[uids.index(wanted) if wanted in uids else 0].is_chosen = True
    return choices, plain


def _sort(
    choices: list[Choice], plain: list[tuple[str, str]], name: str, label: str, contacts: tuple[Contact, Contact],
    shown: list[str], keys: list[str], rows: Any = (None, None),
) -> None:  # fmt: skip
    """To the choices, if both say something and not the same; else to what needs no choice."""
    if all(keys) and keys[0] != keys[1]:
        is_bad = [isinstance(row, EmailAddress) and row.state != EmailAddress.State.OK for row in rows]
        notes = [row.get_state_display() if bad else "" for row, bad in zip(rows, is_bad, strict=True)]
        sides = [Side(c, value, note) for c, value, note in zip(contacts, shown, notes, strict=True)]
        choices.append(Choice(name, label, sides))
    elif any(shown):
        plain.append((label, shown[0] or shown[1]))


def shown_value(contact: Contact, name: str) -> str:
    """A field as a person reads it."""
    return contact.get_kind_display() if name == "kind" else str(getattr(contact, name) or "")


def is_initial(value: str) -> bool:
    """A. or A"""
    return len(value.rstrip(".")) < 2


def more_complete(one: Contact, other: Contact) -> tuple[Contact, Contact]:
    """(the one to keep, the other): who has a whole name and an address that works, then more rows, then who was here
    first. Their values are those that are proposed."""
    counts = {c.pk: sum(r.rows.filter(**{r.link: c}).count() for r in relations()) for c in (one, other)}
    kept, gone = sorted((one, other), key=lambda c: (flaws(c), -counts[c.pk], c.pk))
    return kept, gone


def flaws(contact: Contact) -> int:
    """How much about a contact is known to be less than it could be: an initial for a name, mail that comes back."""
    email = primary(contact, "email_addresses")
    is_short = is_initial(contact.first_name) and contact.kind == Contact.Kind.PERSON
    return is_short + (email is None or email.state != EmailAddress.State.OK)


def of_merge(kept: Contact, gone: Contact, choices: list[Choice]) -> list[str]:
    """What merging will do, for a person."""
    told = [f"{gone} goes, and everything about them comes to {kept}. Their history is shown there."]
    told += _consent(kept, gone)
    told += _lists(kept, gone)
    told += _addresses(kept, gone, choices)
    counts = []
    for relation in relations():
        if relation.label not in PRIVATE:
            rows = list(relation.rows.filter(**{relation.link: gone}))
            mine = {key for row in relation.rows.filter(**{relation.link: kept}) for key in keys_of(relation, row)}
            new = [row for row in rows if mine.isdisjoint(keys_of(relation, row))]
            if new:
                counts.append(some(relation, len(new)))
    if counts:
        told.append(f"Also from {gone}: {', '.join(counts)}.")
    if gone.notes.strip() and kept.notes.strip() and gone.notes.strip() not in kept.notes:
        told.append("The notes of both are kept, one below the other.")
    if gone.custom_user_id and kept.custom_user_id and gone.custom_user_id != kept.custom_user_id:
        told.append("The id that you do not choose is kept as an identifier elsewhere.")
    told.append(f"You can undo this for {KEEP.days} days.")
    return told


def some(relation: Any, count: int) -> str:
    """“2 tags”."""
    meta = relation.model._meta
    return f"{count:,} {meta.verbose_name if count == 1 else meta.verbose_name_plural}"


def _consent(kept: Contact, gone: Contact) -> list[str]:
    """The stricter wins, and why."""
    told = []
    if kept.do_not_contact:
        told.append(f"{kept} stays marked Do Not Contact: nothing is sent to any address of the two.")
    elif gone.do_not_contact:
        told.append(
            f"{kept} will be marked Do Not Contact, because {gone} is: nothing is sent to any address any more."
        )
    by_uid, _ = standing.load([kept.uid, gone.uid], [])
    for contact in (kept, gone):
        if standing.OUT in by_uid.get(str(contact.uid), {}).values():
            told.append(
                f"{contact} opted out once ({contact.primary_email or 'without an address now'}). That holds for "
                "every address after the merge, and only they themselves can take it back."
            )
    places = ListMembership.objects.filter(contact__in=[kept, gone], do_not_contact=True).select_related("contact_list")
    if names := sorted({place.contact_list.name for place in places}):
        told.append(f"Do Not Contact stays set for {', '.join(names)}.")
    return told


def _lists(kept: Contact, gone: Contact) -> list[str]:
    """On which lists they will be."""
    places = ListMembership.objects.filter(contact__in=[kept, gone]).select_related("contact_list")
    on = {c.pk: {p.contact_list.name for p in places if p.contact_id == c.pk} for c in (kept, gone)}
    new, everything = on[gone.pk] - on[kept.pk], on[kept.pk] | on[gone.pk]
    if not new:
        return [f"{kept} stays on {', '.join(sorted(everything))}."] if everything else []
    return [f"{kept} will be on {', '.join(sorted(everything))}; new: {', '.join(sorted(new))}."]


def _addresses(kept: Contact, gone: Contact, choices: list[Choice]) -> list[str]:
    """Where newsletters go, and what becomes of the other address at the services."""
    mine, theirs = kept.primary_email, gone.primary_email
    choice = next((c for c in choices if c.name == "email"), None)
    is_silent = kept.do_not_contact or gone.do_not_contact
    if choice is None:
        return [f"Newsletters go to {mine or theirs}."] if (mine or theirs) and not is_silent else []
    chosen = next(side.value for side in choice.sides if side.is_chosen)
    other = next(side.value for side in choice.sides if not side.is_chosen)
    if is_silent:
        return [f"The primary address is {chosen}; {other} is kept as a further one."]
    told = f"Newsletters go to {chosen}; {other} is kept as a further address."
    if ListMembership.objects.filter(contact__in=[kept, gone], contact_list__synchronize=True).exists():
        told += f" At newsletter services {other} gets nothing more through your lists, but nobody is unsubscribed."
    return [told]


def of_undoing(found: Return) -> list[str]:
    """What undoing a merge will do, for a person."""
    merge, kept = found.merge, found.contact
    told = [f"{merge.gone_name} is here again, as they were before the merge, with their own page and history."]
    counts = [some(relation_of(label), len(pks)) for label, pks in found.moved.items() if pks]
    if counts:
        told.append(f"These go back to {merge.gone_name}: {', '.join(counts)}.")
    counts = [some(shared.relation, len(shared.again)) for shared in found.shared if shared.again]
    if counts:
        told.append(f"What both had, each has again: {', '.join(counts)}.")
    names = [f.verbose_name for f in Contact._meta.concrete_fields if f.attname in found.fields]
    if names:
        told.append(f"{merge.kept_name} gets back from before the merge: {', '.join(map(str, names))}.")
    told.append("What they said themselves about newsletters stays with each of them, and with the address.")
    if not found.fields.get("do_not_contact", kept.do_not_contact):
        told.append("Where lists are kept in step with a newsletter service, both are put there again.")
    return told


def as_merge_wants(kept: Contact, choices: list[Choice]) -> dict[str, str]:
    """The choices in the words of merge.py."""
    return {
        choice.name: KEPT if side.contact.pk == kept.pk else GONE
        for choice in choices for side in choice.sides if side.is_chosen
    }  # fmt: skip
