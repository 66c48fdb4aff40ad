"""Draw the daily counts: how contacts and lists grow, and what people decide. Each chart has a sentence that says the
same, and a table of the same numbers; the theme draws it from the canvas's data, without a script of ours."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.utils.formats import date_format

from contacts import figures
from contacts.models.figure import EVERYBODY, DailyCount
from contacts.tenancy.models import Tenant

DAY, WEEK = timedelta(days=1), timedelta(days=7)
SPANS = {"year": ("12 months", 364), "90": ("90 days", 90)}  # {in the address: (in words, days)}
What = DailyCount.What

# Blue and orange-red that colour-blind people tell apart, readable on white and on black; the second is broken as well.
COLORS = ("#2a7fbf", "#d55e00")
INK = "#737b8a"  # of the axes; a canvas does not follow the theme, so one grey has to do for both


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or one kind of bar."""

    label: str
    values: Sequence[int]


@dataclass(slots=True)
class Chart:
    """A chart with everything that its page says about it."""

    key: str
    title: str
    span: str
    sentence: str = ""
    kind: str = "line"
    first_column: str = "Day"
    labels: Sequence[str] = ()
    series: Sequence[Series] = ()
    note: str = ""
    spans: list[tuple[str, str, bool]] = field(default_factory=list)  # (in the address, in words, is shown)

    def __post_init__(self) -> None:
        self.spans = [(key, words, key == self.span) for key, (words, _) in SPANS.items()]

    @property
    def is_empty(self) -> bool:
        return not self.labels

    @property
    def rows(self) -> list[tuple[str, list[int]]]:
        """The table, the newest first."""
        return [(label, [one.values[i] for one in self.series]) for i, label in enumerate(self.labels)][::-1]

    @property
    def data(self) -> str:
        """What the theme's script reads from the canvas."""
        return json.dumps(
            {"labels": list(self.labels), "datasets": [self._dataset(i) for i in range(len(self.series))]}
        )

    def _dataset(self, number: int) -> dict[str, Any]:
        color, one = COLORS[number], self.series[number]
        drawn: dict[str, Any] = {"label": one.label, "data": list(one.values), "backgroundColor": color}
        if self.kind == "line":
            drawn |= {
                "borderColor": color, "borderWidth": 2, "pointRadius": 3 if len(one.values) < 8 else 0,
                "pointHitRadius": 12, "borderDash": [6, 4] if number else [],
            }  # fmt: skip
        else:
            drawn |= {"borderRadius": 2, "maxBarThickness": 18, "categoryPercentage": 0.7, "barPercentage": 0.9}
        return drawn

    @property
    def options(self) -> str:
        """From nought, in whole numbers, with as many words on the axis as there is room for."""
        ticks = {"color": INK, "maxRotation": 0, "autoSkipPadding": 24, "maxTicksLimit": 7}
        return json.dumps({
            "responsive": True, "maintainAspectRatio": False, "animation": False, "locale": "en-US",
            "interaction": {"mode": "index", "intersect": False},
            "plugins": {"legend": {"display": False}},
            "scales": {
                "x": {"grid": {"display": False}, "ticks": ticks},
                "y": {
                    "beginAtZero": True, "suggestedMax": 4, "border": {"display": False}, "grid": {"lineWidth": 0.5},
                    "ticks": {"color": INK, "precision": 0, "maxTicksLimit": 6},
                },
            },
        })  # fmt: skip


def span_of(request: HttpRequest) -> str:
    """The time that the address asks for."""
    asked = request.GET.get("span", "")
    return asked if asked in SPANS else "year"


def growth(
    tenant: Tenant, now: datetime, span: str, members: int, reachable: int, uid: UUID = EVERYBODY,
    who: tuple[str, str] = ("contact", "contacts"), key: str = "growth", title: str = "Growth",
) -> Chart:  # fmt: skip
    """How many there were, and how many of them could be written to; the last point is now."""
    today = figures.today_of(tenant, now)
    step = WEEK if span == "year" else DAY
    begin = today - SPANS[span][1] * DAY
    days = [begin + i * step for i in range((today - begin) // step)]
    kept = figures.kept(uid, What.MEMBERS, What.REACHABLE, day__in=days)
    days = [day for day in days if day in kept[What.MEMBERS]]
    chart = Chart(key, title, span)
    if not days:
        return chart
    counted = [kept[What.MEMBERS][day] for day in days]
    chart.labels = [*map(on, days), "Today"]
    chart.series = [
        Series(who[1].capitalize(), [*counted, members]),
        Series("May be written to", [*(kept[What.REACHABLE].get(day, 0) for day in days), reachable]),
    ]
    chart.sentence = (
        f"{some(members, *who)} today, {compared(members, counted[0])} on {on(days[0])}. "
        f"{reachable:,} may be written to."
    )
    chart.note = "Counted every night. Days before the first count are worked out from when people were added."
    return chart


def consent(tenant: Tenant, now: datetime, span: str, silent: int) -> Chart:
    """How many people opted in and out, week by week; the last week is not over. `silent`: how many contacts that are
    here now are marked Do Not Contact, because what people decided counts even when they were deleted since."""
    today = figures.today_of(tenant, now)
    monday = today - today.weekday() * DAY
    weeks = [monday - i * WEEK for i in range(SPANS[span][1] // 7, -1, -1)]
    known = figures.decided(tenant, weeks[0], now)
    ins, outs = (weekly(known[what], weeks) for what in (What.OPT_INS, What.OPT_OUTS))
    chart = Chart("consent", "Opting in and out", span, kind="bar", first_column="Week of")
    words = f"In the last {SPANS[span][0]}"
    if not sum(ins) + sum(outs):
        chart.sentence = f"{words} nobody opted in or out, and nobody was marked Do Not Contact."
        return chart
    chart.labels = [on(week) for week in weeks]
    chart.series = [Series("Opted in", ins), Series("Opted out", outs)]
    chart.sentence = (
        f"{words} {people(ins)} opted in and {people(outs)} opted out, counting those deleted since. "
        f"Today {some(silent, 'contact is', 'contacts are')} marked Do Not Contact."
    )
    chart.note = (
        "Opted out counts people who unsubscribed and people marked Do Not Contact; opted in, the reverse. Imports "
        "that were taken back are left out."
    )
    return chart


def weekly(by_day: Mapping[date, int], weeks: Sequence[date]) -> list[int]:
    """The sums of weeks that begin on these days."""
    found = dict.fromkeys(weeks, 0)
    for day, count in by_day.items():
        week = day - day.weekday() * DAY
        if week in found:
            found[week] += count
    return list(found.values())


def on(day: date) -> str:
    """“Nov 22, 2026”."""
    return date_format(day, "M j, Y")


def some(count: int, one: str, many: str) -> str:
    """“1 contact”, “1,204 contacts”."""
    return f"{count:,} {one if count == 1 else many}"


def people(counts: Sequence[int]) -> str:
    """“nobody”, “1 person”, “12 people”."""
    return some(sum(counts), "person", "people") if sum(counts) else "nobody"


def compared(after: int, before: int) -> str:
    """“31 more than”, “as many as”."""
    if after == before:
        return "as many as"
    return f"{abs(after - before):,} {'more' if after > before else 'fewer'} than"
