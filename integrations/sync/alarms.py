"""Silence is an alarm (L36): every few minutes the facts of all connections are read, judged and noted as alarms.

Constant queries for all organizations together; their rows are written one organization at a time. The stop before is
silence, which judges; the stop after is notices, which mails. Times are the database's.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Min, Q
from django.db.models.functions import Coalesce, Now

from contacts.tenancy.walls import in_tenant
from integrations.models import Alarm, Connection, Heartbeat, RemoteRecord, Switch
from integrations.models.heartbeat import beat
from integrations.models.remote import ON_ITS_WAY, Priority
from integrations.provider_kit.base import Can
from integrations.providers import all_providers
from integrations.sync import notices
from integrations.sync.silence import WARM_UP, Facts, alarms_of, explained

AWAY = timedelta(minutes=6)  # nobody has looked round for three times
LOOK, AWAKE = "alarms", "awake"  # heartbeats: the last look, and the first one after nobody had looked for a while


def look_round() -> None:
    """Judge every connection, note what began and what is over, and tell people of it."""
    awake = awake_since()
    noted: dict[int, dict[str, Alarm]] = defaultdict(dict)
    ended: dict[int, set[str]] = defaultdict(set)  # kinds that are over, which nobody was told yet
    current = Q(cleared_at=None) | Q(mailed_at__isnull=False, all_clear_at=None)
    for alarm in Alarm.objects.with_scopes_disabled().filter(current).select_related("tenant"):
        if alarm.cleared_at is None:
            noted[alarm.connection_id][alarm.kind] = alarm
        else:
            ended[alarm.connection_id].add(alarm.kind)
    for connection, facts in read_facts(awake):
        settle(connection, noted.pop(connection.pk, {}), ended[connection.pk], facts)
    for left in noted.values():  # of connections that were disconnected: that is no news to anybody
        end(left.values(), is_news=False)
    notices.send_news()


def awake_since() -> datetime | None:
    """Since when somebody looks round again, if there was nobody for a while: what was missed then is no alarm."""
    beats = dict(Heartbeat.objects.filter(name__in=[LOOK, AWAKE]).values_list("name", "at"))
    beat(LOOK)
    if LOOK in beats and Heartbeat.objects.filter(name=LOOK, at__lt=beats[LOOK] + AWAY).exists():
        return beats.get(AWAKE)
    beat(AWAKE)
    return Heartbeat.objects.get(name=AWAKE).at


def read_facts(awake: datetime | None) -> list[tuple[Connection, Facts]]:
    """What is known of every connection of every organization."""
    connections = list(
        Connection.objects.with_scopes_disabled()
        .exclude(state=Connection.State.NOT_CONNECTED)
        .filter(provider__in=all_providers())
        .select_related("tenant")
        .annotate(now=Now())
        .order_by("pk")
    )
    queues, rests, looks = read_queues(), read_rests(), read_looks()
    return [
        (one, facts_of(one, queues.get(one.pk, {}) | looks.get(one.pk, {}), [awake, rests.get(one.pk)]))
        for one in connections
    ]


def read_queues() -> dict[int, dict[str, Any]]:
    """{connection: how many changes wait, and since when}."""
    is_late = Q(due_at__lte=Now()) | Q(troubles__gt=0)  # not: told to come back at a time
    rows: Any = RemoteRecord.objects.with_scopes_disabled().filter(ON_ITS_WAY).order_by().values("connection")
    rows = rows.annotate(
        waiting=Count("pk"), since=Min("marked_at"), late_since=Min("marked_at", filter=is_late),
        late_edits_since=Min("marked_at", filter=is_late & Q(priority__lte=Priority.EDIT)),
    )  # fmt: skip
    return {row.pop("connection"): row for row in rows}


def read_looks() -> dict[int, dict[str, Any]]:
    """{connection: when new gifts were last looked for}, where that is switched on."""
    kinds = {one.gift_switch for one in all_providers().values() if Can.PULL_GIFTS in one.can}
    rows: Any = Switch.objects.with_scopes_disabled().filter(is_on=True, kind__in=kinds).order_by()
    looked = rows.annotate(looked=Coalesce("looked_at", "turned_on_at")).values_list("connection", "looked")
    return {pk: {"gifts_looked_at": at} for pk, at in looked}


def read_rests() -> dict[int, datetime]:
    """{connection: when its latest trouble ended, if that is not long ago}."""
    over: Any = Alarm.objects.with_scopes_disabled().filter(cleared_at__gt=Now() - 2 * WARM_UP).order_by()
    return dict(over.values_list("connection").annotate(Max("cleared_at")))


def facts_of(connection: Any, queue: dict[str, Any], rests: Iterable[datetime | None]) -> Facts:
    """Everything that is known of one connection."""
    until, stopped_until, failing = connection.bulk_retry_at, connection.retry_at, connection.failing_since
    is_over = until is not None and until <= connection.now
    was_rest = is_over and not (failing and failing < until)  # not: told to wait a little, over and over
    ends = [rest for rest in (*rests, until if was_rest else None) if rest is not None]
    return Facts(
        service=str(connection), now=connection.now.astimezone(connection.tenant.tz), state=connection.state,
        reason=connection.reason, connected_at=connection.connected_at, rested_until=max(ends, default=None),
        last_success_at=connection.last_success_at, last_error=connection.last_error,
        failing_since=failing, limited_until=None if is_over else until,
        limit_reason=connection.bulk_reason, is_stopped=not is_over and until is not None and stopped_until == until,
        reads_opt_outs=Can.READ_OPT_OUTS in all_providers()[connection.provider].can,
        listened_at=connection.listened_at, listen_error=connection.listen_error, **queue,
    )  # fmt: skip


def settle(connection: Connection, noted: dict[str, Alarm], ended: set[str], facts: Facts) -> None:
    """Note what is wrong now, and end what is over. That nothing could be expected for a while keeps an alarm from
    being raised; it neither ends one nor hides that one goes on."""
    patience = timedelta(minutes=settings.ALARM_AFTER_MINUTES)
    found, lasting = alarms_of(facts, patience), alarms_of(replace(facts, rested_until=None), patience)
    end([alarm for kind, alarm in noted.items() if kind not in lasting])
    raised = found.keys() | ended
    silent = explained(raised | noted.keys())
    for kind, sentence in lasting.items():
        news = {"sentence": sentence[:400], "waiting": facts.waiting, "waiting_since": facts.since}
        if kind in noted:
            keep_current(noted[kind], news)
        elif kind in raised and kind not in silent:
            notices.open_alarm(connection, kind, news)


def keep_current(alarm: Alarm, news: dict[str, Any]) -> None:
    """What an open alarm says stays true."""
    if any(getattr(alarm, name) != value for name, value in news.items()):
        with in_tenant(alarm.tenant):
            Alarm.objects.filter(pk=alarm.pk, cleared_at=None).update(**news)


def end(alarms: Iterable[Alarm], is_news: bool = True) -> None:
    """It is over; people who were told that it began will hear of it, if that is news to them."""
    for alarm in alarms:
        with in_tenant(alarm.tenant):
            over = {"cleared_at": Now()} | ({} if is_news else {"all_clear_at": Now()})
            Alarm.objects.filter(pk=alarm.pk, cleared_at=None).update(**over)
