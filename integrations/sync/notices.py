"""What owners and managers hear of an alarm by mail: once that it began, once that it is over (L36).

An alarm is a row first. Whoever mails takes it by one conditional UPDATE, so that two workers send one message; if the
mail server takes none, the row is given back and the next look tries again. No message names anybody's contacts.
"""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Count, Exists, Min, OuterRef, Q
from django.db.models.functions import Now
from django.urls import reverse

from contacts.models import Role, StaffMember
from contacts.tenancy.walls import in_tenant
from integrations.alarm_words import ALARMS, queue
from integrations.models import Alarm, Connection, RemoteRecord
from integrations.models.remote import ON_ITS_WAY

log = logging.getLogger(__name__)
Kind = Alarm.Kind
# What has just been said on the page, or mends itself, is mailed only if it lasts.
GRACE = {Kind.WEBHOOKS: timedelta(minutes=15)}
AT_MOST_EVERY = timedelta(hours=1)  # what comes and goes is mailed no more often
SETTLED = timedelta(minutes=3)  # it is over only when it does not come back at once


def reconnect_needed(connection: Connection, sentence: str) -> None:
    """Pause the connection and raise the alarm, once; what is due stays due (L28)."""
    with transaction.atomic():
        changed = (
            Connection.objects.filter(pk=connection.pk)
            .exclude(state__in=[Connection.State.RECONNECT, Connection.State.NOT_CONNECTED])
            .update(state=Connection.State.RECONNECT, reason=sentence, last_error=sentence)
        )
        connection.state = Connection.State.RECONNECT
        if not changed:
            return
        log.warning("reconnect needed", extra={"connection": connection.pk})
        open_alarm(connection, Kind.RECONNECT, {"sentence": sentence[:400], **waiting_at(connection)})
        transaction.on_commit(send_news, robust=True)


def waiting_at(connection: Connection) -> dict[str, Any]:
    """How many changes wait, and since when."""
    due = RemoteRecord.objects.filter(ON_ITS_WAY, connection=connection)
    return due.aggregate(waiting=Count("pk"), waiting_since=Min("marked_at"))


def open_alarm(connection: Connection, kind: str, news: dict[str, Any]) -> None:
    """Note that something is wrong, unless that is noted. What was over for a moment only goes on."""
    with in_tenant(connection.tenant):
        mine = Alarm.objects.filter(connection=connection, kind=kind)
        if mine.filter(cleared_at=None).exists():
            return
        # Nobody was told yet that it was over.
        back = mine.filter(Q(mailed_at__isnull=False) | Q(cleared_at__gt=Now() - SETTLED), all_clear_at=None).first()
        if back is not None:
            mine.filter(pk=back.pk).update(cleared_at=None, **news)
            return
        alarm = Alarm(tenant=connection.tenant, connection=connection, kind=kind, **news)
        Alarm.objects.bulk_create([alarm], ignore_conflicts=True)  # somebody else may note it at the same moment


# --- the mail ---


def send_news() -> None:
    """Mail what has begun and what is over, of all organizations, as far as nobody has yet."""
    for alarm in unsent():
        with in_tenant(alarm.tenant):
            if not send(alarm, "all_clear_at" if alarm.cleared_at else "mailed_at"):
                return  # the mail server takes nothing now


def unsent() -> list[Alarm]:
    """The alarms with an end that is still to be mailed."""
    everybodys = Alarm.objects.with_scopes_disabled()
    just_now = everybodys.filter(
        connection=OuterRef("connection"), kind=OuterRef("kind"), mailed_at__gt=Now() - AT_MOST_EVERY
    )
    too_early = Q(pk=None)
    for kind, grace in GRACE.items():
        too_early |= Q(kind=kind, opened_at__gt=Now() - grace)
    begun = Q(cleared_at=None, mailed_at=None) & ~too_early & ~Exists(just_now)
    over = Q(mailed_at__isnull=False, all_clear_at=None, cleared_at__lte=Now() - SETTLED)
    rows = everybodys.filter(begun | over).select_related("tenant", "connection").annotate(now=Now())
    return list(rows.order_by("opened_at", "pk"))


def send(alarm: Any, end: str) -> bool:
    """Mail this end of an alarm once, to each owner and manager. Returns False if no message could be sent at all."""
    mine = Alarm.objects.filter(pk=alarm.pk)
    if not mine.filter(**{end: None}).update(**{end: Now()}):
        return True  # somebody else is mailing it
    waiting = waiting_at(alarm.connection)
    subject, body = words_of(alarm, alarm.now.astimezone(alarm.tenant.tz), waiting["waiting"], waiting["waiting_since"])
    members = StaffMember.objects.filter(role__in=[Role.OWNER, Role.MANAGER], user__is_active=True)
    addresses = sorted(members.values_list("user__email", flat=True))
    taken = [address for address in addresses if tell(address, subject, body)]
    if addresses and not taken:
        mine.update(**{end: None})
    return bool(taken) or not addresses


def tell(address: str, subject: str, body: str) -> bool:
    """One message; a mail server that does not answer must not stop the work."""
    try:
        EmailMessage(subject, body, None, [address]).send()
    except (OSError, ValueError, ImproperlyConfigured) as error:
        log.warning("An alarm could not be mailed: %s", type(error).__name__)
        return False
    return True


def words_of(alarm: Alarm, now: datetime, waiting: int, since: datetime | None) -> tuple[str, str]:
    """Subject and text, for one end of an alarm or the other."""
    said, service = ALARMS[alarm.kind], str(alarm.connection)
    title, remedy = said.title.format(service=service), said.remedy.format(service=service)
    waits, link = queue(waiting, since, now), f"{settings.PUBLIC_URL}{reverse('integrations:setup')}"
    if alarm.cleared_at is None:
        lines = [f"{alarm.tenant}: {title}.", alarm.sentence, waits, remedy, f"See how it is now: {link}"]
        lines.append("This is said once. Another message follows when it is over.")
    else:
        lines = [f"{alarm.tenant}: {said.over.format(service=service)}", waits, f"See how it is now: {link}"]
        title = f"All clear: {said.over.format(service=service).rstrip('.')}"
    return f"{title} ({alarm.tenant})", "\n\n".join(lines) + "\n"
