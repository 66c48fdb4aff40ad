"""What the invented people gave: monthly donors, those who give each December, a few large ones with a pledge."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from django.utils import timezone

from config.demo.past import Chronicle
from contacts.models import Contact, HistoryEntry
from contacts.models.recorded import chunks
from gifts import totals
from gifts.models import Gift, Pledge
from gifts.services import cents

YEARS = 5
PIECE = 2000
METHODS = ("check", "card", "card", "bank transfer", "cash")
COMMENTS = (
    "In memory of her father", "Keep up the good work!", "For the children's program", "Met at the gala",
    "Matched by the employer", "Please do not print my name",
)  # fmt: skip
SPRING, YEAR_END, MONTHLY, LARGE = "Spring appeal", "Year-end appeal", "Monthly giving", "Capital campaign"


class Giver:
    """Invents what each of some contacts gave, always the same for the same seed."""

    def __init__(self, seed: int, today: date, events: Sequence[str], share: float) -> None:
        self.random = Random(seed)  # noqa: S311 - invented data
        self.today, self.events, self.share = today, events, share
        self.first = date(today.year - YEARS, 1, 1)

    def rows(self, contacts: Sequence[Contact]) -> Iterator[Gift | Pledge]:
        """Their gifts and pledges; a pledge comes before the gifts that pay it."""
        for contact in contacts:
            kind = self.random.random()
            if kind < 0.1 * self.share:
                yield from self.monthly(contact)
            elif kind < 0.55 * self.share:
                yield from self.yearly(contact)
            elif kind < 0.95 * self.share:
                yield from self.now_and_then(contact)
            elif kind < self.share:
                yield from self.large(contact)

    def monthly(self, contact: Contact) -> Iterator[Gift]:
        """So much each month, and more after some time; one in five has stopped."""
        day, amount = self.some_day(self.first, self.today - timedelta(days=60)), self.random.choice([10, 15, 25, 50])
        end = self.today if self.random.random() < 0.8 else day + timedelta(days=400)
        number = 0
        while day <= min(end, self.today):
            number += 1
            raised = amount + (10 if number > 18 else 0)
            yield self.gift(contact, day, raised, MONTHLY, "card")
            day = (day.replace(day=1) + timedelta(days=32)).replace(day=min(day.day, 28))

    def yearly(self, contact: Contact) -> Iterator[Gift]:
        """Most years, most of them in December."""
        amount, begun = self.random.choice([25, 50, 50, 75, 100, 100, 150, 250]), self.random.randint(0, YEARS)
        for year in range(self.today.year - begun, self.today.year + 1):
            if self.random.random() < 0.2:
                continue
            is_december = self.random.random() < 0.65
            first = date(year, 11, 20) if is_december else date(year, 3, 1)
            day = self.some_day(first, first + timedelta(days=40))
            if day <= self.today:
                yield self.gift(contact, day, amount, YEAR_END if is_december else SPRING)
            amount += self.random.choice([0, 0, 5, 10, 25])

    def now_and_then(self, contact: Contact) -> Iterator[Gift]:
        """Once to three times, at an event or after a letter."""
        for _ in range(self.random.choice([1, 1, 1, 2, 3])):
            day = self.some_day(self.first, self.today)
            amount = self.random.choice([20, 25, 30, 36, 50, 100])
            yield self.gift(contact, day, amount, self.random.choice([*self.events, SPRING, ""]))

    def large(self, contact: Contact) -> Iterator[Gift | Pledge]:
        """A pledge over three years, paid so far in part, and something besides."""
        whole = Decimal(self.random.choice([3000, 5000, 7500, 12000]))
        begun = self.some_day(self.today - timedelta(days=800), self.today - timedelta(days=200))
        pledge = Pledge(contact=contact, amount=whole, started_on=begun, frequency=Pledge.Frequency.QUARTERLY,
                        campaign=LARGE)  # fmt: skip
        yield pledge
        for number in range(12):
            day = begun + timedelta(days=7 + 91 * number)
            if day > self.today:
                break
            gift = self.gift(contact, day, cents(whole / 12), LARGE, "check")
            gift.pledge = pledge
            yield gift
        yield self.gift(contact, self.some_day(self.first, begun), self.random.choice([500, 1000, 2500]), YEAR_END)

    def gift(self, contact: Contact, day: date, amount: Any, campaign: str, method: str = "") -> Gift:
        """One of them; now and then with a comment, and one in a hundred was given back."""
        gift = Gift(
            contact=contact, received_on=day, amount=Decimal(amount), campaign=campaign,
            payment_method=method or self.random.choice(METHODS),
            comment=self.random.choice(COMMENTS) if self.random.random() < 0.06 else "",
        )  # fmt: skip
        if self.random.random() < 0.01:
            gift.refunded, gift.refunded_on = gift.amount, min(day + timedelta(days=6), self.today)
        return gift

    def some_day(self, first: date, last: date) -> date:
        """A day between these."""
        return first + timedelta(days=self.random.randint(0, max((last - first).days, 0)))


def write(chronicle: Chronicle, contacts: Sequence[Contact], giver: Giver) -> int:
    """Write what these contacts gave, with the history of each day. Returns how many gifts there are."""
    count = 0
    for part in chunks(contacts, PIECE):
        rows = list(giver.rows(part))
        pledges = [row for row in rows if isinstance(row, Pledge)]
        gifts = [row for row in rows if isinstance(row, Gift)]
        chronicle.add(pledges, [noon(chronicle, row.started_on) for row in pledges])
        for gift in gifts:
            gift.pledge = gift.pledge  # it has its number by now
            gift.created_at = noon(chronicle, gift.received_on)
        chronicle.add(gifts, [noon(chronicle, row.received_on) for row in gifts])
        HistoryEntry.objects.bulk_create(sorted(chronicle.entries, key=lambda entry: entry.at), batch_size=500)
        chronicle.entries = []
        totals.recount({row.contact_id for row in rows})
        count += len(gifts)
    return count


def noon(chronicle: Chronicle, day: date) -> datetime:
    """When staff are said to have noted it."""
    moment = datetime.combine(day, time(12), tzinfo=chronicle.tenant.tz)
    return min(moment, timezone.now())
