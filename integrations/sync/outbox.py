"""Remember: who, and on which connection. Filled by receivers in the transaction of the change, emptied by push."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db.models import Case, F, QuerySet, Value, When
from django.db.models.functions import Now

from contacts.models import Contact, ContactList, ListMembership
from contacts.models.recorded import chunks
from integrations.models import Connection, RemoteRecord
from integrations.models.remote import Priority
from integrations.provider_kit.base import Can
from integrations.providers import all_providers
from integrations.sync.put_back import put_back

SINGLE_EDIT = 25  # up to so many at once overtake bulk work
# Of a row that becomes due. Why it was refused is told again should the same be planned: that is not sent again.
REASON_GONE: Any = {
    name: Case(When(refused_hash="", then=Value("")), default=F(name)) for name in ("reason_code", "reason")
}


def listening(tenant_id: int, ability: Can) -> list[Connection]:
    """The tenant's connections that care about such changes; a connection waiting for Reconnect still collects."""
    able = [key for key, provider in all_providers().items() if ability in provider.can]
    return list(
        Connection.objects.filter(tenant=tenant_id, provider__in=able).exclude(state=Connection.State.NOT_CONNECTED)
    )


def mark_contacts(tenant_id: int, uids: Iterable[uuid.UUID], cause: str, is_opt_out: bool = False) -> list[Connection]:
    """Mark contacts due on every connection that cares, and return those connections. Fifty edits are one row."""
    uids = list(dict.fromkeys(uids))
    connections = listening(tenant_id, Can.PUSH_CONTACTS)
    if not connections or not uids:
        return []
    priority = Priority.OPT_OUT if is_opt_out else Priority.EDIT if len(uids) <= SINGLE_EDIT else Priority.BULK
    for part in chunks(uids):
        # Two questions instead of a join: right after a large import PostgreSQL has no idea of the tables' sizes, and
        # would look through all of them for each row.
        uid_of = dict(Contact.objects.filter(uid__in=part).order_by().values_list("pk", "uid"))
        members = ListMembership.objects.filter(contact__in=list(uid_of)).order_by()
        on_a_list = {uid_of[pk] for pk in members.values_list("contact_id", flat=True)}
        for connection in connections:
            note(connection, RemoteRecord.Kind.CONTACT, on_a_list)
            mark(connection, RemoteRecord.Kind.CONTACT, part, cause, priority)
    return connections


def mark_lists(tenant_id: int, uids: Iterable[uuid.UUID], cause: str) -> list[Connection]:
    """Mark lists due; a list that was never synchronized has no row and needs none until its flag is set."""
    uids = list(uids)
    connections = listening(tenant_id, Can.PUSH_LISTS)
    flagged = set(ContactList.objects.filter(uid__in=uids, synchronize=True).values_list("uid", flat=True))
    for connection in connections:
        note(connection, RemoteRecord.Kind.LIST, flagged)
        mark(connection, RemoteRecord.Kind.LIST, uids, cause, Priority.LIST)
    return connections


def note(connection: Connection, kind: str, uids: Iterable[uuid.UUID]) -> None:
    """Make sure that there is a row for each, not due yet. Must come before `mark`: see there."""
    rows = RemoteRecord.objects.filter(connection=connection, kind=kind)
    for part in chunks(uids):
        here = set(rows.filter(subject_uid__in=part).values_list("subject_uid", flat=True))
        RemoteRecord.objects.bulk_create(
            [
                RemoteRecord(tenant_id=connection.tenant_id, connection_id=connection.pk, kind=kind, subject_uid=uid)
                for uid in part if uid not in here
            ],
            ignore_conflicts=True,
        )  # fmt: skip


def mark(connection: Connection, kind: str, uids: Iterable[uuid.UUID], cause: str, priority: int) -> None:
    """Raise the wanted version and make the rows due.

    The UPDATE comes last in the transaction of the change and locks the row: a push that reads the contact before that
    commit finds the version raised when it settles, and leaves the row due.
    """
    RemoteRecord.objects.filter(connection=connection, kind=kind, subject_uid__in=list(uids)).update(
        want_version=F("want_version") + 1,
        due_at=Now(),
        marked_at=Now(),
        priority=sooner(priority),
        cause=cause[:200],
        attempts=0,
        brake_passed=False,
        state=RemoteRecord.State.OK,
        **REASON_GONE,
    )


def sooner(priority: int) -> Any:
    """The given priority, unless the row is due already with a more urgent one."""
    return Case(When(due_at__isnull=False, priority__lt=priority, then=F("priority")), default=Value(priority))


def retry(records: "QuerySet[RemoteRecord]", cause: str = "Retry") -> int:
    """Send again what was set aside (L27): what was refused, removed there, or found taken."""
    records = records.filter(state__in=[RemoteRecord.State.SET_ASIDE, RemoteRecord.State.SKIPPED])
    put_back(records.filter(reason_code="removed_there"))
    # A list whose name is taken there: what is found under it is used from now on; that is what Retry says (L33).
    records.filter(kind=RemoteRecord.Kind.LIST, reason_code="name_taken").update(effect=RemoteRecord.Effect.MAYBE)
    return records.update(
        want_version=F("want_version") + 1, due_at=Now(), marked_at=Now(), priority=Priority.EDIT, cause=cause,
        attempts=0, state=RemoteRecord.State.OK, reason_code="", reason="", refused_hash="", brake_passed=False,
    )  # fmt: skip
