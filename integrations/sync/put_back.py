"""Bringing back whom somebody else archived or deleted there, once a person has decided so (L31, *Retry*).

Who was archived may have unsubscribed before, and only a look at them tells (L35). So they get a doubt beside what is
known, as after an unclear answer: the engine then looks before it sends.
"""

from collections.abc import Iterable, Mapping
from typing import Any

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
    """Have these people brought back by the next push."""
    changed = []
    for record in records:
        if (known := brought_back(record.known)) is not None:
            record.known = known
            changed.append(record)
    RemoteRecord.objects.bulk_update(changed, ["known"], batch_size=500)


def for_a_repair(records: Iterable[RemoteRecord]) -> None:
    """Of rows that are about to be sent, bring those back whom a repair was confirmed for: it was shown so."""
    found = [r for r in records if r.run_id and any(m["standing"] == Standing.REMOVED for m in r.containers.values())]
    if found:
        checks = SyncRun.objects.filter(pk__in={r.run_id for r in found}, kind=SyncRun.Kind.CHECK)
        repairing = set(checks.values_list("pk", flat=True))
        put_back(r for r in found if r.run_id in repairing)
