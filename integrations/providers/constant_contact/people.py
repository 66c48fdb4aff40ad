"""All operations on people, each on its way: opt-outs first, many alike by bulk work, the rest one by one."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from integrations.provider_kit.errors import Outcome, Reconnect
from integrations.provider_kit.states import Operation, Verb
from integrations.providers.constant_contact import bulk, single
from integrations.providers.constant_contact.activities import IMPORT
from integrations.providers.constant_contact.api import Api
from integrations.providers.constant_contact.members import Where

Pair = tuple[Operation, Outcome]
MANY = 6  # from so many alike on, bulk work takes fewer calls, and it takes its time


def carry_out(api: Api, where: Where, operations: Iterable[Operation]) -> Iterator[Pair]:
    """An outcome for each. After a `Reconnect` nothing more is called: the rest gets the same."""
    still_open = {id(operation): operation for operation in operations}
    for operation, outcome in _in_order(api, where, list(still_open.values())):
        del still_open[id(operation)]
        yield operation, outcome
        if isinstance(outcome, Reconnect):
            yield from ((rest, outcome) for rest in still_open.values())
            return


def _in_order(api: Api, where: Where, operations: list[Operation]) -> Iterator[Pair]:
    leaving, taken_in, rest = _sorted(operations)
    yield from _opt_outs(api, where, leaving)
    # What an import did not bring about is not imported again: sent alone, it tells why.
    alone: list[Operation] = []
    for kind, some in taken_in.items():
        yield from _told(bulk.follow_up(api, where, some, rest), alone if kind == IMPORT else rest)
    yield from _in_bulk(api, where, rest, alone, bulk.can_remove, bulk.take_off)
    yield from _in_bulk(api, where, rest, alone, bulk.can_import, bulk.put_on)
    yield from ((operation, single.carry_out(api, where, operation)) for operation in [*rest, *alone])


def _sorted(operations: list[Operation]) -> tuple[list[Operation], dict[str, list[Operation]], list[Operation]]:
    """Those who opt out; by the kind of work those whom the vendor took in before; the others."""
    leaving: list[Operation] = []
    taken_in: defaultdict[str, list[Operation]] = defaultdict(list)
    rest: list[Operation] = []
    for operation in operations:
        if operation.verb == Verb.OPT_OUT:
            leaving.append(operation)
        elif operation.ticket:
            taken_in[operation.ticket.partition(":")[0]].append(operation)
        else:
            rest.append(operation)
    return leaving, taken_in, rest


def _opt_outs(api: Api, where: Where, operations: list[Operation]) -> Iterator[Pair]:
    """There is no call that unsubscribes many: they leave the lists together, and are unsubscribed one by one."""
    if len(operations) >= MANY and where.uids and (revoked := bulk.hurry_off(api, where, operations)):
        yield operations[0], revoked
        return
    yield from ((operation, single.carry_out(api, where, operation)) for operation in operations)


def _in_bulk(
    api: Api, where: Where, rest: list[Operation], alone: list[Operation],
    can: Callable[[Operation, Where], bool], work: Callable[[Api, Where, list[Operation]], Iterator[bulk.Told]],
) -> Iterator[Pair]:  # fmt: skip
    """Take out of `rest` what this bulk work can do, if it is enough of it; what it did not bring about goes on."""
    chosen = _once_each(operation for operation in rest if can(operation, where))
    if len(chosen) < MANY:
        return
    ids = {id(operation) for operation in chosen}
    rest[:] = [operation for operation in rest if id(operation) not in ids]
    # A removal is the first half of some; an import is the last that can be tried together.
    after = rest if work is bulk.take_off else alone
    yield from _told(work(api, where, chosen), after)


def _once_each(operations: Iterable[Operation]) -> list[Operation]:
    """One operation on each address: of two in one import, nobody knows which would win."""
    by_address: dict[str, Operation] = {}
    for operation in operations:
        by_address.setdefault(operation.after.address.lower(), operation)
    return list(by_address.values())


def _told(told: Iterable[bulk.Told], after: list[Operation]) -> Iterator[Pair]:
    """Pass on what is certain; what is not yet so is put with those that come after."""
    for operation, outcome in told:
        if outcome is None:
            after.append(operation)
        else:
            yield operation, outcome
