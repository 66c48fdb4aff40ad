"""What is left of the calls that a vendor allows all organizations together, and when the rest will go, in words (L29).

Three queries for a connection, and none where a vendor does not count so. Times are the organization's.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from integrations.models import Connection, Quota, QuotaShare
from integrations.provider_kit.base import Limits
from integrations.provider_kit.fairness import Day
from integrations.provider_kit.forecast import Pace, out_at
from integrations.providers import all_providers
from integrations.sync import broker
from integrations.words import some

LATEST = 3  # days whose calls and changes tell how many calls one change takes
SOON = timedelta(minutes=10)
ROUNDED = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Allowance:
    """Today's calls of one application key, as one organization sees them."""

    service: str
    day: Day
    mine: int
    my_bulk: int
    others: list[int]
    pace: Pace | None
    now: datetime
    next_day: datetime
    goes_on_at: datetime | None
    reason: str
    is_stopped: bool

    @property
    def used(self) -> str:
        """“3,120 of 10,000 calls used today by all organizations; yours: 812.”"""
        used, anew = min(self.day.used, self.day.limit), moment(self.next_day, self.now)
        # Connecting is counted for nobody: while it goes on, it is not known whose it will be.
        mine = f"yours: {self.mine:,}" if self.mine else "yours, connecting apart: 0"
        return (
            f"{used:,} of {self.day.limit:,} calls used today by all organizations; {mine}. "
            f"{self.service} counts anew {anew}."
        )

    @property
    def waits(self) -> str:
        """Why large changes, or everything, wait for calls, and until when; "" if they do not."""
        if self.goes_on_at is None:
            return ""
        return f"{self.reason} The rest goes on by itself {moment(self.goes_on_at, self.now)}."

    def is_out(self, changes: int) -> str:
        """When so many large changes are out, at the present pace, as “tomorrow at about 09:30”; "" if nobody knows."""
        if not changes or self.pace is None:
            return ""
        at = out_at(
            changes, self.pace, self.day, self.my_bulk, self.others, self.now, self.next_day, self.goes_on_at
        )  # fmt: skip
        return about(at, self.now)

    def rest(self, changes: int, waiting: int = 0) -> str:
        """“4,000 changes wait; at this pace they are out tomorrow at about 09:30.” `waiting` is all that waits: beside
        it stand the opt-outs and single edits, which go first."""
        when = self.is_out(changes)
        if not when:
            return ""
        they = "it is" if changes == 1 else "they are"
        if waiting > changes:
            small = waiting - changes
            return (
                f"{small:,} of them {'goes' if small == 1 else 'go'} first; at this pace the other {changes:,} "
                f"{'is' if changes == 1 else 'are'} out {when}."
            )
        return f"{some(changes, 'change waits', 'changes wait')}; at this pace {they} out {when}."


def allowance_of(connection: Connection | None) -> Allowance | None:
    """What is left for this connection, or None where its vendor does not count calls of all together."""
    limits = connection and all_providers()[connection.provider].limits(connection.settings)
    if not connection or not limits or not connection.is_connected:
        return None
    now = timezone.now()
    today = broker.day_of(now)
    quota = Quota.objects.filter(key=limits.key, day=today).first()
    shares: Any = QuotaShare.objects.filter(key=limits.key, tenant_number=connection.tenant_id).order_by("-day")
    latest = list(shares[:LATEST])
    mine = next((one for one in latest if one.day == today), QuotaShare())
    others = broker.others_had(limits.key, today, connection.tenant_id, now)
    day = broker.day_stands(limits, quota) if quota else Day(limits.per_day, broker.kept_of(limits.per_day), 0)
    waits = connection.bulk_retry_at if connection.bulk_retry_at and connection.bulk_retry_at > now else None
    return Allowance(
        str(connection), day, mine.used, mine.bulk, others, pace_of(limits, latest, len(others)), now,
        broker.next_day(now), waits, connection.bulk_reason, bool(connection.retry_at and connection.retry_at > now),
    )  # fmt: skip


def pace_of(limits: Limits, latest: list[QuotaShare], others: int) -> Pace | None:
    """How fast it went lately, or None if nothing has been seen to go."""
    calls, changes = sum(one.bulk for one in latest), sum(one.changes for one in latest)
    if not calls or not changes:
        return None
    fastest = (1 + broker.SLACK) / limits.per_second
    seen = next((one.spacing for one in latest if one.spacing), fastest * (1 + others))
    return Pace(calls / changes, max(fastest, seen))


def about(at: datetime, now: datetime) -> str:
    """A moment that is a guess: rounded up, with its day."""
    if at - now < SOON:
        return "in a few minutes"
    rounded = datetime.fromtimestamp(-(-at.timestamp() // ROUNDED.total_seconds()) * ROUNDED.total_seconds(), UTC)
    return moment(rounded, now, "about ")


def moment(at: datetime, now: datetime, roughly: str = "") -> str:
    """“today at 19:00”, “tomorrow at about 09:30”, “on December 3 at about 09:30”, in the organization's time."""
    there, here = timezone.localtime(at), timezone.localtime(now)
    days = (there.date() - here.date()).days
    day = {0: "today", 1: "tomorrow"}.get(days) or f"on {there:%B} {there.day}"
    return f"{day} at {roughly}{there:%H:%M}"
