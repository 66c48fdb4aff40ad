"""People by the thousand: imports put people on lists and change names, removals take people off lists.

An import never subscribes anybody again: the vendor leaves whoever unsubscribed off the lists, and just counts them.
Bad rows vanish in the same way. So everybody is read back, and who is not there as wanted is sent alone, to learn why.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from integrations.provider_kit.errors import Ambiguous, CallFailed, Done, Outcome, Reconnect, Refused, Retry
from integrations.provider_kit.states import Operation, Standing, Verb, same_value
from integrations.providers.constant_contact import activities, members, reading, single
from integrations.providers.constant_contact.activities import IMPORT, REMOVE, Activity
from integrations.providers.constant_contact.api import Api
from integrations.providers.constant_contact.members import Row, Where, seen
from integrations.providers.constant_contact.reading import Faces

MOST = 5_000  # rows of one import; with names they stay far below the 4 MB from which on rows are dropped silently
MOST_IDS, MOST_LISTS, MOST_ASKED = 500, 50, 25
LONGEST_ADDRESS = 50  # of an import; the other calls take 80
FEW = 20  # whoever an import seems not to have touched is looked at one by one, up to so many
Told = tuple[Operation, Outcome | None]  # None: not so yet, something else has to be tried


def can_import(operation: Operation, where: Where) -> bool:
    """Whether an import brings this about: somebody new, or new names and further lists for somebody who gets mail."""
    before, after = operation.before, operation.after
    if operation.verb == Verb.UPDATE:
        is_plain = before is not None and before.address.lower() == after.address.lower()
        fits = is_plain and before is not None and Standing.SUBSCRIBED == before.standing == after.standing
    else:
        fits = operation.verb == Verb.CREATE
    return fits and len(after.address) <= LONGEST_ADDRESS and 1 <= len(where.ids_of(after.lists)) <= MOST_LISTS


def can_remove(operation: Operation, where: Where) -> bool:
    """Whether a removal brings this about, or its first half."""
    before, after = operation.before, operation.after
    if before is None or not before.remote_id or before.address.lower() != after.address.lower():
        return False
    is_kind = operation.verb in (Verb.DISABLE, Verb.UPDATE) and before.standing == Standing.SUBSCRIBED
    return is_kind and 1 <= len(where.ids_of(before.lists - after.lists)) <= MOST_LISTS


def is_written(operation: Operation, where: Where) -> bool:
    """Whether there is more to it than leaving lists."""
    before, after = operation.before, operation.after
    if before is None:
        return True
    joins = where.ids_of(after.lists) - where.ids_of(before.lists)
    return operation.verb != Verb.DISABLE and (dict(before.fields) != dict(after.fields) or bool(joins))


def put_on(api: Api, where: Where, operations: Iterable[Operation]) -> Iterator[Told]:
    """Import them, those with the same lists and the same columns together: whether a column that a row leaves out is
    left alone is not documented."""
    operations = list(operations)
    try:
        columns = columns_of(api, where, operations)
    except CallFailed as failure:
        yield from ((op, failure.outcome) for op in operations)
        return
    yield from ((op, None) for op in operations if id(op) not in columns)
    ready = [op for op in operations if id(op) in columns]
    for (lists, _), some in together(ready, lambda op: (where.ids_of(op.after.lists), columns[id(op)])):
        for part in parts(some, MOST):
            rows = [{"email": op.after.address, **columns[id(op)]} for op in part]
            yield from _submit(api, where, IMPORT, {"import_data": rows, "list_ids": lists}, part)


def columns_of(api: Api, where: Where, operations: list[Operation]) -> dict[int, dict[str, str]]:
    """What an import writes of each, by the operation's `id`. Where a field is not ours alone (L22), everybody there is
    read first, for no more calls than asking one by one would take; whoever that does not tell of is left out."""
    careful = [op for op in operations if op.reads_first]
    faces, is_whole = Faces(), True
    if careful:
        link = ""
        for _ in careful:
            rows, link = api.page(link, reading.CONTACTS, "contacts", status="all", **reading.INCLUDE)
            for each in rows:
                faces.add(each)
            if not link:
                break
        is_whole = not link
    found = {}
    for op in operations:
        row = faces.find(op.after.address, (op.before or op.after).remote_id) if op.reads_first else None
        if op.reads_first and (row is not None or is_whole):
            found[id(op)] = single.Person(api, where, op).names(row)
        elif not op.reads_first:
            found[id(op)] = {name: value for name, value in op.fields_for().items() if name in where.fields}
    return found


def take_off(api: Api, where: Where, operations: Iterable[Operation]) -> Iterator[Told]:
    """Take them off the lists that they leave, those who leave the same together."""
    for (lists,), some in together(operations, lambda op: (left_by(op, where),)):
        for part in parts(some, MOST_IDS):
            ids = [op.before.remote_id for op in part if op.before]
            yield from _submit(api, where, REMOVE, {"source": {"contact_ids": ids}, "list_ids": lists}, part)


def hurry_off(api: Api, where: Where, operations: list[Operation]) -> Reconnect | None:
    """Have many who opted out taken off all our lists at once, before they are unsubscribed one by one. Whether it
    succeeds is no matter, as each of those calls does the same; only a lost permission is told."""
    lists = sorted(where.uids)
    ids = [op.before.remote_id for op in operations if op.before and op.before.remote_id]
    for part in parts(ids, MOST_IDS):
        for some in parts(lists, MOST_LISTS):
            try:
                activities.submit(api, REMOVE, {"source": {"contact_ids": part}, "list_ids": some})
            except CallFailed as failure:
                return failure.outcome if isinstance(failure.outcome, Reconnect) else None
    return None


def follow_up(api: Api, where: Where, ticket: str, operations: list[Operation]) -> Iterator[Told]:
    """What became of those who were part of this work, which had not ended when we last looked."""
    try:
        activity = activities.read(api, ticket)
    except CallFailed as failure:
        yield from ((op, _still(failure, ticket)) for op in operations)
        return
    if activity is None:
        yield from ((op, None) for op in operations)
    else:
        yield from _read_back(api, where, activity, operations)


def _still(failure: CallFailed, ticket: str) -> Outcome:
    """Nobody could be asked: it stays to be asked about."""
    outcome = failure.outcome
    if isinstance(outcome, Retry | Ambiguous):
        return Ambiguous(outcome.sentence, outcome.after or activities.AFTER[0], is_underway=True, ticket=ticket)
    return outcome


def _submit(api: Api, where: Where, kind: str, body: dict[str, Any], operations: list[Operation]) -> Iterator[Told]:
    try:
        activity = activities.submit(api, kind, body)
    except CallFailed as failure:
        # One of them, or a list that is gone there, is what was refused: one by one it will show which.
        told = None if isinstance(failure.outcome, Refused) else failure.outcome
        yield from ((op, told) for op in operations)
        return
    try:
        activity = activities.wait_for(api, activity)
    except CallFailed as failure:
        is_over = isinstance(failure.outcome, Reconnect)
        outcome = failure.outcome if is_over else activities.underway(activity, failure)
        yield from ((op, outcome) for op in operations)
        return
    yield from _read_back(api, where, activity, operations)


def _read_back(api: Api, where: Where, activity: Activity, operations: list[Operation]) -> Iterator[Told]:
    """Everybody as they are now that it is over."""
    if activity.is_underway:
        yield from ((op, activities.underway(activity)) for op in operations)
        return
    try:
        faces = Faces(reading.changed_since(api, activity.since))
        is_whole = _read_more(api, where, faces, operations)
    except CallFailed as failure:
        is_over = isinstance(failure.outcome, Reconnect)
        outcome = failure.outcome if is_over else activities.underway(activity, failure)
        yield from ((op, outcome) for op in operations)
        return
    for op in operations:
        row = faces.find(op.after.address, (op.before or op.after).remote_id)
        if row is not None:
            yield op, judge(row, op, where, activity.created_at)
        elif is_whole and activity.kind == REMOVE and not is_written(op, where):
            yield op, Done(now=op.after)
        else:
            yield op, None


def _read_more(api: Api, where: Where, faces: Faces, operations: list[Operation]) -> bool:
    """Whoever was there before just as wanted may not count as changed. If they are many, whole lists are read; for no
    more calls than asking one by one would take. Returns whether that came to its end."""
    missing = [op for op in operations if faces.find(op.after.address, (op.before or op.after).remote_id) is None]
    if len(missing) <= FEW:
        return False
    lists = set().union(*(where.ids_of(op.after.lists) | left_by(op, where) for op in missing))
    if not 1 <= len(lists) <= MOST_ASKED:
        return False
    link = ""
    for _ in missing:
        rows, link = api.page(link, reading.CONTACTS, "contacts", lists=",".join(sorted(lists)), **reading.INCLUDE)
        for row in rows:
            faces.add(row)
        if not link:
            return True
    return False


def judge(row: Row, operation: Operation, where: Where, began_at: datetime) -> Outcome | None:
    """What a contact that was read back says of its operation; None if something is still to be done."""
    there, after = seen(row, where), operation.after
    if there.standing in single.LEFT:
        return Done(now=there.but(address=after.address))
    if operation.verb == Verb.DISABLE:
        return None if there.lists else Done(now=after.but(remote_id=there.remote_id))
    if there.standing in (Standing.REMOVED, Standing.PENDING) or there.address.lower() != after.address.lower():
        return None
    wanted = where.there(after.lists)
    lists_fit = wanted <= there.lists and not there.lists & where.there(leaving(operation))
    to_write = operation.fields_for(there.fields)
    names_fit = all(same_value(there.fields.get(name, ""), to_write[name]) for name in where.fields if name in to_write)
    if not (lists_fit and names_fit):
        return None
    is_new = operation.before is not None or made_at(row) >= began_at - timedelta(seconds=2)
    return Done(now=members.now(row, operation, where, ours=is_new))


def made_at(row: Row) -> datetime:
    """When the contact was made there."""
    try:
        return datetime.fromisoformat(str(row.get("created_at")))
    except ValueError:
        return datetime.fromisoformat("1970-01-01T00:00:00Z")


def leaving(operation: Operation) -> frozenset[str]:
    """The lists that this takes somebody off."""
    return (operation.before.lists if operation.before else frozenset()) - operation.after.lists


def left_by(operation: Operation, where: Where) -> set[str]:
    """The same by the vendor's ids."""
    return where.ids_of(leaving(operation))


def together(
    operations: Iterable[Operation], key: Callable[[Operation], tuple[Iterable[str], ...]]
) -> list[tuple[list[list[str]], list[Operation]]]:
    """Those who have the same in common (lists, columns) together, with what that is."""
    groups: defaultdict[tuple[tuple[str, ...], ...], list[Operation]] = defaultdict(list)
    for operation in operations:
        groups[tuple(tuple(sorted(each)) for each in key(operation))].append(operation)
    return [([list(each) for each in common], some) for common, some in groups.items()]


def parts(things: list[Any], size: int) -> Iterator[list[Any]]:
    """In parts of this size."""
    return (things[start : start + size] for start in range(0, len(things), size))
