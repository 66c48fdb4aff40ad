"""Amounts as people read them: $1,250.00 in the active organization's currency."""

from decimal import Decimal

from contacts.tenancy.currency import amount_in
from contacts.tenancy.walls import current_tenant


def money(amount: Decimal | int | None, currency: str = "", short: bool = False) -> str:
    """$1,250.00; without an amount $0.00. `short` leaves out cents that are none. The currency is the active
    organization's unless one is given."""
    if not currency:
        tenant = current_tenant()
        currency = tenant.currency if tenant else ""
    return amount_in(currency, Decimal(amount or 0), short)
