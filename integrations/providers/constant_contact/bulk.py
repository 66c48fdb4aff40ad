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
from integrations.providers.constant_contact.packing import Pack, is_worth_it, pack
from integrations.providers.constant_contact.reading import Faces

MOST = 5_000  # rows of one import; with names they stay far below the 4 MB from which on rows are dropped silently
MOST_IDS, MOST_LISTS, MOST_ASKED = 500, 50, 25
LONGEST_ADDRESS = 50  # of an import; the other calls take 80
FEW = 20  # whoever an import seems not to have touched is looked at one by one, up to so many
NOT_DONE = Ambiguous("Constant Contact did not finish this.")
Told = tuple[Operation, Outcome | None]  # None: not so yet, something else has to be tried
PartOf = tuple[Operation, list[Activity]]


def can_import(operation: Operation, where: Where) -> bool:
    """Whether an import brings this about: somebody new, new names and further lists for somebody who gets mail, or
    lists again for somebody who was on none. Whoever had unsubscribed is none of these."""
    before, after = operation.before, operation.after
    if before is None:
        fits = operation.verb == Verb.CREATE
    else:
        was = {Verb.UPDATE: Standing.SUBSCRIBED, Verb.ENABLE: Standing.ARCHIVED}.get(operation.verb)
        is_plain = before.address.lower() == after.address.lower() and after.standing == Standing.SUBSCRIBED
        fits = is_plain and before.standing == was
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
    """Import them, those with the same columns together: whether a column that a row leaves out is left alone is not
    documented."""
    operations = list(operations)
    try:
        columns = columns_of(api, where, operations)
    except CallFailed as failure:
        yield from ((op, failure.outcome) for op in operations)
        return
    yield from ((op, None) for op in operations if id(op) not in columns)
    ready = [op for op in operations if id(op) in columns]
    packs = pack(ready, lambda op: where.ids_of(op.after.lists), lambda op: tuple(sorted(columns[id(op)])), MOST)

    def body(of: Pack) -> dict[str, Any]:
        rows = [{"email": op.after.address, **columns[id(op)]} for op in of.operations]
        return {"import_data": rows, "list_ids": of.lists}

    yield from _hand_in(api, where, IMPORT, packs, body, ready)


def columns_of(api: Api, where: Where, operations: list[Operation]) -> dict[int, dict[str, str]]:
    """What an import writes of each, by the operation's `id`. Where a field is not ours alone (L22), everybody there is
    read first, for no more calls than asking one by one would take; whoever that leaves in doubt is left out."""
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
        if op.reads_first and (is_whole if row is None else not differs_there(op, row, where)):
            found[id(op)] = single.Person(api, where, op).names(row)
        elif not op.reads_first:
            found[id(op)] = {name: value for name, value in op.fields_for().items() if name in where.fields}
    return found


def differs_there(operation: Operation, row: Row, where: Where) -> bool:
    """Whether somebody we know changed there what is to be changed and not ours alone. Sent alone it is told with its
    time, which an import would move."""
    if operation.before is None:
        return False
    there = members.fields_of(row, where)
    goal = {**there, **operation.fields_for(there)}
    return any(
        operation.changes(name) and not same_value(goal.get(name, ""), operation.after.fields[name])
        for name in operation.spares & operation.after.fields.keys()
    )


def take_off(api: Api, where: Where, operations: Iterable[Operation]) -> Iterator[Told]:
    """Take them off the lists that they leave."""
    operations = list(operations)
    packs = pack(operations, lambda op: left_by(op, where), lambda op: None, MOST_IDS)

    def body(of: Pack) -> dict[str, Any]:
        ids = [op.before.remote_id for op in of.operations if op.before]
        return {"source": {"contact_ids": ids}, "list_ids": of.lists}

    yield from _hand_in(api, where, REMOVE, packs, body, operations)


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


def follow_up(
    api: Api, where: Where, operations: list[Operation], forgotten: list[Operation]
) -> Iterator[Told]:  # fmt: skip
    """What became of those who were part of work that had not ended when we last looked, by their tickets. Of work that
    the vendor has forgotten meanwhile nothing can be told: it is added to `forgotten`."""
    try:
        now = {each: activities.read(api, each) for op in operations for each in activities.parts_of(op.ticket)}
    except CallFailed as failure:
        yield from ((op, _still(failure, op.ticket)) for op in operations)
        return
    found = [(op, [a for each in activities.parts_of(op.ticket) if (a := now[each])]) for op in operations]
    forgotten += [op for op, part_of in found if not part_of]
    yield from _read_back(api, where, [(op, part_of) for op, part_of in found if part_of])


def _still(failure: CallFailed, ticket: str) -> Outcome:
    """Nobody could be asked: it stays to be asked about."""
    outcome = failure.outcome
    if isinstance(outcome, Retry | Ambiguous):
        return Ambiguous(outcome.sentence, outcome.after or activities.AFTER[0], is_underway=True, ticket=ticket)
    return outcome


def _hand_in(
    api: Api, where: Where, kind: str, packs: list[Pack], body: Callable[[Pack], dict[str, Any]],
    operations: list[Operation],
) -> Iterator[Told]:  # fmt: skip
    """All packs, one after the other, and then what became of everybody; alone, if that takes no more calls."""
    if not is_worth_it(packs, operations):
        yield from ((op, None) for op in operations)
        return
    part_of: defaultdict[int, list[Activity]] = defaultdict(list)
    trouble: Outcome | None = None
    for each in packs:
        try:
            activity = activities.submit(api, kind, body(each))
        except CallFailed as failure:
            # One of them, or a list that is gone there, is what was refused: one by one it will show which.
            if isinstance(failure.outcome, Refused):
                continue
            trouble = failure.outcome
            break
        for op in each.operations:
            part_of[id(op)].append(activity)
    taken_in = [(op, part_of[id(op)]) for op in operations if id(op) in part_of]
    yield from _wait(api, where, taken_in)
    yield from ((op, trouble) for op in operations if id(op) not in part_of)


def _wait(api: Api, where: Where, taken_in: list[PartOf]) -> Iterator[Told]:
    """Give the vendor a few seconds."""
    everything = {activity.ticket: activity for _, part_of in taken_in for activity in part_of}
    try:
        now = activities.wait_for(api, everything)
    except CallFailed as failure:
        is_over = isinstance(failure.outcome, Reconnect)
        for op, part_of in taken_in:
            yield op, failure.outcome if is_over else activities.underway(part_of, failure)
        return
    yield from _read_back(api, where, [(op, [now[each.ticket] for each in part_of]) for op, part_of in taken_in])


def _read_back(api: Api, where: Where, taken_in: list[PartOf]) -> Iterator[Told]:
    """Everybody for whom it is over, as they are now."""
    waiting = [(op, part_of) for op, part_of in taken_in if any(each.is_underway for each in part_of)]
    yield from ((op, activities.underway(part_of)) for op, part_of in waiting)
    ids = {id(op) for op, _ in waiting}
    over = [(op, part_of) for op, part_of in taken_in if id(op) not in ids]
    if not over:
        return
    try:
        faces = Faces(reading.changed_since(api, min(each.since for _, part_of in over for each in part_of)))
        is_whole = _read_more(api, where, faces, [op for op, _ in over])
    except CallFailed as failure:
        is_over = isinstance(failure.outcome, Reconnect)
        for op, part_of in over:
            yield op, failure.outcome if is_over else activities.underway(part_of, failure)
        return
    undone: list[Operation] = []
    for op, part_of in over:
        row = faces.find(op.after.address, (op.before or op.after).remote_id)
        told = judge(row, op, where, min(each.created_at for each in part_of)) if row is not None else None
        if row is None and is_whole and part_of[0].kind == REMOVE and not is_written(op, where):
            told = Done(now=op.after)
        if told is None:
            undone.append(op)
        else:
            yield op, told
    # A few are sent alone, to learn why; that many were not at fault themselves.
    has_failed = any(each.has_failed for _, part_of in over for each in part_of)
    yield from ((op, NOT_DONE if has_failed and len(undone) > FEW else None) for op in undone)


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


def parts(things: list[Any], size: int) -> Iterator[list[Any]]:
    """In parts of this size."""
    return (things[start : start + size] for start in range(0, len(things), size))
