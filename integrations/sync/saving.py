"""Write interactions: one call for each due row, exactly once whatever happens on the way (D10–D13).

`maybe` is committed before the call. Whoever finds a row in `maybe` asks the service first whether the interaction is
there, by a mark of its own. The stop before is interactions; the stop after is the provider.
"""

from datetime import timedelta
from typing import Any

from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from integrations.models import Delivery, RemoteRecord, Switch
from integrations.provider_kit.errors import Ambiguous, CallFailed, Outcome, Refused
from integrations.provider_kit.giving import Interaction
from integrations.providers import all_providers
from integrations.sync import interactions, slices
from integrations.sync.giving_way import giving_way
from integrations.sync.interactions import BEFORE, KIND, NO_ID
from integrations.sync.turn import Turn
from tasks_app.models import VideoEvent

State, Effect = RemoteRecord.State, RemoteRecord.Effect
GONE = "person_gone"
OFF = "switched_off"
UNDER_WAY = timedelta(minutes=2)  # so long a slow service may still be at it after we gave up waiting
WORN_OUT = "Saving it went wrong several times, so it was stopped."


def save_due(turn: Turn) -> None:
    """Save what is due, one at a time, until nothing is or the time is over. Raises `Interrupted`."""
    while not turn.is_over:
        turn.stay()
        records = slices.claim(turn.connection, KIND, turn.lease.token, 1)
        if not records:
            return
        Saving(turn, records[0]).go()


class Saving:
    """One claimed row on its way."""

    def __init__(self, turn: Turn, record: RemoteRecord) -> None:
        self.turn, self.record = turn, record
        self.connection, self.provider = turn.connection, turn.provider
        self.mine = RemoteRecord.objects.filter(pk=record.pk, token=turn.lease.token)

    def go(self) -> None:
        """Decide, call, settle."""
        event = interactions.events_of([self.record]).get(self.record.known.get("event", 0))
        if event is None:  # with its contact, who was deleted
            self.settle(State.OK, "")
            return
        key = all_providers()[self.connection.provider].interaction_switches[event.kind]
        switch = Switch.objects.filter(connection=self.connection, kind=key, is_on=True).first()
        numbers = interactions.ids_there(self.connection, [event.thank_you.contact])[event.thank_you.contact_id]
        reason = OFF if switch is None else ""
        if switch is not None and not interactions.is_after(event, switch.turned_on_at):  # known only now, maybe
            reason = BEFORE
        if reason and self.record.effect == Effect.NONE:
            self.settle(State.SKIPPED, reason)
        elif not numbers:
            self.settle(State.SKIPPED, NO_ID)
        elif self.record.attempts > slices.POISON:
            self.settle(State.SET_ASIDE, "internal", WORN_OUT)
        else:
            self.save(event, key, numbers, reason)

    def save(self, event: VideoEvent, key: str, numbers: list[str], reason: str) -> None:
        """Under the first of these numbers that somebody has there. What may be there already is looked for under all
        of them before anything is written; with a reason why it is not to be saved any more, it is only looked for."""
        tried = [str(tried)] if (tried := self.record.known.get("person")) else []
        look, write = self.provider.find_interaction, self.write
        ways = [(look, number) for number in dict.fromkeys([*tried, *numbers]) if self.record.effect == Effect.MAYBE]
        ways += [(write, number) for number in numbers if not reason]
        problem: Outcome = Refused(reason or GONE, "")
        for way, number in ways:
            one = interaction(event, self.record, number, interactions.code_of(self.connection, key), self.connection)
            try:
                saved = way(one)
            except CallFailed as failure:
                problem = failure.outcome
                if isinstance(problem, Refused) and problem.code == GONE:
                    continue
                break
            if saved:
                self.done(event, key, one, saved)
                return
        self.failed(event, problem)

    def write(self, one: Interaction) -> str:
        """Its id there. That it may be there, and on whom, is on record before the call."""
        self.mine.update(effect=Effect.MAYBE, known=self.record.known | {"person": one.person_id})
        return self.provider.save_interaction(one)

    # --- what came of it ---
    def done(self, event: VideoEvent, key: str, one: Interaction, saved: str) -> None:
        """It is there."""

        def write() -> None:
            self.turn.lease.renew()
            self.deliver(event, Delivery.Outcome.DONE, f"Interaction {saved}", one.text)
            self.settle(
                State.OK,
                "",
                effect=Effect.DONE,
                known={"event": event.pk, "kind": event.kind, "id": saved, "person": one.person_id},
            )
            Switch.objects.filter(connection=self.connection, kind=key).update(last_success_at=Now())

        giving_way(write)
        self.turn.success()

    def failed(self, event: VideoEvent, outcome: Outcome) -> None:
        """Refused: shown to people. Anything else: later, after a look if it may have been saved."""
        if isinstance(outcome, Refused):
            # Of this attempt nothing is there; one before may have left something all the same.
            self.mine.update(effect=self.record.effect, known=self.record.known)
            if outcome.code in (OFF, BEFORE):
                self.settle(State.SKIPPED, outcome.code)
            else:
                self.deliver(event, Delivery.Outcome.REFUSED, outcome.sentence)
                self.settle(State.SET_ASIDE, outcome.code, outcome.sentence)
            self.turn.success()
            return
        if isinstance(outcome, Ambiguous):
            self.deliver(event, Delivery.Outcome.UNCLEAR, outcome.sentence)
        try:
            self.turn.bear(outcome, [self.record], got_through=False)
        finally:
            if isinstance(outcome, Ambiguous):
                early = RemoteRecord.objects.filter(pk=self.record.pk, due_at__lt=Now() + UNDER_WAY)
                early.update(due_at=Now() + UNDER_WAY)

    def settle(self, state: str, code: str, sentence: str = "", **more: Any) -> None:
        """Owed no more, unless it was asked for anew meanwhile."""
        self.mine.filter(want_version=F("sent_version")).update(due_at=None)
        self.mine.update(
            state=state, reason_code=code, reason=sentence[:300], token="", attempts=0, troubles=0, troubled_at=None,
            **more,
        )  # fmt: skip

    def deliver(self, event: VideoEvent, outcome: str, answer: str, text: str = "") -> None:
        """A row of the contact's history."""
        Delivery.objects.create(
            tenant_id=self.connection.tenant_id, connection=self.connection, kind=KIND,
            subject_uid=event.thank_you.contact.uid, verb="save_interaction", outcome=outcome, answer=answer[:300],
            cause=event.get_kind_display()[:200], after={"fields": {"text": text}} if text else None,
        )  # fmt: skip


def interaction(event: VideoEvent, record: RemoteRecord, number: str, code: str, connection: Any) -> Interaction:
    """What is written there."""
    day = timezone.localtime(event.at, connection.tenant.tz).date()
    return Interaction(record.subject_uid, number, day, code, words(event))


def words(event: VideoEvent) -> str:
    """“Video sent: https://…”; of a reply, its words."""
    kind, link = event.Kind(event.kind), event.link or event.thank_you.video_link
    if kind == VideoEvent.Kind.SENT:
        return f"Thank-you video sent: {link}" if link else "Thank-you video sent."
    if kind == VideoEvent.Kind.WATCHED:
        much = f" ({event.percent} percent)" if event.percent is not None else ""
        return f"Thank-you video watched{much}."
    said = f"Reply to the thank-you video: {event.text}" if event.text else "The thank-you video was replied to."
    return f"{said} {event.link}".strip()
