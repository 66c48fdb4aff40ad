"""Alarms as people read them on the pages (L36): the open ones of each service, past ones, and the one that no mail can
tell: that nobody is at work in the background."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from integrations.alarm_words import ALARMS, ASLEEP, clock, queue
from integrations.models import Alarm
from integrations.models.heartbeat import age
from integrations.words import lasting, some

STANDSTILL = 5 * 60.0  # seconds; the background work looks round every minute
# Which need no person: they are shown, and mend themselves.
CALM = (Alarm.Kind.LIMIT, Alarm.Kind.WEBHOOKS)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One alarm with its words."""

    alarm: Alarm
    service: str

    @property
    def title(self) -> str:
        return ALARMS[self.alarm.kind].title.format(service=self.service)

    @property
    def remedy(self) -> str:
        return ALARMS[self.alarm.kind].remedy.format(service=self.service)

    @property
    def queue(self) -> str:
        """What waits since when, as of the last look."""
        return queue(self.alarm.waiting, self.alarm.waiting_since, timezone.localtime()) if self.alarm.waiting else ""

    @property
    def waited(self) -> str:
        """The same of one that is over."""
        if not self.alarm.waiting or self.alarm.waiting_since is None:
            return "Nothing"
        since, count = clock(self.alarm.waiting_since, timezone.localtime()), self.alarm.waiting
        return f"{some(count, 'change', 'changes')}, {'the oldest ' if count > 1 else ''}since {since}"

    @property
    def need(self) -> str:
        """The end of “1 service …”, for what needs somebody today."""
        said = ALARMS[self.alarm.kind].need.format(service=self.service)
        return f"{said}. {self.queue.removesuffix('.')}" if self.queue else said

    @property
    def is_urgent(self) -> bool:
        return self.alarm.kind not in CALM

    @property
    def lasted(self) -> str:
        """How long it has lasted, or did."""
        return lasting(((self.alarm.cleared_at or timezone.now()) - self.alarm.opened_at).total_seconds())

    @property
    def is_said(self) -> bool:
        """Whether the card says this anyway, with the button that mends it."""
        return self.alarm.kind in (Alarm.Kind.RECONNECT, Alarm.Kind.WEBHOOKS, Alarm.Kind.LIMIT)


def troubles_of(connections: Iterable[int]) -> dict[int, list[Trouble]]:
    """The open alarms of each of these connections: one query."""
    found: dict[int, list[Trouble]] = defaultdict(list)
    for alarm in Alarm.objects.filter(connection__in=list(connections), cleared_at=None).select_related("connection"):
        found[alarm.connection_id].append(Trouble(alarm, str(alarm.connection)))
    return found


def asleep(connected: Iterable[datetime | None]) -> str:
    """How long the background work of the whole installation has stood still, or "" while it runs.

    Where it never ran at all, that counts from when the first of these services was connected.
    """
    silent = age()
    if silent is None:
        since = min((moment for moment in connected if moment is not None), default=None)
        silent = (timezone.now() - since).total_seconds() if since else 0.0
    return lasting(silent) if silent > STANDSTILL else ""


def said_of(duration: str) -> str:
    """What to tell people who wait for it, or ""."""
    return ASLEEP.format(duration=duration) if duration else ""
