"""When a long piece of bulk work will be out, where calls a day are counted (L29). Plain values in, a moment out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from integrations.provider_kit.fairness import Day, share

FARTHEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast bulk work goes: calls for one change, and seconds from one call to the next while it goes."""

    calls_a_change: float
    seconds_a_call: float


def out_at(
    changes: int, pace: Pace, day: Day, mine: int, others: Sequence[int], now: datetime, next_day: datetime,
    goes_on_at: datetime | None = None,
) -> datetime:  # fmt: skip
    """When so many changes are out, if all who have bulk work now go on having it.

    `mine` and `others` are the bulk calls of today. Before `goes_on_at` nothing of it goes.
    """
    calls = changes * pace.calls_a_change
    starts = max(now, goes_on_at or now)
    today = 0.0
    if starts < next_day:
        today = min(day.left_for_bulk, max(0.0, share(day.left_for_bulk, [mine, *others]) - mine))
    if calls <= today:
        return starts + timedelta(seconds=calls * pace.seconds_a_call)
    a_day = max(1.0, (day.limit - day.kept) / (1 + len(others)))
    days, last = divmod(calls - today, a_day)
    wait = min(FARTHEST, timedelta(days=min(days, FARTHEST.days)) + timedelta(seconds=last * pace.seconds_a_call))
    return max(starts, next_day) + wait
