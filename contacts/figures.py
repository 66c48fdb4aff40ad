"""Count once a day how many contacts there are and how many are on each list: rung by the night, drawn by the charts.

A day is counted from the rows as they stand now, looking back to its end: who had joined by then, who was marked Do Not
Contact only later, and, from the history, who has gone since. The same lines count the day just ended, make up for
nights that were missed, and fill in the past once. Of somebody who has gone we no longer know whether they could be
reached; they are taken as reachable. Every piece takes the same few queries, however many rows and lists there are.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import (
    Case,
    Count,
    DateField,
    DateTimeField,
    Exists,
    Expression,
    FilteredRelation,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)  # fmt: skip
from django.db.models.functions import TruncDate

from contacts.models import (
    ConsentEvent,
    Contact,
    ContactList,
    DailyCount,
    EmailAddress,
    HistoryEntry,
    Import,
    ListMembership,
    kept_marks,
)
from contacts.models.figure import EVERYBODY
from contacts.tenancy.models import Tenant

DAY = timedelta(days=1)
PAST = 366  # as far back as the charts reach
PIECE = 92  # days that one turn counts
AT_ONCE = 20_000  # places on lists that a page may look through
GOOD = EmailAddress.State.OK
What, Verb, Kind = DailyCount.What, HistoryEntry.Verb, ConsentEvent.Kind
INWARD, OUTWARD = [Kind.OPT_IN, Kind.DNC_CLEARED], [Kind.OPT_OUT, Kind.DNC_SET]


def today_of(tenant: Tenant, now: datetime) -> date:
    """The day that it is for this organization."""
    return now.astimezone(tenant.tz).date()


def start_of(day: date, tz: ZoneInfo) -> datetime:
    """The moment at which a day begins there; it is the end of the day before."""
    return datetime.combine(day, time.min, tzinfo=tz)


# --- the night ---


def count_next(tenant: Tenant, now: datetime) -> bool:
    """Count the days that are missing, at most a piece of them, the latest first. Returns whether more are missing.

    Twice is once: what has been counted stays as it is.
    """
    piece = missing_piece(today_of(tenant, now), tenant.tz)
    if piece is None:
        return False
    DailyCount.objects.bulk_create(counts(*piece, tenant.tz), ignore_conflicts=True, batch_size=500)
    return missing_piece(today_of(tenant, now), tenant.tz) is not None


def missing_piece(today: date, tz: ZoneInfo) -> tuple[date, date] | None:
    """The first and last day of what is to be counted next: nights since the last count, then the past."""
    yesterday = today - DAY
    first_contact = Contact.objects.order_by().aggregate(at=Min("created_at"))["at"]
    begin = min(first_contact.astimezone(tz).date(), yesterday) if first_contact else yesterday
    begin = max(begin, today - PAST * DAY)
    known = DailyCount.objects.filter(list_uid=EVERYBODY, what=What.MEMBERS).aggregate(Min("day"), Max("day"))
    earliest, latest = known["day__min"], known["day__max"]
    if latest is None:
        return max(begin, yesterday - (PIECE - 1) * DAY), yesterday
    if latest < yesterday:
        first = max(latest + DAY, begin)
        return first, min(yesterday, first + (PIECE - 1) * DAY)
    if earliest > begin:
        return max(begin, earliest - PIECE * DAY), earliest - DAY
    return None


# --- one piece ---


class Line:
    """The counts of one subject, day by day; changes are noted at the day from which they hold."""

    def __init__(self, days: int) -> None:
        self.members, self.reachable, self.silenced = [0] * (days + 1), [0] * (days + 1), [0] * (days + 1)
        self.joined, self.added, self.gone = [0] * (days + 1), [0] * (days + 1), [0] * (days + 1)

    def note(self, since: int, out: int | None, row: dict[str, Any]) -> None:
        """People who joined on a day (0: by the first), and were marked Do Not Contact on another."""
        self.members[since] += row["n"]
        self.joined[since] += row["n"]
        self.reachable[since] += row["reachable"]
        until = since if out is None else max(since, out)
        self.silenced[until] += row["silent"]
        self.reachable[since] += row["could_be_reached"]
        self.reachable[until] -= row["could_be_reached"]

    def by_day(self) -> Iterator[tuple[int, int, int]]:
        """Members, reachable, Do Not Contact at the end of each day; those who have gone since are added again."""
        members, reachable, silenced = map(accumulate, (self.members, self.reachable, self.silenced))
        for i, (m, r, s) in enumerate(zip(members, reachable, silenced, strict=True)):
            # Those who came and went after that day stand in the history twice, and count for nothing.
            came_and_went = max(0, sum(self.added[i + 1 :]) - sum(self.joined[i + 1 :]))
            gone = max(0, sum(self.gone[i + 1 :]) - came_and_went)
            yield m + gone, r + gone, s


def counts(first: date, last: date, tz: ZoneInfo) -> list[DailyCount]:
    """The counts of these days, for everybody and for each list that there is."""
    span = Span(first, last, tz)
    lists = dict(ContactList.objects.order_by().values_list("uid", "created_at"))
    lines: defaultdict[UUID, Line] = defaultdict(lambda: Line(span.days))
    for uid in (EVERYBODY, *lists):  # whoever has nobody has their zeros
        lines[uid]
    for uid, row in [*everybody(span), *members(span)]:
        out = span.index(row["out"]) if row["out"] else None
        lines[uid].note(span.index(row["since"]), out, row)
    for row in comings_and_goings(span):
        line = lines[row["list_uid"] or EVERYBODY]
        (line.added if row["verb"] == Verb.ADDED else line.gone)[span.index(row["day"])] += row["n"]
    found = []
    for uid, line in lines.items():
        if uid != EVERYBODY and uid not in lists:  # a deleted list has ended
            continue
        made = first if uid == EVERYBODY else lists[uid].astimezone(tz).date()
        for i, (on_it, reachable, silenced) in zip(range(span.days), line.by_day(), strict=False):
            day = first + i * DAY
            if day >= made or on_it:
                found += [
                    DailyCount(day=day, list_uid=uid, what=what, count=max(0, count))
                    for what, count in (
                        (What.MEMBERS, on_it), (What.REACHABLE, min(reachable, on_it)), (What.DO_NOT_CONTACT, silenced)
                    )
                ]  # fmt: skip
    found += [
        DailyCount(day=day, list_uid=uid, what=what, count=count)
        for day, uid, what, count in decisions(span.start, span.end, tz)
        if uid == EVERYBODY or uid in lists
    ]
    return found


@dataclass(frozen=True)
class Span:
    """Some days in a row, in one time zone."""

    first: date
    last: date
    tz: ZoneInfo

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def start(self) -> datetime:
        return start_of(self.first, self.tz)

    @property
    def end(self) -> datetime:
        return start_of(self.last + DAY, self.tz)

    def index(self, day: date) -> int:
        """Which day of the span it is: 0 for the first and all before, `days` for all after."""
        return max(0, min((day - self.first).days, self.days))

    def day_of(self, moment: str) -> Expression:
        """The day of a moment, told exactly only inside of the span: the day of each row would cost too much."""
        return Case(
            When(**{f"{moment}__lt": start_of(self.first + DAY, self.tz)}, then=Value(self.first)),
            When(**{f"{moment}__gte": self.end}, then=Value(self.last + DAY)),
            default=TruncDate(moment, tzinfo=self.tz),
            output_field=DateField(),
        )


def everybody(span: Span) -> Iterator[tuple[UUID, dict[str, Any]]]:
    """All contacts by the day on which they came; one query."""
    words = ConsentEvent.objects.filter(contact_uid=OuterRef("uid"), list_uid__isnull=True)
    rows = Contact.objects.order_by().annotate(
        mail=FilteredRelation("email_addresses", condition=Q(email_addresses__is_primary=True)),
        since=span.day_of("created_at"),
        out=silenced_on(Q(do_not_contact=True), words, span),
    )
    for row in tally(rows.values("since", "out"), Q(do_not_contact=True)):
        yield EVERYBODY, row


def members(span: Span) -> Iterator[tuple[UUID, dict[str, Any]]]:
    """All places on lists by the day on which they were taken; one query."""
    words = ConsentEvent.objects.filter(
        Q(list_uid__isnull=True) | Q(list_uid=OuterRef("contact_list__uid")), contact_uid=OuterRef("contact__uid")
    )
    silent = Q(do_not_contact=True) | Q(contact__do_not_contact=True)
    primary = Q(contact__email_addresses__is_primary=True)
    rows = ListMembership.objects.order_by().annotate(
        mail=FilteredRelation("contact__email_addresses", condition=primary),
        since=span.day_of("joined_at"),
        out=silenced_on(silent, words, span),
    )
    for row in tally(rows.values("contact_list__uid", "since", "out"), silent):
        yield row["contact_list__uid"], row


def silenced_on(silent: Q, words: "QuerySet[ConsentEvent]", span: Span) -> Expression:
    """The day on which Do Not Contact was last set for somebody for whom it is set; null if nobody knows."""
    # The greatest, not the first in order: for an order SQLite would walk through the ledger, once for each person.
    last_word = (
        words.filter(kind=Kind.DNC_SET).order_by().values("contact_uid").annotate(at_last=Max("at")).values("at_last")
    )
    day = TruncDate(Subquery(last_word, output_field=DateTimeField()), tzinfo=span.tz)
    return Case(When(silent, then=day), default=Value(None), output_field=DateField())


def tally(rows: Any, silent: Q) -> Any:
    """How many there are of each kind, how many can be reached, and how many could be if they were not silent."""
    good = Q(mail__state=GOOD)
    return rows.annotate(
        n=Count("pk"), reachable=Count("pk", filter=good & ~silent), silent=Count("pk", filter=silent),
        could_be_reached=Count("pk", filter=good & silent & Q(out__isnull=False)),
    )  # fmt: skip


def comings_and_goings(span: Span) -> Any:
    """From the history since the first day's end: who was added and who has gone; one query."""
    kinds = [str(model._meta.verbose_name) for model in (Contact, ListMembership)]
    rows = HistoryEntry.objects.order_by().filter(
        at__gte=start_of(span.first + DAY, span.tz), what__in=kinds, verb__in=[Verb.ADDED, Verb.DELETED]
    )
    return rows.annotate(day=span.day_of("at")).values("list_uid", "verb", "day").annotate(n=Count("pk"))


def decisions(start: datetime, end: datetime, tz: ZoneInfo) -> Iterator[tuple[date, UUID, str, int]]:
    """(day, list, what, how many people) from the consent ledger; days on which nobody decided are left out."""
    rows: Any = ConsentEvent.objects.order_by().filter(at__gte=start, at__lt=end, kind__in=INWARD + OUTWARD)
    rows = rows.exclude(source__in=[*kept_marks.SOURCES, *taken_back()])  # decided earlier, or not after all
    rows = rows.annotate(
        day=TruncDate("at", tzinfo=tz),
        what=Case(When(kind__in=INWARD, then=Value(What.OPT_INS)), default=Value(What.OPT_OUTS)),
    )
    people = Count("contact_uid", distinct=True)  # one decision may be written down twice, for here and for there
    for day, what, n in rows.values_list("day", "what").annotate(people):
        yield day, EVERYBODY, what, n
    for day, uid, what, n in (
        rows.filter(list_uid__isnull=False).values_list("day", "list_uid", "what").annotate(people)
    ):
        yield day, uid, what, n


def taken_back() -> Iterator[str]:
    """How the ledger names imports that were taken back, and taking them back: together they changed nothing."""
    for one in Import.objects.filter(state__in=[Import.State.UNDOING, Import.State.UNDONE]).only("file_name"):
        yield from (one.source, one.undo_source)


def decide_again(tenant: Tenant, since: datetime) -> None:
    """Count anew what people have decided from that day on: an import that had marked some of them was taken back."""
    first = since.astimezone(tenant.tz).date()
    lists = [EVERYBODY, *ContactList.objects.order_by().values_list("uid", flat=True)]
    counted = DailyCount.objects.filter(day__gte=first, list_uid__in=lists).order_by()
    if (last := counted.aggregate(at=Max("day"))["at"]) is None:
        return
    counted.filter(what__in=[What.OPT_INS, What.OPT_OUTS]).delete()
    found = decisions(start_of(first, tenant.tz), start_of(last + DAY, tenant.tz), tenant.tz)
    DailyCount.objects.bulk_create([
        DailyCount(day=day, list_uid=uid, what=what, count=count) for day, uid, what, count in found if uid in lists
    ])  # fmt: skip


# --- now ---


@dataclass(frozen=True, slots=True)
class Now:
    """How many there are at this moment."""

    members: int
    reachable: int
    silent: int


def contacts_now() -> Now:
    """All contacts; three queries, each answered from an index."""
    counted = dict(Contact.objects.order_by().values_list("do_not_contact").annotate(Count("pk")))
    free, silent = counted.get(False, 0), counted.get(True, 0)
    good = EmailAddress.objects.order_by().filter(is_primary=True, state=GOOD)
    # The silent are few: EXISTS asks for each of them, where a join would look through all good addresses.
    silent_but_good = Contact.objects.order_by().filter(
        Exists(good.filter(contact=OuterRef("pk"))), do_not_contact=True
    )
    return Now(free + silent, good.count() - silent_but_good.count() if silent else good.count(), silent)


def reachable_of(lists: Sequence[Any]) -> dict[int, tuple[int, date | None]]:
    """{list: (how many of its members can be written to, as of which day; None: now)}; the lists come with `members`.

    A few thousand places are counted at once; more would take too long for a page that only lists them, so that of
    large lists the count of last night is told. Two queries.
    """
    found: dict[int, tuple[int, date | None]] = {}
    if sum(one.members for one in lists) > AT_ONCE:
        last = DailyCount.objects.filter(list_uid=EVERYBODY, what=What.MEMBERS).order_by().values("tenant")
        latest = Subquery(last.annotate(at=Max("day")).values("at"))
        rows = DailyCount.objects.order_by().filter(
            what=What.REACHABLE, day=latest, list_uid__in=[one.uid for one in lists]
        )
        by_uid = {uid: (count, day) for uid, count, day in rows.values_list("list_uid", "count", "day")}
        found = {one.pk: by_uid[one.uid] for one in lists if one.uid in by_uid}
    rest = [one.pk for one in lists if one.pk not in found]
    places: Any = ListMembership.objects.order_by().filter(
        contact_list__in=rest, do_not_contact=False, contact__do_not_contact=False,
        contact__email_addresses__is_primary=True, contact__email_addresses__state=GOOD,
    )  # fmt: skip
    counted = dict(places.values_list("contact_list").annotate(Count("pk")))
    return found | {pk: (counted.get(pk, 0), None) for pk in rest}


def kept(uid: UUID, *what: str, **days: Any) -> dict[str, dict[date, int]]:
    """{what: {day: count}} of the days that have been counted, chosen by `day__in` or the like; one query."""
    found: dict[str, dict[date, int]] = {one: {} for one in what}
    rows = DailyCount.objects.order_by().filter(list_uid=uid, what__in=what, **days)
    for one, day, count in rows.values_list("what", "day", "count"):
        found[one][day] = count
    return found


def decided(tenant: Tenant, since: date, now: datetime) -> dict[str, dict[date, int]]:
    """{what: {day: how many people}} for all contacts: what was counted, and the days since then from the ledger."""
    found = kept(EVERYBODY, What.OPT_INS, What.OPT_OUTS, day__gte=since)
    last = DailyCount.objects.filter(list_uid=EVERYBODY, what=What.MEMBERS).aggregate(at=Max("day"))["at"]
    begin = max(since, last + DAY) if last else since
    for day, uid, what, count in decisions(start_of(begin, tenant.tz), now + DAY, tenant.tz):
        if uid == EVERYBODY:
            found[what][day] = count
    return found
