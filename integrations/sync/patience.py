"""When calls bring no clear answer: who waits, how long, and when a person is told. Called by push; settles nothing.

A vendor that is down and one contact that it always chokes on look the same at first. So a claim that fails again is
made smaller, half by half, until whoever fails fails alone, while the others go on. Only then, and only while others
do get through, is that one set aside; and even so it is tried again for as long as it is owed.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.db.models.functions import Now

from integrations.models import Connection, RemoteRecord, RunItem
from integrations.models.remote import Priority
from integrations.sync.settle import backoff, report
from integrations.sync.slices import ALONE, BEARABLE

STRIKES = 10  # failures of one row alone, with others getting through in between, until a person is told
EVERY = {False: (3600.0, "every hour"), True: (900.0, "every 15 minutes")}  # by whether it is an opt-out


def is_alone(records: Sequence[RemoteRecord]) -> bool:
    """Whether this claim is one row that has failed several times: then it may wait without the others."""
    return len(records) == 1 and records[0].troubles > 2


def put_off(
    connection: Connection, token: str, failed: Iterable[RemoteRecord], pause: float, others_got_through: bool
) -> None:
    """Count one more failure for these rows, and let them wait behind the others.

    `pause` is how long the connection waits for the same reason: they wait longer, so that after it others are tried
    first, however urgent these are. An edit that was made meanwhile waits for nothing.
    """
    failed = list(failed)
    last_success: Any = Connection.objects.values_list("last_success_at", flat=True).get(pk=connection.pk)
    is_lone = others_got_through and len(failed) == 1  # the call was about nobody else
    by_troubles: defaultdict[int, list[RemoteRecord]] = defaultdict(list)
    for record in failed:
        troubles = max(record.troubles + 1, ALONE if is_lone else 0)
        since = record.troubled_at
        if not (last_success and since and last_success > since):
            troubles = min(troubles, ALONE)  # nobody got through since, so it may be the vendor
        by_troubles[troubles].append(record)
    for troubles, records in by_troubles.items():
        mine = RemoteRecord.objects.filter(pk__in=[record.pk for record in records], token=token)
        mine.update(troubles=troubles, troubled_at=Now())
        unchanged = mine.filter(want_version=F("sent_version"))
        if troubles >= ALONE + STRIKES:
            for record in records:
                set_aside(connection, record, unchanged.filter(pk=record.pk))
        elif troubles > BEARABLE:
            wait = max(2 * pause, backoff(troubles - ALONE) if troubles > ALONE else 0)
            unchanged.update(due_at=Now() + timedelta(seconds=wait))


def set_aside(connection: Connection, record: RemoteRecord, unchanged: Any) -> None:
    """Show this row to people with the reason. It stays due: it is never given up, only tried less often."""
    after, how_often = EVERY[record.priority == Priority.OPT_OUT]
    whom = "list" if record.kind == RemoteRecord.Kind.LIST else "person"
    sentence = f"{connection} answers with an error for this {whom}. Almoner tries again {how_often}."
    if unchanged.update(
        due_at=Now() + timedelta(seconds=after), state=RemoteRecord.State.SET_ASIDE, reason_code="vendor_error",
        reason=sentence, run=None,
    ):  # fmt: skip
        report([record.pk], RunItem.State.REFUSED, "vendor_error", sentence)
