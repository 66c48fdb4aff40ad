"""Amounts as people read them: $1,250.00 in the organization's currency. Pure, but for whose currency it is."""

from decimal import Decimal

from contacts.tenancy.walls import current_tenant

SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "CAD": "CA$", "AUD": "A$", "NZD": "NZ$", "JPY": "¥", "INR": "₹"}


def money(amount: Decimal | int | None, currency: str = "", short: bool = False) -> str:
    """$1,250.00; without an amount $0.00. `short` leaves out cents that are none. The currency is the active
    organization's unless one is given."""
    if not currency:
        tenant = current_tenant()
        currency = tenant.currency if tenant else ""
    value = Decimal(amount or 0)
    digits = f"{abs(value):,.0f}" if short and value == value.to_integral_value() else f"{abs(value):,.2f}"
    sign = SIGNS.get(currency)
    return ("-" if value < 0 else "") + (f"{sign}{digits}" if sign else f"{digits} {currency}".strip())
