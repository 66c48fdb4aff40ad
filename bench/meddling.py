"""Mischief at the sandbox, behind our back: people each of whom differs in one way, and whether a check names it."""

import os
from typing import Any

from bench.connecting import mailchimp_account
from bench.parts import control
from bench.world import ours
from contacts.models import EmailAddress
from contacts.tenancy.walls import in_tenant
from integrations.models import RunItem, SyncRun

Kind = RunItem.Difference
# Who does what there, with which class it must be found. Somebody who unsubscribed counts here at once.
WAYS: list[tuple[str, str, dict[str, Any], str]] = [
    ("person", "update_profile", {"merge_fields": {"FNAME": "Somebody"}}, Kind.DIFFERS),
    ("person", "change_address", {"new_email": "moved.{}"}, Kind.DIFFERS),
    ("holder", "remove_tag", {"tag": "Newsletter"}, Kind.MISSING),
    ("holder", "archive", {}, Kind.MISSING),
    ("person", "unsubscribe", {}, Kind.CONSENT),
]


def victims(count: int) -> list[str]:
    """So many addresses, spread over everybody."""
    tenant, _ = ours()
    with in_tenant(tenant):
        addresses = list(EmailAddress.objects.order_by("pk").values_list("address_key", flat=True))
    return addresses[:: max(1, len(addresses) // count)][:count]


def meddle(count: int) -> dict[str, int]:
    """Do it to so many, one way after the other."""
    sandbox, (_, audience, _) = os.environ["BENCH_SANDBOX"], mailchimp_account()
    for n, email in enumerate(victims(count)):
        who, action, more, _ = WAYS[n % len(WAYS)]
        more = {key: value.format(email) if isinstance(value, str) else value for key, value in more.items()}
        wish = {"as": who, "action": action, "account": "river", "audience": audience, "email": email, **more}
        control(sandbox, "act", wish)
    return {"made": count}


def found(run: SyncRun) -> dict[str, int]:
    """How many rows a check shows, and of how many of the victims it tells the right class."""
    rows = {address.lower(): kind for address, kind in run.items.values_list("address", "difference")}
    expected = {email: WAYS[n % len(WAYS)][3] for n, email in enumerate(victims(len(rows)))} if rows else {}
    return {"rows": len(rows), "found": sum(rows.get(email) == kind for email, kind in expected.items())}
