"""Verbs of the gifts app. Pages, imports, pulls and APIs all call these; each is one transaction, and totals, history
and whoever listens follow by themselves (`gifts/models/gift.py`)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from contacts.models import Contact, HistoryEntry
from contacts.models.recorded import chunks
from gifts import totals
from gifts.models import Gift, Pledge, Source
from gifts.money import money

CENT = Decimal("0.01")
MOST = Decimal("9999999999.99")
# What a source may change of a gift that it sent before.
OF_SOURCE = (
    "received_on", "amount", "refunded", "refunded_on", "campaign", "fund", "payment_method", "comment", "counts",
    "is_one", "gone_on", "contact_id", "pledge_id", "replaces_id",
)  # fmt: skip


class GiftRefused(Exception):
    """It cannot be done, with a sentence that says why; nothing was changed."""


def cents(value: Any) -> Decimal:
    """An amount to two places. Raises `GiftRefused` for what is no amount."""
    try:
        amount = Decimal(str(value)).quantize(CENT, ROUND_HALF_UP)
    except InvalidOperation:
        raise GiftRefused(f"“{value}” is not an amount.") from None
    if not amount.is_finite() or abs(amount) > MOST:
        raise GiftRefused(f"“{value}” is more than can be kept.")
    return amount


# --- gifts, one at a time ---


@transaction.atomic
def record_gift(contact: Contact, amount: Any, received_on: date, **values: Any) -> Gift:
    """Note a gift; `values` are further fields of `Gift`. A source's gift that is here already is changed to match,
    so that taking it in twice does no harm. Amounts of zero or less are for sources only."""
    amount = cents(amount)
    if amount <= 0 and values.get("source", Source.BY_HAND) == Source.BY_HAND:
        raise GiftRefused("A gift is more than nothing. To take one back, open it and note a refund.")
    gift = Gift(contact=contact, amount=amount, received_on=received_on, **values)
    taken = record_gifts([gift])
    return (taken.created or taken.changed or taken.unchanged)[0]


@transaction.atomic
def correct(gift: Gift, **values: Any) -> Gift:
    """Write down what it really was: date, amount, campaign … Raises `GiftRefused` if more was refunded already."""
    row = locked(gift)
    for name, value in values.items():
        setattr(row, name, cents(value) if name == "amount" else value)
    if row.refunded and row.amount < row.refunded:
        raise GiftRefused(f"{money(row.refunded)} of this gift was refunded, so it cannot be less than that.")
    row.save()
    return row


@transaction.atomic
def refund(gift: Gift, amount: Any = None, on: date | None = None) -> Gift:
    """Note that it was given back: the whole, or so much of it altogether (M8). Nothing (0) takes the note away."""
    row = locked(gift)
    given_back = row.amount if amount is None else cents(amount)
    if given_back < 0 or (given_back and given_back > row.amount):
        raise GiftRefused(f"Between nothing and {money(row.amount)} of this gift can be refunded.")
    row.refunded = given_back
    row.refunded_on = (on or today()) if given_back else None
    row.save()
    return row


@transaction.atomic
def reassign(gift: Gift, contact: Contact) -> Gift:
    """Give it to another donor, from whom it really came. Both histories say so; a pledge of the first is left."""
    row = locked(gift)
    former = row.contact
    if former.pk == contact.pk:
        return row
    row.contact = contact
    if row.pledge and row.pledge.contact_id != contact.pk:
        row.pledge = None
    row.save()
    label = f"{row} is now a gift of {contact}"[:250]
    HistoryEntry.by_actor(
        verb=HistoryEntry.Verb.CHANGED, what=str(Gift._meta.verbose_name), label=label,
        contact_uid=former.uid, changes={"donor": [str(former), str(contact)]},
    ).save()  # fmt: skip
    return row


@transaction.atomic
def mark_gone(gift: Gift, on: date | None = None) -> Gift:
    """It was deleted at its source: the row stays, and counts no more."""
    row = locked(gift)
    row.gone_on = row.gone_on or on or today()
    row.save()
    return row


@transaction.atomic
def mark_back(gift: Gift) -> Gift:
    """It is at its source again after all."""
    row = locked(gift)
    row.gone_on = None
    row.save()
    return row


@transaction.atomic
def delete_gift(gift: Gift) -> None:
    """Delete a gift that was noted by mistake, or that a form without a key made up. What a service sent is deleted
    there, or it would come back."""
    row = locked(gift)
    if not (row.is_ours or row.is_by_form):
        raise GiftRefused(
            f"This gift came from {row.get_source_display()}. Delete it there, and it stops counting here."
        )
    row.delete()


def locked(gift: Gift) -> Gift:
    """The gift as it is now, locked until the transaction ends."""
    # Its donor is asked for afterwards: PostgreSQL leaves out a joined row whose link changed while it waited.
    row = Gift.objects.select_for_update(no_key=True).prefetch_related("contact", "pledge")
    found: Gift | None = row.filter(pk=gift.pk).first()
    if found is None:
        raise GiftRefused("This gift is not here any more: somebody deleted it a moment ago. Nothing was changed.")
    return found


# --- gifts, many at once ---


@dataclass
class Taken:
    """What became of the gifts of a batch."""

    created: list[Gift] = field(default_factory=list)
    changed: list[Gift] = field(default_factory=list)
    unchanged: list[Gift] = field(default_factory=list)


def record_gifts(gifts: Iterable[Gift]) -> Taken:
    """Note these gifts (unsaved rows): new ones are added, those known by their identifier at the source are changed
    to match. `is_history` of a known gift stays as it is. As many queries for 500 as for one; each 500 is a
    transaction."""
    taken = Taken()
    for part in chunks(gifts):
        try:
            with transaction.atomic():
                record_some(part, taken)
        except IntegrityError:  # somebody took in the same gift in this moment: now it is known
            with transaction.atomic():
                record_some(part, taken)
    return taken


def record_some(part: list[Gift], taken: Taken) -> None:
    """At most 500 of them."""
    contacts = Contact.objects.in_bulk({gift.contact_id for gift in part})
    known = known_gifts(part)
    new: dict[Any, Gift] = {}
    different: dict[int, Gift] = {}
    same: dict[int, Gift] = {}
    donors = {gift.contact_id for gift in part} | {row.contact_id for row in known.values()}
    for number, gift in enumerate(part):
        if gift.contact_id not in contacts:
            raise GiftRefused("The donor of a gift is not here any more: deleted or merged a moment ago.")
        gift.contact, gift.amount, gift.refunded = contacts[gift.contact_id], cents(gift.amount), cents(gift.refunded)
        key = place_of(gift) if gift.source_id else number
        row = known.get(key)
        if row is None:
            new[key] = gift  # the last word counts where a batch says the same gift twice
        elif take_over(row, gift):
            different[row.pk] = row
        else:
            same[row.pk] = row
    if new and different:
        totals.hold(donors)
    Gift.objects.bulk_create(new.values())
    if different:
        Gift.objects.bulk_update(list(different.values()), [name.removesuffix("_id") for name in OF_SOURCE])
    taken.created += new.values()
    taken.changed += different.values()
    taken.unchanged += [row for pk, row in same.items() if pk not in different]


def place_of(gift: Gift) -> tuple[str, str, str]:
    """What a gift is called, where."""
    return (gift.source, gift.source_place, gift.source_id)


def known_gifts(part: list[Gift]) -> dict[Any, Gift]:
    """Those of them that are here already, by their identifier; locked as by `locked`. Two queries."""
    ids = {gift.source_id for gift in part if gift.source_id}
    if not ids:
        return {}
    rows = Gift.objects.filter(source__in={g.source for g in part}, source_id__in=ids).prefetch_related("contact")
    return {place_of(row): row for row in rows.select_for_update(no_key=True).order_by("pk")}


def take_over(row: Gift, gift: Gift) -> bool:
    """What a source says now, into the row that is here. Returns whether anything differs."""
    from gifts.card_numbers import without_card_numbers

    gift.comment = without_card_numbers(gift.comment)
    names = [name for name in OF_SOURCE if getattr(row, name) != getattr(gift, name)]
    for name in names:
        setattr(row, name, getattr(gift, name))
    if "contact_id" in names:
        row.contact = gift.contact
    return bool(names)


# --- pledges ---


@transaction.atomic
def record_pledge(contact: Contact, amount: Any, started_on: date, **values: Any) -> Pledge:
    """Note a promise; `values` are further fields of `Pledge`."""
    pledge = Pledge(contact=contact, amount=cents(amount), started_on=started_on, **values)
    if pledge.amount <= 0:
        raise GiftRefused("A pledge is more than nothing.")
    pledge.save()
    return pledge


@transaction.atomic
def write_off(pledge: Pledge, amount: Any = None, on: date | None = None) -> Pledge:
    """Expect no more of it: all that is still to come, or so much altogether. Nothing (0) takes the note away."""
    row = Pledge.objects.with_balance().filter(pk=pledge.pk).select_for_update(no_key=True, of=("self",)).first()
    if row is None:
        raise GiftRefused("This pledge is not here any more: somebody deleted it a moment ago. Nothing was changed.")
    open_part = min(max(row.amount - row.paid, Decimal(0)), row.amount)
    given_up = open_part if amount is None else cents(amount)
    if given_up < 0 or given_up > open_part:
        raise GiftRefused(f"{money(open_part)} of this pledge is not paid; no more can be written off.")
    row.written_off = given_up
    row.written_off_on = (on or today()) if given_up else None
    row.save()
    return row


def today() -> date:
    """The organization's day (M9): requests and jobs run in its time zone."""
    from contacts.tenancy.walls import current_tenant

    tenant = current_tenant()
    return timezone.localtime(timezone.now(), tenant.tz if tenant else None).date()
