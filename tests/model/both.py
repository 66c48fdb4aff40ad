"""Random days of an organization with both vendors at once: people opt out at either, and both sides must be right."""

from dataclasses import replace
from typing import Any, ClassVar
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import rule

from contacts.tenancy.models import Tenant
from integrations.models import RemoteRecord
from integrations.providers.constant_contact import activities, people
from integrations.providers.constant_contact.answers import ASKED
from integrations.sync import runs
from tests.fakes.control import reset
from tests.fakes.faults import Faults
from tests.integrations.constant_contact import ConstantContactWorld
from tests.model import reference
from tests.model.constant_contact import Judge
from tests.model.machine import FAULTS, OURS, Days, address, some
from tests.model.watch import Step

LONG = 10.0**6


class BothDays(Days):
    """`Days`, and beside its Mailchimp a Constant Contact that the same contacts go to."""

    other_sandbox: ClassVar[Any] = None

    def connect_more(self, tenant: Tenant) -> None:
        """The second connection, before there is anybody."""
        sandbox = self.other_sandbox
        reset(sandbox, {})
        sandbox.options.per_second, sandbox.options.activity_step_s = 0, 0.0
        self.there = ConstantContactWorld(tenant, sandbox)
        self.there.connection.settings["brake"] = {"people": self.brake_at, "percent": 0}
        self.there.connection.save()
        self.other = Judge(self.there)
        self.other_checked = 0
        self.line.after_each.append(self.other.watch.look)
        # A handful of people shall be enough for bulk work, and nobody waits for it.
        self.stack.enter_context(patch.object(people, "MANY", 2))
        self.stack.enter_context(patch.object(activities, "POLLS", (0.0,)))

    # --- at Constant Contact ---
    def act_there(self, role: str, action: str, email: str, **more: Any) -> None:
        """Do it there if it can be done."""
        self.other.watch.look("api")
        self.there.sandbox.clock_ahead_s += 2
        try:
            self.there.act(role, action, email=email, **more)
        except ValueError:
            return  # nobody there, or not possible as they stand
        self.other.watch.look("user" if role == "person" else "admin")
        self.other.remember_theirs()

    @rule(email=address)
    def person_leaves_there(self, email: str) -> None:
        self.act_there("person", "unsubscribe", email)

    @rule(who=some)
    def member_leaves_there(self, who: int) -> None:
        """Somebody of ours, so that it is not only those of whom nothing is known."""
        if (contact := self.person(who)) and contact.primary_email:
            self.act_there("person", "unsubscribe", contact.primary_email.address)

    @rule(email=address)
    def person_confirms_there(self, email: str) -> None:
        self.act_there("person", "confirm", email)

    @rule(email=address)
    def person_signs_up_there(self, email: str) -> None:
        """By the form of a list of theirs."""
        self.act_there("person", "sign_up", email, list="River Friends")

    @rule(email=address)
    def holder_deletes_there(self, email: str) -> None:
        self.act_there("holder", "delete", email)

    @rule(email=st.sampled_from(OURS))
    def holder_adds_there(self, email: str) -> None:
        self.act_there("holder", "add_contact", email, first_name="Stranger")

    # --- between the two ---
    @rule(kinds=st.sets(st.sampled_from(FAULTS), min_size=1), share=st.sampled_from([0.2, 0.4, 0.7]), seed=some)
    def calls_go_wrong_there(self, kinds: set[str], share: float, seed: int) -> None:
        self.there.sandbox.faults = Faults.from_json({"kinds": sorted(kinds), "share": share, "seed": seed})

    @rule(is_slow=st.booleans())
    def bulk_work_takes_its_time(self, is_slow: bool) -> None:
        self.there.sandbox.options.activity_step_s = LONG if is_slow else 0.0

    def calls_go_well(self) -> None:
        super().calls_go_well()
        self.there.sandbox.faults = Faults()
        self.there.sandbox.options.activity_step_s = 0.0

    @rule(
        listen=st.booleans(),
        meanwhile=st.lists(
            st.tuples(st.integers(1, 6), st.sampled_from(["before", "after"]), st.integers(0, 7), some, address),
            max_size=3,
        ),
    )
    def a_turn_there(self, listen: bool, meanwhile: list[tuple[int, str, int, int, str]]) -> None:
        """The same as `a_turn`, for the other connection."""
        at = {(call, when): lambda a=a, w=w, e=e: self.meanwhile(a, w, e) for call, when, a, w, e in meanwhile}
        self.turn(listen, at, self.there.connection.pk)

    def meanwhile(self, act: int, who: int, email: str) -> None:
        """One more thing that may happen while a call is under way."""
        if act == 7:
            self.person_leaves_there(email)
        else:
            super().meanwhile(act, who, email)

    @rule()
    def press_sync_there(self) -> None:
        runs.start(self.there.connection, None)
        self.turn(pk=self.there.connection.pk)

    # --- what always holds ---
    def due_now(self) -> dict[Any, reference.Due]:
        return super().due_now() | self.other.due()

    def nobody_was_wronged(self) -> None:
        super().nobody_was_wronged()
        self.other.watch.look("api")
        steps, self.other_checked = self.other.watch.steps[self.other_checked :], len(self.other.watch.steps)
        for step in steps:
            if step.by == "api":
                self.was_right_there(step)

    def was_right_there(self, step: Step) -> None:
        """One change of ours at Constant Contact: whoever went off our lists had been put there, the rest as ever."""
        is_off = step.after == "off" and step.before in ("subscribed", "pending")
        self.was_right(replace(step, after="archived") if is_off else step, step.audience)

    def may_be_set_aside(self, record: RemoteRecord) -> bool:
        """The vendor asks somebody to come back once only."""
        asked_before = record.connection_id == self.there.connection.pk and record.reason_code == ASKED
        return asked_before or super().may_be_set_aside(record)

    def verdict(self) -> list[str]:
        return [*super().verdict(), *self.other.verdict()]

    def writes(self) -> int:
        return super().writes() + len(self.there.writes())
