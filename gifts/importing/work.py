"""What becomes of the rows of a file of gifts: looked at, written, taken back. Preview and work decide alike.

A gift keeps the identifier that the file gives it. Without one it gets one made of who, when, how much, and the how
many-eth such row of the file it is: so the same file changes nothing a second time, and two equal gifts are two.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count

from contacts.duplicates.identities import now_of
from contacts.importing.deciding import Refused
from contacts.models import Contact, Import, ImportKey, ImportRow
from gifts import services, totals
from gifts.card_numbers import without_card_numbers
from gifts.importing.donors import Donors
from gifts.importing.reading import Reader, WantedGift
from gifts.models import Gift, Source
from gifts.money import money

Outcome, Undo = ImportRow.Outcome, ImportRow.Undo
MADE = "row:"  # how identifiers begin that the file did not give
FIELDS = ("received_on", "amount", "campaign", "fund", "payment_method", "comment")
KEPT_DATE = "It was corrected here since it was imported ({}), and stays so."
LOOKS_KNOWN = "There is a gift of {} already. If this is the same one, leave the row out, or correct the other."
CHANGED_SINCE = "The gift was changed, refunded or given to another donor since, so it stays."
NOT_HERE = "The gift is not here any more, so there is nothing to take back."


@dataclass(slots=True)
class Plan:
    """What one row does."""

    want: WantedGift
    source_id: str
    outcome: str
    contact: Contact | None = None
    gift: Gift | None = None
    changes: dict[str, list[Any]] = field(default_factory=dict)
    reason: str = ""

    @property
    def warnings(self) -> list[str]:
        return self.want.donor.warnings


def check_batch(data_import: Import, reader: Reader, part: Sequence[tuple[int, list[str]]]) -> None:
    """Some rows: decided on and written down."""
    wants = [reader.read(number, cells) for number, cells in part]
    plans = decide(reader, wants, numbered(data_import, wants))
    rows = []
    for plan, (number, cells) in zip(plans, part, strict=True):
        clean = [without_card_numbers(cell) for cell in cells]  # D9: nor do they stay in the report
        row = ImportRow(data_import=data_import, number=number, cells=clean)
        fill(row, plan)
        rows.append(row)
        count(data_import.counts, plan)
    ImportRow.objects.bulk_create(rows)
    data_import.rows_done += len(rows)


def numbered(data_import: Import, wants: Sequence[WantedGift]) -> list[str]:
    """The identifier of each gift; equal rows are counted through the whole file. Two queries."""
    words = [want.words for want in wants]
    rows = ImportKey.objects.filter(data_import=data_import, key__in=set(words)).order_by()
    seen: Counter[str] = Counter(dict(rows.values_list("key").annotate(Count("pk"))))
    found, keys = [], []
    for want, word in zip(wants, words, strict=True):
        seen[word] += 1
        found.append(want.identifier or f"{MADE}{word}:{seen[word]}")
        keys.append(ImportKey(data_import=data_import, key=word, contact_uid=data_import.uid))
    ImportKey.objects.bulk_create(keys)
    return found


def decide(reader: Reader, wants: Sequence[WantedGift], source_ids: Sequence[str], lock: bool = False) -> list[Plan]:
    """What each row does now; as many queries for 500 as for one. Whoever is about to write locks the gifts."""
    donors = Donors(wants, reader)
    known = known_here(source_ids, lock)
    alike = alike_here(donors, wants)
    found, claimed = [], set()
    for want, source_id in zip(wants, source_ids, strict=True):
        plan = Plan(want, source_id, Outcome.REFUSED)
        try:
            if want.refusal:
                raise Refused(want.refusal)
            plan.contact, plan.gift = donors.of(want), known.get(source_id)
            if source_id in claimed:
                raise Refused(f"An earlier row of the file has the identifier {source_id} already.")
            settle(plan)
            warn_of_twins(plan, alike)
            claimed.add(source_id)
        except Refused as why:
            plan.reason, plan.changes = str(why)[:400], {}
        plan.changes["source_id"] = ["", source_id]
        if plan.outcome == Outcome.CREATE and reader.is_history(want.values["received_on"]):
            plan.changes["is_history"] = ["", True]
        found.append(plan)
    return found


def known_here(source_ids: Iterable[str], lock: bool) -> dict[str, Gift]:
    """Gifts that came from files, by identifier. Two queries."""
    rows = Gift.objects.filter(source=Source.CSV, source_place="", source_id__in=set(source_ids)).order_by("pk")
    rows = rows.select_for_update(no_key=True) if lock else rows
    return {gift.source_id: gift for gift in rows.prefetch_related("contact")}


Alike = dict[tuple[int, date, Decimal], list[Gift]]


def alike_here(donors: Donors, wants: Sequence[WantedGift]) -> Alike:
    """Gifts that are here, by donor, day and amount, of the days that these rows are about. One query."""
    days = {want.values["received_on"] for want in wants if "received_on" in want.values}
    people = {known.contact.pk for known in donors.crowd.people.values() if known.contact}
    people |= {contact.pk for called in donors.by_name.values() for contact in called}
    found: Alike = {}
    for gift in Gift.objects.filter(contact__in=people, received_on__in=days).order_by():
        found.setdefault((gift.contact_id, gift.received_on, gift.amount), []).append(gift)
    return found


def warn_of_twins(plan: Plan, alike: Alike) -> None:
    """A new gift that looks like one that did not come with this row of a file: noted by hand, or sent by a service."""
    if plan.outcome != Outcome.CREATE or plan.contact is None:
        return
    given = plan.want.values
    own = f"{MADE}{plan.want.words}:"
    twins = alike.get((plan.contact.pk, given["received_on"], given["amount"]), [])
    if other := next((gift for gift in twins if not gift.source_id.startswith(own)), None):
        plan.want.donor.warn(LOOKS_KNOWN.format(f"{other} ({other.get_source_display().lower()})"))


def settle(plan: Plan) -> None:
    """New, changed, or as it is."""
    gift, given = plan.gift, plan.want.values
    if gift is None:
        plan.outcome = Outcome.CREATE
        plan.changes = {name: ["", as_json(given[name])] for name in FIELDS if given.get(name)}
        return
    is_made = plan.source_id.startswith(MADE)
    if not is_made and plan.contact and gift.contact_id != plan.contact.pk:
        raise Refused(
            f"The identifier {plan.source_id} stands with a gift of {gift.contact} already ({gift}). If this is "
            "another gift, give it another identifier; if it came from somebody else, move it on the page of the gift."
        )
    differing = [name for name in FIELDS if given.get(name) and given[name] != getattr(gift, name)]
    if is_made and {"received_on", "amount"} & set(differing):
        plan.want.donor.warn(KEPT_DATE.format(gift))
    names = [name for name in differing if not is_made or name not in ("received_on", "amount")]
    if "amount" in names and given["amount"] < gift.refunded:
        raise Refused(f"{money(gift.refunded)} of this gift was refunded, so it cannot be less than that.")
    plan.changes = {name: [as_json(getattr(gift, name)), as_json(given[name])] for name in names}
    plan.outcome = Outcome.UPDATE if names else Outcome.UNCHANGED


def as_json(value: Any) -> Any:
    """A value as the row keeps it."""
    return value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, Decimal) else value


def fill(row: ImportRow, plan: Plan) -> None:
    """What is kept of a plan."""
    row.outcome, row.reason, row.changes = plan.outcome, plan.reason, plan.changes
    row.contact_uid = plan.contact.uid if plan.contact else None
    row.warnings, row.has_warnings = list(plan.warnings), bool(plan.warnings)
    row.label = str(plan.contact or plan.want.donor.label)[:200]


def count(counts: dict[str, Any], plan: Plan) -> None:
    """Add one row to the figures of the page."""
    counts[plan.outcome] = counts.get(plan.outcome, 0) + 1
    if plan.warnings:
        counts["warnings"] = counts.get("warnings", 0) + 1
    if plan.outcome == Outcome.CREATE:
        counts["amount"] = str(Decimal(counts.get("amount", "0")) + plan.want.values["amount"])
        key = "history" if "is_history" in plan.changes else "thanked"
        counts[key] = counts.get(key, 0) + 1


def apply_rows(data_import: Import, reader: Reader, rows: Sequence[ImportRow]) -> None:
    """Decide anew with what is here now, and write."""
    wants = [reader.read(row.number, row.cells) for row in rows]
    plans = decide(reader, wants, [row.changes["source_id"][1] for row in rows], lock=True)
    new: list[Gift] = []
    changed: list[Gift] = []
    same: list[int] = []
    different: list[ImportRow] = []
    for row, plan in zip(rows, plans, strict=True):
        before = kept(row)
        fill(row, plan)
        row.state = ImportRow.State.DONE
        if kept(row) == before:  # as the preview said: most rows are, and one statement serves them all
            same.append(row.pk)
        else:
            different.append(row)
        count(data_import.counts, plan)
        if plan.outcome == Outcome.CREATE:
            values = {name: plan.want.values[name] for name in FIELDS if plan.want.values.get(name)}
            new.append(
                Gift(contact=plan.contact, source=Source.CSV, source_id=plan.source_id,
                     is_history="is_history" in plan.changes, **values)
            )  # fmt: skip
        elif plan.outcome == Outcome.UPDATE and plan.gift:
            for name in plan.changes.keys() & set(FIELDS):
                setattr(plan.gift, name, plan.want.values[name])
            changed.append(plan.gift)
    if new and changed:
        totals.hold(gift.contact_id for gift in (*new, *changed))
    services.record_gifts(new)
    if changed:
        Gift.objects.bulk_update(changed, FIELDS)
    ImportRow.objects.filter(pk__in=same).update(state=ImportRow.State.DONE)
    fields = ["outcome", "reason", "contact_uid", "changes", "warnings", "has_warnings", "label", "state"]
    ImportRow.objects.bulk_update(different, fields, batch_size=100)
    data_import.rows_done += len(rows)


def kept(row: ImportRow) -> tuple[Any, ...]:
    """What a row says."""
    return (row.outcome, row.reason, row.contact_uid, row.changes, row.warnings, row.label)


# --- take back ---


@dataclass(slots=True)
class Reverse:
    """What taking back one row does."""

    row: ImportRow
    undo: str
    reason: str = ""
    gift: Gift | None = None
    values: dict[str, Any] = field(default_factory=dict)


def reverse(data_import: Import, rows: Sequence[ImportRow], lock: bool) -> list[Reverse]:
    """What taking these rows back would do. The number of queries does not depend on theirs."""
    gifts = known_here((row.changes["source_id"][1] for row in rows if "source_id" in row.changes), lock)
    uids = [row.contact_uid for row in rows if row.contact_uid]
    moved = now_of(uids)
    return [back(row, gifts.get(row.changes.get("source_id", ["", ""])[1]), moved) for row in rows]


def back(row: ImportRow, gift: Gift | None, moved: dict[Any, Any]) -> Reverse:
    """One row: a gift that it added goes, unless somebody has touched it since."""
    if gift is None:
        return Reverse(row, Undo.KEEP, NOT_HERE)
    written = {name: after for name, (_, after) in row.changes.items() if name in FIELDS}
    same = {name for name, after in written.items() if is_still(gift, name, after)}
    if row.outcome == Outcome.CREATE:
        blank = all(name in written or not getattr(gift, name) for name in FIELDS)
        is_theirs = gift.contact.uid in (row.contact_uid, moved.get(row.contact_uid))
        untouched = len(same) == len(written) and blank and is_theirs and not gift.refunded and gift.pledge_id is None
        return Reverse(row, Undo.DELETE, gift=gift) if untouched else Reverse(row, Undo.KEEP, CHANGED_SINCE)
    values = {name: row.changes[name][0] for name in same}
    if not values:
        return Reverse(row, Undo.KEEP, CHANGED_SINCE)
    is_part = len(same) < len(written)
    return Reverse(row, Undo.PART if is_part else Undo.RESTORE, CHANGED_SINCE if is_part else "", gift, values)


def is_still(gift: Gift, name: str, kept: Any) -> bool:
    """Whether a value is the one that a row keeps: amounts are numbers, 75.5 and 75.50 are one."""
    now, field_of = getattr(gift, name), Gift._meta.get_field(name)
    return bool(now == (field_of.to_python(kept) if kept else kept))  # type: ignore[union-attr]


def write_back(reverses: Sequence[Reverse]) -> None:
    """Delete what was added, and put values back."""
    totals.hold(one.gift.contact_id for one in reverses if one.gift)
    Gift.objects.filter(pk__in=[one.gift.pk for one in reverses if one.gift and one.undo == Undo.DELETE]).delete()
    restored = []
    for one in reverses:
        if one.gift and one.values:
            for name, value in one.values.items():
                setattr(one.gift, name, Gift._meta.get_field(name).to_python(value))  # type: ignore[union-attr]
            restored.append(one.gift)
    if restored:
        Gift.objects.bulk_update(restored, FIELDS)


def count_undone(data_import: Import) -> None:
    """How many gifts are deleted, put back or left."""
    data_import.counts["undo_people"] = {
        key: number for key, number in data_import.counts.get("undo", {}).items() if key != Undo.NOTHING
    }
