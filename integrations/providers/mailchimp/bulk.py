"""People by the hundred: creations and updates, 500 rows in one call, each row with an answer of its own inside a 200.

`status` never goes out in a row that may meet somebody who is there already: `status_if_new` speaks to the new only.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings

from integrations.provider_kit.errors import Ambiguous, CallFailed, Done, Outcome, Refused
from integrations.provider_kit.states import Member, Operation, Standing, Verb
from integrations.providers.mailchimp import members, single, tags
from integrations.providers.mailchimp.answers import EXISTS, refusal
from integrations.providers.mailchimp.api import Api
from integrations.providers.mailchimp.members import Container

MOST = 500
QUERY = {"skip_merge_validation": "true", "skip_duplicate_check": "true"}
UNTOLD = Ambiguous("Mailchimp did not say what became of this person.")
NO_STATUS = "not provided: status"  # the answer to an update without any status that met nobody
Outcomes = dict[str, Outcome]  # by subject: in one container there is one operation on each
Row = dict[str, Any]


def batches(operations: Iterable[Operation]) -> Iterator[list[Operation]]:
    """Parts of 500, none with the same address twice: Mailchimp would look at the first of them only."""
    part: list[Operation] = []
    seen: set[str] = set()
    for operation in operations:
        keys = {operation.after.address.lower(), operation.subject}
        if len(part) == MOST or keys & seen:
            yield part
            part, seen = [], set()
        part.append(operation)
        seen |= keys
    if part:
        yield part


def carry_out(api: Api, where: Container, operations: list[Operation]) -> Outcomes:
    """One batch: who leaves which list, the rows, and then the lists that the rows' tags did not reach."""
    leaving = [(op, op.after.address, op.before.lists - op.after.lists) for op in operations if op.before]
    trouble = tags.take_off(api, where, leaving)
    to_write = [operation for operation in operations if is_written(operation)]
    outcomes: Outcomes = {op.subject: Done(now=left(op, where)) for op in operations if not is_written(op)}
    rows: dict[str, Row] = {}
    for some, update_existing in _calls(to_write):
        _write(api, where, some, outcomes, rows, update_existing=update_existing)
    if again := [op for op in to_write if getattr(outcomes[op.subject], "code", "") == EXISTS]:
        _write(api, where, again, outcomes, rows, update_existing=True, was_there=True)
        for op in (op for op in again if op.subject in rows and has_gaps(op, rows[op.subject])):
            outcomes[op.subject] = single.fill(single.Person(api, where, op), rows[op.subject])
    joining = [(op, op.after.address, missed(op, rows[op.subject], where)) for op in to_write if op.subject in rows]
    trouble |= tags.put_on(api, where, joining)
    stale = [(op, op.after.address, surplus(op, rows[op.subject], where)) for op in to_write if op.subject in rows]
    trouble |= tags.take_off(api, where, stale)
    return outcomes | {subject: failed for subject, failed in trouble.items() if isinstance(outcomes[subject], Done)}


def is_written(operation: Operation) -> bool:
    """Whether there is more to it than leaving lists."""
    before, after = operation.before, operation.after
    return before is None or dict(before.fields) != dict(after.fields) or bool(after.lists - before.lists)


def left(operation: Operation, where: Container) -> Member:
    """Somebody who only leaves lists, afterwards."""
    return operation.after.but(lists=where.tagged(operation.after.lists))


def missed(operation: Operation, row: Row, where: Container) -> frozenset[str]:
    """Lists whose tag the answer does not show: somebody renamed it there, or took this person off by hand."""
    shown = row.get("tags")
    if not isinstance(shown, list) or len(shown) < row.get("tags_count", len(shown)):
        return frozenset()  # Mailchimp shows 50 tags at most; no news is taken for good news.
    if row.get("status") not in ("subscribed", "pending"):
        return frozenset()
    return where.tagged(operation.after.lists) - where.shown_lists(row)


def surplus(operation: Operation, row: Row, where: Container) -> frozenset[str]:
    """Lists whose tag the answer shows although they should not be on them: of somebody who had the address before."""
    return where.shown_lists(row) - operation.after.lists if row.get("tags") else frozenset()


def has_gaps(operation: Operation, row: Row) -> bool:
    """Whether something of theirs that is not ours alone is empty there, and could be filled in."""
    return operation.fields_for(members.fields_of(row)).keys() != operation.fields_for().keys()


def _calls(operations: list[Operation]) -> Iterator[tuple[list[Operation], bool]]:
    """(operations, update_existing) of each call. Without `status_if_new`, the new go apart from the known; and so do
    those whose fields there are to be spared, should they be there already."""
    is_apart = not settings.MAILCHIMP_BULK_STATUS_IF_NEW
    new = [op for op in operations if op.before is None and (is_apart or op.spares)]
    ids = {id(op) for op in new}
    parts = [(new, False), ([op for op in operations if id(op) not in ids], True)]
    return ((some, update_existing) for some, update_existing in parts if some)


def _row(operation: Operation, where: Container, *, is_new: bool) -> Row:
    before, after = operation.before, operation.after
    fields = after.fields if is_new else operation.fields_for()
    row: Row = {"email_address": after.address, "merge_fields": members.merge_fields(fields)}
    if is_new:
        row["status"] = str(Standing.SUBSCRIBED)  # Sent with update_existing off: it can touch nobody who is there.
    elif settings.MAILCHIMP_BULK_STATUS_IF_NEW:
        row["status_if_new"] = str(Standing.SUBSCRIBED) if before is None else single.UNSEEN
    names = [where.names[uid] for uid in sorted(where.tagged(after.lists - (before.lists if before else frozenset())))]
    if names := [name for name in names if name]:
        row["tags"] = names
    return row


def _write(
    api: Api, where: Container, operations: list[Operation], outcomes: Outcomes, rows: dict[str, Row], *,
    update_existing: bool, was_there: bool = False,
) -> None:  # fmt: skip
    """One call: adds what came of each row to `outcomes`, and how Mailchimp shows it to `rows`."""
    body = {
        "members": [_row(operation, where, is_new=not update_existing) for operation in operations],
        "update_existing": update_existing,
        "sync_tags": False,  # true would take off every tag that people put on in Mailchimp
    }
    try:
        patience = settings.CALL_DEADLINE_SECONDS  # 500 rows may take Mailchimp a while
        answer = api.call("POST", "lists", where.audience, query=QUERY, json=body, patience=patience)
    except CallFailed as failure:
        outcomes |= {operation.subject: failure.outcome for operation in operations}
        return
    outcomes |= {operation.subject: UNTOLD for operation in operations}
    by_address = {operation.after.address.lower(): operation for operation in operations}
    for kind in ("new_members", "updated_members", "errors"):
        for row in answer.get(kind) or []:
            operation = by_address.get(str(row.get("email_address", "")).lower())
            if operation is None:
                continue
            if operation.before is not None and (kind == "new_members" or NO_STATUS in str(row.get("error", ""))):
                outcomes[operation.subject] = single.find_again(single.Person(api, where, operation))
                continue
            if kind == "errors":
                outcomes[operation.subject] = _refused(row)
                continue
            found_there = was_there or (kind == "updated_members" and operation.verb == Verb.CREATE)
            outcomes[operation.subject] = Done(now=members.now(row, operation, where, ours=not found_there))
            rows[operation.subject] = row


def _refused(row: Row) -> Outcome:
    error, field = str(row.get("error", "")), str(row.get("field") or "")
    if row.get("error_code") == EXISTS:
        return Refused(EXISTS, "Somebody with this address is in the audience already.")
    return refusal(error, ": ".join(filter(None, (field, str(row.get("field_message") or "")))))
