"""Gifts, donors and pledges as files: their columns, and how a page of them is read."""

from collections.abc import Callable, Sequence
from typing import Any

from contacts.exporting import people
from contacts.exporting.columns import Column, opted_out
from contacts.exporting.sources import Source as ExportSource
from contacts.exporting.sources import add_source
from gifts.models import Gift, Giving, Pledge

GIFT, DONOR, ORIGIN = "The gift", "The donor", "Where it came from"


def of_donor() -> list[Column]:
    """Who gave it. Who wants no mail is in every file, as in those of contacts: who has addresses writes to them."""
    out = opted_out()
    return [
        Column("Donor", DONOR, lambda row: str(row.contact)),
        Column("Email", DONOR, lambda row: row.person.primary[0] if row.person.primary else ""),
        Column("Do Not Contact", DONOR, lambda row: "yes" if row.contact.do_not_contact else "", is_always=True),
        Column(out.heading, DONOR, lambda row: out.read(row.person), is_always=True),
        Column("Donor id", DONOR, lambda row: row.contact.custom_user_id, is_usual=False),
        Column("Almoner id", DONOR, lambda row: row.contact.uid),
    ]


def of_origin() -> list[Column]:
    """What a source called it."""
    return [
        Column("Source", ORIGIN, lambda row: row.get_source_display()),
        Column("Account at the source", ORIGIN, lambda row: row.source_place, is_usual=False),
        Column("Identifier", ORIGIN, lambda row: row.source_id, is_usual=False),
    ]


def of_donation() -> list[Column]:
    """What a fundraising page said of it."""

    def said(name: str, of: Callable[[Any], Any]) -> Column:
        return Column(name, ORIGIN, lambda gift: of(gift.donation) if hasattr(gift, "donation") else "", is_usual=False)

    return [
        said("Fundraising page", lambda row: str(row.page)),
        said("Recipients", lambda row: "; ".join(f"{one['display_name']}: {one['amount']}" for one in row.recipients)),
        said("Given again", lambda row: row.period or ("yes" if row.is_recurring else "")),
        said("Source code", lambda row: row.source_code),
        said("Website", lambda row: row.website),
    ]


class OfDonors(ExportSource):
    """Rows with a donor."""

    def read(self, pks: Sequence[int], columns: Sequence[Column], region: str) -> list[Any]:
        """With donors, their addresses, and what they opted out of; as many queries for 500 as for one."""
        rows = self.model._default_manager.filter(pk__in=pks).order_by().select_related("contact")
        found = {row.pk: row for row in self.prepared(rows)}
        donors = people.read(list({row.contact_id for row in found.values()}), {"emails", "consent"}, region)
        by_contact = {person.contact["pk"]: person for person in donors}
        for row in found.values():
            row.person = by_contact.get(row.contact_id) or people.Row({})
        return [found[pk] for pk in pks if pk in found]

    def prepared(self, rows: Any) -> Any:
        """With what the columns need besides."""
        return rows


class Gifts(OfDonors):
    """Gifts, as their page shows them."""

    kind, model, noun = "gifts", Gift, ("gift", "gifts")

    def columns(self) -> list[Column]:
        return [
            Column("Date", GIFT, lambda gift: gift.received_on.isoformat()),
            Column("Amount", GIFT, lambda gift: gift.amount),
            Column("Refunded", GIFT, lambda gift: gift.refunded or ""),
            Column("Refunded on", GIFT, lambda gift: as_day(gift.refunded_on),
                   is_usual=False),
            Column("Counts in totals", GIFT, lambda gift: "yes" if gift.counts and gift.stands else "no"),
            Column("Campaign", GIFT, lambda gift: gift.campaign),
            Column("Fund", GIFT, lambda gift: gift.fund),
            Column("Payment method", GIFT, lambda gift: gift.payment_method, is_usual=False),
            Column("Comment", GIFT, lambda gift: gift.comment),
            *of_donor(), *of_origin(), *of_donation(),
        ]  # fmt: skip

    def prepared(self, rows: Any) -> Any:
        return rows.select_related("donation__page")


class Pledges(OfDonors):
    """Pledges with their balance, as their page shows them."""

    kind, model, noun = "pledges", Pledge, ("pledge", "pledges")

    def prepared(self, rows: Any) -> Any:
        return rows.with_balance()

    def columns(self) -> list[Column]:
        pledge = "The pledge"
        return [
            Column("Promised on", pledge, lambda row: row.started_on.isoformat()),
            Column("Promised", pledge, lambda row: row.amount),
            Column("Paid", pledge, lambda row: row.paid),
            Column("Written off", pledge, lambda row: row.written_off),
            Column("Still to come", pledge, lambda row: row.balance),
            Column("How often", pledge, lambda row: row.get_frequency_display()),
            Column("Campaign", pledge, lambda row: row.campaign),
            Column("Comment", pledge, lambda row: row.comment),
            *of_donor(), *of_origin(),
        ]  # fmt: skip


class Donors(OfDonors):
    """Who has given, as their page shows them."""

    kind, model, noun = "donors", Giving, ("donor", "donors")

    def prepared(self, rows: Any) -> Any:
        return rows.select_related("contact__donor__club")

    def columns(self) -> list[Column]:
        giving, noted = "What they have given", "What is noted of them"
        return [
            *of_donor(),
            Column("Wants to stay anonymous", noted, noted_of("anonymous", "yes"), is_always=True),
            Column("Donor club", noted, noted_of("club")),
            Column("Placed by hand", noted, noted_of("club_is_by_hand", "yes")),
            Column("Notes on giving", noted, noted_of("notes"), is_usual=False),
            Column("Identifier elsewhere", noted, noted_of("external_id"), is_usual=False),
            Column("Locked for programs", noted, noted_of("is_locked", "yes"), is_usual=False),
            Column("Version", noted, noted_of("version"), is_usual=False),
            Column("Donor id for programs", noted, noted_of("uid"), is_usual=False),
            Column("Given in all", giving, lambda row: row.total),
            Column("Number of gifts", giving, lambda row: row.number),
            Column("First gift", giving, lambda row: as_day(row.first_on)),
            Column("Last gift", giving, lambda row: as_day(row.last_on)),
            Column("Amount of the last gift", giving, lambda row: row.last_amount),
            Column("Largest gift", giving, lambda row: row.largest),
            Column("Date of the largest gift", giving, lambda row: as_day(row.largest_on), is_usual=False),
        ]


def noted_of(name: str, yes: str = "") -> Callable[[Any], Any]:
    """What is noted of somebody as a donor; `yes` stands for what is so."""

    def read(row: Any) -> Any:
        value = getattr(getattr(row.contact, "donor", None), name, None) or ""
        return yes if yes and value else value

    return read


def as_day(value: Any) -> str:
    """2026-03-31."""
    return value.isoformat() if value else ""


def connect() -> None:
    """Called once when the app is ready."""
    add_source(Gifts, "Gifts")
    add_source(Donors, "Donors")
    add_source(Pledges, "Pledges")
