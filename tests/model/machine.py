"""Random days of an organization: staff edit, people act at the vendor, messages come late or twice, calls go wrong."""

import sys
import uuid
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db import transaction
from django.test import RequestFactory
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from contacts import services
from contacts.models import ConsentEvent, Contact, ContactList, EmailAddress, HistoryEntry, ListMembership
from contacts.tenancy.acting import By, acting
from contacts.tenancy.models import Tenant
from contacts.tenancy.walls import in_tenant
from integrations.models import Connection, RemoteRecord, SyncRun
from integrations.sync import brake, listening, outbox, runs
from integrations.sync.serve import serve
from integrations.webhooks import door
from tests.factories import TenantFactory
from tests.fakes.control import reset
from tests.fakes.faults import Faults
from tests.integrations.engine import World
from tests.model import reference
from tests.model.check import FAKE, Judge
from tests.model.line import tapped
from tests.model.watch import Step, watching

HOOK_KEY = "the key of the address"
MOST_QUIET_HOURS = 2
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
OURS = [f"{name}@rivermail.test" for name in ("ana", "ben", "cleo", "dan", "eve")]
# Three who were in the audience before us (active, gone, bounced), and one whom the vendor refuses.
ADDRESSES = [*OURS, "june.park@rivermail.test", "hugo.marchetti@rivermail.test", "nora.bright@rivermail.test",
             f"made.up@{FAKE}"]  # fmt: skip
NAMES = ["Ana", "Ben", "Cleo", "Søren", "李"]
LIST_NAMES = ["News", "Board", "Gala", "Friends"]
FAULTS = ["500", "500_applied", "502_html", "429", "403_empty", "cut", "cut_body", "invalid_json", "done_unanswered"]

some = st.integers(0, 11)
address = st.sampled_from(ADDRESSES)
name = st.sampled_from(NAMES)


class Days(RuleBasedStateMachine):
    """Subclasses bind `sandbox` and choose `mode` and `brake_at`."""

    sandbox: ClassVar[Any] = None
    mode: ClassVar[str] = "tags"
    brake_at: ClassVar[int] = 10**6
    stack: ExitStack

    @initialize()
    def begin(self) -> None:
        """An organization with one list and two people; the sandbox as new; everything is undone afterwards."""
        self.stack = ExitStack()
        self.stack.enter_context(transaction.atomic())
        reset(self.sandbox, {})
        self.watch = self.stack.enter_context(watching(self.sandbox))
        self.line = self.stack.enter_context(tapped())
        tenant = TenantFactory(name="River Trust of the model")
        self.stack.enter_context(in_tenant(tenant))
        self.world = World(tenant, self.sandbox, self.mode)
        self.world.account.max_instances, self.world.account.signed_webhooks = -1, False
        self.connection = self.world.connection
        self.connection.settings["brake"] = {"people": self.brake_at, "percent": 0}
        self.connection.save()
        listening.add_to_secret(self.connection, {"hook_key": HOOK_KEY})
        assert listening.start_listening(self.connection) == ""
        self.judge = Judge(self.world, self.watch)
        self.connect_more(tenant)
        self.serial = self.quiet_hours = 0
        self.checked = 0
        self.allowed: list[Any] = []
        self.ever_wanted: set[tuple[str, str]] = set()
        self.known_as_of = (-1, -1)
        self.right_now: dict[Any, Any] = {}
        self.hear_all()
        self.new_list(0)
        for who in (0, 1):
            self.add_person(OURS[who], NAMES[who], {0})

    def connect_more(self, tenant: Tenant) -> None:
        """For days with more than one vendor."""

    def teardown(self) -> None:
        """The end: everything is heard and sent, and what is there is what must be."""
        try:
            if sys.exc_info()[0] is None and hasattr(self, "world"):
                self.all_is_quiet()
        finally:
            if hasattr(self, "stack"):
                transaction.set_rollback(True)
                self.stack.close()

    # --- staff ---
    def uid(self) -> uuid.UUID:
        self.serial += 1
        return uuid.UUID(int=self.serial)

    def person(self, which: int) -> Contact | None:
        people = list(Contact.objects.order_by("pk"))
        return people[which % len(people)] if people else None

    def list_of(self, which: int) -> ContactList | None:
        lists = list(ContactList.objects.order_by("pk"))
        return lists[which % len(lists)] if lists else None

    @rule(email=address | st.none(), first=name, lists=st.sets(some, max_size=2))
    def add_person(self, email: str | None, first: str, lists: set[int]) -> None:
        with as_staff():
            contact = Contact.objects.create(uid=self.uid(), first_name=first, last_name="Ruiz")
            if email:
                EmailAddress.objects.create(contact=contact, address=email, is_primary=True)
            for one in {self.list_of(which) for which in lists} - {None}:
                ListMembership.objects.create(contact=contact, contact_list=one)

    @rule(who=some, first=name)
    def rename_person(self, who: int, first: str) -> None:
        if contact := self.person(who):
            with as_staff():
                contact.first_name = first
                contact.save()

    @rule(who=some, email=address, upper=st.booleans())
    def change_address(self, who: int, email: str, upper: bool) -> None:
        if contact := self.person(who):
            with as_staff(), transaction.atomic():
                row = contact.primary_email or EmailAddress(contact=contact, is_primary=True)
                row.address, row.state = email.upper() if upper else email, EmailAddress.State.OK
                row.save()

    @rule(one=some, other=some)
    def swap_addresses(self, one: int, other: int) -> None:
        first, second = self.person(one), self.person(other)
        if first and second and first != second and first.primary_email and second.primary_email:
            with as_staff(), transaction.atomic():
                mine, theirs = first.primary_email, second.primary_email
                mine.address, theirs.address = theirs.address, mine.address
                mine.save()
                theirs.save()

    @rule(who=some, state=st.sampled_from(["ok", "invalid", "bounced"]))
    def judge_address(self, who: int, state: str) -> None:
        if contact := self.person(who):
            with as_staff():
                contact.email_addresses.update(state=state)

    @rule(who=some)
    def clear_address(self, who: int) -> None:
        if contact := self.person(who):
            with as_staff():
                contact.email_addresses.all().delete()

    @rule(who=st.sets(some, min_size=1, max_size=3), which=some)
    def put_on_list(self, who: set[int], which: int) -> None:
        if one := self.list_of(which):
            with as_staff():
                services.add_to_list(one, self.people(who))

    @rule(who=st.sets(some, min_size=1, max_size=3), which=some)
    def take_off_list(self, who: set[int], which: int) -> None:
        if one := self.list_of(which):
            with as_staff():
                services.take_off_list(one, self.people(who))

    def people(self, who: set[int]) -> Any:
        return Contact.objects.filter(pk__in=[contact.pk for each in who if (contact := self.person(each))])

    @rule(who=st.sets(some, min_size=1, max_size=3), value=st.booleans())
    def do_not_contact(self, who: set[int], value: bool) -> None:
        with as_staff():
            services.set_do_not_contact(self.people(who), value)

    @rule(who=some, which=some, value=st.booleans())
    def do_not_contact_on_list(self, who: int, which: int, value: bool) -> None:
        with as_staff():
            ListMembership.objects.filter(contact=self.person(who), contact_list=self.list_of(which)).update(
                do_not_contact=value
            )

    @rule(who=some)
    def delete_person(self, who: int) -> None:
        if contact := self.person(who):
            with as_staff():
                contact.delete()

    @rule(which=st.integers(0, len(LIST_NAMES) - 1))
    def new_list(self, which: int) -> None:
        if not ContactList.objects.filter(name__iexact=LIST_NAMES[which]).exists():
            with as_staff():
                ContactList.objects.create(uid=self.uid(), name=LIST_NAMES[which], synchronize=True)

    @rule(which=some, to=st.integers(0, len(LIST_NAMES) - 1))
    def rename_list(self, which: int, to: int) -> None:
        one = self.list_of(which)
        if one and not ContactList.objects.filter(name__iexact=LIST_NAMES[to]).exists():
            with as_staff():
                one.name = LIST_NAMES[to]
                one.save()

    @rule(which=some)
    def switch_list(self, which: int) -> None:
        if one := self.list_of(which):
            with as_staff():
                one.synchronize = not one.synchronize
                one.save()

    @rule(which=some)
    def delete_list(self, which: int) -> None:
        if one := self.list_of(which):
            with as_staff():
                one.delete()

    # --- at the vendor ---
    def act(self, role: str, action: str, which: int, email: str, **more: Any) -> None:
        """Do it there if it can be done; each act in a second of its own, as messages tell time by the second."""
        audiences = list(self.world.account.audiences.values())
        audience = audiences[which % len(audiences)]
        self.sandbox.clock_ahead_s += 2
        wish = {"as": role, "action": action, "account": self.world.login, "audience": audience.id, "email": email}
        try:
            self.sandbox.act({**wish, **more})
        except ValueError:
            return  # nobody there, or not possible as they stand

    @rule(which=some, email=address)
    def person_leaves(self, which: int, email: str) -> None:
        self.act("person", "unsubscribe", which, email)

    @rule(which=some, email=address)
    def person_confirms(self, which: int, email: str) -> None:
        self.act("person", "confirm", which, email)

    @rule(which=some, email=address)
    def person_signs_up(self, which: int, email: str) -> None:
        self.act("person", "sign_up", which, email)

    @rule(which=some, email=address, new=st.sampled_from(OURS))
    def person_moves(self, which: int, email: str, new: str) -> None:
        self.act("person", "change_address", which, email, new_email=new)

    @rule(which=some, email=address, first=name)
    def person_renames(self, which: int, email: str, first: str) -> None:
        self.act("person", "update_profile", which, email, merge_fields={"FNAME": first})

    @rule(which=some, email=address)
    def holder_archives(self, which: int, email: str) -> None:
        self.act("holder", "archive", which, email)

    @rule(which=some, email=address)
    def holder_cleans(self, which: int, email: str) -> None:
        self.act("holder", "clean", which, email)

    @rule(which=some, email=st.sampled_from(OURS))
    def holder_adds(self, which: int, email: str) -> None:
        self.act("holder", "add_member", which, email, merge_fields={"FNAME": "Stranger"})

    # --- between the two ---
    @rule(kinds=st.sets(st.sampled_from(FAULTS), min_size=1), share=st.sampled_from([0.2, 0.4, 0.7]), seed=some)
    def calls_go_wrong(self, kinds: set[str], share: float, seed: int) -> None:
        self.sandbox.faults = Faults.from_json({"kinds": sorted(kinds), "share": share, "seed": seed})

    @rule()
    def calls_go_well(self) -> None:
        self.sandbox.faults = Faults()

    @rule(which=some, twice=st.booleans())
    def a_message_comes(self, which: int, twice: bool) -> None:
        if self.watch.mail:
            parcel = self.watch.mail[which % len(self.watch.mail)]
            if not twice:
                self.watch.mail.remove(parcel)
            self.deliver(parcel)

    def deliver(self, parcel: Any) -> None:
        request = RequestFactory().post(
            "/hooks/",
            parcel.body,
            content_type="application/x-www-form-urlencoded",
            headers=parcel.headers(parcel.body),
        )
        assert door(request, "mailchimp", HOOK_KEY).status_code == 200

    @rule(
        listen=st.booleans(),
        meanwhile=st.lists(
            st.tuples(st.integers(1, 6), st.sampled_from(["before", "after"]), st.integers(0, 6), some, address),
            max_size=3,
        ),
    )
    def a_turn(self, listen: bool, meanwhile: list[tuple[int, str, int, int, str]]) -> None:
        """The engine works; at some calls something happens: an edit, an act there, or the worker is killed."""
        self.turn(listen, {(call, when): lambda a=a, w=w, e=e: self.meanwhile(a, w, e)
                           for call, when, a, w, e in meanwhile})  # fmt: skip

    def meanwhile(self, act: int, who: int, email: str) -> None:
        """One of the things that happen while a call is under way."""
        if act == 0:
            self.line.kill()
        {
            1: lambda: self.rename_person(who, NAMES[who % len(NAMES)]),
            2: lambda: self.change_address(who, email, False),
            3: lambda: self.do_not_contact({who}, True),
            4: lambda: self.take_off_list({who}, who),
            5: lambda: self.person_leaves(who, email),
            6: lambda: self.put_on_list({who}, who),
        }[act]()
        self.remember_allowed()

    def turn(self, listen: bool = False, at: dict[Any, Any] | None = None, pk: int = 0) -> bool:
        """One turn of the engine; whatever it did to people there was allowed at that time."""
        self.allowed = []
        self.remember_allowed()
        self.line.new_turn(at or {})
        try:
            more = serve(pk or self.connection.pk, listen=listen)
        except BaseException:
            if not self.line.is_dead:
                raise
            # The supervisor sees that its child is dead, and frees what it held.
            Connection.objects.update(lease_until=None, lease_token="", lease_holder="")
            more = True
        self.hear_all()
        self.remember_allowed()
        self.nobody_was_wronged()
        return more

    def hear_all(self) -> None:
        for audience in self.world.account.audiences.values():
            self.watch.listen_to(audience)

    @rule(again=st.booleans())
    def press_sync(self, again: bool) -> None:
        runs.start(self.connection, None)
        for _ in range(4 if again else 1):
            self.turn()

    @rule()
    def confirm(self) -> None:
        if run := SyncRun.objects.filter(state=SyncRun.State.READY).first():
            runs.confirm(run, None)

    @rule()
    def answer_the_brake(self) -> None:
        for connection in Connection.objects.all():
            brake.release(connection, "Ana")

    # --- what always holds ---
    def remember_allowed(self) -> None:
        """What would be right at this moment."""
        now = HistoryEntry.objects.count(), ConsentEvent.objects.count()
        if now != self.known_as_of:
            self.known_as_of, self.right_now = now, self.due_now()
            self.ever_wanted |= self.right_now.keys()
        self.allowed.append(self.right_now)

    def due_now(self) -> dict[Any, reference.Due]:
        """{(container, address): what has to be there}."""
        return reference.due(self.judge.container_of)

    def nobody_was_wronged(self) -> None:
        """Whoever we made hear from the lists had to; whoever had left by themselves was left alone."""
        containers = {a.id: c for c, a in self.judge.audiences_in_use().items()}
        steps, self.checked = self.watch.steps[self.checked :], len(self.watch.steps)
        for step in steps:
            if step.by == "api" and step.audience in containers:
                self.was_right(step, containers[step.audience])

    def was_right(self, step: Step, container: str) -> None:
        """One change of ours."""
        wishes = [wish for due in self.allowed if (wish := due.get((container, step.address)))]
        if step.after == "subscribed":
            assert not step.own_word, f"subscribed after their own opt-out: {step}"
            assert any(not wish.is_asked for wish in wishes), f"subscribed although nobody wants it: {step}"
        elif step.after == "pending":
            assert wishes, f"asked although nobody wants it: {step}"
        elif step.after == "archived":
            was_ours = step.ever_ours or (container, step.address) in self.ever_wanted
            assert was_ours, f"archived a stranger: {step}"
        elif step.after == "unsubscribed" and step.before != "pending":
            blocked = Contact.objects.filter(do_not_contact=True) or ListMembership.objects.filter(do_not_contact=True)
            assert blocked or ConsentEvent.objects.filter(kind__in=["dnc_set", "opt_out"]), f"unsubscribed: {step}"

    # --- the end ---
    @rule()
    def a_quiet_hour(self) -> None:
        """Everything settles in the middle of the day; a few times, as it takes long."""
        self.quiet_hours += 1
        if self.quiet_hours <= MOST_QUIET_HOURS:
            self.all_is_quiet()

    def all_is_quiet(self) -> None:
        """Faults end, everything is heard and sent; then what is there is what must be, and Sync has nothing to do."""
        self.calls_go_well()
        stopped = RemoteRecord.objects.filter(reason_code__in=["removed_there", "name_taken"])
        for connection in Connection.objects.order_by("pk"):
            self.turn(listen=True, pk=connection.pk)
        for _ in range(20):
            for parcel in self.watch.mail:
                self.deliver(parcel)
            self.watch.mail.clear()
            self.confirm()
            self.turns_until_quiet()
            if not outbox.retry(stopped) and not self.watch.mail:
                break
        for subject in RemoteRecord.objects.filter(state=RemoteRecord.State.SET_ASIDE):
            assert self.may_be_set_aside(subject), f"set aside: {subject.reason} {subject.known}"
        assert not (wrong := self.verdict()), wrong
        for connection in Connection.objects.order_by("pk"):
            self.sync_has_nothing_to_do(connection)

    def may_be_set_aside(self, record: RemoteRecord) -> bool:
        """Whether it is the vendor that does not want them."""
        contact = Contact.objects.filter(uid=record.subject_uid).first()
        email = contact.primary_email if contact else None
        return email is not None and email.address.lower().endswith(FAKE)

    def verdict(self) -> list[str]:
        """Every difference between what is there and what must be."""
        return self.judge.verdict()

    def turns_until_quiet(self) -> None:
        """As many turns as it takes."""
        for _ in range(200):
            Connection.objects.update(retry_at=None)
            # What a vendor takes its time for is asked about at once.
            RemoteRecord.objects.filter(due_at__isnull=False).update(due_at=LONG_AGO)
            more = [self.turn(pk=pk) for pk in Connection.objects.order_by("pk").values_list("pk", flat=True)]
            if not any(more):
                self.answer_the_brake()
                if not RemoteRecord.objects.filter(due_at__isnull=False).exists():
                    return
        raise AssertionError(f"never quiet: {list(RemoteRecord.objects.filter(due_at__isnull=False).values())}")

    def sync_has_nothing_to_do(self, connection: Connection) -> None:
        """The second Sync writes nothing."""
        before = self.writes()
        run = runs.start(connection, None)
        self.turns_until_quiet()
        run.refresh_from_db()
        shown = list(run.items.exclude(verb="skip").values_list("label", "operations"))
        assert (run.state, shown) == (SyncRun.State.READY, [])
        runs.confirm(run, None)
        self.turns_until_quiet()
        assert self.writes() == before

    def writes(self) -> int:
        """How many calls changed something at the vendor."""
        return len(self.world.writes())


def as_staff() -> Any:
    """Attribute what follows to staff."""
    return acting(By.STAFF, "Almoner")
