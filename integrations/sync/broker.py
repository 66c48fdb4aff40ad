"""The quota broker: counts the calls of each application key in the database, for everybody who uses it (L29).

Each question is one short transaction that holds the key's row, and the database's clock decides. The row is locked
first and the clock read after that, or the time would be that of joining the queue.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from integrations.models.quota import Quota, QuotaShare
from integrations.provider_kit.base import Limits
from integrations.provider_kit.fairness import Day, Use, what_stops
from integrations.provider_kit.gate import Gate, Go, Later, Why

MOST_SLOTS = 100  # calls looked back on; with a higher limit, the stretch they must not share is shorter than a second
SLACK = 0.25  # of that stretch, for the ways of two calls to the vendor being of different length
AHEAD = {True: 10.0, False: 1.0}  # seconds ahead that a place may be taken, so that urgent ones find theirs soon
# The vendor's clock and ours may differ by this: our day begins later, and what was called around its end counts twice.
MARGIN = timedelta(seconds=30)
WANTS_FOR = timedelta(minutes=10)  # who had bulk work so lately is taken to have it still
ASK_AGAIN = 60.0  # seconds until somebody whose share is used up asks whether others have finished
TOO_EARLY = timedelta(minutes=10)  # a day that is said to be over so soon is yesterday's, by the vendor's clock
LONG_GAP = 600.0  # seconds; a longer pause says nothing about the pace
KEEP = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Clock:
    """One moment, by the database's clock and by ours."""

    now: datetime
    here: float


def read_clock(quota: Quota) -> Clock:
    """The moment, read anew by a statement of its own."""
    found: Any = Quota.objects.filter(pk=quota.pk).annotate(now=Now()).values_list("now", flat=True)
    return Clock(found.get(), time.monotonic())


def day_of(now: datetime) -> date:
    """The day that calls count for."""
    return (now - MARGIN).astimezone(UTC).date()


def next_day(now: datetime) -> datetime:
    """When calls begin to count for the next day."""
    return datetime.combine(day_of(now) + timedelta(days=1), datetime.min.time(), UTC) + MARGIN


def kept_of(limit: int) -> int:
    """How many calls of a day are kept for opt-outs and single edits."""
    return limit * settings.QUOTA_RESERVE_PERCENT // 100


class DatabaseBroker:
    """Answers the gates."""

    def ask(self, limits: Limits, tenant_id: int | None, is_urgent: bool, lead: float) -> Go | Later:
        """Whether a call may leave, and when; if so it is counted, unless it was before."""
        with transaction.atomic(durable=True):  # inside another one the row would stay locked for everybody
            quota, clock = hold(limits)
            mine = share_of(quota, tenant_id or 0)
            if not is_urgent:
                mine.wanted_at = clock.now
            later = is_counted_out(quota, clock)
            if not lead:
                later = later or self.judge(limits, quota, mine, clock, is_urgent)
            answer = later or take_place(limits, quota, clock, lead, AHEAD[is_urgent])
            if isinstance(answer, Go) and not lead:
                count(limits, quota, mine, clock, is_urgent)
            mine.save()
            quota.save()
        return answer

    def judge(self, limits: Limits, quota: Quota, mine: QuotaShare, clock: Clock, is_urgent: bool) -> Later | None:
        """What the day has to say."""
        had = others_had(quota.key, quota.day, mine.tenant_number, None if is_urgent else clock.now)
        why = what_stops(day_stands(limits, quota), Use(mine.bulk, mine.of_kept), had, is_urgent)
        if why is None:
            return None
        return Later(ASK_AGAIN if why is Why.SHARE else until_next_day(clock), why)

    def block(self, limits: Limits, seconds: float) -> float:
        """Nobody calls for so long."""
        with transaction.atomic(durable=True):
            quota, clock = hold(limits)
            until = clock.now + timedelta(seconds=seconds)
            quota.blocked_until = max(until, quota.blocked_until or until)
            quota.save()
            return (quota.blocked_until - clock.now).total_seconds()

    def close_day(self, limits: Limits) -> float:
        """Nobody calls before the next day: somebody else may use the key, too."""
        with transaction.atomic(durable=True):
            quota, clock = hold(limits)
            begun = next_day(clock.now) - timedelta(days=1)
            if clock.now - begun < TOO_EARLY:
                quota.blocked_until = clock.now + timedelta(seconds=ASK_AGAIN)
                quota.save()
                return ASK_AGAIN
            quota.day_is_over = True
            quota.save()
            return until_next_day(clock)


def hold(limits: Limits) -> tuple[Quota, Clock]:
    """The key's row, locked until the transaction ends, on the day that it is now."""
    if not Quota.objects.filter(key=limits.key).exists():
        Quota.objects.bulk_create([Quota(key=limits.key, day=date.min)], ignore_conflicts=True)
    quota = Quota.objects.select_for_update().get(key=limits.key)
    clock = read_clock(quota)
    today = day_of(clock.now)
    if quota.day < today:
        was_yesterday = quota.day == today - timedelta(days=1)
        quota.day, quota.used = today, quota.carried if was_yesterday else 0
        quota.carried, quota.day_is_over = 0, False
    return quota, clock


def share_of(quota: Quota, tenant_number: int) -> QuotaShare:
    """What this organization had today."""
    return QuotaShare.objects.get_or_create(key=quota.key, day=quota.day, tenant_number=tenant_number)[0]


def others_had(key: str, day: date, tenant_number: int, now: datetime | None) -> list[int]:
    """The bulk calls of that day of each other organization: that has bulk work `now`, or that was there at all since
    the day before."""
    if now is None:
        shares = QuotaShare.objects.filter(key=key, day__gte=day - timedelta(days=1), tenant_number__gt=0)
    else:
        shares = QuotaShare.objects.filter(key=key, day=day, wanted_at__gt=now - WANTS_FOR)
    return list(shares.exclude(tenant_number=tenant_number).values_list("bulk", flat=True))


def day_stands(limits: Limits, quota: Quota) -> Day:
    """The day as the rules look at it."""
    used = limits.per_day if quota.day_is_over else quota.used
    return Day(limits.per_day, kept_of(limits.per_day), used)


def is_counted_out(quota: Quota, clock: Clock) -> Later | None:
    """What the vendor itself said counts before our own counting."""
    if quota.day_is_over:
        return Later(until_next_day(clock), Why.DAY)
    if quota.blocked_until is not None and quota.blocked_until > clock.now:
        return Later((quota.blocked_until - clock.now).total_seconds(), Why.SECOND)
    return None


def take_place(limits: Limits, quota: Quota, clock: Clock, lead: float, ahead: float) -> Go | Later:
    """The next free place in the seconds, from `lead` on; so many calls in any stretch of that length, never more."""
    calls = max(1, min(MOST_SLOTS, int(limits.per_second)))
    stretch = calls / limits.per_second * (1 + SLACK)
    now = clock.now.timestamp()
    # Places further off than anybody may take were given before the clock was set back.
    slots: Sequence[float] = [at for at in quota.slots if at <= now + max(AHEAD.values()) + stretch][-calls:]
    at = max(now + lead, slots[-calls] + stretch) if len(slots) == calls else now + lead
    if slots:
        at = max(at, slots[-1])
    if at - now > ahead + lead:
        return Later(at - now - ahead, Why.SECOND)
    quota.slots = [*slots, at][-calls:]
    return Go(clock.here + at - now, stretch * SLACK / 2)


def count(limits: Limits, quota: Quota, mine: QuotaShare, clock: Clock, is_urgent: bool) -> None:
    """One more call."""
    if is_urgent:
        mine.urgent += 1
        if not day_stands(limits, quota).left_for_bulk:
            mine.of_kept += 1
    else:
        mine.bulk += 1
        gap = (clock.now - mine.called_at).total_seconds() if mine.called_at else LONG_GAP
        if gap < LONG_GAP:
            mine.spacing = 0.95 * mine.spacing + 0.05 * gap if mine.spacing else gap
        mine.called_at = clock.now
    quota.used += 1
    if next_day(clock.now) - clock.now <= 2 * MARGIN:
        quota.carried += 1


def until_next_day(clock: Clock) -> float:
    """Seconds until calls count for another day."""
    return (next_day(clock.now) - clock.now).total_seconds()


def count_changes(limits: Limits, tenant_id: int, changes: int) -> None:
    """So many large changes came to their end: how many calls one takes tells when the rest will be out."""
    shares = QuotaShare.objects.filter(key=limits.key, tenant_number=tenant_id).order_by("-day")
    if latest := shares.first():
        QuotaShare.objects.filter(pk=latest.pk).update(changes=F("changes") + changes)


def forget_old_quotas() -> None:
    """Remove what nobody looks at any more, and keys that are no longer used."""
    since = timezone.now().date() - KEEP
    QuotaShare.objects.filter(day__lt=since).delete()
    Quota.objects.filter(day__lt=since).delete()


def open_gates() -> None:
    """Called once when the app is ready."""
    Gate.broker = DatabaseBroker()
