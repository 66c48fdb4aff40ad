"""Check (L31): read everybody who is there, make what was read known, and show what differs.

What people said there (unsubscribed, bounced, confirmed) counts at once, through pull; everything else becomes `known`,
and `comparing`, the last stop, plans from it. Nothing is written to the vendor before somebody confirms a repair.
"""

import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.utils import timezone

from integrations.models import Connection, Delivery, RemoteRecord, SyncRun
from integrations.provider_kit.base import Provider
from integrations.provider_kit.errors import CallFailed, Refused
from integrations.sync import comparing, runs
from integrations.sync.giving_way import giving_way
from integrations.sync.roll_call import look_for_unmet, read_page
from integrations.sync.visit import Cancelled, Visit

PLANS = {
    "": runs.begin, "note": runs.note_page, "compare_lists": comparing.compare_lists,
    "compare": comparing.compare_people,
}  # fmt: skip
FIRST_HOUR, HOURS = 1, 5  # of the night, in the organization's own time
LATER = 2  # hours in which a night's check is made up for, should no worker have been there at its hour
ONCE = timedelta(hours=20)
A_DAY = timedelta(days=1)


def go_on(run: SyncRun, provider: Provider, stay: Callable[[], None], stop: Callable[[], bool]) -> None:
    """Go on with a check until it is done or the sitting is over, at least by one step. Raises `CallFailed`."""
    steps = {"lists": read_lists, "read": read_page, "unmet": look_for_unmet}
    try:
        while run.state == SyncRun.State.PLANNING:
            step = steps.get(run.cursor.partition(":")[0])
            if step is None:
                run = giving_way(partial(runs.plan_page, run.pk, PLANS))
            else:
                step(Visit(run, provider, stay))
            stay()
            if stop():
                break
    except Cancelled:
        return
    except CallFailed as failure:
        if not isinstance(failure.outcome, Refused):
            raise
        runs.finish(run, SyncRun.State.FAILED, str(failure)[:300])


# --- by night ---


def is_time(connection: Connection, now: datetime) -> bool:
    """Whether it is this connection's hour of the night, which differs from one to the next so that they are spread."""
    hour = FIRST_HOUR + zlib.crc32(connection.uid.bytes) % HOURS
    return 0 <= now.astimezone(connection.tenant.tz).hour - hour <= LATER


def start_by_night(connection: Connection, now: datetime) -> SyncRun | None:
    """Begin the night's check, unless there was one already or somebody is at work. A preview that was shown lately is
    left to whoever looks at it."""
    checks = SyncRun.objects.filter(connection=connection, kind=SyncRun.Kind.CHECK, started_by=None)
    if checks.filter(created_at__gt=now - ONCE).exists():
        return None
    unfinished = SyncRun.objects.filter(connection=connection, state__in=SyncRun.UNFINISHED).first()
    if unfinished is not None:
        is_shown = unfinished.state == SyncRun.State.READY
        is_nobodys = unfinished.kind == SyncRun.Kind.CHECK and unfinished.started_by_id is None
        if not is_shown or not (is_nobodys or unfinished.created_at < now - A_DAY):
            return None
    run = runs.start(connection, None, kind=SyncRun.Kind.CHECK)
    if unfinished is not None and unfinished.kind == SyncRun.Kind.CHECK:
        unfinished.items.all().delete()  # nobody chose anything of it, and the new one finds it again
    return run


# --- the lists themselves ---


def read_lists(visit: Visit) -> None:
    """Which of our lists still exist there, and what they are called now."""
    there = {one.remote_id: one.name for one in visit.provider.lists_there(visit.policy.container)}
    for record in RemoteRecord.objects.filter(connection=visit.connection, kind=RemoteRecord.Kind.LIST):
        place = visit.policy.container_of(str(record.subject_uid))
        remote_id = record.known.get("ids", {}).get(place, "")
        if remote_id and record.known.get("names", {}).get(place) != there.get(remote_id):
            giving_way(partial(learn_list, visit.connection, record.pk, place, there.get(remote_id)))
    visit.places = Visit(visit.run, visit.provider, visit.stay).places
    visit.commit(visit.next_container, since=timezone.now().isoformat())


def learn_list(connection: Connection, pk: int, place: str, name: str | None) -> None:
    """A list was renamed there, or (without a name) deleted."""
    record = RemoteRecord.objects.select_for_update().get(pk=pk)
    ids, names = dict(record.known.get("ids", {})), dict(record.known.get("names", {}))
    before = names.pop(place, "")
    if name is None:
        ids.pop(place, None)
        said = f"The list “{before}” was deleted there."
    else:
        names[place] = name
        said = f"The list “{before}” was renamed there."
    effect = RemoteRecord.Effect.DONE if ids else RemoteRecord.Effect.NONE
    RemoteRecord.objects.filter(pk=pk).update(known={"ids": ids, "names": names}, effect=effect)
    Delivery.objects.create(
        tenant_id=record.tenant_id, connection=connection, kind=record.kind, subject_uid=record.subject_uid,
        verb="heard", container=place, before={"name": before}, after={"name": name or ""},
        outcome=Delivery.Outcome.HEARD, answer=said[:300], cause="Found by a check",
    )  # fmt: skip
