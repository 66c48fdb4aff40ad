"""Merge two contacts: one is kept, the other goes, and nothing of it is lost. One transaction, undone by unmerge.py.

What hangs on the contact that goes moves to the one that is kept; where both have the same, the two rows become one.
Everything that is changed is noted in `Merge.taken`, so that undoing it is exact.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from contacts import signals
from contacts.duplicates.identities import MERGING
from contacts.duplicates.rows import Relation, combine, frozen, frozen_value, keys_of, relations
from contacts.models import (
    Contact,
    DuplicatePair,
    HistoryEntry,
    Household,
    Merge,
    MergedIdentity,
    OutsideIdentifier,
)  # fmt: skip
from contacts.models.household import is_named_in
from contacts.models.recorded import chunks
from contacts.tenancy.acting import By, acting, actor

KEPT, GONE = "kept", "gone"
# The fields of the contact that somebody chooses, and the primary rows that are chosen like them.
FIELDS = ["kind", "first_name", "last_name", "organization_name", "job_title", "custom_user_id", "household"]
PRIMARIES = {"email": "contacts.emailaddress", "phone": "contacts.phonenumber", "postal": "contacts.postaladdress"}
FORMER_ID = "Former id"
KEEP = timedelta(days=30)  # how long a merge can be undone


class MergeRefused(Exception):
    """It cannot be done, with a sentence that says why; nothing was changed."""


Choices = Mapping[str, str]  # {field, “email”, “custom_<number of the field>”: “kept” or “gone”}


def merge(
    kept: Contact, gone: Contact, choices: Choices | None = None, user: Any = None, by_program: bool = False
) -> Merge:
    """Make one contact of two. What is not chosen comes from the one that is kept, unless it says nothing there.
    `by_program`: whoever is acting now does it, and no member of the staff."""
    who = By.SYSTEM if by_program else By.STAFF
    with transaction.atomic(), acting(who, MERGING, user, actor().label if by_program else ""):
        return _Merging(*both_now(kept, gone), choices or {}).done()


def both_now(kept: Contact, gone: Contact) -> tuple[Contact, Contact]:
    """Both as they are now, locked until the transaction ends."""
    if kept.pk == gone.pk:
        raise MergeRefused("These two are the same contact. Choose another one.")
    here = {c.pk: c for c in Contact.objects.select_for_update().filter(pk__in=[kept.pk, gone.pk]).order_by("pk")}
    for contact in (kept, gone):
        if contact.pk not in here:
            raise MergeRefused(f"{contact} is not here any more: merged or deleted a moment ago. Nothing was changed.")
    return here[kept.pk], here[gone.pk]


class _Merging:
    """One merge at work; `taken` collects what undoing it needs."""

    def __init__(self, kept: Contact, gone: Contact, choices: Choices) -> None:
        self.kept, self.gone, self.choices = kept, gone, choices
        self.kept_name, self.gone_name = str(kept)[:250], str(gone)[:250]
        self.taken: dict[str, Any] = {
            "gone": frozen(gone), "kept": {}, "do_not_contact": kept.do_not_contact, "moved": {}, "combined": [],
            "added": [], "primary": {}, "greeting": None,
        }  # fmt: skip

    def takes_theirs(self, name: str) -> bool:
        """Whether the value of the contact that goes was chosen."""
        return self.choices.get(name) == GONE

    def done(self) -> Merge:
        """All of it, in an order in which no rule of the database is broken on the way."""
        before = frozen(self.kept)
        for relation in relations():
            self.bring_over(relation)
        self.settle_fields()
        self.carry_over_dismissed()
        self.taken["kept"] = {
            name: [before[name], now] for name, now in frozen(self.kept).items()
            if before[name] != now and name != "updated_at"
        }  # fmt: skip
        self.let_go()
        merge = Merge.objects.create(
            kept_uid=self.kept.uid, gone_uid=self.gone.uid, gone_pk=self.taken["gone"]["id"], user=actor().user,
            kept_name=self.kept_name, gone_name=self.gone_name, taken=self.taken,
        )  # fmt: skip
        self.remember_identities(merge)
        announce(merge, f"Merged into {self.kept}", f"Merged with {self.gone_name}", HistoryEntry.Verb.ADDED,
                 is_opt_out=bool(self.taken["kept"].get("do_not_contact")))  # fmt: skip
        return merge

    # --- rows ---
    def bring_over(self, relation: Relation) -> None:
        """Move the rows of one kind, or make one of two twins."""
        # Locked, or an opt-out that comes in now would be written over with what was read before.
        theirs = list(relation.rows.select_for_update().filter(**{relation.link: self.gone}).order_by("pk"))
        if not theirs and not relation.has_primary:
            return
        mine = list(relation.rows.select_for_update().filter(**{relation.link: self.kept}).order_by("pk"))
        if not theirs and not mine:
            return
        twins = {key: row for row in mine for key in keys_of(relation, row)}
        pairs = [(twin, row) for row in theirs if (twin := first_of(twins, keys_of(relation, row))) is not None]
        self.combine(relation, pairs)
        moving = [row for row in theirs if all(row is not gone for _, gone in pairs)]
        self.move(relation, moving)
        if relation.has_primary:
            self.settle_primary(relation, mine, theirs, pairs)

    def combine(self, relation: Relation, pairs: list[tuple[Any, Any]]) -> None:
        """Two rows that cannot both stay become one; the other is kept in `taken` as it was."""
        if not pairs:
            return
        changed: dict[int, Any] = {}
        names: set[str] = set()
        for twin, row in pairs:
            before = frozen(twin)
            combine(relation, twin, row, self.takes_theirs)
            after = frozen(twin)
            if before != after:
                changed[twin.pk] = twin
                names |= {name for name, now in after.items() if before[name] != now}
            note = {"model": relation.label, "kept": twin.pk, "gone": frozen(row), "before": before, "after": after}
            self.taken["combined"].append(note)
        for part in chunks([row.pk for _, row in pairs]):
            relation.rows.filter(pk__in=part).delete()
        if changed:
            fields = [f.name for f in relation.model._meta.concrete_fields if f.attname in names]
            relation.rows.bulk_update(list(changed.values()), fields, batch_size=500)

    def move(self, relation: Relation, rows: list[Any]) -> None:
        """Give these rows to the contact that is kept; none comes as a primary one, which is settled afterwards."""
        if not rows:
            return
        self.taken["moved"][relation.label] = [row.pk for row in rows]
        primary = [row.pk for row in rows if relation.has_primary and row.is_primary]
        others = [row.pk for row in rows if row.pk not in primary]
        if primary:
            relation.rows.filter(pk__in=primary).update(**{relation.link: self.kept, "is_primary": False})
        for part in chunks(others):
            relation.rows.filter(pk__in=part).update(**{relation.link: self.kept})

    def settle_primary(self, relation: Relation, mine: list[Any], theirs: list[Any], pairs: list[Any]) -> None:
        """One primary row: the one that is kept has it, unless the other's was chosen or is the only one."""
        name = next((name for name, label in PRIMARIES.items() if label == relation.label), "")
        own = next((row.pk for row in mine if row.is_primary), None)
        other = next((row.pk for row in theirs if row.is_primary), None)
        here = {row.pk: twin.pk for twin, row in pairs}.get(other, other)  # where the other's has become one with ours
        after = here if here is not None and (own is None or self.takes_theirs(name)) else own
        self.taken["primary"][relation.label] = {KEPT: own, GONE: other, "after": after}
        make_primary(relation, self.kept, after, own)

    # --- the contact itself ---
    def settle_fields(self) -> None:
        """The chosen names and the rest, notes of both, the stricter consent."""
        kept, gone = self.kept, self.gone
        other_id = gone.custom_user_id if kept.custom_user_id else ""
        for name in FIELDS:
            mine, theirs = getattr(kept, name), getattr(gone, name)
            if theirs and (self.takes_theirs(name) or not mine):
                if name == "custom_user_id":
                    other_id = mine
                setattr(kept, name, theirs)
        kept.do_not_contact = kept.do_not_contact or gone.do_not_contact
        kept.notes = joined_notes(kept.notes, gone.notes)
        if other_id and other_id != kept.custom_user_id:
            self.keep_identifier(other_id)
        kept.save()

    def keep_identifier(self, value: str) -> None:
        """Both ids are kept: the second as an identifier, or in the notes where somebody else has that one."""
        same = OutsideIdentifier.objects.filter(system__iexact=FORMER_ID, value=value)
        if not same.exists():
            row = OutsideIdentifier.objects.create(contact=self.kept, system=FORMER_ID, value=value)
            self.taken["added"].append({"model": OutsideIdentifier._meta.label_lower, "pk": row.pk})
        elif not same.filter(contact=self.kept).exists():
            self.kept.notes = joined_notes(self.kept.notes, f"{FORMER_ID}: {value}")

    def carry_over_dismissed(self) -> None:
        """Whoever was said to be somebody else than the one that goes is somebody else than the one that is kept."""
        for pair in pairs_of(self.gone).filter(dismissed_at__isnull=False):
            other = pair.second_id if pair.first_id == self.gone.pk else pair.first_id
            first, second = sorted([other, self.kept.pk])
            if other == self.kept.pk or DuplicatePair.objects.filter(first_id=first, second_id=second).exists():
                continue
            row = DuplicatePair.objects.create(
                first_id=first, second_id=second, reasons=pair.reasons, score=pair.score, found_at=pair.found_at,
                dismissed_at=pair.dismissed_at, dismissed_by_id=pair.dismissed_by_id,
            )  # fmt: skip
            self.taken["added"].append({"model": DuplicatePair._meta.label_lower, "pk": row.pk})

    def let_go(self) -> None:
        """Delete the other, as every deletion goes (L19). A household's own greeting stays if the name still fits."""
        household = Household.objects.filter(pk=self.taken["gone"]["household_id"] or 0).first()
        pk = self.gone.pk
        self.gone.delete()
        self.gone.pk = pk
        if household is None or not household.greeting:
            return
        now = Household.objects.filter(pk=household.pk).first()
        if now is not None and now.greeting != household.greeting:
            if self.kept.household_id == now.pk and is_named_in(self.kept.first_name, household.greeting):
                now.greeting = household.greeting
                now.save()
            self.taken["greeting"] = [household.pk, household.greeting, now.greeting]

    def remember_identities(self, merge: Merge) -> None:
        """Words about the one that goes, and about everybody whom it had been, hold for the one that is kept."""
        earlier = MergedIdentity.objects.filter(kept_uid=self.gone.uid)
        now = {"merge": merge, "kept_uid": self.kept.uid}
        MergedIdentity.objects.bulk_create(
            [
                MergedIdentity(gone_uid=self.gone.uid, via_uid=self.kept.uid, at=merge.at, **now),
                *(MergedIdentity(gone_uid=row.gone_uid, via_uid=row.via_uid, at=row.at, **now) for row in earlier),
            ]
        )


def first_of(twins: Mapping[Any, Any], keys: Iterable[Any]) -> Any:
    """The twin that has one of these keys."""
    return next((twins[key] for key in keys if key in twins), None)


def make_primary(relation: Relation, contact: Contact, wanted: int | None, present: int | None) -> None:
    """Make this row of the contact the primary one, in place of the present one; none if `wanted` is None."""
    rows = relation.rows.filter(**{relation.link: contact})
    if wanted == present and (wanted is None or rows.filter(pk=wanted, is_primary=True).exists()):
        return
    rows.filter(is_primary=True).exclude(pk=wanted or 0).update(is_primary=False)
    if wanted is not None:
        rows.filter(pk=wanted, is_primary=False).update(is_primary=True)


def joined_notes(mine: str, theirs: str) -> str:
    """The notes of both, each once."""
    if theirs.strip() in mine:
        return mine
    return f"{mine.rstrip()}\n\n{theirs}" if mine.strip() else theirs


def pairs_of(contact: Contact) -> Any:
    """The possible duplicates that name this contact."""
    return DuplicatePair.objects.filter(first=contact) | DuplicatePair.objects.filter(second=contact)


def announce(merge: Merge, gone_cause: str, kept_cause: str, verb: str, is_opt_out: bool = False) -> None:
    """Both histories say so, and whoever keeps services in step hears of both under one cause."""
    entries = [
        HistoryEntry.by_actor(verb=verb, what=str(Merge._meta.verbose_name), label=str(merge)[:250], contact_uid=uid)
        for uid in (merge.kept_uid, merge.gone_uid)
    ]
    HistoryEntry.objects.bulk_create(entries)
    who = actor().label
    for uid, cause in ((merge.gone_uid, gone_cause), (merge.kept_uid, kept_cause)):
        signals.contacts_changed.send(
            Merge, tenant_id=merge.tenant_id, uids=[uid], cause=f"{cause} by {who}"[:200],
            is_opt_out=is_opt_out and uid == merge.kept_uid,
        )  # fmt: skip


def forget_old_merges() -> int:
    """Erase what undoing would need, once its time is over. Returns of how many merges."""
    return Merge.objects.filter(at__lte=timezone.now() - KEEP).exclude(taken={}).update(taken={})


def changed_value(row: Any, name: str) -> Any:
    """A field of a row as `taken` keeps it, to see whether somebody changed it since."""
    field = next(f for f in row._meta.concrete_fields if f.attname == name)
    return frozen_value(field, getattr(row, name))
