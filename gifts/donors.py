"""Verbs about donors: create, change, delete, place in a club by hand. Each is one transaction; totals are counted in
`gifts/totals.py`. Whoever is changed is locked first: contact, totals, donor, always in this order."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from contacts import custom, details
from contacts.models import Contact, CustomField
from contacts.tenancy.acting import actor
from gifts import follow, holds, totals
from gifts.card_numbers import without_card_numbers
from gifts.models import Donor, DonorClub

OWN = ("anonymous", "notes", "external_id")


class DonorRefused(Exception):
    """It cannot be done, with a sentence that says why; nothing was changed."""


class Conflict(DonorRefused):
    """Something that it refers to is not there, or something else refers to it."""


class Locked(DonorRefused):
    """This donor may not be changed by programs."""

    def __init__(self) -> None:
        super().__init__("This donor is locked: programs may read it, and change nothing. Staff can unlock it.")


@dataclass(slots=True)
class Wanted:
    """What is to be written: of the donor (OWN), of the contact (`contacts.details`), of custom fields (canonical
    values, "" for none), and another contact. What is not named stays as it is."""

    own: dict[str, Any] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)
    answers: dict[CustomField, str] = field(default_factory=dict)
    contact: Contact | None = None


def locked(uids: Collection[uuid.UUID]) -> dict[uuid.UUID, Donor]:
    """These donors as they are now, with contacts and totals locked until the transaction ends; those there are."""
    wanted = dict(Donor.objects.filter(uid__in=list(uids)).order_by().values_list("pk", "contact_id"))
    contacts = lock_contacts(wanted.values())
    totals.locked(contacts)
    rows = Donor.objects.select_for_update(of=("self",)).filter(pk__in=wanted, contact__in=contacts)
    found = {row.uid: row for row in rows.order_by("contact_id")}
    for row in found.values():
        row.contact = contacts[row.contact_id]
    return found


def lock_contacts(pks: Collection[int]) -> dict[int, Contact]:
    """These contacts, locked in a fixed order. Gifts for them may be noted meanwhile; merges wait."""
    rows = Contact.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=list(pks))
    return {row.pk: row for row in rows.order_by("pk")}


def still_free(contact: Contact) -> Contact:
    """This contact as it is now, locked with its totals. Raises `Conflict` if it is gone, or a donor by now."""
    here = lock_contacts([contact.pk])
    if contact.pk not in here:
        raise Conflict("The contact is not here any more: deleted or merged a moment ago.")
    totals.locked([contact.pk])  # a gift of this moment makes a donor: before this, or after it
    if Donor.objects.filter(contact=contact.pk).exists():
        raise Conflict("There is a donor for this contact already.")
    return here[contact.pk]


@transaction.atomic
def create(contact: Contact, wanted: Wanted) -> Donor:
    """Make a donor of a contact who is none yet. Raises `Conflict` for one who is (A1)."""
    by = actor().label[:100]
    row = Donor(contact=still_free(contact), created_by=by, updated_by=by)
    write_own(row, wanted.own)
    save(row)
    details.set_details(row.contact, wanted.details)
    custom.set_values(row.contact, wanted.answers)
    # What was written of the contact is part of the first version.
    Donor.objects.filter(pk=row.pk).order_by().plainly(updated_at=timezone.now())
    row.refresh_from_db()
    return row


@transaction.atomic(savepoint=False)
def change(row: Donor, wanted: Wanted) -> bool:
    """Write what is wanted of a donor that is `locked` by the caller, in a transaction that ends with what is raised;
    a change raises its version by one (A11). Returns whether anything changed. Raises `Locked` and `Conflict`."""
    if row.is_locked:
        raise Locked()
    former = (row.external_id, row.contact_id)
    changed = write_own(row, wanted.own)
    if wanted.contact is not None and wanted.contact.pk != row.contact_id:
        move(row, wanted.contact)
        changed = True
    answers = custom.values_of([row.contact]).get(row.contact_id, {}) if wanted.answers else {}
    if different := {f: value for f, value in wanted.answers.items() if answers.get(f.pk, "") != value}:
        custom.set_values(row.contact, different)
        changed = True
    if wanted.details:
        changed |= details.set_details(row.contact, wanted.details)
    if changed:
        row.version += 1
        row.updated_at, row.updated_by = timezone.now(), actor().label[:100]
        if former == (row.external_id, row.contact_id):
            row.save()
        else:
            save(row)
    return changed


def save_by_staff(row: Donor) -> None:
    """What staff have typed into a donor that is `locked` by the caller, locked for programs or not; with a version
    more (A11)."""
    row.notes = without_card_numbers(row.notes)
    row.version += 1
    row.updated_at, row.updated_by = timezone.now(), actor().label[:100]
    row.save()


def write_own(row: Donor, values: Mapping[str, Any]) -> bool:
    """Into the row; returns whether anything differs."""
    values = dict(values)
    if "notes" in values:
        values["notes"] = without_card_numbers(values["notes"])
    wrong = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in wrong.items():
        setattr(row, name, value)
    return bool(wrong)


def save(row: Donor) -> None:
    """Raises `Conflict` if another donor has the identifier. That the contact's totals follow is the same change, with
    the same version."""
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise Conflict("Another donor has this sys_external_id, or the contact became a donor a moment ago.") from None
    Donor.objects.filter(pk=row.pk).order_by().plainly(version=row.version)


def move(row: Donor, contact: Contact) -> None:
    """Make it the donor of another contact. Gifts and pledges stay with theirs, so there must be none."""
    if holds.hold([row.contact_id]):
        raise Conflict("The contact of this donor has gifts or pledges, which stay theirs. Merge the contacts instead.")
    row.contact = still_free(contact)


def why_not_delete(row: Donor) -> DonorRefused | None:
    """What stands in the way if this donor is locked, or gifts or pledges depend on it; the row is `locked` by the
    caller. Who tried to delete it is noted (A5), which is no change of it. The sentence tells no number: not everybody
    who may write may read."""
    why: DonorRefused | None = Locked() if row.is_locked else None
    if why is None and holds.hold([row.contact_id]):
        why = Conflict("This donor has gifts or pledges, and whoever gave or promised something stays.")
    if why is not None:
        row.deleted_by = actor().label[:100]
        Donor.objects.filter(pk=row.pk).order_by().plainly(deleted_by=row.deleted_by)
    return why


@transaction.atomic
def delete(row: Donor) -> None:
    """The contact stays. A note of it is left (`DeletedDonor`). Raises `Locked`."""
    if row.is_locked:
        raise Locked()
    row.delete()


@transaction.atomic
def place_by_hand(row: Donor, club: DonorClub | None, is_by_hand: bool = True) -> Donor:
    """Put a donor into a club, or into none, to stay there whatever they give; or have it decided by what they give
    again (`is_by_hand=False`, where `club` says nothing). For staff's pages (A13). Raises `Conflict` if it is gone."""
    now = locked([row.uid]).get(row.uid)
    if now is None:
        raise Conflict("This donor is not here any more: deleted or merged a moment ago. Nothing was changed.")
    former = now.club_id
    now.club_is_by_hand = is_by_hand
    if is_by_hand:
        now.club = club
    if is_moved := now.club_id != former:  # that it is by hand is not shown to programs
        now.version += 1
        now.updated_at, now.updated_by = timezone.now(), actor().label[:100]
    now.save()
    if is_moved:
        follow.note_spells([now])
    if not is_by_hand:
        totals.recount([now.contact_id])
        now.refresh_from_db()
    return now
