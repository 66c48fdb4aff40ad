"""All operations on people, sorted by container and kind: by the hundred where Mailchimp can, else a few at a time."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

from django.conf import settings

from integrations.provider_kit.errors import Done, Outcome, Reconnect
from integrations.provider_kit.states import Operation, Places, Standing, Verb
from integrations.providers.mailchimp import bulk, members, single, tags
from integrations.providers.mailchimp.api import Api
from integrations.providers.mailchimp.members import Container

Pair = tuple[Operation, Outcome]
LEAVING = (Verb.OPT_OUT, Verb.DISABLE)
MOST = 500


def carry_out(api: Api, operations: Iterable[Operation], places: Places) -> Iterator[Pair]:
    """An outcome for each. After a `Reconnect` nothing more is called: the rest gets the same."""
    revoked: Reconnect | None = None
    for batch in _batches(api, operations, places):
        if revoked:
            yield from ((operation, revoked) for operation in batch.operations)
            continue
        for operation, outcome in batch.run():
            revoked = outcome if isinstance(outcome, Reconnect) else revoked
            yield operation, outcome


class Batch:
    """Some operations of one kind, and how they are carried out."""

    def __init__(self, operations: list[Operation], run: Callable[[list[Operation]], Iterator[Pair]]) -> None:
        self.operations = operations
        self._run = run

    def run(self) -> Iterator[Pair]:
        return self._run(self.operations)


def _batches(api: Api, operations: Iterable[Operation], places: Places) -> Iterator[Batch]:
    by_container: dict[str, list[Operation]] = defaultdict(list)
    for operation in operations:
        by_container[operation.container].append(operation)
    for key, mine in by_container.items():
        where = members.container(key, places)
        if where is None:
            yield Batch(mine, _gone)
            continue
        # Those who leave come first: an opt-out does not wait for anybody's new name.
        leaving = [operation for operation in mine if operation.verb in LEAVING]
        for start in range(0, len(leaving), MOST):
            yield Batch(leaving[start : start + MOST], _leave(api, where))
        for part in bulk.batches(operation for operation in mine if _goes_in_bulk(operation)):
            yield Batch(part, _write(api, where))
        rest = [operation for operation in mine if operation.verb not in LEAVING and not _goes_in_bulk(operation)]
        if rest:
            yield Batch(rest, _one_by_one(api, where))


def _goes_in_bulk(operation: Operation) -> bool:
    before, after = operation.before, operation.after
    if operation.verb == Verb.CREATE:
        return True
    if operation.verb != Verb.UPDATE or (before and before.address.lower() != after.address.lower()):
        return False
    if operation.reads_first:
        return False  # rows are written unread
    # Who is not subscribed is changed one by one: a row could bring them back if they are gone there.
    return after.standing == Standing.SUBSCRIBED or not bulk.is_written(operation)


def _gone(operations: list[Operation]) -> Iterator[Pair]:
    """Their audience was deleted there, and they with it."""
    yield from ((operation, Done()) for operation in operations)


def _write(api: Api, where: Container) -> Callable[[list[Operation]], Iterator[Pair]]:
    def run(operations: list[Operation]) -> Iterator[Pair]:
        outcomes = bulk.carry_out(api, where, operations)
        yield from ((operation, outcomes[operation.subject]) for operation in operations)

    return run


def _one_by_one(api: Api, where: Container) -> Callable[[list[Operation]], Iterator[Pair]]:
    return lambda operations: side_by_side(lambda operation: single.carry_out(api, where, operation), operations)


def _leave(api: Api, where: Container) -> Callable[[list[Operation]], Iterator[Pair]]:
    """Tags off many at a time, then each unsubscribed or archived: an archived member keeps their tags."""

    def run(operations: list[Operation]) -> Iterator[Pair]:
        leaving = [(op, op.before.address, op.before.lists - op.after.lists) for op in operations if op.before]
        trouble = tags.take_off(api, where, leaving)

        def work(operation: Operation) -> Outcome:
            kept_on = trouble.get(operation.subject)
            if kept_on is not None and operation.verb == Verb.DISABLE:
                return kept_on
            outcome = single.carry_out(api, where, operation)
            return kept_on if kept_on is not None and isinstance(outcome, Done) else outcome

        return side_by_side(work, operations)

    return run


def side_by_side(work: Callable[[Operation], Outcome], operations: list[Operation]) -> Iterator[Pair]:
    """A few calls at once, fewer than one Mailchimp user may hold open. No new one starts while nobody asks."""
    if len(operations) == 1:
        yield operations[0], work(operations[0])
        return
    queue = iter(operations)
    revoked: Outcome | None = None
    running: dict[Future[Outcome], Operation] = {}
    with ThreadPoolExecutor(settings.MAILCHIMP_CONNECTIONS) as pool:
        for operation in islice(queue, settings.MAILCHIMP_CONNECTIONS):
            running[pool.submit(work, operation)] = operation
        while running:
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                operation, outcome = running.pop(future), future.result()
                revoked = outcome if isinstance(outcome, Reconnect) else revoked
                if revoked is None:
                    for following in islice(queue, 1):
                        running[pool.submit(work, following)] = following
                yield operation, outcome
    yield from ((operation, revoked) for operation in queue if revoked is not None)
