"""Which account of a service gifts came from: what one account calls 17 is never taken for the 17 of another.

Called when a key is entered. A vendor may not say whose key it is; then the gifts that came from there tell.
"""

from datetime import date

from contacts.tenancy.walls import TenantQuerySet
from gifts.models import Gift
from integrations.models import Connection, GiftRun

ENOUGH, MOST = 5, 20  # gifts by which an account is recognized


def named(connection: Connection, account_id: str) -> None:
    """An account that had no name so far is called so from now on: its gifts stay the same ones."""
    if not connection.account_id:
        nameless = Gift.objects.filter(source=connection.provider, source_place="")
        # Nothing about any gift changes, so nothing is told; there may be 100,000.
        TenantQuerySet.update(nameless, source_place=account_id)
        GiftRun.objects.filter(connection=connection, account_id="").update(account_id=account_id)


def known_gifts(connection: Connection) -> dict[str, date]:
    """{number there: day} of the gifts that came last from this account; none if they are too few to tell."""
    rows = Gift.objects.filter(source=connection.provider, source_place=connection.account_id, gone_on=None)
    found = dict(rows.order_by("-pk").values_list("source_id", "received_on")[:MOST])
    return found if len(found) >= ENOUGH else {}
