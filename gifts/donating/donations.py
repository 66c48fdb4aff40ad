"""A donation that a page reported: the person, their tags and the gift, in one transaction (O1, O11-O13)."""

import re
import uuid
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from contacts import telling
from contacts.duplicates.identities import now_of
from contacts.models import Contact
from contacts.tenancy.acting import By, acting
from contacts.tenancy.walls import current_tenant
from gifts import services
from gifts.donating import locks
from gifts.donating.caller import KEYED, Caller
from gifts.donating.pages import currency, foreign
from gifts.donating.people import settle, words_for
from gifts.donating.refused import DonatingRefused
from gifts.donating.said import OURS, read_person
from gifts.donating.tagging import tag
from gifts.models import Donation, DonationIdentifier, FundraisingPage, Period, Source

Given = Mapping[str, Any]
AMOUNT = re.compile(r"\d{1,10}(\.\d{1,2})?", re.ASCII)
NO_PERSON = "You must specify a valid person id"
REFERRERS = {
    "source": ("source_code", 255), "website": ("website", 500), "email_referrer": ("email_referrer", 255),
    "mobile_message_referrer": ("mobile_message_referrer", 255),
}  # fmt: skip


def record_donation(
    page: FundraisingPage, given: Given, *, source_is_blind: bool = False, caller: Caller = KEYED
) -> Donation:
    """Find or add the person, write down what was sent, tag them, and record the donation as a gift. One transaction.

    `given`, well formed: recipients [{display_name, amount as a text or Decimal}], at least one; created_date
    (datetime with its zone; now if missing); identifiers; `action_network:recurrence` {recurring, period};
    `action_network:referrer_data` {source, website, email_referrer, mobile_message_referrer}; `person` (see `sign_up`)
    or `person_id` (the uid of somebody who is here); add_tags, remove_tags.

    An identifier that a donation has already returns that donation, changed in nothing. `source_is_blind` is short for
    a caller without a key. Raises `DonatingRefused` with a sentence: a page that takes no donations (see
    `takes_donations`), nobody who is meant, a sum that cannot be kept. Then nothing was changed.
    """
    caller = replace(caller, is_blind=caller.is_blind or source_is_blind)
    if reason := takes_donations(page, caller.is_blind):
        raise DonatingRefused(reason)
    values = read_values({"recipients": None} | dict(given))
    form = acting(By.SYSTEM, f"Form on a website: {page}"[:100]) if caller.is_blind else nullcontext()
    with form:
        return locks.at_most_a_few_times(lambda: recorded(page, given, values, caller))


def recorded(page: FundraisingPage, given: Given, values: dict[str, Any], caller: Caller) -> Donation:
    """The same inside a transaction."""
    names = foreign(given)
    said = read_person(given.get("person"))
    locks.take([*words_for(said), *(f"donation:{name}" for name in names)])
    taken = having(names)
    if (known := again(taken, page, values, caller)) is not None:
        return known
    if given.get("person_id") and not caller.is_blind:
        contact = named(given)
    else:
        contact, _ = settle(said, given, caller, page.language)
    # What waits is told before there is a thank-you, of which it would say that it has changed. And noting a gift may
    # try again by itself: what the first attempt wrote down must go with it.
    with telling.each_by_itself():
        return write(page, contact, values, free(names, taken, caller), caller)


def having(names: list[str]) -> list[DonationIdentifier]:
    """The rows with these identifiers, with their donations."""
    rows = DonationIdentifier.objects.filter(text__in=names).order_by("donation", "pk")
    return list(rows.select_related("donation__page", "donation__gift__contact")) if names else []


def again(
    taken: list[DonationIdentifier], page: FundraisingPage, values: dict[str, Any], caller: Caller
) -> Donation | None:  # fmt: skip
    """The donation that has one of these identifiers already. What came without a key is nobody's word on it: only
    the same form finds it, with the same amounts, so that nobody's donation is swallowed by one that a stranger sent
    under its identifier before; and no key is kept from its own identifier."""

    def is_it(one: Donation) -> bool:
        if not caller.is_blind:
            return not one.is_blind
        return one.is_blind and one.page_id == page.pk and one.recipients == values["recipients"]

    known = next((row.donation for row in taken if is_it(row.donation)), None)
    if known is not None and not settings.DONATIONS_REPEAT_QUIETLY:
        raise DonatingRefused("A donation with this identifier is here already. Nothing was changed.")
    return known


def free(names: list[str], taken: list[DonationIdentifier], caller: Caller) -> list[str]:
    """Those that this donation can have; a key's identifier is taken from what came without one."""
    yielding = [] if caller.is_blind else [one for one in taken if one.donation.is_blind]
    if yielding:
        DonationIdentifier.objects.filter(pk__in=[one.pk for one in yielding]).delete()
    left = {one.text for one in taken if one not in yielding}
    return [name for name in names if name not in left]


def named(given: Given) -> Contact:
    """The person whose id was sent, or the one that they are part of by now; tagged as was asked."""
    try:
        uid = uuid.UUID(str(given["person_id"]))
    except ValueError:
        raise DonatingRefused(NO_PERSON) from None
    contact = Contact.objects.filter(uid__in=[uid, now_of([uid]).get(uid, uid)]).first()
    if contact is None:
        raise DonatingRefused(NO_PERSON)
    contact = locks.lock_one(contact.pk)
    tag(contact, given.get("add_tags") or (), given.get("remove_tags") or ())
    return contact


def write(
    page: FundraisingPage, contact: Contact, values: dict[str, Any], names: list[str], caller: Caller
) -> Donation:  # fmt: skip
    """The gift, and what only a donation has."""
    at = values.setdefault("given_at", timezone.now().replace(microsecond=0))
    donation = Donation(page=page, currency=currency(), is_blind=caller.is_blind, **values)
    try:
        donation.gift = services.record_gift(
            contact, donation.amount, day_of(at), source=Source.DONATION_HELPER, source_id=str(donation.uid),
            campaign=str(page)[:100],
        )  # fmt: skip
    except services.GiftRefused as reason:
        raise DonatingRefused(str(reason)) from None
    donation.save(force_insert=True)
    DonationIdentifier.objects.bulk_create([DonationIdentifier(donation=donation, text=name) for name in names])
    return donation


def takes_donations(page: FundraisingPage, is_blind: bool = False) -> str:
    """A sentence that says why this page takes none (O10, O11), or ""."""
    if not page.made_by_api:
        return "Donations can only be added to a fundraising page that was made through the API."
    if is_blind and not page.takes_blind:
        return "This page takes no donations without a key."
    return ""


def read_values(given: Given) -> dict[str, Any]:
    """The fields of a donation that were sent. Raises `DonatingRefused`."""
    values: dict[str, Any] = {}
    if "recipients" in given:
        values["recipients"] = [
            {"display_name": str(one.get("display_name") or "")[:255], "amount": f"{amount_of(one.get('amount')):.2f}"}
            for one in given["recipients"] or ()
        ]
        values["amount"] = sum((Decimal(one["amount"]) for one in values["recipients"]), Decimal(0))
        if not values["recipients"] or values["amount"] > services.MOST:
            raise DonatingRefused("The recipients and their amounts are missing, or more than can be kept.")
    if given.get("created_date"):
        values["given_at"] = moment(given["created_date"])
    if (often := given.get("action_network:recurrence")) is not None:
        values["is_recurring"] = bool(often.get("recurring"))
        period = often.get("period") or ""
        values["period"] = period if values["is_recurring"] and period in Period.values else ""
    for theirs, (ours, longest) in REFERRERS.items():
        if (value := (given.get("action_network:referrer_data") or {}).get(theirs)) is not None:
            values[ours] = str(value)[:longest]
    return values


def amount_of(value: Any) -> Decimal:
    """An amount of more than nothing, as a text or a decimal; never a float."""
    text = str(value).strip() if isinstance(value, str | Decimal) else ""
    if not AMOUNT.fullmatch(text) or not Decimal(text):
        raise DonatingRefused("An amount is a text such as “3.00”, and more than nothing.")
    return Decimal(text)


def moment(value: Any) -> datetime:
    """A time to the second; one that was kept for afterwards comes as a text."""
    found = parse_datetime(value) if isinstance(value, str) else value
    if not isinstance(found, datetime) or found.tzinfo is None:
        raise DonatingRefused("The date of the donation is none.")
    return found.replace(microsecond=0)


def day_of(at: datetime) -> date:
    """The organization's day (M9)."""
    tenant = current_tenant()
    return timezone.localtime(at, tenant.tz if tenant else None).date()


def update_donation(donation: Donation, given: Given) -> Donation:
    """Change what was sent of it (PUT): recipients, created_date, recurrence, referrer data; identifiers are added.
    Totals and milestones follow. Raises `DonatingRefused`. One transaction."""
    values = read_values(given)
    return locks.at_most_a_few_times(lambda: changed(donation, given, values))


@telling.each_by_itself()
def changed(donation: Donation, given: Given, values: dict[str, Any]) -> Donation:
    """The same inside a transaction."""
    names = foreign(given)
    locks.take([f"donation:{name}" for name in names])
    row: Donation = (
        Donation.objects.select_for_update(no_key=True, of=("self",)).select_related("gift").get(pk=donation.pk)
    )
    for name, value in values.items():
        setattr(row, name, value)
    # Only what was sent: the day of the gift is that of the time zone in which it was noted.
    of_gift: dict[str, Any] = {"amount": row.amount} if "amount" in values else {}
    of_gift |= {"received_on": day_of(row.given_at)} if "given_at" in values else {}
    try:
        services.correct(row.gift, **of_gift)
    except services.GiftRefused as reason:
        raise DonatingRefused(str(reason)) from None
    row.save()
    free_names = free(names, having(names), KEYED)
    DonationIdentifier.objects.bulk_create([DonationIdentifier(donation=row, text=name) for name in free_names])
    return read(row.uid) or row


def donation_by_identifier(text: str) -> Donation | None:
    """By what another system calls it, or by `action_network:<its id>`."""
    if text.startswith(OURS):
        try:
            return read(uuid.UUID(text.removeprefix(OURS)))
        except ValueError:
            return None
    found = DonationIdentifier.objects.filter(text=text).values_list("donation__uid", flat=True).first()
    return read(found) if found else None


def read(uid: uuid.UUID) -> Donation | None:
    """One donation with all that is shown of it: page, gift, contact, identifiers. Two queries."""
    rows = Donation.objects.select_related("page", "gift__contact").prefetch_related("identifiers")
    found: Donation | None = rows.filter(uid=uid).first()
    return found
