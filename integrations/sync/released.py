"""What the brake held and somebody let go is a run as well: it has a report, and it can be taken back (L32, L37).

There was no preview, so its rows are noted when they are sent, by noting. Begun by brake.
"""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from contacts.models import User
from integrations.models import Connection, RemoteRecord, SyncRun
from integrations.models.run import RELEASED
from integrations.provider_kit.states import Verb


def begin(connection: Connection, user: Any, held: Any) -> SyncRun | None:
    """A run of these held rows, unless something else is being carried out; those of another run stay with it.

    What was only shown, and waits for somebody, shows no longer what is there then.
    """
    count = held.filter(run=None).count()
    unfinished = SyncRun.objects.filter(connection=connection, state__in=SyncRun.UNFINISHED)
    if not count or unfinished.exclude(state=SyncRun.State.READY).exists():
        return None
    unfinished.update(
        state=SyncRun.State.CANCELLED, finished_at=timezone.now(), reason="Replaced: what had been held was let go."
    )
    run = SyncRun.objects.create(
        connection=connection, started_by=user if isinstance(user, User) else None, state=SyncRun.State.RUNNING,
        confirmed_at=timezone.now(), cursor=RELEASED, counts={str(Verb.DISABLE): count},
    )  # fmt: skip
    held.filter(run=None).update(run=run)
    return run


def of_them(records: Iterable[RemoteRecord], shown: Iterable[int]) -> set[int]:
    """Of rows that belong to a run and were not shown, those of such a run; asked only if there are any."""
    unseen = {record.pk: record.run_id for record in records if record.run_id}
    for pk in shown:
        unseen.pop(pk, None)
    if not unseen:
        return set()
    found = SyncRun.objects.filter(pk__in=set(unseen.values()), cursor=RELEASED)
    begun = set(found.values_list("pk", flat=True))
    return {pk for pk, run in unseen.items() if run in begun}
