"""The brake (L32): before people are taken off a list in numbers, stop and ask. Opt-outs are never held back."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from django.db.models import Q
from django.db.models.functions import Now

from contacts.models import ContactList
from contacts.models.recorded import chunks
from integrations.models import Connection, RemoteRecord, RunItem, SyncRun
from integrations.provider_kit.base import Policy
from integrations.sync import people, slices
from integrations.sync.giving_way import giving_way
from integrations.sync.planning import HEARS_FROM_US as HEARS
from integrations.sync.planning import lists_left
from integrations.sync.released import begin
from integrations.sync.slices import Row

LATELY = 15 * 60  # seconds for which those who were taken off a list without asking are counted with the next


class Limits(NamedTuple):
    """How many may be taken off one list without asking: so many people or so many percent, whichever is more."""

    people: int = 25
    percent: int = 5

    def of(self, there: int) -> int:
        """The number for a list of `there` people."""
        return max(self.people, there * self.percent // 100)


def chosen(settings: Mapping[str, Any]) -> Limits:
    """The limits in a connection's settings."""
    return Limits(**settings.get("brake", {}))


def held_rows(connection: Connection) -> Any:
    """Rows that wait for an answer; those that somebody chose to leave are not among them."""
    return RemoteRecord.objects.filter(connection=connection, state=RemoteRecord.State.HELD, reason_code="brake")


def unchecked(connection: Connection) -> Any:
    """Rows that could take somebody off a list and have not passed the brake."""
    return RemoteRecord.objects.filter(
        Q(due_at__isnull=False) | Q(state=RemoteRecord.State.HELD, reason_code="brake"),
        connection=connection, kind=RemoteRecord.Kind.CONTACT, brake_passed=False,
    ).exclude(known_address="")  # fmt: skip


def leaving(rows: Iterable[Row]) -> dict[int, set[str]]:
    """{record pk: the lists that its plan takes a person off}; opt-outs do not count."""
    found = ((row.record.pk, lists_left(row.known, row.plan.operations)) for row in rows if row.known)
    return {pk: lost for pk, lost in found if lost}


def is_news(rows: Iterable[Row]) -> bool:
    """Whether any of these takes somebody off a list and has not passed the brake as it is now.

    It is asked of the database after the plan was made: whoever changed somebody since the claim, and so the plan, has
    taken the pass away in the same transaction.
    """
    going = leaving(rows)
    return bool(going) and RemoteRecord.objects.filter(pk__in=going, brake_passed=True).count() < len(going)


def is_settling(connection: Connection) -> bool:
    """Whether a question is open and something has changed: it may have settled itself."""
    return bool(connection.brake) and unchecked(connection).filter(due_at__isnull=False).exists()


def check(connection: Connection, policy: Policy, stay: Callable[[], None], is_late: Callable[[], bool]) -> None:
    """Look at everything that is owed, before any of it that takes people off is sent, and hold what is too much.

    Asked before the first removal of a slice goes out. Who goes is counted together with those who went a short while
    ago, or many small changes would do what one large one may not. What takes nobody off is noted at once, so that a
    look that took too long goes on where it was.
    """
    place = people.place_of(connection)
    versions = dict(unchecked(connection).order_by("pk").values_list("pk", "want_version"))
    going: dict[int, set[str]] = {}
    for part in chunks(versions, 1000):
        stay()
        found = leaving(slices.plan_rows(RemoteRecord.objects.filter(pk__in=part), policy, place, None))
        let_pass({pk: versions[pk] for pk in part if pk not in found})
        going |= found
        if is_late():
            break
    before = taken_off_lately(connection)
    by_list: defaultdict[str, set[int]] = defaultdict(set)
    for pk, lost in going.items():
        for list_uid in lost:
            by_list[list_uid].add(pk)
    together = {uid: len(pks | before.get(uid, set())) for uid, pks in by_list.items()}
    question = ask_about(connection, together)
    held = {pk: versions[pk] for pk, lost in going.items() if lost & question.keys()}
    hold(connection, held, question)
    free = {pk: version for pk, version in versions.items() if pk in going and pk not in held}
    remember(connection, before, {uid: pks & free.keys() for uid, pks in by_list.items()})
    let_pass(free)
    lists = RemoteRecord.objects.filter(connection=connection, kind=RemoteRecord.Kind.LIST)
    lists = lists.exclude(subject_uid__in=question.keys())
    let_go(lists.filter(state=RemoteRecord.State.HELD, reason_code="brake"), "")
    lists.filter(due_at__isnull=False).update(brake_passed=True)
    if not question:
        go_on(connection)


def unchanged(versions: Mapping[int, int]) -> list[int]:
    """Those of these rows that nobody has changed since; locked until the transaction ends."""
    now = RemoteRecord.objects.select_for_update().filter(pk__in=versions).order_by("pk")
    return [pk for pk, version in now.values_list("pk", "want_version") if versions[pk] == version]


def let_pass(versions: Mapping[int, int]) -> None:
    """Note that these rows may go as they are; those that were held go, too."""

    def write(part: list[int]) -> None:
        rows = RemoteRecord.objects.filter(pk__in=unchanged({pk: versions[pk] for pk in part}))
        let_go(rows.filter(state=RemoteRecord.State.HELD, reason_code="brake"), "")
        rows.update(brake_passed=True)

    for part in chunks(versions):
        giving_way(partial(write, part))


def taken_off_lately(connection: Connection) -> dict[str, set[int]]:
    """{list uid: the rows that were let pass a short while ago}."""
    kept: Any = Connection.objects.values_list("taken_off", flat=True).get(pk=connection.pk)
    return {uid: set(pks) for uid, (since, pks) in kept.items() if time.time() - since < LATELY}


def remember(connection: Connection, before: Mapping[str, set[int]], now: Mapping[str, set[int]]) -> None:
    """Count these with the next ones; the time runs from the first of them."""
    kept: Any = Connection.objects.values_list("taken_off", flat=True).get(pk=connection.pk)
    fresh = {uid: [kept[uid][0], sorted(pks)] for uid, pks in before.items()}
    for uid, pks in now.items():
        if pks:
            since = fresh[uid][0] if uid in fresh else time.time()
            fresh[uid] = [since, sorted(pks | before.get(uid, set()))]
    if fresh != kept:
        Connection.objects.filter(pk=connection.pk).update(taken_off=fresh)


def ask_about(connection: Connection, going: Mapping[str, int]) -> dict[str, list[Any]]:
    """{list uid: [name, how many go, how many are there]} of the lists that would lose too many."""
    limits = chosen(connection.settings)
    many = {uid: count for uid, count in going.items() if count > limits.people}
    there = members_there(connection, many) if many else {}
    question = {}
    for list_uid, count in many.items():
        if count > limits.of(there[list_uid]):
            name = ContactList.objects.filter(uid=list_uid).values_list("name", flat=True).first()
            here = max(count, there[list_uid])  # of those who went lately, some are not there any more
            question[list_uid] = [name or known_name(connection, list_uid), count, here]
    return question


def members_there(connection: Connection, list_uids: Iterable[str]) -> Counter[str]:
    """How many are on each of these lists there, as far as we know: who was never sent is nobody that could leave."""
    wanted, found = set(list_uids), Counter(dict.fromkeys(list_uids, 0))
    rows = RemoteRecord.objects.filter(connection=connection, kind=RemoteRecord.Kind.CONTACT).exclude(known_address="")
    for known in rows.order_by().values_list("known__containers", flat=True).iterator():
        members = known.values() if known else ()
        found.update(wanted.intersection(*[set().union(*(m["lists"] for m in members if m["standing"] in HEARS))]))
    return found


def known_name(connection: Connection, list_uid: str) -> str:
    """A deleted list's name, as the vendor has it."""
    known = RemoteRecord.objects.filter(
        connection=connection, kind=RemoteRecord.Kind.LIST, subject_uid=list_uid
    ).values_list("known", flat=True).first() or {}  # fmt: skip
    return next(iter(known.get("names", {}).values()), "a deleted list")


def hold(connection: Connection, versions: Mapping[int, int], question: dict[str, list[Any]]) -> None:
    """Hold these people's rows, and the lists themselves if they are to be deleted there; ask the question."""
    reason = {"state": RemoteRecord.State.HELD, "due_at": None, "reason_code": "brake", "reason": ""}

    def write(part: list[int]) -> None:
        pks = unchanged({pk: versions[pk] for pk in part})
        RemoteRecord.objects.filter(pk__in=pks).update(**reason)
        RunItem.objects.filter(record__in=pks, run__state=SyncRun.State.RUNNING).update(state=RunItem.State.HELD)

    for part in chunks(versions):
        giving_way(partial(write, part))
    existing = {str(u) for u in ContactList.objects.filter(uid__in=list(question)).values_list("uid", flat=True)}
    RemoteRecord.objects.filter(
        connection=connection, kind=RemoteRecord.Kind.LIST, due_at__isnull=False,
        subject_uid__in=question.keys() - existing,
    ).update(**reason)  # fmt: skip
    if question or connection.brake:
        Connection.objects.filter(pk=connection.pk).update(brake=question)
        connection.brake = question


def release(connection: Connection, user: Any) -> int:
    """A person said yes: what was held goes out now, as a run that can be taken back. Returns how many rows."""
    begin(connection, user, held_rows(connection))
    released = let_go(held_rows(connection), f"Released by {user}"[:300])
    Connection.objects.filter(pk=connection.pk).update(brake={}, taken_off={})
    go_on(connection)
    return released


def let_go(rows: Any, reason: str) -> int:
    """Have these held rows sent."""
    RunItem.objects.filter(record__in=rows, run__state__in=SyncRun.UNFINISHED).update(state=RunItem.State.SHOWN)
    released: int = rows.update(
        state=RemoteRecord.State.OK, due_at=Now(), marked_at=Now(), brake_passed=True, reason_code="", reason=reason
    )
    return released


def go_on(connection: Connection) -> None:
    """The Sync that asked has its answer."""
    SyncRun.objects.filter(connection=connection, state=SyncRun.State.ASKING).update(state=SyncRun.State.RUNNING)


def keep(connection: Connection, user: Any) -> int:
    """A person said no: nobody is taken off. The rows stay held until something changes here. Returns how many."""
    rows = held_rows(connection)
    RunItem.objects.filter(record__in=rows, run__state=SyncRun.State.ASKING).update(
        state=RunItem.State.SKIPPED, reason_code="brake", reason=f"Left on the list by {user}"[:300]
    )
    kept = rows.update(run=None, reason_code="kept", reason=f"Left on the list by {user}"[:300])
    Connection.objects.filter(pk=connection.pk).update(brake={})
    asking = SyncRun.objects.filter(connection=connection, state=SyncRun.State.ASKING)
    # What it has sent belongs to it no longer: whatever is changed from now on is none of its doing.
    RemoteRecord.objects.filter(run__in=asking).update(run=None)
    asking.update(state=SyncRun.State.DONE, finished_at=Now())
    return kept
