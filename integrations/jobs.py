"""The doorbell: the only place that enqueues. Jobs take ids, may run twice, and lose nothing if they never run."""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django_q.tasks import async_task

from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from integrations.models import (
    Alarm,
    Connection,
    Delivery,
    GiftRun,
    HookDelivery,
    OutgoingHook,
    RunItem,
    SyncRun,
    WebhookEvent,
)
from integrations.models.heartbeat import beat
from integrations.provider_kit.base import Can
from integrations.providers import all_providers
from integrations.sync import alarms, checking, gift_pages, hooks, interactions, keeping
from integrations.sync import serve as serving
from integrations.sync.broker import forget_old_quotas

log = logging.getLogger(__name__)
NUDGE_IS_STALE = timedelta(seconds=20)  # a nudge that has not been answered by then counts as lost
KEEP = timedelta(days=30)  # raw messages and the rows of finished previews
KEEP_HISTORY = timedelta(days=730)
KEEP_QUIET = timedelta(days=7)  # looks for gifts that brought nothing


def nudge(connection: Connection) -> None:
    """Have somebody look at this connection soon; a nudge that is waiting already is enough."""
    pk = connection.pk

    def knock() -> None:
        rows = Connection.objects.with_scopes_disabled().filter(pk=pk)
        if rows.filter(Q(nudged_at__isnull=True) | Q(nudged_at__lt=Now() - NUDGE_IS_STALE)).update(nudged_at=Now()):
            async_task("integrations.jobs.serve", pk)

    transaction.on_commit(knock, robust=True)


def serve(connection_pk: int) -> None:
    """One turn on one connection; if there is more to do, it goes to the end of the queue."""
    look_at(connection_pk, listen=False)


def listen(connection_pk: int) -> None:
    """A turn that first reads who opted out there."""
    look_at(connection_pk, listen=True)


def look_at(connection_pk: int, listen: bool) -> None:
    """The nudge is taken down first: a change that comes from now on rings again."""
    Connection.objects.with_scopes_disabled().filter(pk=connection_pk).update(nudged_at=None)
    if serving.serve(connection_pk, listen=listen):
        async_task("integrations.jobs.serve", connection_pk)


def sweep() -> None:
    """Every minute: ring for whatever a nudge has missed."""
    beat("sweep")
    for pk in serving.waiting():
        async_task("integrations.jobs.serve", pk)
    for pk in hooks.waiting():
        async_task("integrations.jobs.send_to_hook", pk)


def ring_for_hook(hook_pk: int) -> None:
    """Have somebody send what is due to this address, once this transaction is committed."""
    transaction.on_commit(lambda: async_task("integrations.jobs.send_to_hook", hook_pk), robust=True)


def send_to_hook(hook_pk: int) -> None:
    """A turn of sending to one address; if there is more to do, it goes to the end of the queue."""
    if hooks.turn(hook_pk):
        async_task("integrations.jobs.send_to_hook", hook_pk)


def listen_all() -> None:
    """Every hour: read the opt-outs of every connection that can, so that a lost message costs an hour at most."""
    listen_in_turn(0)


def listen_in_turn(after: int) -> None:
    """Read the next one. Only one of them stands in the queue at a time, so that whatever is changed meanwhile need
    not wait behind all organizations; and it is put there first, so that none is left out if this job is killed."""
    able = [key for key, provider in all_providers().items() if Can.READ_OPT_OUTS in provider.can]
    states = [Connection.State.READY, Connection.State.ACTIVE]
    connections = Connection.objects.with_scopes_disabled().filter(provider__in=able, state__in=states, pk__gt=after)
    pk = connections.order_by("pk").values_list("pk", flat=True).first()
    if pk is not None:
        async_task("integrations.jobs.listen_in_turn", pk)
        listen(pk)


def look_for_gifts() -> None:
    """Every minute: begin the looks for new, changed and deleted gifts that are due (D5)."""
    for kind in (GiftRun.Kind.NEW, GiftRun.Kind.CHANGES):
        for connection in gift_pages.due(kind):
            with in_tenant(connection.tenant):
                gift_pages.begin(connection, kind)
            nudge(connection)


def mend_interactions() -> None:
    """Every hour: what could not be saved for want of a donor's number, and can be by now (D11)."""
    for connection in interactions.stuck():
        with in_tenant(connection.tenant):
            if interactions.try_again(connection):
                nudge(connection)


def keep_grants_alive() -> None:
    """Every night: have grants renewed that would run out for want of use."""
    for pk in keeping.idle():
        async_task("integrations.jobs.keep_alive", pk)


def keep_alive(connection_pk: int) -> None:
    """Renew one of them."""
    keeping.keep_alive(connection_pk)


def check_all() -> None:
    """Every hour: begin the night's check of the connections whose hour it is, where they are (L31)."""
    able = [key for key, provider in all_providers().items() if Can.READ_MEMBERS in provider.can]
    connections = Connection.objects.with_scopes_disabled().filter(provider__in=able, state=Connection.State.ACTIVE)
    now = timezone.now()
    for connection in connections.select_related("tenant"):
        if checking.is_time(connection, now):
            async_task("integrations.jobs.check", connection.pk)


def check(connection_pk: int) -> None:
    """Begin the night's check of one connection, and take its first turn."""
    connection = Connection.objects.with_scopes_disabled().select_related("tenant").get(pk=connection_pk)
    with in_tenant(connection.tenant):
        run = checking.start_by_night(connection, timezone.now())
    if run is not None:
        serve(connection_pk)


def watch() -> None:
    """Every few minutes: notice who should have spoken and did not, and tell people (L36)."""
    alarms.look_round()


def prune() -> None:
    """Every night: throw away what is kept for a time only."""
    forget_old_quotas()
    for tenant in Tenant.objects.all():
        with in_tenant(tenant):
            WebhookEvent.objects.filter(handled_at__isnull=False, received_at__lt=Now() - KEEP).delete()
            over = SyncRun.objects.filter(finished_at__lt=Now() - KEEP)
            RunItem.objects.filter(run__in=over).delete()
            Delivery.objects.filter(at__lt=Now() - KEEP_HISTORY).delete()
            quiet = GiftRun.objects.filter(state=GiftRun.State.DONE, new=0, updated=0, gone=0, skipped=0)
            quiet.filter(finished_at__lt=Now() - KEEP_QUIET).delete()
            GiftRun.objects.filter(finished_at__lt=Now() - KEEP_HISTORY).delete()
            OutgoingHook.objects.filter(old_secret_until__lte=Now()).update(old_secret=None, old_secret_until=None)
            HookDelivery.objects.filter(at__lt=Now() - KEEP).exclude(state=HookDelivery.State.DUE).delete()
            Alarm.objects.filter(cleared_at__lt=Now() - KEEP_HISTORY).delete()
