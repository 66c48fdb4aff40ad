"""Who may call, when a vendor allows so many calls a day: opt-outs and single edits first, then fair shares (L29).

Plain values in, plain values out; the broker keeps the counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from integrations.provider_kit.gate import Why


@dataclass(frozen=True, slots=True)
class Day:
    """How the day of one application key stands; `kept` of its calls are for opt-outs and single edits alone."""

    limit: int
    kept: int
    used: int

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def left_for_bulk(self) -> int:
        return max(0, self.left - self.kept)


@dataclass(frozen=True, slots=True)
class Use:
    """What one organization had of the day: bulk work, and what it took of that which is kept."""

    bulk: int = 0
    of_kept: int = 0


def what_stops(day: Day, mine: Use, others: Sequence[int], is_urgent: bool) -> Why | None:
    """Why this call may not leave, or None. `others`: the bulk calls that each of the others has had today, whose work
    counts here: for bulk work those who have such now, for what is urgent all who share the key."""
    if not day.left:
        return Why.DAY
    if is_urgent:
        # Nobody takes more of it than is left for everybody else: one flood of edits leaves room for the others'.
        return Why.PART if others and not day.left_for_bulk and mine.of_kept >= day.left else None
    if not day.left_for_bulk:
        return Why.BULK
    return None if mine.bulk < share(day.left_for_bulk, [mine.bulk, *others]) else Why.SHARE


def share(left: int, had: Sequence[int]) -> float:
    """Up to which number of calls each may go, so that what is left brings those who had least as far as possible.

    Like water poured over steps: it fills the lowest first. Who stands above had more already, and waits.
    """
    had = sorted(had)
    below = 0
    for count, own in enumerate(had, 1):
        below += own
        level = (left + below) / count
        if count == len(had) or level <= had[count]:
            return level
    return float(left)
