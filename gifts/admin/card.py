"""A contact's giving, on their page: totals, a chart with its table, the last gifts, and what is promised."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format

from contacts.models import Contact
from contacts.tenancy.roles import CHANGE, SEE, is_allowed
from gifts import figures
from gifts.admin.gift import badges
from gifts.models import Donor, DonorClubSpell, Gift, Giving, Pledge
from gifts.money import money
from gifts.services import today

LATEST = 5
WIDE, HIGH, FOOT = 34, 96, 18  # of a bar with its gap, of the chart, and of the years below it


@dataclass(slots=True)
class Bar:
    """One year of the chart, as it is drawn."""

    year: figures.Year
    x: int
    y: float
    height: float
    amount: str
    link: str

    @property
    def middle(self) -> int:
        return self.x + WIDE // 2


def bars(years: list[figures.Year], contact: Contact) -> list[Bar]:
    """The chart: the tallest bar is as high as there is room for; a year with little is still to be seen."""
    most = max([year.total for year in years], default=0) or 1
    gifts, found = reverse("admin:gifts_gift_changelist"), []
    for number, year in enumerate(years):
        height = max(round(float(year.total / most) * HIGH, 1), 2.0 if year.total > 0 else 0.0)
        link = f"{gifts}?donor={contact.pk}&date_from={year.first}&date_to={year.last}"
        found.append(Bar(year, number * WIDE, HIGH - height, height, money(year.total), link))
    return found


def card(request: HttpRequest, contact: Contact) -> str:
    """The card; seven queries."""
    if not is_allowed(request, SEE, "gifts"):
        return ""
    may, add = is_allowed(request, CHANGE, "gifts"), reverse("admin:gifts_gift_add")
    giving = Giving.objects.filter(contact=contact).first()
    context: dict[str, Any] = {"contact": contact, "add": f"{add}?contact={contact.pk}" if may else ""}
    context |= noted(contact)
    latest = list(Gift.objects.filter(contact=contact)[: LATEST + 1]) if giving else []
    promised = open_pledges(contact)
    if not latest and not promised:
        return render_to_string("admin/gifts/card_empty.html", context, request)
    years = figures.by_year(contact, today().year)
    drawn = bars(years, contact)
    context |= {
        "tiles": tiles(giving) if giving else [], "bars": drawn, "pledges": promised,
        "width": len(drawn) * WIDE, "height": HIGH + FOOT, "foot": HIGH + FOOT - 4, "bar": WIDE - 10,
        "sentence": sentence(contact, giving, years), "gifts": [(gift, money(gift.amount), badges(gift))
                                                                for gift in latest[:LATEST]],
        "all": f"{reverse('admin:gifts_gift_changelist')}?donor={contact.pk}", "has_more": len(latest) > LATEST,
    }  # fmt: skip
    return render_to_string("admin/gifts/card.html", context, request)


def noted(contact: Contact) -> dict[str, Any]:
    """Them as a donor, with their club and since when they are in it."""
    donor = Donor.objects.filter(contact=contact).select_related("club").first()
    here = DonorClubSpell.objects.filter(donor_uid=donor.uid, end_on=None).first() if donor and donor.club_id else None
    return {"donor": donor, "since": here.start_on if here else None}


def open_pledges(contact: Contact) -> list[Any]:
    """What they have promised and not paid yet."""
    rows = Pledge.objects.with_balance().filter(contact=contact, balance__gt=0)
    return [(pledge, money(pledge.balance)) for pledge in rows[:LATEST]]


def tiles(giving: Giving) -> list[tuple[str, str]]:
    """(figure, words)."""
    last = date_format(giving.last_on, "M j, Y") if giving.last_on else ""
    most = date_format(giving.largest_on, "M j, Y") if giving.largest_on else ""
    found = [(money(giving.total), f"in {giving.number:,} {'gift' if giving.number == 1 else 'gifts'}")]
    if giving.number:
        found += [(money(giving.last_amount), f"last gift, {last}"), (money(giving.largest), f"largest gift, {most}")]
    return found


def sentence(contact: Contact, giving: Giving | None, years: list[figures.Year]) -> str:
    """The chart in words, for those who do not see it."""
    if giving is None or not years:
        return "Nothing that was given counts at present."
    if len(years) == 1:
        return f"All of it in {years[0].year}."
    best = max(years, key=lambda year: year.total)
    return f"Year by year from {years[0].year} to {years[-1].year}: most in {best.year}, {money(best.total)}."
