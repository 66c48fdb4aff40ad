"""Undo a merge within 30 days: the contact that went comes back with its rows, the other gives back what it got.

What somebody has changed since stays as it is, and is said. `plan` finds out, for the page that is shown first and for
the undoing itself; `undo` does it in one transaction.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import models, transaction
from django.utils import timezone

from contacts import standing
from contacts.duplicates import find
from contacts.duplicates.identities import MERGING, UNDOING, uids_of
from contacts.duplicates.merge import GONE, KEEP, KEPT, MergeRefused, announce, changed_value, make_primary
from contacts.duplicates.rows import WORSE, Relation, in_words, relation_of, relations, thawed
from contacts.models import (
    ConsentEvent,
    Contact,
    ContactList,
    DuplicatePair,
    EmailAddress,
    HistoryEntry,
    Household,
    Merge,
    MergedIdentity,
)  # fmt: skip
from contacts.models.recorded import chunks
from contacts.tenancy.acting import By, acting

STAYS_ON_BOTH = "Do Not Contact was set since the merge{}. It stays, on both contacts."
WORD_STAYS = (
    "They have opted out themselves since the merge. Nobody knows which of the two it was, so it holds for both."
)
WHILE_ONE = "Said while two contacts were merged"


@dataclass(slots=True)
class Shared:
    """Rows of one kind that both had: one is put back as it was, the other is made again."""

    relation: Relation
    back: dict[int, Any] = field(default_factory=dict)  # rows that stay with the one that was kept
    fields: set[str] = field(default_factory=set)
    again: list[dict[str, Any]] = field(default_factory=list)
    links: dict[Any, dict[int, Any]] = field(default_factory=dict)  # {link: the rows that it may point to}


@dataclass(slots=True)
class Return:
    """What undoing one merge does, and in `stays` sentences what it leaves as it is."""

    merge: Merge
    contact: Contact  # the one that was kept
    gone: dict[str, Any]  # the one that comes back
    said_since: set[uuid.UUID | None]  # lists of which somebody was marked Do Not Contact since; None is everywhere
    withdrawn: dict[str, str]  # what they have opted out of themselves since
    fields: dict[str, Any] = field(default_factory=dict)  # of the one that was kept, back to what they were
    moved: dict[str, list[int]] = field(default_factory=dict)  # {kind: rows that go back}
    shared: list[Shared] = field(default_factory=list)
    added: list[Any] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)


def why_not(merge: Merge) -> str:
    """A sentence if this merge cannot be undone now, or ""."""
    if merge.undone_at is not None:
        return "This merge has been undone already."
    if not merge.taken or merge.at <= timezone.now() - KEEP:
        return f"A merge can be undone for {KEEP.days} days. After that, what undoing needs is erased, for privacy."
    of_these = models.Q(kept_uid=merge.kept_uid) | models.Q(gone_uid=merge.kept_uid)
    after = models.Q(at__gt=merge.at) | models.Q(at=merge.at, pk__gt=merge.pk)
    later = Merge.objects.filter(of_these, after, undone_at=None).order_by("at", "pk").last()
    if later is not None:
        return f"{later.gone_name} was merged into {later.kept_name} later. Undo that merge first."
    if not Contact.objects.filter(uid=merge.kept_uid).exists():
        return f"{merge.kept_name} was deleted since; there is nothing left to take apart."
    return ""


def plan(merge: Merge) -> Return:
    """What undoing this merge would do now. Raises `MergeRefused` with the reason if it cannot be undone."""
    if sentence := why_not(merge):
        raise MergeRefused(sentence)
    taken = merge.taken
    kept = Contact.objects.get(uid=merge.kept_uid)
    withdrawn = standing.said_since(merge.at, uids_of(kept))
    found = Return(merge, kept, dict(taken["gone"]), said_since(merge), withdrawn)
    if withdrawn:
        found.stays.append(WORD_STAYS)
    _plan_fields(found)
    for label, pks in taken["moved"].items():
        _plan_moved(found, relation_of(label), pks)
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for note in taken["combined"]:
        by_kind.setdefault(note["model"], []).append(note)
    for label, notes in by_kind.items():
        _plan_shared(found, relation_of(label), notes)
    for note in taken["added"]:
        row = apps.get_model(note["model"])._base_manager.filter(pk=note["pk"]).first()
        if row is not None and getattr(row, "contact_id", found.contact.pk) == found.contact.pk:
            found.added.append(row)
    return found


def said_since(merge: Merge) -> set[uuid.UUID | None]:
    """The lists for which Do Not Contact was set since the merge, None for everywhere."""
    events = ConsentEvent.objects.filter(
        contact_uid__in=[merge.kept_uid, merge.gone_uid], at__gte=merge.at, place="",
        kind__in=[ConsentEvent.Kind.DNC_SET, ConsentEvent.Kind.OPT_OUT],
    ).exclude(source=MERGING)  # fmt: skip
    return set(events.values_list("list_uid", flat=True))


def consent_apart(kept_before: bool, gone_before: bool, now: bool, is_said_since: bool) -> tuple[bool, bool]:
    """Do Not Contact of the one that was kept and of the other, after undoing.

    What was set since the merge was said of one person, and nobody knows of which of the two: it holds for both. What
    was cleared since stays cleared on the one that was there; the other comes back as it was.
    """
    if now and (is_said_since or not (kept_before or gone_before)):
        return True, True
    return now and kept_before, gone_before


def _plan_fields(found: Return) -> None:
    """Fields of the one that was kept go back unless somebody changed them; consent stays with the stricter."""
    contact, taken = found.contact, found.merge.taken
    for name, (before, after) in taken["kept"].items():
        if name == "do_not_contact":
            continue
        if changed_value(contact, name) == after:
            found.fields[name] = before
        else:
            label = next(f.verbose_name for f in Contact._meta.concrete_fields if f.attname == name)
            found.stays.append(f"{str(label).capitalize()} was changed since and stays as it is.")
    had_it = bool(taken["gone"]["do_not_contact"])
    mine, theirs = consent_apart(taken["do_not_contact"], had_it, contact.do_not_contact, None in found.said_since)
    if mine != contact.do_not_contact:
        found.fields["do_not_contact"] = mine
    if theirs and mine and not (had_it and taken["do_not_contact"]):
        found.stays.append(STAYS_ON_BOTH.format(""))
    found.gone["do_not_contact"] = theirs
    household = found.gone["household_id"]
    if household and not Household.objects.filter(pk=household).exists():
        found.gone["household_id"] = None
        found.stays.append(f"The household of {found.merge.gone_name} was deleted since.")
    before = found.fields.get("household_id")
    if before and not Household.objects.filter(pk=before).exists():
        found.fields["household_id"] = None


def _plan_moved(found: Return, relation: Relation, pks: list[int]) -> None:
    """Rows that are still with the one that was kept go back; a row that was deleted since stays deleted."""
    here: set[int] = set()
    for part in chunks(pks):
        rows = relation.rows.filter(pk__in=part, **{relation.link: found.contact})
        here |= set(rows.values_list("pk", flat=True))
    found.moved[relation.label] = [pk for pk in pks if pk in here]
    _say_missing(found, relation, len(pks) - len(here))


def _say_missing(found: Return, relation: Relation, count: int) -> None:
    if count and not getattr(relation.model, "comes_and_goes", False):
        meta = relation.model._meta
        words = meta.verbose_name if count == 1 else meta.verbose_name_plural
        found.stays.append(f"{count:,} {words} taken away since the merge will not come back.")


def _plan_shared(found: Return, relation: Relation, notes: list[dict[str, Any]]) -> None:
    """Rows that had become one are two again; the newest first, since one row may have taken in several."""
    shared = Shared(relation, links=_targets(relation, [note["gone"] for note in notes]))
    rows: dict[int, Any] = {}
    links = [link.name for link in shared.links]
    for part in chunks(sorted({note["kept"] for note in notes})):
        here = relation.rows.filter(pk__in=part, **{relation.link: found.contact}).select_related(*links or [None])
        rows |= {row.pk: row for row in here}
    missing = 0
    for note in reversed(notes):
        row, gone = rows.get(note["kept"]), dict(note["gone"])
        if row is None or any(gone[f.attname] not in (None, *targets) for f, targets in shared.links.items()):
            missing += 1
            continue
        _take_apart(found, shared, row, gone, note)
        shared.again.append(gone)
    _say_missing(found, relation, missing)
    found.shared.append(shared)


def _take_apart(found: Return, shared: Shared, row: Any, gone: dict[str, Any], note: dict[str, Any]) -> None:
    """One row that stays goes back to what it was, where nobody changed it since."""
    before, after = note["before"], note["after"]
    back: dict[str, Any] = {}
    for name in before:
        never_back = ("do_not_contact", "is_primary", *getattr(row, "never_back", ()))
        if name in never_back or before[name] == after[name]:
            continue
        if changed_value(row, name) == after[name]:
            back[name] = before[name]
        else:
            found.stays.append(f"The {in_words(row)} was changed since and stays as it is.")
    if isinstance(row, EmailAddress) and row.state != after["state"]:
        gone["state"] = max(row.state, gone["state"], key=WORSE.index)  # it is the same address
    if "do_not_contact" in gone:
        is_said = getattr(getattr(row, "contact_list", None), "uid", None) in found.said_since
        had_it = gone["do_not_contact"]
        mine, theirs = consent_apart(before["do_not_contact"], had_it, row.do_not_contact, is_said)
        if mine != row.do_not_contact:
            back["do_not_contact"] = mine
        if theirs and mine and not (had_it and before["do_not_contact"]):
            found.stays.append(STAYS_ON_BOTH.format(f": {in_words(row)}"))
        gone["do_not_contact"] = theirs
    for name, value in thawed(shared.relation.model, back).items():
        setattr(row, name, value)
        shared.back[row.pk] = row
        shared.fields.add(name)


def _targets(relation: Relation, rows: list[dict[str, Any]]) -> dict[Any, dict[int, Any]]:
    """{link of this kind of row: the rows that it still may point to}, but for the contact and the organization."""
    found = {}
    for link in relation.model._meta.concrete_fields:
        if isinstance(link, models.ForeignKey) and link.name not in ("tenant", relation.link):
            wanted = {row[link.attname] for row in rows} - {None}
            target: Any = link.remote_field.model._base_manager
            found[link] = target.in_bulk(wanted) if wanted else {}
    return found


def undo(merge: Merge, user: Any = None) -> Contact:
    """Take a merge back. Returns the contact that is here again; raises `MergeRefused` with the reason if it cannot."""
    with transaction.atomic(), acting(By.STAFF, UNDOING, user):
        merge = Merge.objects.select_for_update().get(pk=merge.pk)
        for kept in Contact.objects.select_for_update().filter(uid=merge.kept_uid):
            for relation in relations():  # what comes in now waits, instead of being written over
                rows = relation.rows.select_for_update().filter(**{relation.link: kept}).order_by("pk")
                list(rows.values_list("pk", flat=True))
        found = plan(merge)
        MergedIdentity.objects.filter(merge=merge).delete()
        for row in found.added:
            row.delete()
        gone = Contact(**thawed(Contact, found.gone))
        gone.save(force_insert=True)
        _give_back(found, gone)
        for shared in found.shared:
            _make_two(shared, gone)
        for label, primary in merge.taken["primary"].items():
            _settle_primary(relation_of(label), found.contact, gone, primary)
        for name, value in thawed(Contact, found.fields).items():
            setattr(found.contact, name, value)
        found.contact.save()
        _restore_greeting(merge.taken["greeting"])
        keep_apart(found.contact, gone, user)
        merge.undone_at, merge.undone_by, merge.taken = timezone.now(), user, {}
        merge.save()
        _repeat_word(found, gone)
        announce(merge, "Merge undone", "Merge undone", HistoryEntry.Verb.DELETED)
        return gone


def _repeat_word(found: Return, gone: Contact) -> None:
    """What they said themselves while they were one stands in the ledger under one of them and under an address. It is
    written down for whichever of the two it does not stand under, or a new address would be the end of it."""
    own, _ = standing.load([found.contact.uid, gone.uid], [])
    uids = [scope.removeprefix("list:") for scope in found.withdrawn if scope.startswith("list:")]
    names = {str(uid): name for uid, name in ContactList.objects.filter(uid__in=uids).values_list("uid", "name")}
    events = []
    with acting(By.PERSON, WHILE_ONE):
        for contact in (found.contact, gone):
            for scope, state in found.withdrawn.items():
                if own.get(str(contact.uid), {}).get(scope) in (state, standing.OUT):
                    continue
                uid = scope.removeprefix("list:") if scope.startswith("list:") else ""
                events.append(
                    ConsentEvent.by_actor(
                        ConsentEvent.Kind.OPT_OUT, contact.uid, tenant_id=contact.tenant_id,
                        contact_name=str(contact)[:250], list_uid=uuid.UUID(uid) if uid else None,
                        list_name=names.get(uid, ""), place=scope.removeprefix("place:") if "place:" in scope else "",
                    )
                )  # fmt: skip
    ConsentEvent.objects.bulk_create(events)


def _give_back(found: Return, gone: Contact) -> None:
    """The rows that had moved. One that is the primary row now, and was not of the other, comes back without that."""
    for label, pks in found.moved.items():
        relation = relation_of(label)
        for part in chunks(pks):
            rows = relation.rows.filter(pk__in=part)
            if relation.has_primary:
                own = found.merge.taken["primary"].get(label, {}).get(GONE)
                rows.filter(is_primary=True).exclude(pk=own or 0).update(is_primary=False)
            relation.rows.filter(pk__in=part).update(**{relation.link: gone})


def _make_two(shared: Shared, gone: Contact) -> None:
    """Rows that both had: ours back to what it was, theirs made again under its own number."""
    relation = shared.relation
    if shared.back:
        fields = [f.name for f in relation.model._meta.concrete_fields if f.attname in shared.fields]
        relation.rows.bulk_update(list(shared.back.values()), fields, batch_size=500)
    again = []
    for values in shared.again:
        row = relation.model(**thawed(relation.model, values))
        setattr(row, relation.link, gone)
        for link, targets in shared.links.items():
            setattr(row, link.name, targets.get(values[link.attname]))
        again.append(row)
    if relation.is_single:  # made anew meanwhile by the other rows that came back
        relation.rows.filter(**{relation.link: gone}).delete()
    relation.rows.bulk_create(again, batch_size=500)


def _settle_primary(relation: Relation, kept: Contact, gone: Contact, primary: dict[str, int | None]) -> None:
    """Each has its own primary row again; what staff have chosen since for the one that was kept stays."""
    for contact, own in ((kept, primary[KEPT]), (gone, primary[GONE])):
        rows = dict(relation.rows.filter(**{relation.link: contact}).values_list("pk", "is_primary"))
        now = next((pk for pk, is_primary in rows.items() if is_primary), None)
        if now is None and own in rows:
            make_primary(relation, contact, own, None)
        elif contact is kept and now == primary["after"] != own and (own is None or own in rows):
            make_primary(relation, contact, own, now)


def _restore_greeting(note: Iterable[Any] | None) -> None:
    """A household's own greeting that the merge had taken away."""
    if note is not None:
        pk, before, after = note
        household = Household.objects.filter(pk=pk, greeting=after).first()
        if household is not None and before != after:
            household.greeting = before
            household.save()


def keep_apart(one: Contact, other: Contact, user: Any) -> None:
    """They were said to be two: they are not suggested again for what they have in common now."""
    first, second = sorted([one.pk, other.pk])
    score, reasons = find.compare_pairs([(first, second)])[first, second]
    DuplicatePair.objects.update_or_create(
        first_id=first, second_id=second,
        defaults={"reasons": reasons, "score": score, "dismissed_at": timezone.now(), "dismissed_by": user},
    )  # fmt: skip
