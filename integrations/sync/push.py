"""Carry out: under the lease, slice by slice, hand operations to the provider and settle what came of them.

The stop before is outbox (what is due), the stop after is the provider. A sitting ends after about 15 s, so that
tenants take turns.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now

from contacts.models import ListMembership
from integrations.models import Delivery, RemoteRecord, RunItem, SyncRun
from integrations.models.remote import Priority
from integrations.provider_kit import errors
from integrations.provider_kit.errors import Ambiguous, Done, Outcome, Reconnect, Refused, Retry
from integrations.provider_kit.states import ListOperation, Operation, Verb
from integrations.sync import brake, broker, listening, noting, pull, slices, taking_back
from integrations.sync.doubts import Doubts
from integrations.sync.giving_way import giving_way
from integrations.sync.planning import same_goal, signature
from integrations.sync.put_back import for_a_repair
from integrations.sync.settle import Settlement, report
from integrations.sync.slices import Row
from integrations.sync.taking_back import TAKEN_BACK, Order
from integrations.sync.turn import Interrupted

log = logging.getLogger(__name__)
State = RemoteRecord.State
ON_ITS_WAY = (SyncRun.State.RUNNING, SyncRun.State.ASKING)  # a question may be open about another list of the run
LONGEST_LOOK = 40.0  # seconds that the brake may look on when the turn is over; with them a job is not cut yet


class Sitting(Doubts):
    """One worker's turn on one connection, with what it sends."""

    has_new_places = False

    def push(self, only_urgent: bool = False) -> None:
        """Send what is due, lists before people, until nothing is or the time is over. Raises `Interrupted`.

        While large changes wait for calls (L29), only what is urgent is sent.
        """
        if brake.is_settling(self.connection):
            self.brake()
        while not self.is_over:
            self.stay()
            lists = slices.claim(self.connection, RemoteRecord.Kind.LIST, self.lease.token, 50, self.bulk_waits)
            if lists:
                self.provider.is_urgent = slices.is_urgent(lists[0])
                self.push_lists(lists)
                continue
            self.hear_from_new_places()
            limit, urgent = self.policy.batch_size, only_urgent or self.bulk_waits
            records = slices.claim(self.connection, RemoteRecord.Kind.CONTACT, self.lease.token, limit, urgent)
            if not records:
                return
            self.provider.is_urgent = slices.is_urgent(records[0])
            self.push_people(records)

    def brake(self) -> None:
        """Have everything that is owed looked at; whatever takes too many off a list is held (L32)."""
        brake.check(self.connection, self.policy, self.stay, lambda: time.monotonic() > self.ends_at + LONGEST_LOOK)

    def hear_from_new_places(self) -> None:
        """Lists that are places of their own were made: their opt-outs shall reach us at once as well (L21)."""
        if self.has_new_places and self.connection.hook_key_hash:
            listening.start_listening(self.connection)
        self.has_new_places = False

    # --- lists ---
    def push_lists(self, records: list[RemoteRecord]) -> None:
        """Create, rename and delete lists there, one at a time."""
        planned, orders = slices.plan_lists(records, self.policy), taking_back.orders_of(records)
        deleting = [r.pk for r, _, operations in planned if any(o.verb == Verb.DELETE_LIST for o in operations)]
        if deleting and RemoteRecord.objects.filter(pk__in=deleting, brake_passed=False).exists():
            self.give_back(records)
            self.brake()
            return
        shown = slices.shown_by(records)
        noting.note_lists(planned, shown)
        for record, _, operations in planned:
            if record.attempts > slices.POISON:
                self.settle_list(record, Refused("internal", "Sending it went wrong several times, so it was stopped."))
            elif not slices.still_holds(shown.get(record.pk), record, operations):
                self.settle_list(record, Done(), changed=True)
            elif (order := orders.get(record.pk)) and order.holds(record):
                self.take_list_back(record, order)
            elif operations and record.refused_hash == signature(operations):
                self.settle_list(record, Refused(record.reason_code or "refused", record.reason))
            elif not operations:
                self.settle_list(record, Done())
            else:
                outcome = self.send_list(record, operations[0])
                self.settle_list(record, outcome, operations[0])
                if isinstance(outcome, Retry | Ambiguous):
                    return  # everything claimed was let go for the pause; it is claimed anew

    def take_list_back(self, record: RemoteRecord, order: Order) -> None:
        """One list of an undo, which is held afterwards."""
        operations, code = taking_back.plan_list_back(record, order, self.policy)
        outcome = self.send_list(record, operations[0]) if operations else Done()
        self.settle_list(record, outcome, operations[0] if operations else None, changed=bool(code), order=order)

    def send_list(self, record: RemoteRecord, operation: ListOperation) -> Outcome:
        """One call. `maybe` is committed before a creation; found in `maybe`, the vendor is asked first."""
        try:
            if operation.verb == Verb.CREATE_LIST:
                if record.effect == RemoteRecord.Effect.MAYBE and (found := self.provider.find_list(operation)):
                    return Done(remote_id=found)
                RemoteRecord.objects.filter(pk=record.pk, token=self.lease.token).update(
                    effect=RemoteRecord.Effect.MAYBE
                )
                record.effect = RemoteRecord.Effect.MAYBE
            return self.provider.carry_out_list(operation)
        except errors.CallFailed as failure:
            return failure.outcome

    def settle_list(
        self, record: RemoteRecord, outcome: Outcome, operation: ListOperation | None = None, changed: bool = False,
        order: Order | None = None,
    ) -> None:  # fmt: skip
        """Record what came of one list."""
        mine = RemoteRecord.objects.filter(pk=record.pk, token=self.lease.token)
        if operation is not None and not isinstance(outcome, Retry | Reconnect):
            self.deliver_list(record, operation, outcome)
        if isinstance(outcome, Done):
            # In one transaction, or its members might never hear that it is there.
            giving_way(lambda: self.settle_done(mine, record, outcome, operation))
            if order is not None and not changed:  # `order` is of an undo
                mine_now = RemoteRecord.objects.filter(pk=record.pk, due_at__isnull=True)
                mine_now.update(state=State.HELD, reason_code=TAKEN_BACK, reason=order.sentence)
            report([record.pk], "changed" if changed else "done")
            if operation is not None:
                self.success()
        elif isinstance(outcome, Refused):
            mine.filter(want_version=F("sent_version")).update(due_at=None)
            mine.update(
                state=State.SET_ASIDE, reason_code=outcome.code, reason=outcome.sentence[:300], token="", attempts=0,
                troubles=0, troubled_at=None, refused_hash=signature([operation]) if operation else record.refused_hash,
            )  # fmt: skip
            report([record.pk], "refused", outcome.code, outcome.sentence[:300])
        else:
            self.bear(outcome, [record], got_through=False)

    def settle_done(self, mine: Any, record: RemoteRecord, outcome: Done, operation: ListOperation | None) -> None:
        """The list is there as wanted; after a creation its members are looked at again."""
        if operation is not None:
            record.known = learn_list(record.known, operation, outcome)
            mine.update(known=record.known, effect=RemoteRecord.Effect.DONE)
            if operation.verb == Verb.CREATE_LIST:
                self.wake_members(record)
                self.has_new_places |= operation.place != self.policy.container
        mine.filter(want_version=F("sent_version")).update(due_at=None, state=State.OK, reason_code="", reason="")
        mine.update(token="", attempts=0, troubles=0, troubled_at=None)

    def deliver_list(self, record: RemoteRecord, operation: ListOperation, outcome: Outcome) -> None:
        """One row of the history for a list."""
        sentence = getattr(outcome, "sentence", "") or getattr(outcome, "answer", "")
        before = record.known.get("names", {}).get(operation.place, "")
        Delivery.objects.create(
            tenant_id=self.connection.tenant_id,
            connection=self.connection,
            run_id=record.run_id,
            kind=record.kind,
            subject_uid=record.subject_uid,
            verb=operation.verb,
            container=operation.place,
            before={"name": before} if before else None,
            after={"name": operation.name},
            outcome=delivery_outcome(outcome),
            answer=sentence[:300],
            cause=record.cause,
        )

    def wake_members(self, record: RemoteRecord) -> None:
        """A list that now exists: its members who are not due already are looked at again."""
        uids = ListMembership.objects.filter(contact_list__uid=record.subject_uid).values("contact__uid")
        RemoteRecord.objects.filter(
            connection=self.connection, kind=RemoteRecord.Kind.CONTACT, subject_uid__in=uids, due_at__isnull=True
        ).update(
            due_at=Now(), want_version=F("want_version") + 1, priority=Priority.BULK, cause=record.cause,
            brake_passed=False,
        )  # fmt: skip

    # --- people ---
    def push_people(self, records: list[RemoteRecord]) -> None:
        """Plan a slice of people from their state now, send what is owed and settle it as answers come."""
        for_a_repair(records)
        places = slices.places_of(self.connection)
        present = slices.present_lists(places, self.policy)
        rows = slices.plan_rows(records, self.policy, self.place, present)
        if unsure := [row for row in rows if slices.is_unsure(row)]:
            if not self.look_at(unsure, places):
                self.give_back(records)
                return
            rows = slices.plan_rows(records, self.policy, self.place, present)
        if brake.is_news(rows):
            self.give_back(records)
            self.brake()
            return
        settlement = Settlement(self.connection, self.lease.token, rows)
        operations = self.sort_out(rows, settlement)
        settlement.announce(operations)
        self.record(settlement)
        trouble: Outcome | None = None
        with closing(self.outcomes(operations, places)) as outcomes:  # type: ignore[type-var]  # a generator
            for operation, outcome in outcomes:
                if isinstance(outcome, Reconnect) or (isinstance(outcome, Retry) and not outcome.alone):
                    trouble = outcome
                    break
                settlement.take(operation, outcome)
                if isinstance(outcome, Ambiguous) and not outcome.is_underway:
                    trouble = outcome
                if len(settlement.deliveries) >= 500 or time.monotonic() - self.renewed_at > settings.LEASE_SECONDS / 4:
                    self.record(settlement)
                if self.is_over and time.monotonic() > self.ends_at + settings.SLICE_SECONDS:
                    break
        self.record(settlement)
        self.let_go(records, settlement, trouble)

    def sort_out(self, rows: list[Row], settlement: Settlement) -> list[Operation]:
        """Settle at once what needs no call, and return the operations that do."""
        shown = slices.shown_by([row.record for row in rows])
        noting.note_people(rows, shown)
        # Lists that could not be made there are left out of what was shown; the rest of it still holds.
        astray = [r.record for r in rows if not slices.still_holds(shown.get(r.record.pk), r.record, r.plan.operations)]
        whole = {row.record.pk: row for row in self.plan_wholly(astray)}
        gone = self.no_longer_shown(list(whole.values()), shown)
        operations: list[Operation] = []
        for row in rows:
            planned, record = row.plan.first, row.record
            if row.plan.released or row.plan.adopted:
                for container in row.plan.released:
                    row.fresh_known.pop(container, None)
                row.fresh_known |= row.plan.adopted
                settlement.learn(row)
            if row.takes_back is not None and row.takes_back.is_left_alone:
                settlement.no_longer_shown.add(record.pk)
            if record.attempts > slices.POISON:
                settlement.finish(
                    row, State.SET_ASIDE, "internal", "Sending it went wrong several times, so it was stopped."
                )
            elif record.pk in gone:
                settlement.no_longer_shown.add(record.pk)
                settlement.finish(row, State.OK, "", "")
            elif planned and record.refused_hash == signature(planned):
                settlement.finish(row, State.SET_ASIDE, record.reason_code or "refused", record.reason)
            elif not planned:
                settlement.finish_planned(row)
            else:
                operations += [with_ticket(operation, row) for operation in planned]
        return operations

    def no_longer_shown(self, rows: list[Row], shown: Mapping[int, slices.Shown]) -> set[int]:
        """Rows of a run whose plan is neither as it was shown, nor what is left of that after half of it was done."""
        pks = [r.record.pk for r in rows if not slices.still_holds(shown.get(r.record.pk), r.record, r.plan.operations)]
        items: Any = RunItem.objects.filter(run__state__in=ON_ITS_WAY, record__in=pks).order_by()
        of = dict(items.values_list("record_id", "operations")) if pks else {}
        rest = {r.record.pk for r in rows if slices.is_rest_of(of.get(r.record.pk, ()), r.plan.operations)}
        return set(pks) - rest

    def plan_wholly(self, records: list[RemoteRecord]) -> list[Row]:
        """Plan as the preview did: as if every list were there."""
        return slices.plan_rows(records, self.policy, self.place, None) if records else []

    def outcomes(self, operations: list[Operation], places: object) -> Iterator[tuple[Operation, Outcome]]:
        """What the provider answers, operation by operation. The one broad `except` that we own stands here."""
        if not operations:
            return
        try:
            yield from self.provider.carry_out(operations, places)  # type: ignore[arg-type]
        except errors.CallFailed as failure:
            yield operations[0], failure.outcome
        except Exception:  # noqa: BLE001  a bug of ours must not stop the other connections; attempts bound the repeats
            log.exception("provider failed", extra={"connection": self.connection.pk})
            raise Interrupted from None

    def record(self, settlement: Settlement) -> None:
        """Write what came of the slice so far, for everybody whom it concerns, in one transaction and only if the
        lease is still ours: whoever was frozen meanwhile must not write an older state over a newer one."""
        kept = settlement.collected()

        def write() -> None:
            settlement.put_back(kept)
            self.lease.renew()
            settlement.write()
            found_out = self.hear_found(settlement)
            self.tell_sharers(settlement, found_out)

        giving_way(write)
        self.renewed_at = time.monotonic()
        if self.limits and not self.provider.is_urgent:
            broker.count_changes(self.limits, self.connection.tenant_id, len(kept["finished"]))

    def hear_found(self, settlement: Settlement) -> set[tuple[str, str]]:
        """Somebody turned out to have opted out there, or to be changed: that counts here as well (L21, L22), for all
        who have the address. Returns {(address, container)}."""
        for container, member, addresses, entry in settlement.found_out[len(settlement.heard) :]:
            settlement.heard.append((member.address.lower(), container))
            pull.apply(self.connection, container, member, addresses, entry)
        return set(settlement.heard)

    def tell_sharers(self, settlement: Settlement, told: set[tuple[str, str]]) -> None:
        """Others with the same address share the same person there (L8): what changed for one is looked at for them."""
        fresh: dict[tuple[str, str], pull.News] = {}
        for row in settlement.rows.values():
            uid = row.record.subject_uid
            for container in row.plan.released:
                left = row.known[container]
                fresh[left.address.lower(), container] = pull.News(uid, left, is_left=True)
            for container, member in row.fresh_known.items():
                if member != row.known.get(container):
                    held = row.takes_back.sentence if row.takes_back and not row.takes_back.is_overtaken else ""
                    fresh[member.address.lower(), container] = pull.News(uid, member, held=held)
        untold = {key: news for key, news in fresh.items() if key not in told and settlement.told.get(key) != news}
        if untold:
            settlement.told |= untold
            pull.share(self.connection, untold)

    def let_go(self, records: list[RemoteRecord], settlement: Settlement, trouble: Outcome | None) -> None:
        """Give back what was claimed and not settled; it stays due and its attempt does not count."""
        if settlement.got_through:
            self.success()
        if trouble is None:
            self.give_back(records)
            return
        left = RemoteRecord.objects.filter(pk__in=[r.pk for r in records], token=self.lease.token)
        failed = settlement.unclear if isinstance(trouble, Ambiguous) else set(left.values_list("pk", flat=True))
        self.bear(trouble, [record for record in records if record.pk in failed], settlement.got_through)


def with_ticket(operation: Operation, row: Row) -> Operation:
    """The operation, with what the vendor gave us when it took the same in before."""
    ticket = row.tickets.get(operation.container, "")
    is_it = ticket and same_goal(operation.after, row.maybe[operation.container])
    return replace(operation, ticket=ticket) if is_it else operation


def learn_list(known: dict[str, dict[str, str]], operation: ListOperation, outcome: Done) -> dict[str, dict[str, str]]:
    """What we know of a list after this operation was done."""
    ids, names = dict(known.get("ids", {})), dict(known.get("names", {}))
    if operation.verb == Verb.DELETE_LIST:
        ids.pop(operation.place, None)
        names.pop(operation.place, None)
    else:
        ids[operation.place] = outcome.remote_id or operation.remote_id
        names[operation.place] = operation.name
    return {"ids": ids, "names": names}


def delivery_outcome(outcome: Outcome) -> str:
    """How an outcome is called in the history."""
    if isinstance(outcome, Done):
        return Delivery.Outcome.DONE
    return Delivery.Outcome.REFUSED if isinstance(outcome, Refused) else Delivery.Outcome.UNCLEAR
