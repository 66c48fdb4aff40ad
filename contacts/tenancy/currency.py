"""How an amount of a currency is written, the same on every page; pure. `gifts.money` knows whose currency it is."""

from decimal import Decimal

SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "CAD": "CA$", "AUD": "A$", "NZD": "NZ$", "JPY": "¥", "INR": "₹"}


def amount_in(currency: str, value: Decimal, short: bool = False) -> str:
    """$1,250.00, or 1,250.00 CHF. `short` leaves out cents that are none."""
    digits = f"{abs(value):,.0f}" if short and value == value.to_integral_value() else f"{abs(value):,.2f}"
    sign = SIGNS.get(currency)
    return ("-" if value < 0 else "") + (f"{sign}{digits}" if sign else f"{digits} {currency}".strip())
