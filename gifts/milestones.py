"""Which milestones does this giving history reach? Pure: gifts and a rule in, awards out; no database and no clock.

Gifts are taken in the order of their days (then of their identity), never of their arrival: however they came in, the
same gifts give the same awards. A milestone is reached by the first gift at which it is met; whether it `stands` is
what all gifts up to today say, since a correction may take money back.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import NamedTuple


class Kind(StrEnum):
    """What is counted (M1–M4)."""

    NUMBER = "number"
    TOTAL = "total"
    SINCE_MONTH = "since_month"
    YEARS = "years"


class Given(NamedTuple):
    """One gift that stands: neither given back in full nor gone. `amount` is what is left of it after refunds;
    `counts` says that it is part of totals, `is_one` that it is a gift in number. In order, they sort by day."""

    on: date
    pk: int
    amount: Decimal
    counts: bool = True
    is_one: bool = True
    campaign: str = ""
    fund: str = ""
    source: str = ""


DAY = itemgetter(0, 1)  # in the order of days, then of identity


@dataclass(frozen=True, slots=True)
class Rule:
    """What is to be reached, the thresholds from low to high, and which gifts are looked at ("" means all)."""

    kind: Kind
    thresholds: tuple[Decimal, ...]
    month: int = 1  # in which the year of SINCE_MONTH begins
    at_least: Decimal | None = None
    campaign: str = ""
    fund: str = ""
    source: str = ""

    def also(self, thresholds: Iterable[Decimal]) -> "Rule":
        """The same with further thresholds."""
        return replace(self, thresholds=tuple(sorted({*self.thresholds, *thresholds})))

    def looked_at(self, gifts: Iterable[Given], today: date) -> list[Given]:
        """Those of these gifts that the rule is about, in the order of their days."""
        in_number = self.kind in (Kind.NUMBER, Kind.YEARS)
        found = [gift for gift in gifts if (gift.is_one if in_number else gift.counts) and gift.on <= today]
        if self.at_least is not None:
            found = [gift for gift in found if gift.amount >= self.at_least]
        if campaign := self.campaign.casefold():
            found = [gift for gift in found if gift.campaign.casefold() == campaign]
        if fund := self.fund.casefold():
            found = [gift for gift in found if gift.fund.casefold() == fund]
        if self.source:
            found = [gift for gift in found if gift.source == self.source]
        found.sort(key=DAY)
        return found


class Key(NamedTuple):
    """What is reached once: a threshold, in one year where each year counts for itself, such as “2025-07”."""

    threshold: Decimal
    period: str = ""


@dataclass(frozen=True, slots=True)
class Award:
    """A milestone that was reached: by which gift, and the gifts that show it, the last of them that one. Of years in
    a row these are the first gifts of each year."""

    key: Key
    gift: Given
    behind: tuple[int, ...]
    stands: bool = True


@dataclass(slots=True)
class Group:
    """What one gift reached of one rule: `highest` is named, `passed` are the lower ones it took along (M6)."""

    highest: Award
    passed: list[Award] = field(default_factory=list)


def reached(gifts: Iterable[Given], rule: Rule, today: date) -> list[Award]:
    """Every award of one donor under one rule, in a single pass; gifts of days to come wait for their day."""
    looked_at = rule.looked_at(gifts, today)
    if rule.kind == Kind.NUMBER:
        return list(by_number(looked_at, rule.thresholds))
    if rule.kind == Kind.YEARS:
        return list(by_years(looked_at, rule.thresholds))
    if rule.kind == Kind.TOTAL:
        return list(by_total(looked_at, rule.thresholds, ""))
    years = groupby(looked_at, key=lambda gift: period(gift.on, rule.month))
    return [award for year, gifts in years for award in by_total(list(gifts), rule.thresholds, year)]


def period(day: date, month: int) -> str:
    """The year in which this day lies, by the month in which that begins: “2025-07”."""
    return f"{day.year if day.month >= month else day.year - 1:04}-{month:02}"


def by_number(gifts: Sequence[Given], thresholds: Iterable[Decimal]) -> Iterator[Award]:
    """M1: the tenth gift reaches 10."""
    pks = tuple(gift.pk for gift in gifts)
    for threshold in thresholds:
        if (number := int(threshold)) <= len(gifts):
            yield Award(Key(threshold), gifts[number - 1], pks[:number])


def by_total(gifts: Sequence[Given], thresholds: Sequence[Decimal], year: str) -> Iterator[Award]:
    """M2 and M3: what was given up to and with a gift comes to the threshold, also in small gifts."""
    total, at = Decimal(0), 0
    reached_at: list[int] = []
    for number, gift in enumerate(gifts):
        total += gift.amount
        while at < len(thresholds) and total >= thresholds[at]:
            reached_at.append(number)
            at += 1
    pks = tuple(gift.pk for gift in gifts)
    for threshold, number in zip(thresholds, reached_at, strict=False):
        yield Award(Key(threshold, year), gifts[number], pks[: number + 1], total >= threshold)


def by_years(gifts: Sequence[Given], thresholds: Sequence[Decimal]) -> Iterator[Award]:
    """M4: calendar years in a row, each with a gift; a year without one ends the run, even if the next has two."""
    run: list[Given] = []
    at = 0
    for gift in gifts:
        if run and gift.on.year == run[-1].on.year:
            continue
        if run and gift.on.year != run[-1].on.year + 1:
            run = []
        run.append(gift)
        while at < len(thresholds) and len(run) >= thresholds[at]:
            yield Award(Key(thresholds[at]), gift, tuple(one.pk for one in run[-int(thresholds[at]) :]))
            at += 1


def grouped(awards: Iterable[Award]) -> list[Group]:
    """What each gift reached as one: the highest threshold, and what it passed on the way (M6)."""
    groups: dict[tuple[str, int], Group] = {}
    for award in sorted(awards, key=attrgetter("key"), reverse=True):
        place = (award.key.period, award.gift.pk)
        if place in groups:
            groups[place].passed.append(award)
        else:
            groups[place] = Group(award)
    return sorted(groups.values(), key=lambda group: (group.highest.gift.on, group.highest.gift.pk))


def reached_between(gifts: Iterable[Given], rule: Rule, after: date, until: date) -> list[Group]:
    """Whom the rule would have named, day by day, after one day and until another: a replay of that time."""
    return named_after(reached(gifts, rule, until), after)


def named_after(awards: Iterable[Award], after: date) -> list[Group]:
    """What was reached after this day, each gift for itself."""
    return grouped(award for award in awards if award.gift.on > after)


def streak(years: Iterable[int], last: int) -> int:
    """How many years in a row, with a gift in each, end with this year."""
    here, length = set(years), 0
    while last - length in here:
        length += 1
    return length
