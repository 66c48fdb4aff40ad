"""Rows of the report of a run that had no preview, noted when they are about to be sent. Called by push."""

from collections.abc import Iterable
from typing import Any

from integrations.models import RemoteRecord, RunItem
from integrations.provider_kit.states import ListOperation
from integrations.sync.released import of_them
from integrations.sync.runs import as_json, heaviest
from integrations.sync.slices import Row

ANY_VERSION = -1  # no preview has shown it: it goes as it is


def note_people(rows: Iterable[Row], shown: Iterable[int]) -> None:
    """Rows for the people that are about to be sent."""
    rows = [row for row in rows if row.plan.operations]
    mine = of_them([row.record for row in rows], shown)
    _note(
        (row.record, row.label, row.address, heaviest(row.plan.operations), [as_json(o) for o in row.plan.operations])
        for row in rows if row.record.pk in mine
    )  # fmt: skip


def note_lists(planned: Iterable[tuple[RemoteRecord, str, list[ListOperation]]], shown: Iterable[int]) -> None:
    """The same for lists."""
    planned = [one for one in planned if one[2]]
    mine = of_them([record for record, _, _ in planned], shown)
    _note(
        (record, label, "", operations[0].verb, [{"verb": operations[0].verb, "name": operations[0].name}])
        for record, label, operations in planned if record.pk in mine
    )  # fmt: skip


def _note(rows: Iterable[tuple[RemoteRecord, str, str, str, list[dict[str, Any]]]]) -> None:
    RunItem.objects.bulk_create(
        [
            RunItem(
                tenant_id=record.tenant_id, run_id=record.run_id, record=record, kind=record.kind, label=label[:250],
                subject_uid=record.subject_uid, address=address, verb=verb, operations=operations,
                want_version=ANY_VERSION,
            )
            for record, label, address, verb, operations in rows if record.run_id
        ],
        batch_size=500, ignore_conflicts=True,
    )  # fmt: skip
