"""Bringing back whom somebody else archived or deleted there, once a person has decided so (L31, *Retry*).

Who was archived may have unsubscribed before, and only a look at them tells (L35). So they get a doubt beside what is
known, as after an unclear answer: the engine then looks before it sends.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from contacts.models.recorded import chunks
from integrations.models import RemoteRecord, SyncRun
from integrations.provider_kit.states import Standing


def brought_back(known: dict[str, Any]) -> dict[str, Any] | None:
    """`known` of a row as if we had archived its people ourselves, with the doubt; None if nobody was removed there."""
    removed = {
        container: {**member, "standing": str(Standing.ARCHIVED)}
        for container, member in known.get("containers", {}).items()
        if member["standing"] == Standing.REMOVED
    }
    if not removed:
        return None
    doubts: Mapping[str, Any] = {container: {**member, "lists": []} for container, member in removed.items()}
    return {**known, "containers": known["containers"] | removed, "maybe": {**doubts, **known.get("maybe", {})}}


def put_back(records: Iterable[RemoteRecord]) -> None:
    """Have these people brought back by the next push. The rows in memory follow."""
    for part in chunks(record for record in records if is_anybody_removed(record)):
        with transaction.atomic():
            locked = RemoteRecord.objects.select_for_update().filter(pk__in=[record.pk for record in part])
            fresh = {row.pk: brought_back(row.known) or row.known for row in locked.order_by("pk")}
            for pk, known in fresh.items():
                RemoteRecord.objects.filter(pk=pk).update(known=known)
        for record in part:
            record.known = fresh.get(record.pk, record.known)


def is_anybody_removed(record: RemoteRecord) -> bool:
    """Whether somebody else removed this person in any place there."""
    return any(member["standing"] == Standing.REMOVED for member in record.containers.values())


def for_a_repair(records: Iterable[RemoteRecord]) -> None:
    """Of rows that are about to be sent, bring those back whom a repair was confirmed for: it was shown so."""
    found = [record for record in records if record.run_id and is_anybody_removed(record)]
    if found:
        checks = SyncRun.objects.filter(pk__in={record.run_id for record in found}, kind=SyncRun.Kind.CHECK)
        repairing = set(checks.values_list("pk", flat=True))
        put_back(record for record in found if record.run_id in repairing)
