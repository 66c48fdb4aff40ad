"""What an organization's settings do, shown with examples: on the page of the settings, as they are saved."""

from datetime import datetime
from decimal import Decimal
from email.utils import formataddr

import phonenumbers
from django.utils import timezone
from django.utils.formats import date_format

from contacts.custom import writes_day_first
from contacts.tenancy.currency import amount_in
from contacts.tenancy.models import MONTHS, Tenant

AMOUNT = Decimal(1250)


def examples(tenant: Tenant) -> list[tuple[str, str]]:
    """(what, how it looks)."""
    here = timezone.localtime(timezone.now(), tenant.tz)
    rows = [
        ("The time now", date_format(here, "M j, Y, H:i")),
        ("The date 3/4/2026 in a file means", "3 April" if writes_day_first(tenant) else "March 4"),
        ("An amount", amount_in(tenant.currency, AMOUNT)),
        ("This fiscal year", fiscal_year(here, tenant.fiscal_year_start)),
        ("A phone number", phone(tenant.phone_region)),
    ]
    place = ", ".join(filter(None, [tenant.street, tenant.city, f"{tenant.state} {tenant.postal_code}".strip()]))
    if tenant.street:
        rows.append(("The address in newsletters", f"{tenant.name}, {place}, {tenant.country}"))
    if tenant.from_email:
        rows.append(("The sender", formataddr((tenant.from_name or tenant.name, tenant.from_email))))
    return rows


def fiscal_year(day: datetime, first_month: int) -> str:
    """The fiscal year in which this day lies: July 2026 to June 2027."""
    year = day.year if day.month >= first_month else day.year - 1
    names = dict(MONTHS)
    last_month = (first_month - 2) % 12 + 1
    return f"{names[first_month]} {year} to {names[last_month]} {year + (first_month > 1)}"


def phone(region: str) -> str:
    """A number as people of that country write it, and as it is kept."""
    number = phonenumbers.example_number(region)
    if number is None:
        return "as it is typed, with the country code"
    typed = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    kept = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    return f"{typed}, typed so, is kept as {kept}"
