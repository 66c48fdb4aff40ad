"""Looking for gifts at a service: new ones every few minutes, changes twice a day, earlier ones once when asked (D5).

What is to be read stands in `GiftRun` rows; a page and how far the look has come are one transaction, so that whoever
is killed anywhere is followed by somebody who goes on at the same page. The stop before is serve (or a button); the
stop after is gift_store.
"""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone

from contacts.tenancy.models import User
from gifts.models import Gift
from gifts.services import record_gifts, today
from integrations.models import Connection, GiftRun, GiftRunItem, Switch
from integrations.provider_kit.base import Can, Provider
from integrations.provider_kit.errors import CallFailed
from integrations.providers import all_providers
from integrations.sync import gift_store
from integrations.sync.giving_way import giving_way
from integrations.sync.lease import LeaseLost
from integrations.sync.thanking import choice_of, thanking_as

Kind, State = GiftRun.Kind, GiftRun.State
ORDER = {Kind.NEW: 0, Kind.CHANGES: 1, Kind.HISTORY: 2}
GONE = "gone|"  # the second half of a look for changes: which of our gifts are still there
BACK = timedelta(days=2)  # the vendor's days are not ours, and a change may show late
PAGE = 500
# Of one page, so many missing are believed; more look like another account behind the same name.
BELIEVABLE, SHARE, FEW = 20, 0.2, 5
TOO_MANY = (
    "{missing} of {asked} gifts that came from {service} are not there any more. That is more than people usually "
    "delete, so none of them was changed here. Is the key that of another {service} account?"
)


# --- what is to be done ---


def switch_of(connection: Connection) -> Switch | None:
    """The switch that has new gifts looked for, if it is on."""
    kind = all_providers()[connection.provider].gift_switch
    found: Switch | None = Switch.objects.filter(connection=connection, kind=kind, is_on=True).first()
    return found


def begin(connection: Connection, kind: str, user: User | None = None) -> GiftRun | None:
    """Note that it is to be done, unless it is noted; None while the switch is off."""
    with transaction.atomic():
        Connection.objects.select_for_update().get(pk=connection.pk)
        switch = switch_of(connection)
        if switch is None:
            return None
        under_way: GiftRun | None = GiftRun.objects.filter(
            connection=connection, kind=kind, state=State.RUNNING
        ).first()
        if under_way is not None:
            return under_way
        since = None
        if kind == Kind.CHANGES:
            since = timezone.localdate(switch.changes_looked_at or switch.turned_on_at) - BACK
        cursor = all_providers()[connection.provider].gifts_begin(kind, switch.mark, switch.cursor, since)
        return GiftRun.objects.create(
            connection=connection,
            account_id=connection.account_id,
            kind=kind,
            cursor=cursor,
            since=since,
            started_by=user,
        )  # type: ignore[no-any-return]


def due(kind: str) -> list[Connection]:
    """The connections of all organizations for which a look of this kind is due now."""
    every = settings.GIFTS_EVERY_MINUTES if kind == Kind.NEW else settings.GIFT_CHANGES_EVERY_MINUTES
    name = "looked_at" if kind == Kind.NEW else "changes_looked_at"
    late = Q(**{f"{name}__lt": Now() - timedelta(minutes=every)})
    if kind == Kind.NEW:
        late |= Q(**{f"{name}__isnull": True})
    else:  # of what was turned on just now nothing can have changed
        late |= Q(changes_looked_at=None, turned_on_at__lt=Now() - timedelta(minutes=every))
    able = {key: one.gift_switch for key, one in all_providers().items() if Can.PULL_GIFTS in one.can}
    rows = Switch.objects.with_scopes_disabled().filter(
        late, is_on=True, connection__state=Connection.State.ACTIVE, connection__provider__in=able,
        kind__in=set(able.values()),
    )  # fmt: skip
    running = GiftRun.objects.with_scopes_disabled().filter(kind=kind, state=State.RUNNING).values("connection")
    rows = rows.exclude(connection__in=running).select_related("connection__tenant").order_by("connection_id")
    return [row.connection for row in rows if able[row.connection.provider] == row.kind]


def unfinished(connection: Connection) -> Any:
    """The looks under way at this connection, those for new gifts first."""
    return sorted(GiftRun.objects.filter(connection=connection, state=State.RUNNING), key=lambda run: ORDER[run.kind])


# --- doing it ---


def go_on(
    connection: Connection, provider: Provider, stay: Callable[[], None], stop: Callable[[], bool],
    success: Callable[[], None],
) -> None:  # fmt: skip
    """Read on, page by page, until nothing is to be read or the time is over. Raises `CallFailed`."""
    for run in unfinished(connection):
        run.connection = connection
        switch = switch_of(connection)
        if switch is None:
            finish(run, State.STOPPED, "The switch was turned off meanwhile.")
            continue
        while run.state == State.RUNNING and not stop():
            try:
                step(run, provider, switch)
            except CallFailed as failure:
                GiftRun.objects.filter(pk=run.pk).update(reason=failure.outcome.sentence[:300], calls=F("calls") + 1)
                raise
            success()
            stay()
        if stop():
            return


def step(run: GiftRun, provider: Provider, switch: Switch) -> None:
    """One call, and what it brought in one transaction."""
    if run.cursor.startswith(GONE):
        look_for_gone(run, provider)
        return
    page = provider.gifts_page(run.kind, run.cursor, switch.mark)
    after = page.cursor
    if page.is_last:
        after = f"{GONE}0" if run.kind == Kind.CHANGES else page.cursor
    is_over = page.is_last and run.kind != Kind.CHANGES

    def store() -> Counter[str]:
        claim(run)
        with thanking_as(choice_of(run.connection)):
            counted = gift_store.take_in(run, page.gifts)
        told(run, counted, len(page.gifts), after)
        if run.kind == Kind.NEW:
            reached = type(provider).gifts_reached(switch.cursor, page.cursor)
            Switch.objects.filter(pk=switch.pk).update(cursor=reached)
        if is_over:
            over(run, switch)
        return counted

    try:
        giving_way(store)
    except IntegrityError:  # somebody added the same donor or gift in this moment: now they are known
        giving_way(store)
    run.cursor = after
    if is_over:
        run.state = State.DONE
    if run.kind == Kind.NEW:
        switch.cursor = type(provider).gifts_reached(switch.cursor, page.cursor)


def claim(run: GiftRun) -> None:
    """Lock the run as it was read; whoever was frozen meanwhile must not store a page twice."""
    mine = GiftRun.objects.select_for_update().filter(pk=run.pk, cursor=run.cursor, state=State.RUNNING)
    if not mine.exists():
        raise LeaseLost


def told(run: GiftRun, counted: Counter[str], read: int, cursor: str) -> None:
    """Count it, and move on."""
    GiftRun.objects.filter(pk=run.pk).update(
        cursor=cursor, reason="", calls=F("calls") + 1, read=F("read") + read, new=F("new") + counted["new"],
        to_thank=F("to_thank") + counted["to_thank"], updated=F("updated") + counted["updated"],
        gone=F("gone") + counted["gone"], skipped=F("skipped") + counted["skipped"],
    )  # fmt: skip


def over(run: GiftRun, switch: Switch) -> None:
    """It has come to its end."""
    finish(run, State.DONE)
    field = {Kind.NEW: "looked_at", Kind.CHANGES: "changes_looked_at"}.get(Kind(run.kind))
    # Of changes from the day of its beginning: what was changed behind it meanwhile is for the next one.
    when = run.created_at if run.kind == Kind.CHANGES else Now()
    if field:
        Switch.objects.filter(pk=switch.pk).update(**{field: when, "last_success_at": Now()})


def finish(run: GiftRun, state: str, reason: str = "") -> None:
    """Done, or stopped with the reason."""
    changes: dict[str, Any] = {"state": state, "finished_at": Now()} | ({"reason": reason[:300]} if reason else {})
    GiftRun.objects.filter(pk=run.pk).update(**changes)
    run.state = state


# --- what was deleted there: a vendor does not tell ---


def look_for_gone(run: GiftRun, provider: Provider) -> None:
    """One call: which of the next gifts that came from there are still there. Those that are not count no more."""
    after = int(run.cursor.removeprefix(GONE))
    connection = run.connection
    ours = Gift.objects.filter(source=connection.provider, source_place=connection.account_id, gone_on=None)
    gifts = list(ours.filter(pk__gt=after).order_by("pk")[:PAGE])
    here = provider.gifts_present([gift.source_id for gift in gifts]) if gifts else set()
    missing = [gift for gift in gifts if gift.source_id not in here]
    if run.confirmed_by_id is None and not is_believable(len(missing), len(gifts)):
        sentence = TOO_MANY.format(missing=len(missing), asked=len(gifts), service=connection)
        finish(run, State.STOPPED, sentence)
        GiftRun.objects.filter(pk=run.pk).update(missing=len(missing))
        if (switch := switch_of(connection)) is not None:
            Switch.objects.filter(pk=switch.pk).update(changes_looked_at=run.created_at)
        return
    is_last = len(gifts) < PAGE
    cursor = f"{GONE}{gifts[-1].pk if gifts else after}"

    def store() -> None:
        claim(run)
        told(run, Counter(gone=mark_gone(run, missing, today())), len(gifts), cursor)
        switch = switch_of(connection)
        if is_last and switch is not None:
            over(run, switch)

    giving_way(store)
    run.cursor = cursor
    if is_last:
        run.state = State.DONE


def is_believable(missing: int, asked: int) -> bool:
    """Whether people may have deleted so many of those that were asked for."""
    return missing <= FEW or (missing < asked and missing <= max(BELIEVABLE, SHARE * asked))


def asking() -> Any:
    """The looks that wait for somebody's word, the last of their connections. One query."""
    later = GiftRun.objects.filter(connection=OuterRef("connection"), kind=OuterRef("kind"), pk__gt=OuterRef("pk"))
    stopped = GiftRun.objects.filter(state=State.STOPPED, missing__gt=0, confirmed_by=None)
    able = stopped.filter(connection__state=Connection.State.ACTIVE)
    return able.exclude(Exists(later)).select_related("connection").order_by("pk")


def confirm(run: GiftRun, user: User) -> bool:
    """Somebody says that what is missing was deleted there: go on where it stopped. False if a later look has come
    after it, or the switch is off."""
    with transaction.atomic():
        Connection.objects.select_for_update().get(pk=run.connection_id)
        found = asking().filter(pk=run.pk).first()
        if found is None or switch_of(found.connection) is None:
            return False
        GiftRun.objects.filter(pk=run.pk).update(state=State.RUNNING, confirmed_by=user, reason="", finished_at=None)
        return True


def mark_gone(run: GiftRun, gifts: list[Gift], on: date) -> int:
    """Each counts no more, with a row in the report."""
    now = list(Gift.objects.filter(pk__in=[gift.pk for gift in gifts]).order_by("pk"))  # as they are by now
    for gift in now:
        gift.gone_on = on
    changed = record_gifts(now).changed
    GiftRunItem.objects.bulk_create(
        GiftRunItem(
            run=run, connection=run.connection, gift_id_there=gift.source_id, outcome=GiftRunItem.Outcome.GONE,
            reason="It was deleted there.", gift=gift,
        )
        for gift in changed
    )  # fmt: skip
    return len(changed)
