"""The brake (L32): before people are taken off a list in numbers, stop and ask. Opt-outs are never held back."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db.models import Q
from django.db.models.functions import Now

from contacts.models import ContactList, ListMembership
from contacts.models.recorded import chunks
from integrations.models import Connection, RemoteRecord, RunItem, SyncRun
from integrations.provider_kit.base import Policy
from integrations.sync import people, slices
from integrations.sync.planning import lists_left


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


def check(connection: Connection, policy: Policy) -> None:
    """Look at everything that is owed before any of it is sent, and hold back what goes over the limit.

    So few that no limit could be passed need no look, unless a question is open: it may have settled itself, and then
    those who were held go with the rest. What passes is noted, so that each row is looked at once.
    """
    smallest = chosen(connection.settings).people
    rows = list(unchecked(connection).order_by("pk").values_list("pk", "due_at"))
    if all(due_at is None for _, due_at in rows) or (len(rows) <= smallest and not connection.brake):
        return
    pks = [pk for pk, _ in rows]
    leaving: dict[int, set[str]] = {}
    going: Counter[str] = Counter()
    place = people.place_of(connection)
    for part in chunks(pks, 1000):
        for row in slices.plan_rows(RemoteRecord.objects.filter(pk__in=part), policy, place, None):
            if lost := lists_left(row.known, row.plan.operations):
                leaving[row.record.pk] = lost
                going.update(lost)
    question = ask_about(connection, going)
    held = [pk for pk, lost in leaving.items() if lost & question.keys()]
    hold(connection, held, question)
    passed = set(pks) - set(held)
    for part in chunks(passed):
        RemoteRecord.objects.filter(pk__in=part).update(brake_passed=True)
        let_go(held_rows(connection).filter(pk__in=part), "")
    let_go(held_rows(connection).filter(kind=RemoteRecord.Kind.LIST).exclude(subject_uid__in=question.keys()), "")
    if not question:
        go_on(connection)


def ask_about(connection: Connection, going: Counter[str]) -> dict[str, list[Any]]:
    """{list uid: [name, how many go, how many are there]} of the lists that would lose too many."""
    question = {}
    for list_uid, count in going.items():
        name = ContactList.objects.filter(uid=list_uid).values_list("name", flat=True).first()
        there = count + ListMembership.objects.filter(contact_list__uid=list_uid).count()
        if count > chosen(connection.settings).of(there):
            question[list_uid] = [name or known_name(connection, list_uid), count, there]
    return question


def known_name(connection: Connection, list_uid: str) -> str:
    """A deleted list's name, as the vendor has it."""
    known = RemoteRecord.objects.filter(
        connection=connection, kind=RemoteRecord.Kind.LIST, subject_uid=list_uid
    ).values_list("known", flat=True).first() or {}  # fmt: skip
    return next(iter(known.get("names", {}).values()), "a deleted list")


def hold(connection: Connection, pks: list[int], question: dict[str, list[Any]]) -> None:
    """Hold these people's rows, and the lists themselves if they are to be deleted there; ask the question."""
    reason = {"state": RemoteRecord.State.HELD, "due_at": None, "reason_code": "brake", "reason": ""}
    for part in chunks(pks):
        RemoteRecord.objects.filter(pk__in=part).update(**reason)
        RunItem.objects.filter(record__in=part, run__state=SyncRun.State.RUNNING).update(state=RunItem.State.HELD)
    existing = {str(u) for u in ContactList.objects.filter(uid__in=list(question)).values_list("uid", flat=True)}
    RemoteRecord.objects.filter(
        connection=connection, kind=RemoteRecord.Kind.LIST, due_at__isnull=False,
        subject_uid__in=question.keys() - existing,
    ).update(**reason)  # fmt: skip
    if question or connection.brake:
        Connection.objects.filter(pk=connection.pk).update(brake=question)
        connection.brake = question


def release(connection: Connection, user: Any) -> int:
    """A person said yes: what was held goes out now. Returns how many rows."""
    released = let_go(held_rows(connection), f"Released by {user}"[:300])
    Connection.objects.filter(pk=connection.pk).update(brake={})
    go_on(connection)
    return released


def let_go(rows: Any, reason: str) -> int:
    """Have these held rows sent."""
    RunItem.objects.filter(record__in=rows, run__state__in=SyncRun.UNFINISHED).update(state=RunItem.State.SHOWN)
    released: int = rows.update(
        state=RemoteRecord.State.OK, due_at=Now(), brake_passed=True, reason_code="", reason=reason
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
    SyncRun.objects.filter(connection=connection, state=SyncRun.State.ASKING).update(
        state=SyncRun.State.DONE, finished_at=Now()
    )
    return kept
