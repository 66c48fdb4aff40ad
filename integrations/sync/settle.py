"""Record what came of a slice, with its history: a row is settled only if it is still ours and unchanged."""

from collections import defaultdict
from collections.abc import Iterable
from copy import copy
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from integrations.models import Connection, Delivery, RemoteRecord, RunItem
from integrations.provider_kit.errors import Ambiguous, Done, Outcome, Refused, Retry
from integrations.provider_kit.states import Member, Operation, Standing, Verb, same_value
from integrations.sync.planning import HEARS_FROM_US, same, signature
from integrations.sync.slices import Row
from integrations.sync.taking_back import TAKEN_BACK

State, Effect = RemoteRecord.State, RemoteRecord.Effect
COLLECTED = ("deliveries", "finished", "refused", "delayed", "underway", "learned", "moving", "heard", "told")
# Why somebody is nowhere there: of a row that was sent it is why they were taken off, not why nothing was done.
WHY_THEY_LEFT = {
    "dnc_contact", "dnc_list", "opted_out", "not_on_a_list", "no_email", "email_bounced", "email_complained",
    "email_invalid", "deleted",
}  # fmt: skip
# What is said in the history of somebody whom we found so there.
LEFT = {
    Standing.UNSUBSCRIBED: "They have unsubscribed there, and it stays so.",
    Standing.CLEANED: "The address has been rejected there, and it stays so.",
}
LONG_WAIT = 300  # seconds; a row that waits longer is reported as not sent, so that its run can finish


class Settlement:
    """Collects the outcomes of one slice and writes them in one transaction, as often as `write` is called."""

    def __init__(self, connection: Connection, token: str, rows: Iterable[Row]) -> None:
        self.connection = connection
        self.token = token
        self.rows = {str(row.record.subject_uid): row for row in rows}
        self.deliveries: list[Delivery] = []
        self.finished: dict[int, tuple[str, str, str]] = {}  # record pk: (state, code, reason)
        self.refused: dict[int, str] = {}
        self.delayed: dict[int, float] = {}
        self.underway: dict[int, float] = {}  # rows that the vendor is still working on: seconds until it is asked
        self.refusals: dict[int, list[tuple[Operation, Refused]]] = {}
        self.waits: dict[int, Retry] = {}
        self.open: set[int] = set()  # rows that stay due, whatever else of theirs was done
        self.moving: set[int] = set()  # rows of those whom a new place took, and who are now to leave the old one
        self.unclear: set[int] = set()  # rows with a call whose answer was not clear
        self.got_through = False  # whether any call was
        self.put_there: set[tuple[str, str]] = set()  # (container, address) of entries that are ours
        self.no_longer_shown: set[int] = set()  # rows of a run that would not be carried out as they were shown
        self.learned: dict[int, Row] = {}
        # Who turned out to have opted out there, or to be changed: (container, member, the addresses it is about, what
        # was known of that address through others).
        self.found_out: list[tuple[str, Member, tuple[str, ...], Member | None]] = []
        self.heard: list[tuple[str, str]] = []  # (address, container) of those, once it was acted upon
        self.told: dict[tuple[str, str], Any] = {}  # what those who share an address have been told
        # Rows that may have created something before: who is found there then is ours.
        self.may_exist = {r.record.pk for r in self.rows.values() if r.record.effect != RemoteRecord.Effect.NONE}
        for row in self.rows.values():
            row.open_operations = len(row.plan.first)
            row.fresh_known = dict(row.known)

    def take(self, operation: Operation, outcome: Outcome) -> None:
        """Take in the outcome of one operation."""
        row = self.rows[operation.subject]
        row.open_operations -= 1
        if isinstance(outcome, Done) or (operation.before is None and not isinstance(outcome, Ambiguous)):
            # A creation is one call. Of a change that was refused in the end, some may have been done.
            row.maybe.pop(operation.container, None)
            row.tickets.pop(operation.container, None)
            self.learn(row)
        if isinstance(outcome, Done):
            self._done(row, operation, outcome)
        elif isinstance(outcome, Refused):
            self.deliver(row, operation, Delivery.Outcome.REFUSED, outcome.sentence)
            if outcome.now is not None:
                row.fresh_known[operation.container] = outcome.now
                self.learn(row)
                self.open.add(row.record.pk)  # something else is owed now, and will be refused for itself
                return
            self.refusals.setdefault(row.record.pk, []).append((operation, outcome))
        elif isinstance(outcome, Retry):
            self.deliver(row, operation, Delivery.Outcome.RETRY, outcome.sentence)
            self.waits[row.record.pk] = outcome
        elif isinstance(outcome, Ambiguous) and outcome.is_underway:
            # Told when it has come to its end; what was sent stays in doubt until then.
            row.tickets[operation.container] = outcome.ticket
            self.learn(row)
            self.open.add(row.record.pk)
            self.underway[row.record.pk] = max(outcome.after or 0.0, self.underway.get(row.record.pk, 0.0))
            self.got_through = True
        elif isinstance(outcome, Ambiguous):
            row.tickets.pop(operation.container, None)  # what it was part of before is over
            self.learn(row)
            self.deliver(row, operation, Delivery.Outcome.UNCLEAR, outcome.sentence)
            self.open.add(row.record.pk)
            self.unclear.add(row.record.pk)
        self.got_through |= isinstance(outcome, Done | Refused)
        if row.open_operations == 0 and row.record.pk not in self.open:
            self.close(row)

    def close(self, row: Row) -> None:
        """Every operation of this row had its answer: say what has become of it as a whole."""
        pk = row.record.pk
        if refusals := self.refusals.get(pk):
            refused = [operation for operation, _ in refusals]
            self.refused[pk] = signature(planned for planned in row.plan.operations if planned in refused)
            self.finish(row, State.SET_ASIDE, refusals[-1][1].code, refusals[-1][1].sentence)
        elif wait := self.waits.get(pk):
            self.delayed[pk] = wait.after if wait.after is not None else backoff(row.record.attempts)
            self.finish(row, State.OK, "", wait.sentence)
        elif len(row.plan.first) < len(row.plan.operations):
            if row.takes_back is None:
                self.moving.add(pk)  # it stays due: the rest is planned anew from what is there now
        else:
            self.finish_planned(row)

    def _done(self, row: Row, operation: Operation, outcome: Done) -> None:
        container, after, now = operation.container, operation.after, outcome.now
        has_left = now is not None and now.standing != after.standing and now.standing in LEFT
        if outcome.left is not None:
            row.left[container] = outcome.left
        if now is None:
            row.fresh_known.pop(container, None)
        else:
            expected = after.standing
            standing = now.standing
            if standing == Standing.ARCHIVED and expected != Standing.ARCHIVED:
                standing = Standing.REMOVED  # somebody archived them there; only a person's decision brings them back
            ours = now.ours or self.is_ours(row, operation, now)
            row.fresh_known[container] = after.but(
                address=now.address, standing=standing, remote_id=now.remote_id or after.remote_id, ours=ours
            )
            if ours:
                self.put_there.add((container, now.address.lower()))
            if has_left:
                self.found_out.append((container, now, (now.address,), row.entries.get(container)))
                row.fresh_known[container] = row.fresh_known[container].but(standing=expected)
            elif operation.verb == Verb.UPDATE and now.address.lower() != after.address.lower():
                self.open.add(row.record.pk)  # found under another address there; what to do about it is planned anew
            self._changed_there(row, operation, now)
        if has_left and now is not None and after.standing in HEARS_FROM_US:  # nothing of it has come about
            stays = (operation.before or after.but(fields={})).but(standing=now.standing, lists=frozenset())
            found = replace(operation, after=stays)
            self.deliver(row, found, Delivery.Outcome.REFUSED, outcome.answer or LEFT[now.standing])
        else:
            answer = outcome.answer or (LEFT[now.standing] if has_left and now is not None else "")
            self.deliver(row, operation, Delivery.Outcome.DONE, answer)
        self.learn(row)

    def _changed_there(self, row: Row, operation: Operation, now: Member) -> None:
        """Somebody changed there what is not ours alone (L22): it is known as before, and heard as any other news."""
        before, known = operation.before, row.fresh_known[operation.container]
        was = before.fields if before else {}
        other = {
            name for name in operation.spares & operation.after.fields.keys()
            if not same_value(now.fields.get(name, operation.after.fields[name]), operation.after.fields[name])
        }  # fmt: skip
        addresses = {operation.after.address, before.address} if before else {now.address}
        moved = now.standing in HEARS_FROM_US and now.address.lower() not in {one.lower() for one in addresses}
        if other or moved:
            fields = {name: was.get(name, "") if name in other else value for name, value in known.fields.items()}
            row.fresh_known[operation.container] = known.but(fields=fields)
            if moved and before:  # nothing was written
                row.fresh_known[operation.container] = before.but(remote_id=now.remote_id, lists=now.lists)
            self.found_out.append((operation.container, now, tuple(sorted(addresses | {now.address})), None))

    def is_ours(self, row: Row, operation: Operation, now: Member) -> bool:
        """Whether somebody who was found there was put there by us: before a crash, or for another contact (L8)."""
        if operation.before is None and row.record.pk in self.may_exist:
            return True
        entry, key = row.entries.get(operation.container), (operation.container, now.address.lower())
        return key in self.put_there or (entry is not None and entry.ours and entry.address.lower() == key[1])

    def announce(self, operations: Iterable[Operation]) -> None:
        """Note what is about to be sent: after a crash or an unclear answer it may be so there."""
        for operation in operations:
            row = self.rows[operation.subject]
            row.maybe[operation.container] = operation.after
            if not operation.ticket:
                row.tickets.pop(operation.container, None)
            self.learn(row)

    def learn(self, row: Row) -> None:
        """Its fresh knowledge is written with the rest, however often it changes until then."""
        self.learned[row.record.pk] = row

    def finish_planned(self, row: Row) -> None:
        """The row is in step: as planned, or with the reason why nothing is there. Of an undo, it is held."""
        if row.takes_back is not None and not row.takes_back.is_overtaken:
            self.finish(row, *row.takes_back.outcome)
            return
        waiting = any(m.standing == Standing.PENDING for m in row.fresh_known.values())
        removed = any(m.standing == Standing.REMOVED for m in row.fresh_known.values())
        code = "removed_there" if removed else "waiting_confirmation" if waiting else row.code
        state = State.WAITING if code == "waiting_confirmation" else State.SKIPPED if code else State.OK
        self.finish(row, state, code, "")

    def finish(self, row: Row, state: str, code: str, reason: str) -> None:
        """Settle this row with that state."""
        self.finished[row.record.pk] = (state, code, reason[:300])

    def deliver(self, row: Row, operation: Operation, outcome: str, answer: str) -> None:
        """One row of the history (L30)."""
        self.deliveries.append(
            Delivery(
                tenant_id=self.connection.tenant_id, connection_id=self.connection.pk, run_id=row.record.run_id,
                kind=row.record.kind, subject_uid=row.record.subject_uid, verb=operation.verb,
                container=operation.container, before=operation.before.to_json() if operation.before else None,
                after=operation.after.to_json(), outcome=outcome, answer=answer[:300], cause=row.record.cause,
            )
        )  # fmt: skip

    def collected(self) -> dict[str, Any]:
        """What waits to be written, for the case that the transaction is taken back."""
        return {name: copy(getattr(self, name)) for name in COLLECTED}

    def put_back(self, collected: dict[str, Any]) -> None:
        """As it was when `collected` was asked."""
        for name, value in collected.items():
            setattr(self, name, copy(value))

    def write(self) -> None:
        """Write what has been taken in so far, in one transaction; rows that changed meanwhile stay due."""
        if not (self.finished or self.learned or self.deliveries or self.underway):
            return
        with transaction.atomic():
            mine = RemoteRecord.objects.filter(token=self.token)
            self._write_learned()
            self._write_finished(mine)
            self._write_delayed(mine)
            self._write_underway(mine)
            for pk, fingerprint in self.refused.items():
                mine.filter(pk=pk).update(refused_hash=fingerprint)
            Delivery.objects.bulk_create(self.deliveries, batch_size=500)
            mine.filter(pk__in=list(self.finished.keys() - self.delayed.keys())).update(
                token="", attempts=0, troubles=0, troubled_at=None
            )
            mine.filter(pk__in=list(self.delayed)).update(token="", troubles=0, troubled_at=None)
            mine.filter(pk__in=list(self.moving)).update(  # no preview has shown the rest alone, nor the brake seen it
                want_version=F("want_version") + 1, sent_version=F("sent_version") + 1, brake_passed=False
            )
            self.moving = set()
        self.deliveries, self.finished, self.refused, self.learned = [], {}, {}, {}
        self.delayed, self.underway = {}, {}

    def _write_learned(self) -> None:
        """One statement for many rows: Django's `bulk_update` spends 40 times as long on making its CASE."""
        if not self.learned:
            return
        names = ("known", "known_address", "effect", "id", "token")
        fields: list[Any] = [RemoteRecord._meta.get_field(name) for name in names]
        values = []
        for row in self.learned.values():
            record = row.record
            record.known, record.known_address, record.effect = fresh_knowledge(row)
            mine = (record.known, record.known_address, record.effect, record.pk, self.token)
            values.append([f.get_db_prep_save(value, connection) for f, value in zip(fields, mine, strict=True)])
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE integrations_remoterecord SET known = %s, known_address = %s, effect = %s"
                " WHERE id = %s AND token = %s",
                values,
            )

    def _write_finished(self, mine: Any) -> None:
        groups: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
        for pk, outcome in self.finished.items():
            if pk not in self.delayed:
                groups[outcome].append(pk)
        of_a_run = {row.record.pk for row in self.rows.values() if row.record.run_id}
        sent = {row.record.pk for row in self.rows.values() if row.plan.first}
        for (state, code, reason), pks in groups.items():
            forget = {} if state == State.SET_ASIDE else {"refused_hash": ""}
            mine.filter(pk__in=pks, want_version=F("sent_version")).update(
                due_at=None, state=state, reason_code=code, reason=reason, **forget
            )
            if code == TAKEN_BACK:
                code = reason = ""  # why it is held is no reason in the report: it was done
            if reported := of_a_run.intersection(pks) - self.no_longer_shown:
                report(reported & sent, item_state(state, "" if code in WHY_THEY_LEFT else code), code, reason)
                report(reported - sent, item_state(state, code), code, reason)
        if self.no_longer_shown:
            report(self.no_longer_shown, RunItem.State.CHANGED)

    def _write_delayed(self, mine: Any) -> None:
        for pk, seconds in self.delayed.items():
            reason = self.finished[pk][2]
            unchanged = mine.filter(pk=pk, want_version=F("sent_version"))
            if not unchanged.update(due_at=Now() + timedelta(seconds=seconds), reason=reason, refused_hash=""):
                continue  # it was changed meanwhile, and that does not wait
            if seconds > LONG_WAIT:
                report([pk], RunItem.State.REFUSED, "try_later", reason)
                mine.filter(pk=pk).update(run=None)

    def _write_underway(self, mine: Any) -> None:
        """They come up again when the vendor may be done; an edit meanwhile does not wait. It was no vain attempt."""
        waits: defaultdict[float, list[int]] = defaultdict(list)
        for pk, seconds in self.underway.items():
            waits[round(seconds, 1)].append(pk)
        for seconds, pks in waits.items():
            unchanged = mine.filter(pk__in=pks, want_version=F("sent_version"))
            unchanged.update(due_at=Now() + timedelta(seconds=seconds))
            mine.filter(pk__in=pks).update(token="", attempts=0, troubles=0, troubled_at=None)


def fresh_knowledge(row: Row) -> tuple[dict[str, Any], str, str]:
    """What is known of this row now, as `known`, `known_address` and `effect` keep it."""
    known: dict[str, Any] = {"containers": {key: member.to_json() for key, member in row.fresh_known.items()}}
    if row.maybe:
        known["maybe"] = {key: member.to_json() for key, member in row.maybe.items()}
    if tickets := {key: ticket for key, ticket in row.tickets.items() if key in row.maybe}:
        known["tickets"] = tickets
    if left := entries_left(row):
        known["offered"] = {key: member.to_json() for key, member in left.items()}
    addresses = (m.address.lower() for m in [*row.fresh_known.values(), *row.maybe.values()])
    effect = Effect.DONE if row.fresh_known else Effect.MAYBE if row.maybe else Effect.NONE
    return known, next(addresses, ""), effect


def entries_left(row: Row) -> dict[str, Member]:
    """Entries that we gave up: archived ones are brought back should the person return to that address; of those whom
    we unsubscribed there ourselves it is still known that this was nobody's own word."""
    before = {key: Member.from_json(data) for key, data in row.record.known.get("offered", {}).items()}
    return {
        key: member
        for key, member in (before | row.left).items()
        if member.standing in (Standing.ARCHIVED, Standing.UNSUBSCRIBED)
        and not (key in row.fresh_known and same(row.fresh_known[key].address, member.address))
    }


def item_state(state: str, code: str) -> str:
    """How a row's state reads in the report of its run."""
    if state == State.SET_ASIDE:
        return RunItem.State.REFUSED
    return RunItem.State.SKIPPED if code and code != "waiting_confirmation" else RunItem.State.DONE


def report(record_pks: Iterable[int], state: str, code: str = "", reason: str = "") -> None:
    """Note in the running report what came of these rows."""
    RunItem.objects.filter(record__in=list(record_pks), run__state__in=["running", "asking"]).update(
        state=state, reason_code=code, reason=reason
    )


def backoff(attempts: int) -> float:
    """Seconds until the next try of one row: doubling from the base, up to the maximum."""
    return min(settings.BACKOFF_MAX_SECONDS, settings.BACKOFF_BASE_SECONDS * 2 ** min(attempts, 16))
