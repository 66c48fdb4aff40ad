"""One turn on one connection, under its lease: hear what came in, send what is urgent, plan on, send the rest."""

import logging
import time
from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from contacts.tenancy.acting import By, acting
from contacts.tenancy.walls import in_tenant
from integrations.keyring import Unreadable
from integrations.models import Connection, GiftRun, RemoteRecord, RunItem, SyncRun, WebhookEvent
from integrations.provider_kit.base import Can
from integrations.provider_kit.errors import CallFailed
from integrations.providers import all_providers, provider_for
from integrations.sync import (
    adopting,
    checking,
    gift_pages,
    inbox,
    namesakes,
    notices,
    reading,
    runs,
    saving,
    undo_preview,
)
from integrations.sync.lease import Lease, LeaseLost
from integrations.sync.push import Interrupted, Sitting
from integrations.sync.slices import URGENT
from integrations.sync.turn import is_bulk_waiting

log = logging.getLogger(__name__)
State = Connection.State
CONNECTED = (State.SETUP, State.READY, State.ACTIVE)
READING = (SyncRun.Kind.CHECK,)  # runs whose plan is made from what is read at the vendor, call by call


def open_connection(pk: int) -> Connection | None:
    """A connection that may be worked on now: connected, and not told to wait; by the database's clock."""
    return (
        Connection.objects.with_scopes_disabled()
        .filter(Q(retry_at__isnull=True) | Q(retry_at__lte=Now()), pk=pk, state__in=CONNECTED)
        .select_related("tenant")
        .first()
    )


def serve(pk: int, listen: bool = False) -> bool:
    """Work on a connection for one sitting (about 15 s). Returns whether there is more to do at once.

    `listen` reads everybody who opted out there first.
    """
    connection = open_connection(pk)
    if connection is None:
        return False
    with in_tenant(connection.tenant), acting(By.SYSTEM, str(connection)):
        lease = Lease.take(connection)
        if lease is None:
            return False
        try:
            connection = Connection.objects.select_related("tenant").get(pk=pk)
            sit(connection, lease, listen)
        except Interrupted:
            pass
        except LeaseLost:
            log.warning("lease lost", extra={"connection": pk})
        except Unreadable as unreadable:
            notices.reconnect_needed(connection, str(unreadable))
        finally:
            lease.give_back()
        return is_more_to_do(connection)


def sit(connection: Connection, lease: Lease, listen: bool) -> None:
    """The turn itself."""
    provider = provider_for(connection)
    sitting = Sitting(connection, lease, provider, time.monotonic() + settings.SLICE_SECONDS)
    provider.is_urgent = True  # who opted out there is heard of before anything else (L21, L23)
    try:
        if Can.WEBHOOKS in provider.can:
            inbox.handle_inbox(connection, provider, lambda: sitting.is_over)
        run = SyncRun.objects.filter(connection=connection, state=SyncRun.State.PLANNING).first()
        reads = Can.READ_OPT_OUTS in provider.can and type(provider).is_set_up(connection.settings)
        is_read = True
        # A check reads everybody itself, and tells of what it heard.
        is_to_be_read = run is not None and not run.cursor and run.kind != SyncRun.Kind.CHECK
        if reads and (listen or connection.reading or is_to_be_read):
            is_read = reading.listen(connection, provider, sitting.stay, lambda: sitting.is_over) is not None
        if connection.state == State.ACTIVE:
            sitting.push(only_urgent=True)
        provider.is_urgent = False
        if run is not None and is_read and not (sitting.bulk_waits and run.kind in READING):
            if run.kind == SyncRun.Kind.CHECK:
                checking.go_on(run, provider, sitting.stay, lambda: sitting.is_over)
            elif run.kind == SyncRun.Kind.UNDO:
                undo_preview.go_on(run, lambda: sitting.is_over)
            else:
                provider.is_urgent = True  # somebody waits for the preview, and it asks for lists only
                runs.plan_some(run, lambda: sitting.is_over, partial(namesakes.look_for, provider=provider))
        provider.is_urgent = False
        if not sitting.bulk_waits:
            adopting.adopt_some(connection, provider, sitting.stay, lambda: sitting.is_over)
        if connection.state == State.ACTIVE:
            sitting.push()
            if Can.WRITE_INTERACTIONS in provider.can:
                saving.save_due(sitting)
            if Can.PULL_GIFTS in provider.can:
                gift_pages.go_on(connection, provider, sitting.stay, lambda: sitting.is_over, sitting.success)
    except CallFailed as failure:
        sitting.interrupt(failure.outcome)
    finally:
        provider.close()
        runs.finish_if_done(connection)


def is_more_to_do(connection: Connection) -> bool:
    """Whether the connection has work that could be done now."""
    if open_connection(connection.pk) is None:
        return False
    planning = SyncRun.objects.filter(connection=connection, state=SyncRun.State.PLANNING)
    due, adoptions = due_rows(connection), adopting.waiting(RunItem.objects.filter(run__connection=connection))
    if is_bulk_waiting(connection):
        planning, due, adoptions = planning.exclude(kind__in=READING), due.filter(URGENT), adoptions.none()
    return (
        planning.exists()
        or adoptions.exists()
        or inbox.waiting(WebhookEvent.objects.filter(connection=connection)).exists()
        or Connection.objects.filter(pk=connection.pk).exclude(reading="").exists()
        or (is_active(connection) and (due.exists() or looking(GiftRun.objects).filter(connection=connection).exists()))
    )


def is_active(connection: Connection) -> bool:
    """Whether changes are sent by themselves: after the first Sync was confirmed."""
    return Connection.objects.filter(pk=connection.pk, state=State.ACTIVE).exists()


def looking(runs: Any) -> Any:
    """The looks for gifts that are under way."""
    return runs.filter(state=GiftRun.State.RUNNING)


def due_rows(connection: Connection) -> Any:
    """The rows that are due now."""
    return RemoteRecord.objects.filter(connection=connection, due_at__lte=Now())


def waiting() -> list[int]:
    """The connections of all tenants with anything to do, longest unserved first: the sweep rings for each (L25)."""
    connections = Connection.objects.with_scopes_disabled().filter(
        Q(retry_at__isnull=True) | Q(retry_at__lte=Now()),
        state__in=CONNECTED,
        provider__in=all_providers(),
    ).filter(Q(lease_until__isnull=True) | Q(lease_until__lt=Now())).order_by("served_at", "pk")  # fmt: skip
    planning = SyncRun.objects.with_scopes_disabled().filter(state=SyncRun.State.PLANNING).values("connection")
    hearing = inbox.waiting(WebhookEvent.objects.with_scopes_disabled()).values("connection")
    owing = RemoteRecord.objects.with_scopes_disabled().filter(due_at__lte=Now()).values("connection")
    adopting_now = adopting.waiting(RunItem.objects.with_scopes_disabled()).values("run__connection")
    reading_gifts = looking(GiftRun.objects.with_scopes_disabled()).values("connection")
    bulk = (
        Q(pk__in=planning.filter(kind__in=READING))
        | Q(pk__in=adopting_now)
        | Q(pk__in=owing, state=State.ACTIVE)
    )  # fmt: skip
    wanted = (
        ~Q(reading="")
        | Q(pk__in=planning.exclude(kind__in=READING))
        | Q(pk__in=hearing)
        | Q(pk__in=owing.filter(URGENT), state=State.ACTIVE)
        | Q(pk__in=reading_gifts, state=State.ACTIVE)
        | (~Q(bulk_retry_at__gt=Now()) & bulk)
    )
    return list(connections.filter(wanted).values_list("pk", flat=True))
